"""Text cells of number columns are read by the unit of training, whatever the other cells of a file hold."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from automl.data.dataset import ColumnUse, Kind, Role, Unit
from automl.data.encoding import Encoder, fit_encoder, load_encoder, save_encoder


def use(name: str, kind: Kind) -> ColumnUse:
    return ColumnUse(name=name, kind=kind, role=Role.FEATURE)


def build_masses() -> Encoder:
    frame = pd.DataFrame({"mass": np.arange(40) + 0.5})
    return fit_encoder(frame, [use("mass", Kind.NUMERIC)], {"mass": Unit(before="", after="kg")})


@pytest.mark.parametrize("is_loaded", [False, True])
def test_each_cell_is_read_by_the_unit_of_training(tmp_path: Path, *, is_loaded: bool) -> None:
    encoder = build_masses()
    if is_loaded:
        save_encoder(encoder, tmp_path)
        encoder = load_encoder(tmp_path)
        assert isinstance(encoder, Encoder)
    views, notes = encoder.encode(pd.DataFrame({"mass": ["12 kg", "13", "1 lb", "14kg", "heavy"]}))
    np.testing.assert_array_equal(views.raw[:, 0], [12, 13, np.nan, 14, np.nan])
    said = {note.code: note for note in notes}
    assert "another unit in 1 row, for example '1 lb'; training had 'kg'" in said["unit"].text
    assert said["unit"].level == "warning"
    assert "1 row, for example 'heavy'" in said["unreadable"].text


def test_no_share_of_cells_makes_another_unit_right() -> None:
    encoder = build_masses()
    views, notes = encoder.encode(pd.DataFrame({"mass": ["12 lb", "13 lb"]}))
    assert np.isnan(views.raw).all()
    assert "2 rows, for example '12 lb'" in notes[0].text
    views, notes = encoder.encode(pd.DataFrame({"mass": ["12 kg"]}))
    assert (views.raw.tolist(), notes) == ([[12]], ())


def test_a_unit_that_training_did_not_have_is_missing() -> None:
    frame = pd.DataFrame({"age": range(18, 78), "code": [1, 2, 3] * 20})
    encoder = fit_encoder(frame, [use("age", Kind.NUMERIC), use("code", Kind.CATEGORICAL)])
    text = frame.assign(age=frame["age"].astype(str) + " years", code=frame["code"].astype(str))
    text.loc[0, "code"] = "1 star"
    views, notes = encoder.encode(text)
    assert np.isnan(views.raw[:, 0]).all()
    said = {note.column: note.text for note in notes if note.code == "unit"}
    assert "has a unit in 60 rows" in said["age"]
    assert "training had none" in said["age"]
    assert "has a unit in 1 row, for example '1 star'" in said["code"]


def test_text_that_is_chosen_to_be_numbers_is_read_like_training() -> None:
    use_it = [use("mass", Kind.NUMERIC)]
    mixed = fit_encoder(pd.DataFrame({"mass": ["1 kg", "2 lb", "3", "4"] * 20}), use_it)
    assert mixed.plan.units == {}
    assert np.isnan(mixed.encode(pd.DataFrame({"mass": ["1 kg"]}))[0].raw[0, 0])
    terms = fit_encoder(pd.DataFrame({"mass": ["7 days", "30 days"] * 20}), use_it)
    assert terms.fit.mean[0] == 18.5
    assert terms.encode(pd.DataFrame({"mass": ["1 day"]}))[0].raw[0, 0] == 1


def test_codes_of_numbers_with_a_unit_are_found_again() -> None:
    frame = pd.DataFrame({"stars": [1, 2, 3] * 10})
    unit = Unit(before="", after="stars")
    encoder = fit_encoder(frame, [use("stars", Kind.CATEGORICAL)], {"stars": unit})
    text = pd.DataFrame({"stars": ["1 star", "2 stars", "3"]})
    assert encoder.encode(text)[0].codes[:, 0].tolist() == [1, 2, 3]
