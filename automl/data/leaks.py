"""Columns that give the target away: each one alone in a shallow tree, cross-validated."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from automl.data.cells import Floats, cells_to_days, cells_to_labels, cells_to_numbers
from automl.data.dataset import ColumnUse, Kind, Note, Role
from automl.data.preparing import encode_target
from automl.data.task import Task, TaskType

if TYPE_CHECKING:
    import pandas as pd

Ints = NDArray[np.int64]

MAX_ROWS = 5_000
N_FOLDS = 3
MAX_LEAVES = 32
MIN_LEAF_ROWS = 5
PRIOR_ROWS = 2.0
# where a column alone reaches it: a warning, and the advice to leave it out
AUC_LIMITS = (0.93, 0.985)
R2_LIMITS = (0.90, 0.98)
_LARGEST = float(np.finfo(np.float32).max)


def compute_leaks(
    frame: "pd.DataFrame", task: Task, columns: tuple[ColumnUse, ...]
) -> tuple[Note, ...]:
    """Notes about columns that predict the target almost alone, the strongest first.

    Looks at features and sensitive columns, at most 5,000 rows of them (drawn with seed 0), three
    stratified folds. Measures the AUC (mean over classes, one against the rest) or R². Numbers and dates go
    into a tree of 32 leaves, which sees missing values; categories become the mean target of their level in
    the other folds. Warns from .93 (R² .90); from .985 (.98) the first action is ``ignore``.
    """
    target = encode_target(frame, task)
    present = np.flatnonzero(~np.isnan(target) if task.type is TaskType.REGRESSION else target >= 0)
    if len(present) > MAX_ROWS:
        present = np.sort(np.random.default_rng(0).choice(present, MAX_ROWS, replace=False))
    chosen, truth = frame.iloc[present], target[present]
    if task.type is TaskType.REGRESSION:
        largest = float(np.abs(truth).max(initial=0)) or 1.0
        outcome = np.asarray(truth / largest, dtype=np.float64)[:, None]
    else:
        kept = np.unique(truth)
        outcome = (truth[:, None] == kept[None, :]).astype(np.float64)
    folds = _build_folds(truth, task.type)
    found = []
    for column in columns:
        if column.role not in (Role.FEATURE, Role.SENSITIVE):
            continue
        score = _score_column(chosen[column.name], column.kind, outcome, folds)
        note = _build_note(column.name, score, task)
        if note is not None:
            found.append((score, note))
    return tuple(note for _, note in sorted(found, key=lambda pair: -pair[0]))


def _build_folds(truth: NDArray[Any], task_type: TaskType) -> Ints:
    """A fold number per row: rows in order of the target, dealt out in turns from a random start."""
    generator = np.random.default_rng(0)
    ties = generator.permutation(len(truth))
    order = np.lexsort((ties, truth))
    folds = np.empty(len(truth), dtype=np.int64)
    blocks = np.arange(len(truth)) // N_FOLDS
    turns = generator.permuted(
        np.tile(np.arange(N_FOLDS), (int(blocks.max(initial=0)) + 1, 1)), axis=1
    ).reshape(-1)[: len(truth)]
    # classes: in turns, so that a class of three rows is in every fold
    folds[order] = turns if task_type is TaskType.REGRESSION else np.arange(len(truth)) % N_FOLDS
    return folds


def _score_column(series: "pd.Series[Any]", kind: Kind, outcome: Floats, folds: Ints) -> float:
    predicted = np.zeros_like(outcome)
    if kind in (Kind.NUMERIC, Kind.DATETIME):
        values = cells_to_days(series) if kind is Kind.DATETIME else cells_to_numbers(series)
        values = np.where(np.isinf(values), np.nan, values).clip(-_LARGEST, _LARGEST)
        for train, held_out in _iterate_folds(folds):
            predicted[held_out] = _predict_by_tree(values, outcome, train, held_out)
    else:
        codes, labels = cells_to_labels(series)
        codes = np.where(codes < 0, len(labels), codes)
        for train, held_out in _iterate_folds(folds):
            rates = _compute_level_means(codes[train], outcome[train], len(labels) + 1)
            predicted[held_out] = rates[codes[held_out]]
    if outcome.shape[1] == 1:
        return _compute_r2(outcome[:, 0], predicted[:, 0])
    return _compute_mean_auc(outcome, predicted, folds)


def _iterate_folds(folds: Ints) -> Iterator[tuple[Ints, Ints]]:
    for fold in range(N_FOLDS):
        yield np.flatnonzero(folds != fold), np.flatnonzero(folds == fold)


def _predict_by_tree(values: Floats, outcome: Floats, train: Ints, held_out: Ints) -> Floats:
    from sklearn.tree import DecisionTreeRegressor  # a second of import that only a check needs

    tree = DecisionTreeRegressor(
        max_leaf_nodes=MAX_LEAVES, min_samples_leaf=MIN_LEAF_ROWS, random_state=0
    )
    tree.fit(values[train, None].astype(np.float32), outcome[train])
    predicted: Floats = tree.predict(values[held_out, None].astype(np.float32))
    return predicted.reshape(len(held_out), -1)


def _compute_level_means(codes: NDArray[Any], outcome: Floats, n_levels: int) -> Floats:
    """Mean outcome per level, drawn to the overall mean by two rows' worth. ``(levels, outputs)``."""
    sums = np.zeros((n_levels, outcome.shape[1]))
    np.add.at(sums, codes, outcome)
    counts = np.bincount(codes, minlength=n_levels)[:, None]
    means: Floats = (sums + PRIOR_ROWS * outcome.mean(axis=0)) / (counts + PRIOR_ROWS)
    return means


def _compute_r2(truth: Floats, predicted: Floats) -> float:
    spread = float(((truth - truth.mean()) ** 2).sum())
    return 1 - float(((truth - predicted) ** 2).sum()) / spread if spread > 0 else 0.0


def _compute_mean_auc(outcome: Floats, predicted: Floats, folds: Ints) -> float:
    """Mean over folds and classes; pairs without both outcomes are left out."""
    scores = [
        _compute_auc(outcome[held_out, index], predicted[held_out, index])
        for _, held_out in _iterate_folds(folds)
        for index in range(outcome.shape[1])
        if 0 < outcome[held_out, index].sum() < len(held_out)
    ]
    return float(np.mean(scores)) if scores else 0.5


def _compute_auc(truth: Floats, score: Floats) -> float:
    _, codes, counts = np.unique(score, return_inverse=True, return_counts=True)
    ranks = np.cumsum(counts) - (counts - 1) / 2  # the middle of each tie, from 1
    n_positive = truth.sum()
    n_negative = len(truth) - n_positive
    total = ranks[codes.reshape(-1)][truth > 0].sum()
    return float((total - n_positive * (n_positive + 1) / 2) / (n_positive * n_negative))


def _build_note(name: str, score: float, task: Task) -> Note | None:
    is_regression = task.type is TaskType.REGRESSION
    weak, strong = R2_LIMITS if is_regression else AUC_LIMITS
    if score < weak:
        return None
    measure = "R²" if is_regression else "AUC"
    text = (
        f"{name!r} alone predicts {task.target!r} with {measure} {score:.3f}. It may hold the answer, "
        "or something known only afterwards. "
    )
    if score >= strong:
        text += "Ignore it unless it is known when you predict."
        actions: tuple[str, ...] = ("ignore", "keep")
    else:
        text += "Keep it only if it is known when you predict."
        actions = ("keep", "ignore")
    return Note(code="leak", column=name, text=text, level="warning", actions=actions)
