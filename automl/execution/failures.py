"""What an exception in a trial means, as a failure that a person can read."""

import errno
import math

from automl.errors import DataError, DiskFull, SpecError, TrainingDiverged
from automl.execution.messages import FailureKind, TrialFailed
from automl.training.epoch import Epoch
from fairness.errors import FairloomError

_MEMORY_WORDS = ("out of memory", "can't allocate memory", "alloc_cpu")


def build_failure(trial: int, error: BaseException) -> TrialFailed:
    """Classify an exception of a trial; anything unknown is a bug of ours and keeps its text."""
    kind = classify(error)
    if isinstance(error, FairloomError):
        return TrialFailed(trial=trial, kind=kind, message=error.message, hint=error.hint)
    text = str(error).strip().splitlines()
    message = f"{type(error).__name__}: {text[0][:300]}" if text else type(error).__name__
    return TrialFailed(trial=trial, kind=kind, message=message, hint=_HINTS.get(kind, ""))


def classify(error: BaseException) -> FailureKind:
    """Which kind of failure an exception is; a bug where nothing else fits."""
    if isinstance(error, TrainingDiverged):
        return FailureKind.DIVERGED
    if is_out_of_memory(error):
        return FailureKind.OUT_OF_MEMORY
    if isinstance(error, (DataError, SpecError)):
        return FailureKind.DATA
    if isinstance(error, DiskFull) or (
        isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EFBIG, errno.EDQUOT)
    ):
        return FailureKind.DISK_FULL
    if is_device_broken(error):
        return FailureKind.CRASHED
    return FailureKind.BUG


def is_out_of_memory(error: BaseException) -> bool:
    """Whether memory ran out, on the device or the host; torch is not imported to find out."""
    if isinstance(error, MemoryError) or type(error).__name__ == "OutOfMemoryError":
        return True
    text = str(error).lower()
    return isinstance(error, RuntimeError) and any(word in text for word in _MEMORY_WORDS)


def is_device_broken(error: BaseException) -> bool:
    """Whether a GPU error other than a clean out-of-memory has spoiled the process."""
    return (
        isinstance(error, RuntimeError)
        and not is_out_of_memory(error)
        and any(word in str(error) for word in ("CUDA error", "cuDNN error", "CUBLAS_STATUS"))
    )


def require_finite(epoch: Epoch) -> None:
    """Raise ``TrainingDiverged`` when an epoch holds a number that is none."""
    for name in ("train_loss", "select_loss", "score"):
        value = getattr(epoch, name)
        if value is not None and not math.isfinite(value):
            raise TrainingDiverged(
                f"The {name.replace('_', ' ')} became {value} in epoch {epoch.number}.",
                hint="A lower learning rate helps; the search goes on with other settings.",
            )


_HINTS = {
    FailureKind.OUT_OF_MEMORY: "The search goes on with other settings; smaller ones need less memory.",
    FailureKind.DISK_FULL: "Delete searches or data sets you no longer need, then resume.",
    FailureKind.CRASHED: "The trainer was replaced and the search goes on.",
    FailureKind.BUG: "The log holds the details; the search goes on.",
}
