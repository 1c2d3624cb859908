"""Temperature on real tasks: decisions stay, the log loss of new rows is no worse than by noise; so is the choice."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn import datasets
from sklearn.compose import make_column_transformer
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OrdinalEncoder, StandardScaler

from automl.evaluation.calibration import fit_temperature
from automl.evaluation.calibrator_choice import choose_calibrator

pytestmark = pytest.mark.acceptance

Rows = tuple[pd.DataFrame, np.ndarray]


def _read(name: str, target: str, *left_out: str) -> Callable[[Path], Rows]:
    def read(folder: Path) -> Rows:
        frame = pd.read_csv(folder / name).dropna(subset=[target]).drop(columns=list(left_out))
        return frame.drop(columns=target), pd.factorize(frame[target], sort=True)[0]

    return read


def _load(load: Callable[..., Rows]) -> Callable[[Path], Rows]:
    return lambda _folder: load(return_X_y=True, as_frame=True)


TASKS = {
    "breast cancer": _load(datasets.load_breast_cancer),
    "digits": _load(datasets.load_digits),
    "adult": _read("adult_train.csv", "income"),
    "german credit": _read("german_credit.csv", "class-label"),
    "churn": _read("telco_churn.csv", "Churn", "customerID"),
    "titanic": _read("titanic.csv", "Survived", "Name", "Ticket", "Cabin"),
}
MODELS = {
    "bayes": GaussianNB,  # far too sure where columns tell the same
    "boosting": lambda: HistGradientBoostingClassifier(max_iter=150, learning_rate=0.2, random_state=0),
    "linear": lambda: make_pipeline(StandardScaler(), LogisticRegression(max_iter=2_000)),
}  # fmt: skip


def _encode(rows: pd.DataFrame) -> np.ndarray:
    """Numbers as they are, words by number, the middle where nothing is."""
    numbers = list(rows.select_dtypes("number").columns)
    words = [name for name in rows if name not in numbers]
    encoder = make_column_transformer(
        (SimpleImputer(strategy="median"), numbers),
        (make_pipeline(SimpleImputer(strategy="most_frequent"), OrdinalEncoder()), words),
    )
    return np.asarray(encoder.fit_transform(rows), dtype=np.float64)


def _list_losses(truth: np.ndarray, probability: np.ndarray) -> np.ndarray:
    return -np.log(np.clip(probability[np.arange(len(truth)), truth], 1e-15, None))


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("task", TASKS)
def test_mending_changes_no_decision_and_costs_no_more_than_noise(data_folder, task, model):
    rows, labels = TASKS[task](data_folder)
    labels = np.asarray(labels)
    table = _encode(rows)
    train, rest = train_test_split(
        np.arange(len(labels)), test_size=0.5, random_state=0, stratify=labels
    )
    known, new = train_test_split(rest, test_size=0.6, random_state=0, stratify=labels[rest])
    fitted = MODELS[model]().fit(table[train], labels[train])
    before = fitted.predict_proba(table[new])
    on_known = fitted.predict_proba(table[known])
    temperature = fit_temperature(labels[known], on_known)
    after = temperature.apply(before)
    best = before.max(axis=1, keepdims=True)
    assert np.all(np.take_along_axis(before, after.argmax(axis=1)[:, None], 1) >= best - 1e-12)
    losses = _list_losses(labels[new], before)
    mended = {
        "temperature": after,
        "choice": choose_calibrator(labels[known], on_known).calibrator.apply(before),
    }
    for name, probability in mended.items():
        more = _list_losses(labels[new], probability) - losses
        noise = 1.96 * more.std() / np.sqrt(len(more))
        assert more.mean() <= noise, f"{name}: {more.mean():.4f} more, noise {noise:.4f}"
