import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from safetensors.numpy import load, save
from sklearn.preprocessing import QuantileTransformer

from automl.data.dataset import ColumnUse, Kind, Role
from automl.data.encoding import Encoder, fit_encoder, load_encoder, save_encoder
from automl.data.numeric_views import (
    compute_quantile,
    compute_robust,
    compute_standard,
    fit_numeric,
)
from automl.errors import DataError


def use(name: str, kind: Kind) -> ColumnUse:
    return ColumnUse(name=name, kind=kind, role=Role.FEATURE)


COLUMNS = (
    use("age", Kind.NUMERIC),
    use("job", Kind.CATEGORICAL),
    use("gap", Kind.NUMERIC),
    use("code", Kind.CATEGORICAL),
    use("flag", Kind.BOOLEAN),
    use("day", Kind.DATETIME),
)


def build_frame(n: int = 200) -> pd.DataFrame:
    generator = np.random.default_rng(0)
    frame = pd.DataFrame(
        {
            "age": generator.integers(18, 90, n),
            "job": generator.choice(["clerk", "nurse", "smith"], n, p=[0.5, 0.3, 0.2]),
            "gap": generator.normal(size=n),
            "code": generator.integers(1, 4, n),
            "flag": generator.random(n) < 0.4,
            "day": pd.Timestamp("2024-02-28") + pd.to_timedelta(np.arange(n) % 50, "D"),
        }
    )
    frame.loc[:9, "gap"] = np.nan
    frame.loc[:4, "job"] = None
    frame.loc[7, "job"] = "rarity"
    return frame


@pytest.fixture
def encoder() -> Encoder:
    return fit_encoder(build_frame(), COLUMNS)


def test_shapes_and_names(encoder: Encoder) -> None:
    views, notes = encoder.encode(build_frame())
    shape = encoder.compute_shape(2)
    assert notes == ()
    assert encoder.numeric_names == (
        "age",
        "gap",
        "day.year",
        "day.month",
        "day.weekday",
        "day.days",
        "day.month_sin",
        "day.month_cos",
    )
    assert encoder.categorical_names == ("job", "code", "flag")
    assert (shape.n_raw, shape.n_quantile, shape.n_quantile_numeric) == (8, 9, 8)
    assert shape.cardinalities == (
        5,
        4,
        3,
    )  # three jobs and missing; three codes; two flags; unknown
    assert views.raw.shape == (200, 8)
    assert views.quantile.shape == views.robust.shape == views.standard.shape == (200, 9)
    assert views.codes.shape == (200, 3)
    assert (views.raw.dtype, views.quantile.dtype, views.codes.dtype) == (
        "float32",
        "float32",
        "int32",
    )


def test_missing_rare_and_frequent_levels(encoder: Encoder) -> None:
    frame = build_frame()
    codes = encoder.encode(frame)[0].codes[:, 0]
    counts = frame["job"].value_counts()
    assert codes[7] == 0  # one row only: rare
    assert set(codes[:5]) == {4}  # missing is a level, here the least frequent
    assert (codes == 1).sum() == counts.iloc[0]


def test_missing_numbers_are_marked(encoder: Encoder) -> None:
    views = encoder.encode(build_frame())[0]
    assert np.isnan(views.raw[:10, 1]).all()
    assert (views.quantile[:10, 1] == 0).all()
    assert views.quantile[:, 8].tolist() == [1.0] * 10 + [0.0] * 190


def test_dates_in_parts(encoder: Encoder) -> None:
    raw = encoder.encode(build_frame())[0].raw[:, 2:]
    assert raw[0, :4].tolist() == [2024, 2, 2, 0]  # a Wednesday
    assert raw[2, :4].tolist() == [2024, 3, 4, 2]  # past the leap day


def test_a_time_of_day_gives_the_hour_and_its_place_on_the_clock() -> None:
    frame = build_frame()
    frame["day"] += pd.to_timedelta(np.arange(200) * 90, "min")
    encoder = fit_encoder(frame, COLUMNS)
    assert encoder.numeric_names[-3:] == ("day.hour", "day.hour_sin", "day.hour_cos")
    raw = encoder.encode(frame)[0].raw
    assert raw[4, -3:].tolist() == pytest.approx([6, 1, 0], abs=1e-6)
    assert raw[1, -3] == 1.5
    winter = encoder.encode(frame.assign(day=pd.Timestamp("2023-12-01")))[0].raw[0, -5:]
    spring = encoder.encode(frame.assign(day=pd.Timestamp("2023-03-01")))[0].raw[0, -5:]
    assert winter[:2].tolist() == pytest.approx([-0.5, np.sqrt(0.75)], abs=1e-6)
    assert spring[:2].tolist() == pytest.approx([np.sqrt(0.75), 0.5], abs=1e-6)
    assert winter[2:].tolist() == [0, 0, 1]


