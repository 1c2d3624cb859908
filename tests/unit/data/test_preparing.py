from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from automl.data.dataset import ColumnUse, Kind, Role
from automl.data.preparing import (
    PreparedResult,
    PrepareRequest,
    encode_target,
    load_prepared,
    prepare,
    save_prepared,
)
from automl.data.split_plan import build_split_plan
from automl.data.task import Task, TaskType
from automl.data.views import Part, Prepared
from automl.errors import DataError

BINARY = Task(
    target="y", type=TaskType.BINARY, metric="roc_auc", classes=("no", "yes"), positive="yes"
)
NUMBER = Task(target="z", type=TaskType.REGRESSION, metric="rmse")
N = 500


def build_frame() -> pd.DataFrame:
    generator = np.random.default_rng(0)
    frame = pd.DataFrame(
        {
            "x": generator.normal(size=N),
            "c": generator.choice(list("abc"), N),
            "sex": generator.choice(["f", "m"], N),
            "g": generator.integers(0, 40, N),
            "y": generator.choice(["no", "yes"], N),
            "z": generator.normal(100, 20, N),
        }
    )
    frame.loc[3, "y"] = None
    frame.loc[4, "z"] = np.nan
    return frame


def build_columns(target: str, *, sex_is_input: bool = False) -> tuple[ColumnUse, ...]:
    def role(name: str) -> Role:
        if name == target:
            return Role.TARGET
        return {"sex": Role.SENSITIVE, "g": Role.GROUP, "x": Role.FEATURE, "c": Role.FEATURE}.get(
            name, Role.IGNORED
        )

    kinds = {"x": Kind.NUMERIC, "g": Kind.NUMERIC, "z": Kind.NUMERIC}
    return tuple(
        ColumnUse(
            name=name,
            kind=kinds.get(name, Kind.CATEGORICAL),
            role=role(name),
            is_input=name == "sex" and sex_is_input,
        )
        for name in ("x", "c", "sex", "g", "y", "z")
    )


def run(task: Task, frame: pd.DataFrame | None = None, **more: object) -> PreparedResult:
    plan = build_split_plan(test_given=False, group=more.pop("group", None))  # type: ignore[arg-type]
    n_folds = more.pop("n_folds", 0)
    return prepare(
        PrepareRequest(
            n_folds=n_folds,  # type: ignore[arg-type]
            frame=build_frame() if frame is None else frame,
            columns=build_columns(task.target, **more),  # type: ignore[arg-type]
            task=task,
            split_plan=plan,
        )
    )


def test_rows_keep_their_numbers_and_missing_targets_take_no_part() -> None:
    result = run(BINARY)
    prepared = result.prepared
    assert len(prepared.views) == len(prepared.target) == N
    assert prepared.target[3] == -1
    rows = np.concatenate([prepared.parts[part] for part in Part])
    assert len(rows) == len(set(rows.tolist())) == N - 1
    assert 3 not in rows
    assert [note.code for note in result.notes] == ["target_missing"]
    assert prepared.shape.n_outputs == 2


def test_a_sensitive_column_is_no_input_unless_ticked() -> None:
    assert run(BINARY).encoder.categorical_names == ("c",)
    assert run(BINARY, sex_is_input=True).encoder.categorical_names == ("c", "sex")


def test_refit_joins_train_and_select() -> None:
    result = run(NUMBER)
    first, second = result.prepared, result.refit
    both = np.sort(np.concatenate([first.parts[Part.TRAIN], first.parts[Part.SELECT]]))
    np.testing.assert_array_equal(second.parts[Part.TRAIN], both)
    assert len(second.parts[Part.SELECT]) == 0
    for part in (Part.CALIBRATE, Part.TEST):
        np.testing.assert_array_equal(first.parts[part], second.parts[part])
    assert second.target_mean == pytest.approx(second.target[both].mean())
    assert first.target_mean != second.target_mean


def test_test_rows_change_no_fitted_number() -> None:
    frame = build_frame()
    before = run(NUMBER, frame)
    changed = frame.copy()
    test = before.prepared.parts[Part.TEST]
    changed.loc[test, "x"] += 1_000.0
    changed.loc[test, "c"] = "never seen"
    after = run(NUMBER, changed)
    np.testing.assert_array_equal(after.prepared.parts[Part.TEST], test)
    np.testing.assert_array_equal(after.encoder.fit.quantiles, before.encoder.fit.quantiles)
    np.testing.assert_array_equal(after.refit_encoder.fit.mean, before.refit_encoder.fit.mean)
    assert after.encoder.plan == before.encoder.plan
    assert "unseen_level" in [note.code for note in after.notes]


def test_groups_are_not_torn() -> None:
    frame = build_frame()
    parts = run(BINARY, frame, group="g").prepared.parts
    owners = [set(frame["g"].iloc[parts[part]]) for part in Part]
    assert sum(map(len, owners)) == 40


