"""What the history of a training tells about it, with the numbers; costs no torch.

Signs are hints, not findings: each names what was measured, the limit, and what usually helps.
"""

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any

EXPLODING, VANISHING = 1e3, 1e-7  # gradient norm before cutting
LOWEST_RATIO, HIGHEST_RATIO = 1e-4, 1e-2  # change of a step over weights
MANY_CLIPPED = 0.3
WORSENING = 5  # epochs in a row
SETTLED = 0.2  # share of the planned epochs after which a network beats a constant
STILL_FALLS = 0.01  # relative, of the select loss over the last fifth of the epochs
LEAST_EPOCHS = 5


@dataclass(frozen=True, kw_only=True, slots=True)
class Sign:
    """One hint: a stable ``code`` and the text for a person."""

    code: str
    text: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Step:
    """What one epoch reported; see ``Epoch``. None where a family has no such number."""

    number: int
    train_loss: float | None = None
    select_loss: float | None = None
    score: float | None = None
    clipped: float | None = None
    gradient_norm: float | None = None
    gradient_norm_max: float | None = None
    update_ratio: float | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class History:
    """The epochs of one trial in order.

    ``horizon``: the epochs it was planned for; ``prior``: the score of a constant model on the same rows; None
    where they are not known.
    """

    steps: tuple[Step, ...]
    horizon: int | None = None
    prior: float | None = None


def build_history(
    rows: Iterable[Mapping[str, Any]], horizon: int | None = None, prior: float | None = None
) -> History:
    """From rows of ``epochs.jsonl``; numbers that are none, and keys of older files, are absent."""
    names = (
        "train_loss",
        "select_loss",
        "score",
        "clipped",
        "gradient_norm",
        "gradient_norm_max",
        "update_ratio",
    )
    steps = [
        Step(number=int(row["epoch"]), **{name: _read(row.get(name)) for name in names})
        for row in rows
    ]
    steps.sort(key=lambda step: step.number)
    return History(steps=tuple(steps), horizon=horizon, prior=prior)


def _read(value: object) -> float | None:
    return float(value) if isinstance(value, (int, float)) and math.isfinite(value) else None


def find_signs(history: History) -> tuple[Sign, ...]:
    """The signs of one training, the most serious first; nothing to say is an empty answer."""
    if not history.steps:
        return ()
    return tuple(sign for find in _FINDERS for sign in find(history))


def _find_gradients(history: History) -> Iterator[Sign]:
    known = [step for step in history.steps if step.gradient_norm is not None]
    if not known:
        return
    wildest = max(known, key=lambda step: step.gradient_norm_max or 0.0)
    if (wildest.gradient_norm_max or 0.0) > EXPLODING:
        yield Sign(
            code="exploding",
            text=f"Gradients reached a norm of {wildest.gradient_norm_max:.2g} in epoch {wildest.number} (over "
            f"{EXPLODING:,.0f} they explode): a lower learning rate or a normalisation helps.",
        )
    middle = median(step.gradient_norm or 0.0 for step in known)
    if middle < VANISHING:
        yield Sign(
            code="vanishing",
            text=f"Gradients have a norm of {middle:.1g} (under {VANISHING:.0e} nothing is learned): fewer layers, "
            "residual connections or a normalisation help.",
        )


def _find_prior(history: History) -> Iterator[Sign]:
    if history.horizon is None:
        return
    first = max(SETTLED * history.horizon, 2)
    scores = [step.score for step in history.steps if step.score is not None]
    last = history.steps[-1].number
    if history.prior is None or not scores or last < first or max(scores) > history.prior:
        return
    yield Sign(
        code="stuck",
        text=f"After {last} of {history.horizon} epochs no score is better than that of a constant "
        f"({history.prior:.4g}): look at the inputs and the learning rate.",
    )


def _find_ratio(history: History) -> Iterator[Sign]:
    ratios = [step.update_ratio for step in history.steps if step.update_ratio is not None]
    if not ratios:
        return
    middle, largest = median(ratios), max(ratios)
    if middle > HIGHEST_RATIO:
        yield Sign(
            code="rate_high",
            text=f"A step changes the weights by {middle:.1%} (middle of {len(ratios)} epochs; over "
            f"{HIGHEST_RATIO:.0%} is much): a lower learning rate may do better.",
        )
    elif largest < LOWEST_RATIO:
        yield Sign(
            code="rate_low",
            text=f"A step never changes the weights by more than {largest:.2g} of their size (under "
            f"{LOWEST_RATIO:g} is little): a higher learning rate may do better.",
        )


def _find_clipped(history: History) -> Iterator[Sign]:
    shares = [step.clipped for step in history.steps if step.clipped is not None]
    share = sum(shares) / len(shares) if shares else 0.0
    if share > MANY_CLIPPED:
        yield Sign(
            code="clipped",
            text=f"{share:.0%} of the steps had their gradient cut (over {MANY_CLIPPED:.0%} is much): a lower "
            "learning rate or a normalisation may do better.",
        )


def _find_overfitting(history: History) -> Iterator[Sign]:
    run = _find_worsening(history.steps)
    if run is None:
        return
    first, last = run
    yield Sign(
        code="overfitting",
        text=f"Over epochs {first.number} to {last.number} the loss on the select part rose, {first.select_loss:.4g} "
        f"to {last.select_loss:.4g}, while that on the training part fell, {first.train_loss:.4g} to "
        f"{last.train_loss:.4g}: it learns the training rows by heart. The best epoch is kept; dropout, weight "
        "decay or a smaller network may do better.",
    )


def _find_worsening(steps: Sequence[Step]) -> tuple[Step, Step] | None:
    """The longest run of epochs in which the select loss rose and the training loss fell, if it is long enough."""
    start, best = 0, (0, 0)
    for index in range(1, len(steps)):
        if not _worsens(steps[index - 1], steps[index]):
            start = index
        elif index - start > best[1] - best[0]:
            best = (start, index)
    return (steps[best[0]], steps[best[1]]) if best[1] - best[0] >= WORSENING else None


def _worsens(before: Step, after: Step) -> bool:
    losses = (before.select_loss, after.select_loss, before.train_loss, after.train_loss)
    if any(loss is None for loss in losses):
        return False
    select_before, select_after, train_before, train_after = (loss or 0.0 for loss in losses)
    return select_after > select_before and train_after < train_before


def _find_underfitting(history: History) -> Iterator[Sign]:
    losses = [step.select_loss for step in history.steps if step.select_loss is not None]
    planned = history.horizon
    if planned is None or len(losses) < max(LEAST_EPOCHS, planned):
        return
    n_last = max(2, round(SETTLED * len(losses)))
    before, last = min(losses[:-n_last]), losses[-1]
    if last == min(losses) and before - last > STILL_FALLS * abs(before):
        yield Sign(
            code="underfitting",
            text=f"The loss on the select part still fell in the last {n_last} of {len(losses)} epochs, {before:.4g} to "
            f"{last:.4g}: longer training may do better.",
        )


_FINDERS: tuple[Callable[[History], Iterator[Sign]], ...] = (
    _find_gradients,
    _find_prior,
    _find_ratio,
    _find_clipped,
    _find_overfitting,
    _find_underfitting,
)
