"""Metrics that are functions of means over rows: the columns, and the function of their means."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from fairness import rates, scores
from fairness.outcomes import Outcomes
from fairness.reliability import compute_brier_losses, compute_log_losses

Floats = NDArray[np.float64]

PINBALLS = {"pinball_10": 0.1, "pinball_90": 0.9}  # quantile that a forecast is read as
LOSSES = ("log_loss", "brier_score")
VALUE_MEANS = ("mse", "rmse", "mae", "mean_residual", "mape", "rmspe", "smape", *PINBALLS)
LARGEST_SHARE = 1e150  # an error over the floor; beyond it the divisor is as good as zero


def compute_losses(name: str, outcomes: Outcomes) -> Floats:
    """Brier or log losses of the rows of a classification."""
    if outcomes.task_type == "binary":
        compute = compute_brier_losses if name == "brier_score" else compute_log_losses
        return compute(outcomes.values, outcomes.scores)
    if name == "brier_score":
        return scores.compute_multiclass_brier_losses(outcomes.labels, outcomes.scores)
    return scores.compute_multiclass_log_losses(outcomes.labels, outcomes.scores)


def identity(means: Floats) -> Floats:
    """The mean of the one column."""
    return means[..., 0]


def _root(means: Floats) -> Floats:
    root: Floats = np.sqrt(means[..., 0])
    return root


def _r2(means: Floats) -> Floats:
    """R² of the means of (y − ŷ)², y, y², with y centred beforehand."""
    return 1 - rates.divide(means[..., 0], means[..., 2] - means[..., 1] ** 2)


def build_mean_column(
    name: str, outcomes: Outcomes
) -> tuple[Floats, Callable[[Floats], Floats]] | None:
    """The one column ``(n,)`` whose mean the metric is a rising function of, and that function; None for other metrics."""
    if name in LOSSES:
        return compute_losses(name, outcomes), _same
    if name == "mean_prediction":
        return outcomes.scores, _same
    if name not in VALUE_MEANS:
        return None
    built = build_value_columns(name, outcomes)
    return None if built is None else (built[0][:, 0], _same if built[1] is identity else np.sqrt)


def find_limits(name: str, outcomes: Outcomes) -> tuple[float, float]:
    """What the mean of ``build_mean_column`` cannot leave."""
    if name == "brier_score":
        return 0.0, 1.0 if outcomes.task_type == "binary" else 2.0
    if name == "mean_prediction":
        return (0.0, 1.0) if outcomes.has_probabilities else (-np.inf, np.inf)
    if name == "smape":
        return 0.0, 2.0
    return -np.inf if name == "mean_residual" else 0.0, np.inf


def _same(mean: Floats) -> Floats:
    return mean


def build_value_columns(
    name: str, outcomes: Outcomes
) -> tuple[Floats, Callable[[Floats], Floats]] | None:
    """Columns whose means the metric is a function of, and that function; None if a divisor is zero."""
    truth, forecast = outcomes.values, outcomes.forecasts
    error = forecast - truth
    if name == "r2":
        centred = truth - truth.mean()
        if not centred.any():
            return None
        return np.column_stack([error**2, centred, centred**2]), _r2
    if name in ("mape", "rmspe"):
        shares = _compute_percentage_errors(outcomes)
        if shares is None:
            return None
        return (shares[:, None], identity) if name == "mape" else (shares[:, None] ** 2, _root)
    if name in PINBALLS:
        losses = scores.compute_pinball_losses(truth, forecast, PINBALLS[name])
        return losses[:, None], identity
    if name == "rmse":
        return (error**2)[:, None], _root
    if name == "smape":
        return scores.compute_symmetric_errors(truth, forecast)[:, None], identity
    means = {"mae": np.abs(error), "mean_residual": error, "mse": error**2}
    return means[name][:, None], identity


def _compute_percentage_errors(outcomes: Outcomes) -> Floats | None:
    """Errors over the size of the truth; None where too many true values are zero."""
    truth, forecast, floor = outcomes.values, outcomes.forecasts, outcomes.floor
    floor = float(np.percentile(np.abs(truth), 1)) if floor is None else floor
    if floor <= 0 or np.abs(forecast - truth).max() / LARGEST_SHARE > floor:
        return None
    return scores.compute_percentage_errors(truth, forecast, floor)
