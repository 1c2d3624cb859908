"""Text columns as lengths, frequent words and codes that come back."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import automl.data.texts as texts_module
from automl.data.dataset import ColumnUse, Kind, Role
from automl.data.encoding import Encoder, fit_encoder, load_encoder, save_encoder
from automl.data.levels import MAX_OPEN_LEVELS
from automl.data.texts import MAX_CELLS, MAX_WORDS, fit_vocabulary, mark_words

TITLES = ("Mr", "Mrs", "Miss", "Dr")
COLUMNS = (
    ColumnUse(name="name", kind=Kind.TEXT, role=Role.FEATURE),
    ColumnUse(name="x", kind=Kind.NUMERIC, role=Role.FEATURE),
)


def build_frame(n: int = 400) -> pd.DataFrame:
    names = [f"Person{i}, {TITLES[i % 4]}. Given{i}" for i in range(n)]
    frame = pd.DataFrame({"name": names, "x": np.arange(n) * 0.5})
    frame.loc[:9, "name"] = None
    return frame


def test_frequent_words_are_kept_and_single_ones_are_not() -> None:
    words = fit_vocabulary(build_frame()["name"]).words
    assert set(words) == {"mr", "mrs", "miss", "dr"}  # p…, pe… and per… stand in every name


def test_first_letters_tell_decks_and_offices_apart() -> None:
    cabins = pd.Series([f"{'CE'[i % 2]}{i}" for i in range(100)], dtype="str")
    words = fit_vocabulary(cabins).words
    assert words[:1] == ("c…",)
    marks = mark_words(cabins, fit_vocabulary(cabins))
    assert marks[:4, 0].tolist() == [1, 0, 1, 0]


def test_words_in_the_same_rows_count_once() -> None:
    texts = pd.Series(["red wine from France", "white bread"] * 50, dtype="str")
    assert len(fit_vocabulary(texts).words) == 2  # one for each kind of cell
    many = pd.Series([f"w{i % 150}x w{i % 151}y" for i in range(3000)], dtype="str")
    assert len(fit_vocabulary(many).words) == MAX_WORDS


def test_a_bounded_number_of_cells_chooses_the_words(monkeypatch: pytest.MonkeyPatch) -> None:
    texts = pd.Series([f"{('red', 'blue')[i % 2]} {i}" for i in range(3 * MAX_CELLS)], dtype="str")
    read: list[str] = []
    list_words = texts_module._list_words
    monkeypatch.setattr(
        texts_module, "_list_words", lambda cell: read.append(cell) or list_words(cell)
    )
    vocabulary = fit_vocabulary(texts)
    assert len(read) == MAX_CELLS
    assert vocabulary.words == ("blue", "red")
    assert fit_vocabulary(texts) == vocabulary


def test_the_views_hold_lengths_as_numbers_and_words_as_flags() -> None:
    frame = build_frame()
    encoder = fit_encoder(frame, COLUMNS)
    views, notes = encoder.encode(frame)
    shape = encoder.compute_shape(2)
    assert notes == ()
    assert encoder.numeric_names == ("x", "name.characters", "name.words")
    assert encoder.word_names == ("name.dr", "name.miss", "name.mr", "name.mrs")
    assert encoder.categorical_names == ()  # no name comes back
    assert (shape.n_raw, shape.n_quantile_numeric, shape.n_quantile) == (7, 3, 3 + 1 + 4)
    assert views.raw.shape == (400, 7)
    assert np.isnan(views.raw[:10, 1:3]).all()
    assert views.raw[10, 1:].tolist() == [len("Person10, Miss. Given10"), 3, 0, 1, 0, 0]
    for view in (views.quantile, views.robust, views.standard):
        assert view[:, 3].tolist() == [1.0] * 10 + [0.0] * 390
        np.testing.assert_array_equal(view[:, 4:], views.raw[:, 3:])


def test_new_texts_are_expected_and_make_no_noise() -> None:
    encoder = fit_encoder(build_frame(), COLUMNS)
    rows = pd.DataFrame({"name": ["Nobody, Dr. New", ""], "x": [1.0, 2.0]})
    views, notes = encoder.encode(rows)
    assert notes == ()
    assert views.raw[0, 3:].tolist() == [1, 0, 0, 0]
    assert np.isfinite(views.quantile).all()


def test_texts_that_come_back_are_codes_as_well() -> None:
    rng = np.random.default_rng(0)
    shops = pd.DataFrame({"name": [f"shop {i}" for i in rng.integers(0, 2_000, 12_000)], "x": 1.0})
    encoder = fit_encoder(shops, COLUMNS)
    assert encoder.categorical_names == ("name",)
    assert encoder.compute_shape(2).cardinalities == (MAX_OPEN_LEVELS + 1,)
    assert encoder.plan.categorical[0].rare == ()  # nobody's rows are kept in a bundle
    codes = encoder.encode(shops)[0].codes[:, 0]
    assert 0.5 < (codes > 0).mean() < 0.8


def test_saved_and_loaded_it_reads_the_same(tmp_path: Path) -> None:
    frame = build_frame()
    encoder = fit_encoder(frame, COLUMNS)
    save_encoder(encoder, tmp_path)
    loaded = load_encoder(tmp_path)
    assert isinstance(loaded, Encoder)
    assert loaded.plan == encoder.plan
    np.testing.assert_array_equal(loaded.encode(frame)[0].raw, encoder.encode(frame)[0].raw)
