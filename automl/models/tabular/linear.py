"""Logistic regression and ridge on scaled numbers and one-hot categories."""

import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self, TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression, Ridge

from automl.data.views import Views

MAX_ITERATIONS = 500


@dataclass(frozen=True, kw_only=True, slots=True)
class LinearModel:
    """``design @ weight + bias``; logits of K classes, or one value as uploaded.

    ``weight`` is ``(n_columns, K)``, ``bias`` ``(K,)``; a binary model has two columns, the first zero.
    ``limits`` clamp a regression to the training range.
    """

    weight: NDArray[np.float64]
    bias: NDArray[np.float64]
    limits: NDArray[np.float64]
    cardinalities: tuple[int, ...]
    is_regression: bool
    warnings: tuple[str, ...] = ()
    family: str = "linear"

    def predict(self, views: Views) -> NDArray[np.float64]:
        raw = np.asarray(build_design(views, self.cardinalities) @ self.weight + self.bias)
        if self.is_regression:
            return np.asarray(np.clip(raw[:, 0], *self.limits))
        raw -= raw.max(axis=1, keepdims=True)
        odds = np.exp(raw)
        return np.asarray(odds / odds.sum(axis=1, keepdims=True))

    def describe(self) -> Mapping[str, Any]:
        return {
            "is_regression": self.is_regression,
            "cardinalities": list(self.cardinalities),
        }

    def to_arrays(self) -> dict[str, NDArray[Any]]:
        return {"weight": self.weight, "bias": self.bias, "limits": self.limits}

    @classmethod
    def from_arrays(cls, record: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> Self:
        return cls(
            weight=arrays["weight"],
            bias=arrays["bias"],
            limits=arrays["limits"],
            cardinalities=tuple(record["cardinalities"]),
            is_regression=bool(record["is_regression"]),
        )


Design: TypeAlias = csr_array | NDArray[np.float64]


def build_design(views: Views, cardinalities: tuple[int, ...]) -> Design:
    """The standard view and one column per level, sparse ``(n, S + levels)``; unknown levels are zeros.

    Pictures have no levels: theirs is dense, which is many times faster to fit.
    """
    if views.images is not None:
        return np.asarray(views.standard, dtype=np.float64)
    n_rows, n_numeric = views.standard.shape
    widths = np.array([cardinality - 1 for cardinality in cardinalities], dtype=np.int64)
    starts = n_numeric + np.concatenate([[0], np.cumsum(widths)[:-1]]) if len(widths) else widths
    rows = np.arange(n_rows)
    dense = np.broadcast_to(np.arange(n_numeric), (n_rows, n_numeric))
    columns = [dense.ravel()]
    places = [np.repeat(rows, n_numeric)]
    values = [np.asarray(views.standard, dtype=np.float64).ravel()]
    for index, start in enumerate(starts):
        codes = np.asarray(views.codes[:, index])
        known = codes > 0
        columns.append(start + codes[known] - 1)
        places.append(rows[known])
        values.append(np.ones(int(known.sum())))
    shape = (n_rows, n_numeric + int(widths.sum()))
    parts = (np.concatenate(values), (np.concatenate(places), np.concatenate(columns)))
    return csr_array(parts, shape=shape)


def fit_linear(
    views: Views,
    target: NDArray[Any],
    *,
    strength: float,
    n_classes: int,
    cardinalities: tuple[int, ...],
    row_weight: NDArray[np.float64] | None = None,
) -> LinearModel:
    """Fit with the L2 penalty ``1 / strength``; ``n_classes`` is 0 for a value.

    Ridge divides its penalty by the strength as well, on a target of deviation 1. Weights of rows are scaled to
    mean 1, so that the penalty keeps its meaning.
    """
    design = build_design(views, cardinalities)
    weight_of_row = None if row_weight is None else row_weight / row_weight.mean()
    if n_classes == 0:
        return _fit_ridge(design, target, strength, cardinalities, weight_of_row)
    model = LogisticRegression(C=strength, max_iter=MAX_ITERATIONS)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", ConvergenceWarning)
        model.fit(design, target, sample_weight=weight_of_row)
    weight = np.zeros((design.shape[1], n_classes))
    bias = np.full(n_classes, -30.0)  # a class without training rows has probability 0
    if len(model.classes_) == 2:
        first, second = model.classes_
        bias[first] = 0.0
        weight[:, second], bias[second] = model.coef_[0], model.intercept_[0]
    else:
        weight[:, model.classes_], bias[model.classes_] = model.coef_.T, model.intercept_
    return LinearModel(
        weight=weight,
        bias=bias,
        limits=np.array([0.0, 1.0]),
        cardinalities=cardinalities,
        is_regression=False,
        warnings=(f"The linear model stopped after {MAX_ITERATIONS} iterations, not converged.",)
        if any(issubclass(item.category, ConvergenceWarning) for item in caught)
        else (),
    )


def _fit_ridge(
    design: Design,
    target: NDArray[Any],
    strength: float,
    cardinalities: tuple[int, ...],
    row_weight: NDArray[np.float64] | None,
) -> LinearModel:
    scale = float(target.std()) or 1.0
    model = Ridge(alpha=1 / strength, solver="sparse_cg", tol=1e-6)
    model.fit(design, (target - target.mean()) / scale, sample_weight=row_weight)
    return LinearModel(
        weight=model.coef_[:, None] * scale,
        bias=np.array([model.intercept_ * scale + target.mean()]),
        limits=np.array([target.min(), target.max()], dtype=np.float64),
        cardinalities=cardinalities,
        is_regression=True,
    )
