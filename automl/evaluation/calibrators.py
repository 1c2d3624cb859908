"""Four ways to mend probabilities, fitted on the calibrate part and kept as plain numbers.

- temperature: ``softmax(log p / T)``, one number for all classes (Guo et al. 2017, arXiv:1706.04599)
- affine: ``σ(a · logit p + b)`` with a ≥ 0 (Platt 1999), fitted by scikit-learn's logistic regression
- beta: ``σ(a · ln p − b · ln(1 − p) + c)`` with a, b ≥ 0 (Kull et al. 2017), the same regression on two columns
- isotonic: a rising staircase with straight pieces (Zadrozny and Elkan 2002), scikit-learn's ``IsotonicRegression``

Two classes have one curve, of the second class. With more, all but the temperature are fitted for each class against
the rest and divided by their sum, which may change decisions; the temperature never does.
"""

import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import numpy as np
from numpy.typing import NDArray

from automl.errors import DataError
from automl.evaluation.calibration import Temperature, apply_temperature, fit_temperature

CLIP = 1e-6  # of a probability, before its logit
LOOSE = (
    1e6  # C of the regression: no visible penalty, and finite numbers where classes are separated
)

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


class Method(StrEnum):
    """How probabilities are mended."""

    TEMPERATURE = "temperature"
    AFFINE = "affine"
    BETA = "beta"
    ISOTONIC = "isotonic"


@dataclass(frozen=True, kw_only=True, slots=True)
class Calibrator:
    """A fitted calibrator; ``n`` rows of the calibrate part were used.

    ``numbers``: one line per curve. Temperature ``(T,)``; affine ``(a, b)``; beta ``(a, b, c)``; isotonic the values at
    the probabilities ``knots``, straight between them and level outside. One curve for two classes, one per class for
    more; the temperature has one line.
    """

    method: Method
    n: int
    numbers: tuple[tuple[float, ...], ...]
    knots: tuple[tuple[float, ...], ...] = ()

    def __post_init__(self) -> None:
        values = [value for line in (*self.numbers, *self.knots) for value in line]
        if not self.numbers or not np.isfinite(values).all():
            raise DataError(f"The numbers of a calibrator ({self.method}) are not finite.")
        if self.method is Method.TEMPERATURE and self.numbers[0][0] <= 0:
            raise DataError(f"A temperature is a positive number, got {self.numbers[0][0]}.")
        if self.method is Method.ISOTONIC and list(map(len, self.knots)) != list(map(len, self.numbers)):  # fmt: skip
            raise DataError("An isotonic calibrator needs a value for every knot.")

    def apply(self, probability: NDArray[np.floating]) -> Floats:
        """Mended probabilities, every row summing to 1. Shape: ``(n, K) → (n, K)``."""
        if self.method is Method.TEMPERATURE:
            return apply_temperature(probability, self.numbers[0][0])
        values = np.asarray(probability, dtype=np.float64)
        if len(self.numbers) == 1:
            second = self._bend(0, values[:, 1])
            return np.column_stack([1 - second, second])
        self._require(values.shape[1])
        curves = [self._bend(k, values[:, k]) for k in range(values.shape[1])]
        mended = np.column_stack(curves)
        total: Floats = mended / mended.sum(axis=1, keepdims=True)
        return total

    def to_json(self) -> dict[str, Any]:
        """Plain values; ``parse_calibrator`` reads them."""
        return {
            "method": str(self.method),
            "n": self.n,
            "numbers": [list(line) for line in self.numbers],
            "knots": [list(line) for line in self.knots],
        }

    def _require(self, n_classes: int) -> None:
        if n_classes != len(self.numbers):
            raise DataError(
                f"A calibrator of {len(self.numbers)} classes cannot mend {n_classes} of them."
            )

    def _bend(self, curve: int, score: Floats) -> Floats:
        knots = self.knots[curve] if self.knots else ()
        return _BEND[self.method](np.asarray(score), self.numbers[curve], knots)


