import dataclasses
import errno

import pytest

from automl.errors import DataError, DiskFull, SpecError, TrainingDiverged
from automl.execution.failures import build_failure, require_finite
from automl.execution.messages import FailureKind
from automl.training.epoch import Epoch


class OutOfMemoryError(RuntimeError):
    """Named as torch's."""


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (MemoryError(), FailureKind.OUT_OF_MEMORY),
        (OutOfMemoryError("x"), FailureKind.OUT_OF_MEMORY),
        (RuntimeError("CUDA out of memory. Tried"), FailureKind.OUT_OF_MEMORY),
        (RuntimeError("DefaultCPUAllocator: can't allocate memory"), FailureKind.OUT_OF_MEMORY),
        (RuntimeError("CUDA error: device-side assert triggered"), FailureKind.CRASHED),
        (TrainingDiverged("The loss became nan."), FailureKind.DIVERGED),
        (DataError("Column 'x' is empty."), FailureKind.DATA),
        (SpecError("Unknown family 'y'."), FailureKind.DATA),
        (DiskFull("Full."), FailureKind.DISK_FULL),
        (OSError(errno.ENOSPC, "No space"), FailureKind.DISK_FULL),
        (OSError(errno.ENOENT, "No file"), FailureKind.BUG),
        (ZeroDivisionError("division by zero"), FailureKind.BUG),
        (ValueError(), FailureKind.BUG),
    ],
)
def test_errors_have_names(error, kind):
    failure = build_failure(3, error)
    assert (failure.trial, failure.kind) == (3, kind)
    assert failure.message


def test_words_of_ours_are_kept():
    failure = build_failure(1, DataError("Column 'x' is empty.", hint="Ignore it."))
    assert (failure.message, failure.hint) == ("Column 'x' is empty.", "Ignore it.")


EPOCH = Epoch(
    number=2,
    train_loss=0.1,
    select_loss=None,
    score=None,
    learning_rate=0.1,
    seconds=1.0,
    is_best=False,
)


@pytest.mark.parametrize("name", ["train_loss", "select_loss", "score"])
@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_a_number_that_is_none_ends_a_trial(name, value):
    require_finite(EPOCH)
    with pytest.raises(TrainingDiverged, match="epoch 2"):
        require_finite(dataclasses.replace(EPOCH, **{name: value}))
