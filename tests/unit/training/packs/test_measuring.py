"""What packs gain is measured for every width, on a few rows."""

from dataclasses import replace

import numpy as np
import pytest

from automl.data.task import TaskType
from automl.data.views import Part
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


@pytest.mark.parametrize("share", [0.5, 0.01])
def test_a_table_sorted_by_class_is_measured(monkeypatch, share):
    monkeypatch.setattr(measuring, "WIDTHS", (64,))
    monkeypatch.setattr(measuring, "MOST_SELECT", 20)
    prepared = build_prepared(TaskType.BINARY, n_rows=1_000)
    target = np.zeros_like(prepared.target)
    for part in Part:
        rows = prepared.parts[part]
        target[rows[-max(1, int(share * len(rows))) :]] = 1
    request = build_request("mlp", batch_size=16)
    gains = measure_gains(replace(prepared, target=target), build_task(TaskType.BINARY), request)
    assert list(gains) == ["64"]


def test_what_takes_too_long_is_given_up(monkeypatch):
    monkeypatch.setattr(measuring, "MOST_SECONDS", 60.0)
    monkeypatch.setattr(measuring, "LATEST_SECONDS", 1e-3)
    prepared = build_prepared(TaskType.BINARY, n_rows=600)
    request = build_request("mlp", batch_size=64)
    assert measure_gains(prepared, build_task(TaskType.BINARY), request) == {}