def test_parts_of_a_date_have_one_indicator_and_one_note() -> None:
    frame = build_frame()
    whole = fit_encoder(frame, COLUMNS)
    frame.loc[:3, "day"] = pd.NaT
    notes = whole.encode(frame)[1]
    assert [(note.code, note.column) for note in notes] == [("newly_missing", "day")]
    shape = fit_encoder(frame, COLUMNS).compute_shape(2)
    assert (shape.n_quantile_numeric, shape.n_quantile) == (8, 10)  # gap and day


def test_order_of_columns_and_further_ones_do_not_matter(encoder: Encoder) -> None:
    frame = build_frame()
    shuffled = frame[frame.columns[::-1]].assign(other=1)
    first, second = encoder.encode(frame)[0], encoder.encode(shuffled)[0]
    np.testing.assert_array_equal(first.quantile, second.quantile)
    np.testing.assert_array_equal(first.codes, second.codes)


def test_text_cells_are_read_like_typed_ones(encoder: Encoder) -> None:
    frame = build_frame()
    text = frame.astype({"age": str, "code": str, "flag": str, "day": str})
    text["code"] = text["code"] + ".0"
    first, second = encoder.encode(frame)[0], encoder.encode(text)[0]
    np.testing.assert_array_equal(first.raw, second.raw)
    np.testing.assert_array_equal(first.codes, second.codes)


def test_one_row_and_object_cells(encoder: Encoder) -> None:
    frame = build_frame()
    one = pd.DataFrame([frame.iloc[20].to_dict()], dtype=object)
    np.testing.assert_array_equal(
        encoder.encode(one)[0].quantile, encoder.encode(frame)[0].quantile[20:21]
    )


def test_a_missing_column_is_named(encoder: Encoder) -> None:
    with pytest.raises(DataError, match="lack the columns 'age', 'day'") as caught:
        encoder.encode(build_frame().drop(columns=["day", "age"]))
    assert caught.value.hint


def test_unseen_levels_and_new_holes_are_counted(encoder: Encoder) -> None:
    frame = build_frame()
    frame.loc[50:52, "job"] = "pilot"
    frame["age"] = frame["age"].astype(float)
    frame.loc[60:61, "age"] = np.nan
    frame["code"] = frame["code"].astype(float)
    frame.loc[70, "code"] = np.nan
    frame.loc[80, "gap"] = np.inf
    frame.loc[81:82, "gap"] = [1e300, -1e39]
    views, notes = encoder.encode(frame)
    said = {(note.code, note.column): note.text for note in notes}
    assert "3 rows, for example 'pilot'" in said["unseen_level", "job"]
    assert "2 rows" in said["newly_missing", "age"]
    assert "1 row" in said["newly_missing", "code"]
    assert "1 row" in said["infinite", "gap"]
    assert "2 rows" in said["too_large", "gap"]
    assert len(said) == len(notes) == 5
    assert (views.codes[50:53, 0] == 0).all()
    assert np.isfinite(views.quantile).all()
    assert np.isfinite(views.robust).all()
    assert np.isfinite(views.standard).all()


def test_cells_that_are_no_numbers_are_counted(encoder: Encoder) -> None:
    frame = build_frame().astype({"age": object, "day": object})
    frame.loc[3, "age"] = "old"
    frame.loc[4, "day"] = "some day"
    said = {
        note.column: note.text for note in encoder.encode(frame)[1] if note.code == "unreadable"
    }
    assert "no number in 1 row, for example 'old'" in said["age"]
    assert "no date in 1 row, for example 'some day'" in said["day"]


def test_saved_and_loaded_it_is_the_same(encoder: Encoder, tmp_path: Path) -> None:
    save_encoder(encoder, tmp_path)
    loaded = load_encoder(tmp_path)
    assert loaded.plan == encoder.plan
    first, second = encoder.encode(build_frame())[0], loaded.encode(build_frame())[0]
    for name in ("raw", "quantile", "robust", "standard", "codes"):
        np.testing.assert_array_equal(getattr(first, name), getattr(second, name))


