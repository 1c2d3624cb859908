"""Which calibrator a model gets: the one that mends rows best that it was not fitted on.

The calibrate part is dealt into five folds; each calibrator is fitted on four and judged by its log loss on the fifth.
Another one than the temperature is taken only where its gain is larger than the standard error of that gain.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from automl.evaluation.calibration import SMALLEST, fit_temperature
from automl.evaluation.calibrators import Calibrator, Method, fit_calibrator, parse_calibrator

N_FOLDS = 5
LEAST_ROWS = 10  # of every class; with fewer the other curves would follow single rows
MOST_CLASSES = 12  # one curve per class up to here
ISOTONIC_ROWS = 1_000  # below, its steps follow chance

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True, kw_only=True, slots=True)
class CrossLoss:
    """Mean log loss on held-out folds, and how far it is below the temperature's, with the standard error of that."""

    log_loss: float
    gain: float
    gain_error: float


@dataclass(frozen=True, kw_only=True, slots=True)
class Choice:
    """The calibrators that were fitted on the whole calibrate part, their cross-validated losses, and the one taken.

    ``reason`` says why the temperature stands alone where it does; empty otherwise. ``raw``: the loss of the
    probabilities as they came.
    """

    chosen: Method
    fitted: Mapping[Method, Calibrator]
    losses: Mapping[Method, CrossLoss]
    raw: float
    reason: str = ""

    @property
    def calibrator(self) -> Calibrator:
        """The one that was taken."""
        return self.fitted[self.chosen]

    def to_json(self) -> dict[str, Any]:
        """``chosen``, ``reason``, ``raw``, and per method its calibrator and loss."""
        return {
            "chosen": str(self.chosen),
            "reason": self.reason,
            "raw": self.raw,
            "methods": [
                {
                    "calibrator": self.fitted[method].to_json(),
                    "log_loss": loss.log_loss,
                    "gain": loss.gain,
                    "gain_error": loss.gain_error,
                }
                for method, loss in self.losses.items()
            ],
        }


def parse_choice(value: Mapping[str, Any]) -> Choice:
    """Read what ``to_json`` wrote."""
    calibrators = [parse_calibrator(each["calibrator"]) for each in value["methods"]]
    return Choice(
        chosen=Method(value["chosen"]),
        reason=value["reason"],
        raw=value["raw"],
        fitted={each.method: each for each in calibrators},
        losses={
            calibrator.method: CrossLoss(
                log_loss=each["log_loss"], gain=each["gain"], gain_error=each["gain_error"]
            )
            for calibrator, each in zip(calibrators, value["methods"], strict=True)
        },
    )


def choose_calibrator(
    truth: Ints,
    probability: NDArray[np.floating],
    *,
    weight: NDArray[np.floating] | None = None,
    seed: int = 0,
) -> Choice:
    """Fit all calibrators on these rows (the calibrate part) and choose one. Shapes: ``(n,)``, ``(n, K)``."""
    values = np.asarray(probability, dtype=np.float64)
    reason = _find_problem(truth, values, weight)
    methods = (Method.TEMPERATURE,) if reason else tuple(Method)
    folds = _deal(truth, seed)
    losses = {method: _judge(method, truth, values, weight, folds) for method in methods}
    compared = {
        method: _compare(each, losses[Method.TEMPERATURE], weight)
        for method, each in losses.items()
    }
    return Choice(
        chosen=_take(compared),
        fitted={method: fit_calibrator(method, truth, values, weight) for method in methods},
        losses=compared,
        raw=float(np.average(_compute_losses(truth, values), weights=weight)),
        reason=reason,
    )


def _find_problem(truth: Ints, values: Floats, weight: NDArray[np.floating] | None) -> str:
    """Why only the temperature can be fitted; empty where all can."""
    n_classes = values.shape[1]
    if n_classes > MOST_CLASSES:
        return f"{n_classes} classes would need a curve each; that is done up to {MOST_CLASSES}"
    least = int(np.bincount(truth, minlength=n_classes).min())
    if least < LEAST_ROWS:
        return f"a class has {least} rows in the calibrate part; a curve needs {LEAST_ROWS} of each"
    if fit_temperature(truth, values, weight).is_at_bound:
        return "these rows cannot tell how sure the model may be: no temperature is best"
    return ""


def _deal(truth: Ints, seed: int) -> Ints:
    """The fold of every row; every class is spread over all folds."""
    generator = np.random.default_rng(seed)
    order = generator.permutation(len(truth))
    order = order[np.argsort(truth[order], kind="stable")]
    folds = np.empty(len(truth), dtype=np.int64)
    folds[order] = np.arange(len(truth)) % N_FOLDS
    return folds


def _judge(
    method: Method, truth: Ints, values: Floats, weight: NDArray[np.floating] | None, folds: Ints
) -> Floats:
    """Log loss of every row through a calibrator that was fitted without its fold. Shape: (n,)."""
    losses = np.empty(len(truth))
    for fold in np.unique(folds):
        out = folds == fold
        rest = ~out if (~out).any() else out  # of a single row nothing can be left out
        own = None if weight is None else weight[rest]
        fitted = fit_calibrator(method, truth[rest], values[rest], own)
        losses[out] = _compute_losses(truth[out], fitted.apply(values[out]))
    return losses


def _compute_losses(truth: Ints, probability: Floats) -> Floats:
    chosen = probability[np.arange(len(truth)), truth]
    losses: Floats = -np.log(np.clip(chosen, SMALLEST, None))
    return losses


def _compare(losses: Floats, temperature: Floats, weight: NDArray[np.floating] | None) -> CrossLoss:
    shares = np.ones(len(losses)) if weight is None else np.asarray(weight, dtype=np.float64)
    gains = temperature - losses
    gain = float(np.average(gains, weights=shares))
    error = float(np.sqrt((shares**2 * (gains - gain) ** 2).sum()) / shares.sum())
    return CrossLoss(
        log_loss=float(np.average(losses, weights=shares)), gain=gain, gain_error=error
    )


def _take(losses: Mapping[Method, CrossLoss]) -> Method:
    best = min(losses, key=lambda method: losses[method].log_loss)  # the first of equals
    return best if losses[best].gain > losses[best].gain_error else Method.TEMPERATURE
