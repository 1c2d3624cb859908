"""What every executor of trials can do; the coordinator knows nothing more."""

from pathlib import Path
from typing import Protocol

from automl.errors import AutoMLError
from automl.execution.messages import Report, Train, TrainPack, Verb

__all__ = ["Executor", "Report", "TrainerLost"]


class TrainerLost(AutoMLError):
    """No trainer can be kept alive long enough to train."""


class Executor(Protocol):
    """Slots that run one trial or one pack each. Every call returns soon; ``poll`` waits at most ``timeout``."""

    def start(self) -> None:
        """Start one trainer per slot."""
        ...

    def prepare(self, folder: Path, task_json: str, threads: int) -> None:
        """Have every trainer load a prepared folder; each answers with ``Ready`` (see ``poll``)."""
        ...

    def idle_slots(self) -> tuple[str, ...]:
        """Names of slots that are ready and have no trial, in the order of the slots."""
        ...

    def measure(self, slot: str, batch_size: int) -> None:
        """Find out on an idle slot what packs gain there; answered by ``Measured``, unless the trainer dies."""
        ...

    def submit(self, slot: str, command: Train | TrainPack) -> None:
        """Train on an idle slot; a pack also joins the one that a slot runs."""
        ...

    def answer(self, trial: int, verb: Verb, max_epochs: int | None = None) -> None:
        """Answer at a rung or after a screen, or stop at any time; without effect when the trial is over."""
        ...

    def end(self, trial: int) -> None:
        """End a trial that did not stop when told; its trainer is replaced and nothing is reported of it.

        Others of its pack are reported as shed.
        """
        ...

    def poll(self, timeout: float) -> list[tuple[str, Report]]:
        """Reports with the names of their slots, waiting up to ``timeout`` seconds for the first.

        A trainer that dies or hangs is replaced. A trial alone is then a ``TrialFailed``; of a pack nobody knows
        who is to blame, so all its members are shed, for packs of half the size.

        Raises
        ------
        FairloomError
            When the prepared folder cannot be loaded, or no trainer stays alive.
        """
        ...

    def close(self) -> None:
        """End every process; unfinished trials are lost. Safe to call twice."""
        ...