def test_an_encoder_of_the_first_version_gives_the_numbers_it_gave(
    encoder: Encoder, tmp_path: Path
) -> None:
    save_encoder(encoder, tmp_path)
    plan = json.loads((tmp_path / "encoder.json").read_text())
    del plan["timed"]
    (tmp_path / "encoder.json").write_text(json.dumps(plan | {"version": 1}))
    arrays = load((tmp_path / "encoder.safetensors").read_bytes())
    kept = {name: np.ascontiguousarray(array[..., :6]) for name, array in arrays.items()}
    del kept["median"], kept["spread"]
    (tmp_path / "encoder.safetensors").write_bytes(save(kept))
    old = load_encoder(tmp_path)
    assert isinstance(old, Encoder)
    assert old.numeric_names == encoder.numeric_names[:6]
    first, second = old.encode(build_frame())[0], encoder.encode(build_frame())[0]
    np.testing.assert_array_equal(first.raw, second.raw[:, :6])
    for name in ("quantile", "standard"):
        np.testing.assert_array_equal(
            getattr(first, name), np.delete(getattr(second, name), [6, 7], axis=1)
        )
    np.testing.assert_array_equal(first.codes, second.codes)
    # its robust view, which no model of that time reads, comes from the quantiles
    np.testing.assert_allclose(first.robust[:, :2], second.robust[:, :2], atol=0.25)


@pytest.mark.parametrize("damage", ["absent", "garbage", "future", "cut", "other plan"])
def test_damaged_encoders_are_refused(encoder: Encoder, tmp_path: Path, damage: str) -> None:
    save_encoder(encoder, tmp_path)
    plan, arrays = tmp_path / "encoder.json", tmp_path / "encoder.safetensors"
    if damage == "absent":
        arrays.unlink()
    elif damage == "garbage":
        plan.write_text("{}")
    elif damage == "future":
        plan.write_text(json.dumps({**json.loads(plan.read_text()), "version": 3}))
    elif damage == "cut":
        arrays.write_bytes(arrays.read_bytes()[:-50])
    else:
        plan.write_text(json.dumps({**json.loads(plan.read_text()), "numeric": ["age"]}))
    with pytest.raises(DataError):
        load_encoder(tmp_path)


SHAPES = {
    "quantiles": [(0, 8), (1, 8), (8,), (10, 7)],
    "mean": [(), (7,)],
    "median": [(7, 1), (8, 1)],
}  # 8 inputs


@pytest.mark.parametrize(
    ("name", "shape"), [(name, s) for name, all_ in SHAPES.items() for s in all_]
)
def test_arrays_of_another_shape_are_refused(
    encoder: Encoder, tmp_path: Path, name: str, shape: tuple[int, ...]
) -> None:
    save_encoder(encoder, tmp_path)
    path = tmp_path / "encoder.safetensors"
    path.write_bytes(save({**load(path.read_bytes()), name: np.zeros(shape)}))
    with pytest.raises(DataError, match="cannot be read"):
        load_encoder(tmp_path)


@pytest.mark.parametrize("shape", [(0, 6), (6,), ()])
def test_quantiles_of_the_first_version_are_looked_at_before_use(
    encoder: Encoder, tmp_path: Path, shape: tuple[int, ...]
) -> None:
    save_encoder(encoder, tmp_path)
    plan = json.loads((tmp_path / "encoder.json").read_text()) | {"version": 1}
    (tmp_path / "encoder.json").write_text(json.dumps(plan))
    zeros = {name: np.zeros(6) for name in ("mean", "scale", "has_missing")}
    (tmp_path / "encoder.safetensors").write_bytes(save({**zeros, "quantiles": np.zeros(shape)}))
    with pytest.raises(DataError, match="cannot be read"):
        load_encoder(tmp_path)


def test_a_plan_with_fewer_first_days_than_dates_is_refused(
    encoder: Encoder, tmp_path: Path
) -> None:
    save_encoder(encoder, tmp_path)
    plan = json.loads((tmp_path / "encoder.json").read_text()) | {"first_day": []}
    (tmp_path / "encoder.json").write_text(json.dumps(plan))
    with pytest.raises(DataError, match="cannot be read"):
        load_encoder(tmp_path)


