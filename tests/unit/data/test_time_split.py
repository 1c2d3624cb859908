import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from automl.data.dataset import ColumnUse, Kind, Role
from automl.data.preparing import PreparedResult, PrepareRequest, prepare
from automl.data.split_plan import SplitPlan, SplitStrategy, build_split_plan
from automl.data.splits import SplitRequest, SplitResult, compute_split
from automl.data.task import Task, TaskType
from automl.data.time_split import assign_by_time
from automl.data.views import Part
from automl.errors import DataError, SpecError

TASK = Task(
    target="y", type=TaskType.BINARY, metric="roc_auc", classes=("no", "yes"), positive="yes"
)
RNG = np.random.default_rng(0)


def run(day: object, kind: Kind = Kind.DATETIME, n_test: int = 0) -> PreparedResult:
    n = len(day)  # type: ignore[arg-type]
    frame = pd.DataFrame({"x": RNG.normal(size=n), "day": day, "y": RNG.choice(["no", "yes"], n)})
    columns = (
        ColumnUse(name="x", kind=Kind.NUMERIC, role=Role.FEATURE),
        ColumnUse(name="day", kind=kind, role=Role.TIME),
        ColumnUse(name="y", kind=Kind.CATEGORICAL, role=Role.TARGET),
    )
    plan = build_split_plan(test_given=n_test > 0, group=None, time="day")
    return prepare(
        PrepareRequest(
            frame=frame, columns=columns, task=TASK, split_plan=plan, n_given_test=n_test
        )
    )


def shuffle_days(n: int) -> pd.Series:
    days = pd.Series(pd.date_range("2020-01-01", periods=n // 2, freq="D").repeat(2))
    return days.sample(frac=1, random_state=0).reset_index(drop=True)


def test_the_past_trains_and_the_newest_rows_test() -> None:
    days = shuffle_days(400)
    prepared = run(days).prepared
    parts = prepared.parts
    for earlier, later in (
        (Part.TRAIN, Part.SELECT), (Part.SELECT, Part.CALIBRATE), (Part.CALIBRATE, Part.TEST),
    ):  # fmt: skip
        assert days[parts[earlier]].max() < days[parts[later]].min()
    assert [len(parts[part]) for part in Part] == [240, 60, 40, 60]
    assert prepared.views.raw.shape[1] == 1  # the day itself is no input


def test_numbers_order_rows_too_and_ties_stay_together() -> None:
    years = pd.Series(np.repeat(np.arange(2000, 2010), 40))
    parts = run(years, Kind.NUMERIC).prepared.parts
    held = [set(years[parts[part]]) for part in Part]
    assert sum(map(len, held)) == 10
    assert held[0] == set(range(2000, 2006))
    assert max(held[3]) == 2009


def test_rows_without_a_time_train_and_are_counted() -> None:
    days = shuffle_days(400)
    days[:30] = pd.NaT
    result = run(days)
    assert set(range(30)) <= set(result.prepared.parts[Part.TRAIN].tolist())
    (note,) = [note for note in result.notes if note.code == "time_missing"]
    assert note.text.startswith("30 rows have no time")
    assert note.level == "warning"


def test_with_a_given_test_file_only_the_own_rows_are_ordered() -> None:
    days = pd.Series(pd.date_range("2020-01-01", periods=300, freq="D"))
    result = run(days, n_test=100)
    parts = result.prepared.parts
    assert parts[Part.TEST].tolist() == list(range(200, 300))
    assert days[parts[Part.TRAIN]].max() < days[parts[Part.SELECT]].min()
    assert [len(parts[part]) for part in Part] == [140, 36, 24, 100]
    assert "test_not_newer" not in [note.code for note in result.notes]
    old = run(days[::-1].reset_index(drop=True), n_test=100)
    (note,) = [note for note in old.notes if note.code == "test_not_newer"]
    assert note.text.startswith("100 of 100 rows")


def test_too_few_moments_are_refused_with_the_reason() -> None:
    with pytest.raises(DataError, match="select part") as caught:
        run(pd.Series(np.repeat([2000, 2001], 100)), Kind.NUMERIC)
    assert "four different moments" in caught.value.hint


def split_by_time(target: list[int], task_type: TaskType = TaskType.MULTICLASS) -> SplitResult:
    plan = build_split_plan(test_given=False, group=None, time="day")
    times = np.arange(len(target), dtype=np.float64)
    values = np.array(target)
    return compute_split(
        SplitRequest(
            target=values, task_type=task_type, plan=plan, classes=tuple("abc"), times=times
        )
    )


def test_oldest_rows_of_one_class_are_refused_with_the_reason() -> None:
    for task_type, newest in ((TaskType.BINARY, 1), (TaskType.MULTICLASS, 2)):
        with pytest.raises(DataError, match="which train, have one class only") as caught:
            split_by_time([0] * 70 + [1] * 15 + [newest] * 15, task_type)
        assert "another time column, or none" in caught.value.hint
    numbers = split_by_time([0] * 70 + [1] * 30, TaskType.REGRESSION)
    assert len(numbers.parts[Part.TRAIN]) == 60


def test_classes_that_end_or_begin_in_time_are_counted_in_their_own_words() -> None:
    (note,) = split_by_time([0, 1] * 40 + [0, 2] * 10).notes
    assert note.text == (
        "Some classes do not occur in every stretch of time; absent classes: train 1 ('c'), select 1 "
        "('c'), test 1 ('b'). No model learns a class that is absent from train. Merge classes, or "
        "choose another time column."
    )


def test_group_and_time_exclude_each_other() -> None:
    with pytest.raises(SpecError, match=r"'person'.*'day'"):
        build_split_plan(test_given=False, group="person", time="day")
    with pytest.raises(SpecError, match="only a temporal split"):
        SplitPlan(strategy=SplitStrategy.STRATIFIED, time="day")
    with pytest.raises(SpecError, match="validation part is given"):
        build_split_plan(test_given=False, group=None, time="day", val_given=True)


def test_a_temporal_plan_needs_the_times() -> None:
    plan = build_split_plan(test_given=False, group=None, time="day")
    request = SplitRequest(target=np.tile([0, 1], 50), task_type=TaskType.BINARY, plan=plan)
    with pytest.raises(DataError, match="values of its time column"):
        compute_split(request)


@given(
    st.lists(st.one_of(st.integers(0, 30), st.just(None)), min_size=1, max_size=200),
    st.sampled_from([(0.6, 0.15, 0.1, 0.15), (0.7, 0.18, 0.12, 0.0)]),
)
def test_parts_never_overlap_in_time(moments: list[int | None], shares: tuple[float, ...]) -> None:
    times = np.array([np.nan if each is None else each for each in moments])
    parts = assign_by_time(times, np.array(shares))
    assert (parts[np.isnan(times)] == 0).all()
    known = np.isfinite(times)
    order = np.argsort(times[known], kind="stable")
    assert (np.diff(parts[known][order]) >= 0).all()
    assert shares[int(parts.max())] > 0
    for moment in np.unique(times[known]):
        assert len(set(parts[times == moment].tolist())) == 1
