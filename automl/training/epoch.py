"""What training yields."""

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
    """

    number: int
    train_loss: float
    select_loss: float | None
    score: float | None
    learning_rate: float
    seconds: float
    is_best: bool
    clipped: float = 0.0