def test_a_given_test_part() -> None:
    request = PrepareRequest(
        frame=build_frame(),
        columns=build_columns("y"),
        task=BINARY,
        split_plan=build_split_plan(test_given=True, group=None),
        n_given_test=100,
    )
    assert prepare(request).prepared.parts[Part.TEST].tolist() == list(range(400, 500))


def assert_same(first: Prepared, second: Prepared) -> None:
    for name in ("raw", "quantile", "standard", "codes"):
        np.testing.assert_array_equal(getattr(first.views, name), getattr(second.views, name))
    np.testing.assert_array_equal(first.target, second.target)
    assert set(first.parts) == set(second.parts)
    for part in Part:
        np.testing.assert_array_equal(first.parts[part], second.parts[part])
    assert (first.shape, first.target_mean, first.target_scale) == (
        second.shape, second.target_mean, second.target_scale,
    )  # fmt: skip


@pytest.mark.parametrize("task", [BINARY, NUMBER])
def test_saved_folders_come_back(task: Task, tmp_path: Path) -> None:
    result = run(task)
    for name, prepared in (("first", result.prepared), ("refit", result.refit)):
        save_prepared(tmp_path / name, prepared)
        loaded = load_prepared(tmp_path / name)
        assert isinstance(loaded.views.raw, np.memmap)
        assert_same(prepared, loaded)


def test_a_folder_without_its_parts_is_refused(tmp_path: Path) -> None:
    save_prepared(tmp_path, run(BINARY).prepared)
    (tmp_path / "codes.npy").write_bytes(b"junk")
    with pytest.raises(DataError, match="cannot be read"):
        load_prepared(tmp_path)


def test_targets_of_every_type() -> None:
    task = Task(
        target="t", type=TaskType.BINARY, metric="roc_auc", classes=("0", "1"), positive="1"
    )
    for cells in ([0, 1, 1], [0.0, 1.0, np.nan], [False, True, True], ["0", "1", "1"]):
        encoded = encode_target(pd.DataFrame({"t": cells}), task)
        assert encoded.tolist()[:2] == [0, 1]
    assert encode_target(pd.DataFrame({"t": [0.0, np.nan]}), task).tolist() == [0, -1]
    with pytest.raises(DataError, match="'2' in the target 't' is none of the classes '0', '1'"):
        encode_target(pd.DataFrame({"t": [0, 2]}), task)
    with pytest.raises(DataError, match="lack the target"):
        encode_target(pd.DataFrame({"u": [0, 2]}), task)


def test_a_target_whose_squares_do_not_fit_is_named() -> None:
    frame = build_frame()
    frame.loc[7, "z"] = -3e200
    with pytest.raises(DataError, match=r"'z' reaches 3e\+200"):
        encode_target(frame, NUMBER)


def test_each_fold_is_encoded_by_its_learning_rows_alone(tmp_path: Path) -> None:
    frame = build_frame()
    before = run(NUMBER, frame, n_folds=5)
    first = before.prepared.folds[0]
    changed = frame.copy()
    outside = np.setdiff1d(np.arange(N), first.parts[Part.TRAIN])
    changed.loc[outside, "x"] = 1e6
    after = run(NUMBER, changed, n_folds=5).prepared.folds[0]
    learning = first.parts[Part.TRAIN]
    np.testing.assert_array_equal(learning, after.parts[Part.TRAIN])
    for name in ("quantile", "robust", "standard", "codes"):
        kept, other = getattr(first.views, name), getattr(after.views, name)
        np.testing.assert_array_equal(kept[learning], other[learning])
    assert first.target_mean == pytest.approx(first.target[learning].mean())

    plain = run(NUMBER, frame)
    for part in Part:  # the split stays what it is
        np.testing.assert_array_equal(before.prepared.parts[part], plain.prepared.parts[part])
    np.testing.assert_array_equal(before.prepared.judged, before.refit.parts[Part.TRAIN])
    np.testing.assert_array_equal(plain.prepared.judged, plain.prepared.parts[Part.SELECT])
    assert not before.refit.folds

    save_prepared(tmp_path / "search", before.prepared)
    loaded = load_prepared(tmp_path / "search")
    np.testing.assert_array_equal(loaded.judged, before.prepared.judged)
    assert len(loaded.folds) == 5
    np.testing.assert_array_equal(loaded.folds[4].views.raw, before.prepared.folds[4].views.raw)


def test_rows_that_cannot_be_divided_keep_the_select_part_and_say_so() -> None:
    frame = build_frame()
    frame["y"] = np.where(np.arange(N) % 160 == 0, "yes", "no")
    result = run(BINARY, frame, n_folds=5)
    assert not result.prepared.folds
    (text,) = (note.text for note in result.notes if note.code == "no_folds")
    assert "5 folds" in text
    assert "select part decides" in text
