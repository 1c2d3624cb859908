from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from automl.data.dataset import ColumnUse, Kind, Role
from automl.data.preparing import PrepareRequest, load_prepared, prepare, save_prepared
from automl.data.split_plan import build_split_plan
from automl.data.task import Task, TaskType
from automl.data.views import Part
from automl.errors import DataError

N = 80
RNG = np.random.default_rng(0)


def build_request(weight, **changes):
    frame = pd.DataFrame(
        {"x": RNG.normal(size=N), "y": np.tile(["no", "yes"], N // 2), "w": weight}
    )
    values = {
        "frame": frame,
        "columns": (
            ColumnUse(name="x", kind=Kind.NUMERIC, role=Role.FEATURE),
            ColumnUse(name="y", kind=Kind.CATEGORICAL, role=Role.TARGET),
            ColumnUse(name="w", kind=Kind.NUMERIC, role=Role.WEIGHT),
        ),
        "task": Task(
            target="y",
            type=TaskType.BINARY,
            metric="roc_auc",
            classes=("no", "yes"),
            positive="yes",
        ),
        "split_plan": build_split_plan(test_given=False, group=None),
    }
    return PrepareRequest(**values | changes)


def test_weights_are_no_input_and_travel_with_the_rows(tmp_path):
    weight = RNG.integers(1, 9, N).astype(float)
    result = prepare(build_request(weight))
    assert result.prepared.views.raw.shape[1] == 1
    assert np.array_equal(result.prepared.weight, weight)
    assert np.array_equal(result.refit.weight, weight)
    save_prepared(tmp_path / "p", result.prepared)
    assert np.array_equal(load_prepared(tmp_path / "p").weight, weight)
    assert [note.code for note in result.notes].count("weights") == 1


def test_without_the_role_there_are_none(tmp_path):
    request = build_request(np.ones(N))
    columns = (*request.columns[:2], replace(request.columns[2], role=Role.IGNORED))
    prepared = prepare(replace(request, columns=columns)).prepared
    assert prepared.weight is None
    save_prepared(tmp_path / "p", prepared)
    assert load_prepared(tmp_path / "p").weight is None


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (np.nan, "1 row has no weight in 'w'"),
        (-2.5, "-2.5 in 'w' is no weight"),
        (np.inf, "inf in 'w' is no weight"),
    ],
)
def test_what_is_no_weight_is_named_with_the_way_out(value, text):
    weight = np.ones(N)
    weight[7] = value
    with pytest.raises(DataError, match=text) as caught:
        prepare(build_request(weight))
    assert "role" in caught.value.hint


def test_several_bad_weights_are_counted():
    weight = np.ones(N)
    weight[:10] = -1
    with pytest.raises(DataError, match=r"-1 in 'w' and \d more are no weights"):
        prepare(build_request(weight))


def test_a_part_without_weight_is_refused():
    with pytest.raises(DataError, match="weights of the train part are 0"):
        prepare(build_request(np.zeros(N)))


def test_copies_with_other_weights_stay_together():
    request = build_request(np.arange(N) + 1.0)
    frame = request.frame.copy()
    frame["y"] = np.repeat(np.tile(["no", "yes"], N // 4), 2)
    frame["x"] = np.where(np.arange(N) < 8, np.arange(N) // 2, frame["x"])
    parts = prepare(replace(request, frame=frame)).prepared.parts
    where = {row: part for part in Part for row in parts[part].tolist()}
    assert all(where[row] is where[row + 1] for row in range(0, 8, 2))
