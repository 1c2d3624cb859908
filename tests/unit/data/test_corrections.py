"""Rows left out or relabelled: in the parts that models learn from only, with the split as it was."""

import numpy as np
import pytest

from automl.data.corrections import Corrections, apply_corrections
from automl.data.preparing import PrepareRequest, prepare
from automl.data.split_plan import build_split_plan
from automl.data.views import Part
from automl.errors import DataError, SpecError
from tests.unit.data.test_preparing import BINARY, NUMBER, build_columns, build_frame


def run(corrections=None, n_folds=0):
    return prepare(
        PrepareRequest(
            frame=build_frame(),
            columns=build_columns("y"),
            task=BINARY,
            split_plan=build_split_plan(test_given=False, group=None, seed=0),
            corrections=corrections or Corrections(),
            n_folds=n_folds,
        )
    )


def test_the_split_stays_and_only_learning_rows_change():
    plain = run().prepared
    train, select = (plain.parts[part] for part in (Part.TRAIN, Part.SELECT))
    gone, turned = int(train[0]), int(select[3])
    other = BINARY.classes[1 - int(plain.target[turned])]
    corrections = Corrections(dropped=(gone,), relabelled={turned: other}, source="a" * 32)
    result = run(corrections, n_folds=3)
    own = result.prepared
    for part in (Part.CALIBRATE, Part.TEST, Part.SELECT):
        np.testing.assert_array_equal(own.parts[part], plain.parts[part])
    np.testing.assert_array_equal(own.parts[Part.TRAIN], train[1:])
    assert gone not in result.refit.parts[Part.TRAIN]
    assert gone not in own.judged
    assert own.target[turned] == 1 - plain.target[turned]
    assert (np.delete(own.target, turned) == np.delete(plain.target, turned)).all()
    assert all(fold.target[turned] == own.target[turned] for fold in own.folds)
    (note,) = [note for note in result.notes if note.code == "corrections"]
    assert note.level == "warning"
    assert f"1 row was left out (rows {gone})" in note.text
    assert f"given another label (rows {turned})" in note.text
    assert "aaaaaaaa" in note.text


@pytest.mark.parametrize("part", [Part.CALIBRATE, Part.TEST])
def test_what_a_model_is_judged_by_is_not_corrected(part):
    row = int(run().prepared.parts[part][0])
    with pytest.raises(DataError, match=f"Row {row} cannot be corrected: it is in the {part} part"):
        run(Corrections(dropped=(row,)))
    with pytest.raises(DataError, match="in no part of the split"):
        run(Corrections(dropped=(10_000,)))


def test_nothing_to_correct_changes_nothing():
    target, parts = np.arange(4), {part: np.arange(1) for part in Part}
    same, kept, notes = apply_corrections(Corrections(), BINARY, target, parts)
    assert same is target
    assert kept == parts
    assert notes == ()
    assert Corrections().describe() == {}


def test_later_corrections_win_and_are_described():
    first = Corrections(dropped=(3, 4), relabelled={7: "yes", 8: "yes"}, source="one")
    both = first.join(Corrections(dropped=(7,), relabelled={4: "no"}, source="two"))
    assert both == Corrections(dropped=(3, 7), relabelled={4: "no", 8: "yes"}, source="two")
    assert len(both) == 4
    assert both.describe()["corrections"]["relabelled"] == [
        {"row": 4, "label": "no"}, {"row": 8, "label": "yes"},
    ]  # fmt: skip


def test_faults_are_named():
    with pytest.raises(SpecError, match="Row 5 is corrected twice"):
        Corrections(dropped=(5,), relabelled={5: "yes"})
    with pytest.raises(SpecError, match="Row -1"):
        Corrections(dropped=(-1,))
    with pytest.raises(SpecError, match="cannot become 'maybe'"):
        Corrections(relabelled={1: "maybe"}).require_classes(BINARY)
    with pytest.raises(SpecError, match="cannot become"):
        Corrections(relabelled={1: "3"}).require_classes(NUMBER)
