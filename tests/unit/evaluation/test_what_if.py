"""What if: an unchanged row has the very same answer, and the nearest changes are few, allowed and enough."""

import numpy as np
import pandas as pd
import pytest

from automl.data.dataset import Kind
from automl.data.task import Task, TaskType
from automl.errors import SpecError
from automl.evaluation.explaining.asking import AskedModel, HeldRows
from automl.evaluation.explaining.counterfactual import Wish, find_counterfactuals
from automl.evaluation.explaining.what_if import answer_what_if, change_cells
from tests.unit.evaluation.explained_models import MODEL, VALUE, build_rows, predict, run, use


def take_row(age=40, job="smith"):
    frame = pd.DataFrame({"noise": [0.0], "age": [float(age)], "months": [1.0], "job": [job]})
    frame = frame.astype({"job": "str"})
    return HeldRows(frame=frame, truth=np.array([0]), row_id=np.array([7]))


def ask(row, **changes):
    return run(answer_what_if(MODEL, row, changes))[0]


def test_before_and_after_and_back_to_the_last_bit():
    row = take_row()
    changed = ask(row, age="60", job="nurse")
    assert changed.facts["before"]["decision"] == "no"
    assert changed.facts["after"]["decision"] == "yes"
    assert changed.facts["after"]["confidence"] > 0.9
    assert [each["after"] for each in changed.facts["changes"]] == ["60", "nurse"]
    back = ask(row)
    assert back.frame["after"].tolist() == back.frame["before"].tolist()
    assert back.frame["before"].tolist() == changed.frame["before"].tolist()
    assert back.frame["before"].iloc[0] == predict(row.frame)[0, 1]


def test_cells_are_read_by_their_kind_and_what_cannot_be_is_named():
    missing = change_cells(MODEL, take_row().frame, {"age": None, "job": None})
    assert missing[["age", "job"]].isna().all(axis=None)
    flags = AskedModel(task=VALUE, columns=(use("f", Kind.BOOLEAN),), predict=len)
    assert change_cells(flags, pd.DataFrame({"f": [True]}), {"f": "false"})["f"].tolist() == [False]
    with pytest.raises(SpecError, match="'old' is no number"):
        ask(take_row(), age="old")
    with pytest.raises(SpecError, match="does not read a column 'income'"):
        ask(take_row(), income="3")


def look(wish, model=MODEL, row=None):
    row = row or take_row()
    return run(find_counterfactuals(model, row, build_rows(n=300).frame, wish))


def test_the_nearest_change_is_one_column_no_farther_than_needed():
    found, shares = look(Wish(output="yes"))
    assert shares == sorted(shares)
    assert not found.facts["is_reached"]
    first = found.frame[found.frame["place"] == 1]
    assert first["column"].tolist() == ["age"]
    assert 50 <= float(first["after"].iloc[0]) < 50.5  # the decision turns at 50
    for each in found.facts["alternatives"]:
        assert each["decision"] == "yes"
        assert each["confidence"] >= 0.5
    assert len(found.facts["alternatives"]) <= 3


def test_locked_columns_stay_and_ranges_hold():
    found, _ = look(Wish(output="yes", ranges={"age": (None, 48.0)}))
    first = found.frame[found.frame["place"] == 1].set_index("column")
    assert float(first.loc["age", "after"]) <= 48
    assert first.loc["job", "after"] == "nurse"
    locked, _ = look(Wish(output="yes", locked=("age", "noise")))
    assert locked.frame.empty
    assert locked.facts["alternatives"] == []
    everything, _ = look(Wish(output="yes", locked=MODEL.names))
    assert everything.frame.empty
    assert look(Wish(output="no"))[0].facts["is_reached"]


def test_values_and_several_classes_can_be_wished_for():
    def value(frame):
        return np.floor(frame["age"].to_numpy(dtype=float))

    regression = AskedModel(task=VALUE, columns=MODEL.columns, predict=value)
    found, _ = look(Wish(low=45.0, high=46.0), regression)
    assert found.frame["column"].tolist() == ["age"]
    assert 45 <= found.facts["alternatives"][0]["values"][0] <= 46
    task = Task(target="y", type=TaskType.MULTICLASS, metric="log_loss", classes=("a", "b", "c"))

    def classes(frame):
        return np.eye(3)[np.where(frame["age"] > 60, 2, np.where(frame["job"] == "nurse", 1, 0))]

    several = AskedModel(task=task, columns=MODEL.columns, predict=classes)
    found, _ = look(Wish(output="b"), several)
    assert found.frame[["column", "after"]].iloc[0].tolist() == ["job", "nurse"]
    assert found.facts["own"]["values"] == [1.0, 0.0, 0.0]


def test_whole_numbers_stay_whole():
    row = take_row()
    whole = HeldRows(frame=row.frame.assign(age=[40]), truth=row.truth, row_id=row.row_id)
    background = build_rows(n=300).frame
    background["age"] = background["age"].round().astype(int)
    found, _ = run(find_counterfactuals(MODEL, whole, background, Wish(output="yes")))
    assert found.frame.iloc[0]["after"] == "50"