def parse_calibrator(value: Mapping[str, Any]) -> Calibrator:
    """Read what ``to_json`` wrote; anything else is a ``DataError``."""
    try:
        return Calibrator(
            method=Method(value["method"]),
            n=int(value["n"]),
            numbers=tuple(tuple(map(float, line)) for line in value["numbers"]),
            knots=tuple(tuple(map(float, line)) for line in value["knots"]),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise DataError(f"A calibrator cannot be read: {error!r}.") from error


def build_temperature(fitted: Temperature) -> Calibrator:
    """The temperature as one calibrator among the others."""
    return Calibrator(method=Method.TEMPERATURE, n=fitted.n, numbers=((fitted.value,),))


def fit_calibrator(
    method: Method,
    truth: Ints,
    probability: NDArray[np.floating],
    weight: NDArray[np.floating] | None = None,
) -> Calibrator:
    """Fit on rows that no model learned from. Shapes: class indices ``(n,)``, ``(n, K)``, weights ``(n,)``.

    Every class must be there, and every class absent somewhere: ``calibrator_choice`` looks after that.
    """
    if method is Method.TEMPERATURE:
        return build_temperature(fit_temperature(truth, probability, weight))
    values = np.asarray(probability, dtype=np.float64)
    n_classes = values.shape[1]
    curves = (1,) if n_classes == 2 else range(n_classes)
    fitted = [_FIT[method](values[:, k], (truth == k).astype(np.int64), weight) for k in curves]
    return Calibrator(
        method=method,
        n=len(truth),
        numbers=tuple(numbers for numbers, _ in fitted),
        knots=tuple(knots for _, knots in fitted if knots),
    )


_Numbers = tuple[float, ...]
_Fitted = tuple[_Numbers, _Numbers]
_Weight = NDArray[np.floating] | None


def _list_logs(score: Floats) -> Floats:
    """``ln p`` and ``−ln(1 − p)``, whose sum is the logit. Shape: (n,) → (n, 2)."""
    clipped = np.clip(score, CLIP, 1 - CLIP)
    return np.column_stack([np.log(clipped), -np.log1p(-clipped)])


def _regress(columns: Floats, label: Ints, weight: _Weight) -> tuple[list[float], float]:
    """Coefficients ≥ 0 and intercept of a logistic regression; a column that would turn the order round is left out.

    The authors of beta calibration leave out the same way. Without any column every row gets the base rate.
    """
    used = [k for k in range(columns.shape[1]) if np.ptp(columns[:, k]) > 0]
    while used:
        found, intercept = _regress_freely(columns[:, used], label, weight)
        if found.min() >= 0:
            places = dict(zip(used, found.tolist(), strict=True))
            return [places.get(k, 0.0) for k in range(columns.shape[1])], intercept
        used.pop(int(found.argmin()))
    share = float(np.average(label, weights=weight))
    return [0.0] * columns.shape[1], float(np.log(share / (1 - share)))


def _regress_freely(columns: Floats, label: Ints, weight: _Weight) -> tuple[Floats, float]:
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.linear_model import LogisticRegression  # a second that only fitting needs

    model = LogisticRegression(C=LOOSE, solver="newton-cholesky", tol=1e-8)
    with warnings.catch_warnings():
        # where classes are all but separated the last steps make no difference that could be seen
        warnings.simplefilter("ignore", ConvergenceWarning)
        model.fit(columns, label, sample_weight=weight)
    return np.asarray(model.coef_[0], dtype=np.float64), float(model.intercept_[0])


def _fit_affine(score: Floats, label: Ints, weight: _Weight) -> _Fitted:
    (slope,), intercept = _regress(_list_logs(score).sum(axis=1, keepdims=True), label, weight)
    return (slope, intercept), ()


def _fit_beta(score: Floats, label: Ints, weight: _Weight) -> _Fitted:
    (a, b), c = _regress(_list_logs(score), label, weight)
    return (a, b, c), ()


def _fit_isotonic(score: Floats, label: Ints, weight: _Weight) -> _Fitted:
    """Its ends are kept off 0 and 1 by what n rows can tell, else one surprise would cost an endless log loss."""
    from sklearn.isotonic import IsotonicRegression

    least = 1 / (len(score) + 2)
    model = IsotonicRegression(y_min=least, y_max=1 - least, out_of_bounds="clip")
    model.fit(score, label, sample_weight=weight)
    values = tuple(map(float, model.y_thresholds_))
    return values, tuple(map(float, model.X_thresholds_))


def _sigmoid(logit: Floats) -> Floats:
    share: Floats = 1 / (1 + np.exp(-np.clip(logit, -700, 700)))
    return share


def _bend_affine(score: Floats, numbers: _Numbers, _knots: _Numbers) -> Floats:
    slope, intercept = numbers
    return _sigmoid(slope * _list_logs(score).sum(axis=1) + intercept)


def _bend_beta(score: Floats, numbers: _Numbers, _knots: _Numbers) -> Floats:
    a, b, c = numbers
    return _sigmoid(_list_logs(score) @ np.array([a, b]) + c)


def _bend_isotonic(score: Floats, numbers: _Numbers, knots: _Numbers) -> Floats:
    return np.interp(score, knots, numbers)


_FIT: dict[Method, Callable[[Floats, Ints, _Weight], _Fitted]] = {
    Method.AFFINE: _fit_affine,
    Method.BETA: _fit_beta,
    Method.ISOTONIC: _fit_isotonic,
}
_BEND: dict[Method, Callable[[Floats, _Numbers, _Numbers], Floats]] = {
    Method.AFFINE: _bend_affine,
    Method.BETA: _bend_beta,
    Method.ISOTONIC: _bend_isotonic,
}
