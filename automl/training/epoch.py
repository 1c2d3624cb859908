"""What training yields, and what is measured before it."""

from dataclasses import dataclass
from enum import StrEnum


class Verb(StrEnum):
    """What the driver of a training answers after an epoch; nothing said means ``CONTINUE``."""

    CONTINUE = "continue"
    PRUNE = "prune"
    STOP = "stop"  # keep the best so far and finish cleanly


@dataclass(frozen=True, kw_only=True, slots=True)
class Epoch:
    """One epoch of one trial.

    ``number`` counts from 1; losses are means over rows (standardised target for regression); ``score`` is
    the primary metric on the select part, higher is better; a refit has neither ``select_loss`` nor
    ``score`` (None); ``is_best`` marks a new best score, whose weights are kept; ``seconds`` is the
    duration of this epoch; ``clipped`` is the share of steps whose gradient norm was cut, 0..1.

    Of networks also ``gradient_norm`` and ``gradient_norm_max``, median and largest norm of the steps before
    cutting, and ``update_ratio``, the norm of the last step's change of all weights over that of the weights.

    ``fold``, from 1, is the fold that trains; ``number`` then counts its own epochs. When a fold is over a report more
    ``closes_fold``, with ``fold_score``: the metric on the rows that it predicts, None where they do not allow it.
    """

    number: int
    train_loss: float
    select_loss: float | None
    score: float | None
    learning_rate: float
    seconds: float
    is_best: bool
    clipped: float = 0.0
    gradient_norm: float | None = None
    gradient_norm_max: float | None = None
    update_ratio: float | None = None
    fold: int | None = None
    closes_fold: bool = False
    fold_score: float | None = None

    @property
    def rung(self) -> int:
        """The number by which a training is asked whether to go on: its epoch; with folds the fold that is over, else 0."""
        if self.fold is None:
            return self.number
        return self.fold if self.closes_fold else 0


@dataclass(frozen=True, kw_only=True, slots=True)
class Screen:
    """What is known of a network before its first epoch.

    ``parameters`` and ``macs`` (multiply-adds of one picture) are counted; ``latency_ms`` is the median time of
    one picture on the trial's device; ``proxy`` is the norm of the loss's gradient on one batch;
    ``picture_seconds`` is what one picture takes of a training step, 0 where it says nothing about an epoch.
    """

    parameters: int
    macs: int
    latency_ms: float
    proxy: float
    picture_seconds: float = 0.0
