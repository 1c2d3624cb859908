"""What packs gain is measured for every width, on a few rows."""

from automl.data.task import TaskType
from automl.training.packs import measuring
from automl.training.packs.measuring import WIDTHS, measure_gains
from tests.unit.training.tables import build_prepared, build_request, build_task


def test_every_width_has_a_gain(monkeypatch):
    monkeypatch.setattr(measuring, "MOST_SECONDS", 60.0)
    prepared = build_prepared(TaskType.BINARY, n_rows=600)
    request = build_request("mlp", batch_size=64)
    gains = measure_gains(prepared, build_task(TaskType.BINARY), request)
    assert list(gains) == [str(width) for width in WIDTHS]
    monkeypatch.setattr(measuring, "MOST_SECONDS", 0.0)
    assert measure_gains(prepared, build_task(TaskType.BINARY), request) == {}
    assert all(0.05 < gain < 50 for gain in gains.values())
    assert len(prepared.parts["train"]) > 256  # the rows of the search stay as they were
