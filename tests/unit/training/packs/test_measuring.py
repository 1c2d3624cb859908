"""What packs gain is measured for every width, on a few rows."""

from automl.data.task import TaskType
from automl.training.packs.measuring import WIDTHS, measure_gains
from tests.unit.training.tables import build_prepared, build_request, build_task


def test_every_width_has_a_gain():
    prepared = build_prepared(TaskType.BINARY, n_rows=600)
    request = build_request("mlp", batch_size=64)
    gains = measure_gains(prepared, build_task(TaskType.BINARY), request)
    assert list(gains) == [str(width) for width in WIDTHS]
    assert all(0.05 < gain < 50 for gain in gains.values())
    assert len(prepared.parts["train"]) > 256  # the rows of the search stay as they were
