"""What a learning-rate test found: how far the loss falls at each rate, and which one that suggests. Costs no torch."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from automl.errors import SpecError
from automl.models.catalog import get_family
from automl.models.tabular.buckets import compute_bucket
from automl.models.tabular.target_encoding import is_encoded
from automl.space.dimensions import Config

Floats = NDArray[np.float64]
Losses = tuple[tuple[float | None, ...], ...]

LOWEST, HIGHEST, N_RATES = 1e-5, 1.0, 32
N_STEPS = 60
MEMORY = 0.9  # of the loss so far in the smoothed one, per step
DIVERGED = 2.0  # times the loss of the lowest rate
SAFETY = 10.0  # a suggestion lies this far under the first rate that diverges
LEAST_FALL = 0.02  # of the loss of the lowest rate; less is noise


@dataclass(frozen=True, kw_only=True, slots=True)
class Verdict:
    """Which rate is suggested, and why; ``suggested`` is None where none is, ``first_diverging`` where none does."""

    first_diverging: float | None
    suggested: float | None
    reason: str


@dataclass(frozen=True, kw_only=True, slots=True)
class RateTest:
    """Equal networks that differ in nothing but their learning rate: same seed, same batches, constant rate.

    ``losses`` and ``smoothed`` are by rate and step, as trained on (standardised target for regression); None where a
    loss is no number. ``chosen`` is the rate of the configuration itself, ``n_rows`` the training rows that were
    read, in batches of ``batch_size``.
    """

    network: str
    family: str
    optimizer: str
    chosen: float
    rates: tuple[float, ...]
    losses: Losses
    smoothed: Losses
    first_diverging: float | None
    suggested: float | None
    reason: str
    n_rows: int
    batch_size: int
    seed: int

    @property
    def n_steps(self) -> int:
        """Steps of each network."""
        return len(self.losses[0])


def list_rates() -> tuple[float, ...]:
    """The rates of a test: 32, equally far apart on a log scale, 1e-5 to 1."""
    return tuple(map(float, np.geomspace(LOWEST, HIGHEST, N_RATES)))


def find_obstacle(family: str, config: Config) -> str:
    """Why a network cannot be tested, as a sentence; empty where it can."""
    try:
        bucket = compute_bucket(family, config)
    except SpecError as error:
        return error.message
    if bucket:
        return ""
    title = get_family(family).title
    why = (
        "reads wide categories by their target and so trains alone"
        if is_encoded(config)
        else "trains alone"
    )
    return (
        f"{title} {why}: learning rates are tested on networks that train as one program, which are MLP and "
        "ResNet for tables."
    )


def compute_smoothed(losses: Floats) -> Floats:
    """Exponential means over the steps of ``(rates, steps)``, without the bias of their beginning.

    A rate whose loss was no number has none from there on. Source: Kingma & Ba 2015, Adam, section 3, for the bias.
    """
    smoothed = np.empty_like(losses)
    mean = np.zeros(len(losses))
    for step in range(losses.shape[1]):
        mean = MEMORY * mean + (1 - MEMORY) * losses[:, step]
        smoothed[:, step] = mean / (1 - MEMORY ** (step + 1))
    return smoothed


def judge(rates: Sequence[float], losses: Floats) -> Verdict:
    """Suggest a rate from losses ``(rates, steps)``; rates ascend.

    A rate diverges when a loss is no number, or its smoothed loss is at any step over twice the highest of the
    lowest rate, which hardly moves. Suggested is the rate under the first of those at which the loss falls most
    steeply over the steps, but at most a tenth of it. Source: Smith 2017, Cyclical Learning Rates, section 3.3, where
    one network runs through all rates and the slope over rates is read. Here each rate has a network of its own: that
    slope is steepest at rates 20 to 100 times lower, which learnt far less in whole trainings.
    """
    with np.errstate(invalid="ignore", over="ignore"):
        smoothed = compute_smoothed(np.where(np.isfinite(losses), losses, np.nan))
        highest = np.where(np.isfinite(losses).all(axis=1), smoothed.max(axis=1), np.inf)
    reference = highest[0]
    is_wild = ~np.isfinite(highest) | (highest > DIVERGED * reference)
    first = int(is_wild.argmax()) if is_wild.any() else None
    limit = None if first is None else float(rates[first])
    if first == 0:
        return Verdict(
            first_diverging=limit,
            suggested=None,
            reason=f"Even the lowest rate, {limit:.2g}, diverges: look at the inputs and the loss.",
        )
    ends = smoothed[:first, -1]
    best = int(ends.argmin())
    fall = float(ends[0] - ends[best])
    if fall < LEAST_FALL * float(ends[0]):
        return Verdict(
            first_diverging=limit,
            suggested=None,
            reason=f"No rate lowers the loss by {LEAST_FALL:.0%} within {losses.shape[1]} steps.",
        )
    return _suggest(float(rates[best]), limit, is_last=best == len(rates) - 1)


def _suggest(steepest: float, limit: float | None, *, is_last: bool) -> Verdict:
    reason = f"The loss falls most steeply at {steepest:.2g}"
    if limit is not None and steepest > limit / SAFETY:
        return Verdict(
            first_diverging=limit,
            suggested=limit / SAFETY,
            reason=f"{reason}, but from {limit:.2g} on it diverges: a tenth of that is safer.",
        )
    if limit is not None:
        reason += f", far below {limit:.2g}, from where on it diverges"
    elif is_last:
        reason += ", the highest rate tested"
    return Verdict(first_diverging=limit, suggested=steepest, reason=f"{reason}.")


def render_losses(losses: Floats) -> Losses:
    """Losses in six digits, None where there is no number."""
    return tuple(
        tuple(float(f"{loss:.6g}") if np.isfinite(loss) else None for loss in row)
        for row in losses.tolist()
    )
