"""Small prepared tables, made without the data room."""

import numpy as np

from automl.data.task import Task, TaskType
from automl.data.views import Part, Prepared, Views, ViewShape
from automl.models.catalog import FAMILIES
from automl.training.request import TrainRequest


def build_task(task_type: TaskType, metric: str = "") -> Task:
    if task_type is TaskType.REGRESSION:
        return Task(target="y", type=task_type, metric=metric or "rmse")
    if task_type is TaskType.MULTICLASS:
        return Task(
            target="y", type=task_type, metric=metric or "log_loss", classes=("a", "b", "c")
        )
    return Task(
        target="y",
        type=task_type,
        metric=metric or "roc_auc",
        classes=("no", "yes"),
        positive="yes",
    )


def build_prepared(task_type: TaskType, n_rows: int = 400, seed: int = 0) -> Prepared:
    """Three numbers, one missing indicator, a binary, a narrow and a wide category; a learnable target."""
    rng = np.random.default_rng(seed)
    numeric = rng.normal(size=(n_rows, 3)).astype(np.float32)
    is_missing = rng.random(n_rows) < 0.1
    raw = numeric * 3 + 1
    raw[is_missing, 0] = np.nan
    scaled = np.where(np.isnan(raw), 0, numeric).astype(np.float32)
    view = np.concatenate([scaled, is_missing[:, None].astype(np.float32)], axis=1)
    codes = np.stack(
        [rng.integers(1, 3, n_rows), rng.integers(0, 6, n_rows), rng.integers(0, 31, n_rows)],
        axis=1,
    ).astype(np.int32)
    signal = 2 * scaled[:, 1] + scaled[:, 2] ** 2 + (codes[:, 0] == 1) + (codes[:, 1] == 3)
    target, n_outputs = _build_target(task_type, signal, rng)
    order = rng.permutation(n_rows)
    cuts = [int(n_rows * share) for share in (0.6, 0.8, 0.9)]
    parts = {
        part: np.sort(rows).astype(np.int64)
        for part, rows in zip(Part, np.split(order, cuts), strict=True)
    }
    train = target[parts[Part.TRAIN]]
    is_value = task_type is TaskType.REGRESSION
    return Prepared(
        views=Views(raw=raw, quantile=view, robust=view.copy(), standard=view.copy(), codes=codes),
        target=target,
        parts=parts,
        shape=ViewShape(
            n_raw=3,
            n_quantile=4,
            n_quantile_numeric=3,
            cardinalities=(3, 6, 31),
            n_outputs=n_outputs,
        ),
        target_mean=float(train.mean()) if is_value else 0.0,
        target_scale=float(train.std()) if is_value else 1.0,
    )


def _build_target(task_type, signal, rng):
    noisy = signal + 0.3 * rng.normal(size=len(signal))
    if task_type is TaskType.REGRESSION:
        return 1000 * noisy + 50_000.0, 1
    if task_type is TaskType.MULTICLASS:
        return np.digitize(noisy, np.quantile(noisy, [0.4, 0.7])).astype(np.int64), 3
    return (noisy > np.quantile(noisy, 0.6)).astype(np.int64), 2


def drive(training, answer=lambda _: None):
    """Run a training to its end: what it returned and the epochs it yielded; ``answer`` gives verbs."""
    epochs = []
    try:
        epoch = next(training)
        while True:
            epochs.append(epoch)
            epoch = training.send(answer(epoch))
    except StopIteration as stop:
        return stop.value, epochs


def build_request(family: str, config=None, **changes) -> TrainRequest:
    config = FAMILIES[family].default if config is None else config
    values = {"seed": 0, "batch_size": 64, "max_epochs": 6} | changes
    return TrainRequest(family=family, config=config, **values)


SMALL_MLP = FAMILIES["mlp"].default | {
    "width": 32,
    "norm": "none",
    "dropout": 0.1,
    "numeric_embedding.piecewise.bins": 8,
}
