"""Categories as the mean target of their training rows, each row without its own.

The encoding of a training row comes from the other four of five folds of the training rows, so that no row sees its
own target; every other row is read in the table of all training rows. Pure numpy.
Source: Micci-Barreca 2001, "A Preprocessing Scheme for High-Cardinality Categorical Attributes"; out of fold as in
Pargent et al. 2022, "Regularized target encoding outperforms traditional methods".
"""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from automl.data.views import Views, ViewShape
from automl.space.dimensions import Choice, Config, Space

LABEL = "target_encoding"
MIN_LEVELS = 8  # fewer are told apart without help
PRIOR_ROWS = 10.0
N_FOLDS = 5
MAX_CLASSES = 10  # the most frequent ones get a column each
Floats = NDArray[np.float64]


def find_columns(shape: ViewShape) -> tuple[int, ...]:
    """Indices of the categorical columns with more than ``MIN_LEVELS`` levels."""
    return tuple(i for i, size in enumerate(shape.cardinalities) if size - 1 > MIN_LEVELS)


def build_outcome(target: NDArray[np.generic], n_classes: int) -> Floats:
    """What is averaged, ``(n, T)``: the value (0 classes), the second class of two, else up to ten classes."""
    if n_classes == 0:
        return np.asarray(target, dtype=np.float64)[:, None]
    counts = np.bincount(target.astype(np.int64), minlength=n_classes)
    chosen = np.argsort(-counts, kind="stable")[:MAX_CLASSES] if n_classes > 2 else np.array([1])
    return np.asarray(target[:, None] == np.sort(chosen)[None, :], dtype=np.float64)


def fit_tables(
    codes: NDArray[np.integer], cardinalities: tuple[int, ...], outcome: Floats
) -> NDArray[np.float32]:
    """The tables of the columns one below the other, ``(sum of cardinalities, T)``.

    (sum + 10 prior) / (count + 10), then the prior as 0 and the deviation of the outcome as 1; a code without
    rows has 0.
    """
    n_outcomes = outcome.shape[1]
    if not len(outcome):
        return np.zeros((sum(cardinalities), n_outcomes), dtype=np.float32)
    prior, spread = outcome.mean(axis=0), outcome.std(axis=0)
    centred = (outcome - prior) / np.where(spread > 0, spread, 1.0)
    tables = []
    for index, size in enumerate(cardinalities):
        column = codes[:, index]
        counts = np.bincount(column, minlength=size)[:, None] + PRIOR_ROWS
        sums = [np.bincount(column, weights=values, minlength=size) for values in centred.T]
        tables.append(np.column_stack(sums) / counts)
    return np.concatenate(tables).astype(np.float32)


def look_up(
    codes: NDArray[np.integer], cardinalities: tuple[int, ...], tables: NDArray[np.float32]
) -> NDArray[np.float32]:
    """The encoded columns of rows, ``(n, C × T)``."""
    starts = np.concatenate([[0], np.cumsum(cardinalities)[:-1]]).astype(np.int64)
    found: NDArray[np.float32] = tables[codes + starts]
    return found.reshape(len(codes), len(cardinalities) * tables.shape[1])


def encode_out_of_fold(
    codes: NDArray[np.integer], cardinalities: tuple[int, ...], outcome: Floats
) -> NDArray[np.float32]:
    """Training rows ``(n, C × T)``, each from the tables of the folds it is not in."""
    encoded = np.zeros((len(codes), len(cardinalities) * outcome.shape[1]), dtype=np.float32)
    folds = np.random.default_rng(0).permutation(len(codes)) % N_FOLDS
    for fold in range(N_FOLDS):
        held_out, others = folds == fold, folds != fold
        tables = fit_tables(codes[others], cardinalities, outcome[others])
        encoded[held_out] = look_up(codes[held_out], cardinalities, tables)
    return encoded


@dataclass(frozen=True, kw_only=True, slots=True)
class TargetEncoding:
    """Tables of some columns of ``Views.codes`` and the place of what they give: a view, and where in it."""

    columns: tuple[int, ...]
    cardinalities: tuple[int, ...]
    tables: NDArray[np.float32]
    view: str
    position: int

    def encode(self, views: Views) -> NDArray[np.float32]:
        """The encoded columns of rows that took no part in the fit."""
        return look_up(views.codes[:, list(self.columns)], self.cardinalities, self.tables)

    def widen(self, views: Views, encoded: NDArray[np.float32]) -> Views:
        """The views with the encoded columns in the one that the model reads; the others stay as they are."""
        before = getattr(views, self.view)
        parts = [before[:, : self.position], encoded, before[:, self.position :]]
        changes: dict[str, Any] = {self.view: np.concatenate(parts, axis=1)}
        return replace(views, **changes)


def widen_shape(shape: ViewShape, n_encoded: int, *, is_network: bool) -> ViewShape:
    """The shape of widened views; encoded columns are numbers like others and may be embedded."""
    if not is_network:
        return replace(shape, n_raw=shape.n_raw + n_encoded)
    return replace(
        shape,
        n_quantile=shape.n_quantile + n_encoded,
        n_quantile_numeric=shape.n_quantile_numeric + n_encoded,
    )


def count_encoded(shape: ViewShape) -> int:
    """How many columns the encoding adds for these views."""
    n_outcomes = min(shape.n_outputs, MAX_CLASSES) if shape.n_outputs > 2 else 1
    return len(find_columns(shape)) * n_outcomes


def build_encoding_space() -> Space:
    """With or without; offered where a column has more than ``MIN_LEVELS`` levels."""
    return {LABEL: Choice(options=(False, True))}


def with_encoding(config: Config, space: Space, *, is_on: bool) -> Config:
    """The same configuration with a word about the encoding, where the space asks for one."""
    return {**config, LABEL: is_on} if LABEL in space and LABEL not in config else config


def is_encoded(config: Config) -> bool:
    """Whether a configuration asks for the encoding."""
    return config.get(LABEL) is True
