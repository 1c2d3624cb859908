"""The epoch a training goes back to."""

from typing import Any, Protocol


class Run(Protocol):
    """What trains: it can hand out a copy of its weights."""

    def copy_state(self) -> dict[str, Any]: ...


class BestEpoch:
    """The best epoch so far and a copy of its weights; the latest where there is no score."""

    def __init__(self) -> None:
        self.epoch = 0
        self.score = -float("inf")
        self.state: dict[str, Any] = {}

    def offer(self, epoch: int, score: float | None, run: Run) -> bool:
        """Keep the epoch unless its score is no better; whether it was kept."""
        if self.epoch and score is not None and score <= self.score:
            return False
        self.epoch, self.state = epoch, run.copy_state()
        self.score = self.score if score is None else score
        return True