def test_nothing_to_learn_from_is_said() -> None:
    with pytest.raises(DataError, match="No column is left"):
        fit_encoder(build_frame(), ())


def test_constant_and_empty_columns_are_zero() -> None:
    frame = pd.DataFrame(
        {"c": [5.0] * 50, "e": [np.nan] * 50, "tiny": [0.1 + 0.2] * 25 + [0.3] * 25}
    )
    encoder = fit_encoder(frame, [use(name, Kind.NUMERIC) for name in frame])
    views = encoder.encode(frame)[0]
    assert not views.quantile[:, :3].any()
    assert not views.robust[:, :3].any()
    assert not views.standard[:, :3].any()


def test_kinds_can_be_overridden() -> None:
    frame = pd.DataFrame({"n": [1, 2, 3] * 20, "t": ["1", "x", "2.5"] * 20})
    encoder = fit_encoder(frame, [use("n", Kind.CATEGORICAL), use("t", Kind.NUMERIC)])
    views, _ = encoder.encode(frame)
    assert views.codes[:3, 0].tolist() == [1, 2, 3]
    assert views.raw[0, 0] == 1
    assert np.isnan(views.raw[1, 0])


def test_quantiles_are_those_of_scikit_learn() -> None:
    generator = np.random.default_rng(3)
    values = np.column_stack([generator.lognormal(size=2_000), generator.integers(0, 5, 2_000)])
    fit = fit_numeric(values)
    ours = compute_quantile(values, fit)
    theirs = QuantileTransformer(n_quantiles=66, output_distribution="normal", subsample=2_000).fit(
        values
    )
    # the noise that keeps ties apart moves a rank by less than a thousandth
    np.testing.assert_allclose(ours[:, 0], theirs.transform(values)[:, 0], atol=0.02)
    assert np.abs(ours).max() <= 5.2


def test_a_scale_of_millionths_keeps_its_order() -> None:
    values = np.linspace(1e-9, 2e-9, 500)[:, None]
    ours = compute_quantile(values, fit_numeric(values))[:, 0]
    assert (np.diff(ours) >= 0).all()
    assert np.ptp(ours) > 5


def test_standard_is_clipped() -> None:
    values = np.append(np.zeros(999), 1e6)[:, None]
    assert compute_standard(values, fit_numeric(values)).max() == 10


def test_robust_is_by_quartiles_and_smoothly_bounded() -> None:
    values = np.array([0.0, 1, 2, 3, 4, 1e300, np.nan])[:, None]
    robust = compute_robust(values, fit_numeric(values[:5]))[:, 0]
    assert robust[[1, 2]].tolist() == [-0.5 / np.sqrt(1 + 0.25 / 9), 0]
    assert robust[5] == pytest.approx(3, abs=1e-6)
    assert robust[6] == 0


def test_robust_takes_half_the_range_where_the_quartiles_agree() -> None:
    values = np.append(np.zeros(999), 8.0)[:, None]
    robust = compute_robust(values, fit_numeric(values))[:, 0]
    assert robust[0] == 0
    assert robust[-1] == 2 / np.sqrt(1 + 4 / 9)


def test_a_column_that_is_there_twice_is_named(encoder: Encoder) -> None:
    frame = build_frame()
    with pytest.raises(DataError, match="column 'age' twice"):
        encoder.encode(pd.concat([frame, frame[["age"]]], axis=1))


@pytest.mark.parametrize(
    "types",
    [
        {"age": "Int64", "flag": "boolean", "job": "category"},
        {"age": "float32", "code": "category", "job": object},
        {"age": "int8", "code": "float64", "job": "string[pyarrow]"},
    ],
)
def test_columns_of_any_type_give_the_same_views(
    encoder: Encoder, types: dict[str, object]
) -> None:
    frame = build_frame()
    first, second = encoder.encode(frame)[0], encoder.encode(frame.astype(types))[0]
    np.testing.assert_array_equal(first.raw, second.raw)
    np.testing.assert_array_equal(first.codes, second.codes)


def test_dates_with_a_time_zone_are_read_as_utc(encoder: Encoder) -> None:
    frame = build_frame()
    zoned = frame.assign(day=frame["day"].dt.tz_localize("UTC").dt.tz_convert("Europe/Berlin"))
    np.testing.assert_array_equal(encoder.encode(frame)[0].raw, encoder.encode(zoned)[0].raw)
