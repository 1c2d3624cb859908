import numpy as np
import pytest

from automl.data.split_plan import SplitPlan, build_split_plan
from automl.data.splits import SplitRequest, SplitResult, compute_split
from automl.data.task import TaskType
from automl.data.views import Part
from automl.errors import DataError, SpecError


def split(target: np.ndarray, task_type: TaskType = TaskType.BINARY, **more: object) -> SplitResult:
    group = more.get("groups") is not None
    plan = build_split_plan(
        test_given=bool(more.get("n_given_test")), group="g" if group else None, seed=0
    )
    return compute_split(
        SplitRequest(target=target, task_type=task_type, plan=plan, classes=tuple("abcd"), **more)  # type: ignore[arg-type]
    )


def test_shares_and_strata_are_exact() -> None:
    target = np.repeat([0, 1], [700, 300])
    parts = split(target).parts
    assert [len(parts[part]) for part in Part] == [600, 150, 100, 150]
    assert [int(target[parts[part]].sum()) for part in Part] == [180, 45, 30, 45]


def test_regression_parts_have_the_same_distribution() -> None:
    target = np.random.default_rng(0).lognormal(size=4_003)
    parts = split(target, TaskType.REGRESSION).parts
    medians = [np.median(target[parts[part]]) for part in Part]
    assert np.ptp(medians) < 0.1
    assert [len(parts[part]) for part in Part] == pytest.approx([2402, 600, 400, 600], abs=2)


@pytest.mark.parametrize("n_rows", [20, 24, 40, 60, 100])
def test_a_small_regression_fills_every_part(n_rows: int) -> None:
    target = np.random.default_rng(0).normal(size=n_rows)
    parts = split(target, TaskType.REGRESSION).parts
    wanted = [0.6 * n_rows, 0.15 * n_rows, 0.1 * n_rows, 0.15 * n_rows]
    assert [len(parts[part]) for part in Part] == pytest.approx(wanted, abs=2)


def test_many_tiny_classes_leave_no_part_empty() -> None:
    parts = split(np.repeat(np.arange(10), 3), TaskType.MULTICLASS).parts
    assert min(map(len, parts.values())) == 1
    assert sum(map(len, parts.values())) == 30


def test_a_given_test_part_stays_as_it_is() -> None:
    target = np.tile([0, 1], 500)
    parts = split(target, n_given_test=200).parts
    assert parts[Part.TEST].tolist() == list(range(800, 1000))
    assert [len(parts[part]) for part in Part] == [560, 144, 96, 200]


def test_rows_without_a_target_take_no_part_and_are_counted() -> None:
    target = np.tile([0, 1, -1, 0], 100)
    result = split(target)
    assert sum(len(rows) for rows in result.parts.values()) == 300
    assert "100 rows have no value of the target" in result.notes[0].text
    numbers = np.where(target < 0, np.nan, np.random.default_rng(0).normal(size=400))
    assert sum(map(len, split(numbers, TaskType.REGRESSION).parts.values())) == 300
    given = split(np.concatenate([np.tile([0, 1], 50), [-1, 0, 1]]), n_given_test=3)
    assert given.parts[Part.TEST].tolist() == [101, 102]


def test_negative_numbers_are_values_of_a_regression() -> None:
    parts = split(np.arange(-50.0, 50.0), TaskType.REGRESSION).parts
    assert sum(map(len, parts.values())) == 100


def test_rare_classes_go_to_training_and_are_said() -> None:
    target = np.concatenate([np.repeat([0, 1], 100), [2], [3, 3]])
    result = split(target, TaskType.MULTICLASS)
    assert 200 in result.parts[Part.TRAIN]
    assert set(target[result.parts[Part.TRAIN]]) == {0, 1, 2, 3}
    assert "test 2 ('c', 'd'). Merge rare" in result.notes[0].text


def test_a_test_part_with_other_classes_only_is_refused() -> None:
    target = np.concatenate([np.tile([0, 1], 100), np.repeat([2, 3], 20)])
    with pytest.raises(DataError, match="it has 'c', 'd', train has 'a', 'b'"):
        split(target, TaskType.MULTICLASS, n_given_test=40)
    target[-1] = 0
    notes = split(target, TaskType.MULTICLASS, n_given_test=40).notes
    assert "train 2 ('c', 'd')" in notes[0].text


def test_copies_stay_together() -> None:
    generator = np.random.default_rng(0)
    keys = np.arange(1_000, dtype=np.uint64)
    keys[500:540] = keys[:40]  # forty planted copies
    target = generator.integers(0, 2, 1_000)
    target[500:540] = target[:40]
    parts = split(target, duplicate_keys=keys).parts
    for part in Part:
        others = np.concatenate([parts[other] for other in Part if other is not part])
        assert not set(keys[parts[part]]) & set(keys[others])
    assert sum(map(len, parts.values())) == 1_000


def test_a_table_of_few_different_rows_is_still_divided() -> None:
    keys = np.tile(np.arange(8, dtype=np.uint64), 100)
    result = split(np.tile([0, 1], 400), duplicate_keys=keys)
    assert [len(result.parts[part]) for part in Part] == [480, 120, 80, 120]
    assert [note.code for note in result.notes] == ["duplicates_split"]


def test_groups_and_copies_together() -> None:
    generator = np.random.default_rng(0)
    groups = generator.integers(0, 200, 1_000)
    keys = np.arange(1_000, dtype=np.uint64)
    keys[900:920] = keys[:20]
    parts = split(generator.integers(0, 2, 1_000), groups=groups, duplicate_keys=keys).parts
    for values in (groups, keys):
        owners = [set(values[parts[part]]) for part in Part]
        assert sum(map(len, owners)) == len(set.union(*owners))


def test_groups_of_a_given_test_file_that_training_knows_are_counted() -> None:
    groups = np.concatenate([np.repeat(np.arange(50), 10), [-1, -1, 3, 3, 4, 90, 91]])
    notes = split(np.tile([0, 1], 254)[:507], groups=groups, n_given_test=7).notes
    assert [note.code for note in notes] == ["groups_shared"]
    assert "2 of the 4 groups" in notes[0].text


def test_rows_of_a_given_test_file_that_training_knows_are_counted() -> None:
    keys = np.arange(420, dtype=np.uint64)
    keys[[400, 401, 402]] = keys[[7, 8, 8]]
    found = split(np.tile([0, 1], 210), n_given_test=20, duplicate_keys=keys)
    assert [note.code for note in found.notes] == ["test_overlap"]
    assert "3 of 20 rows" in found.notes[0].text
    assert "counted from 0: 0 = 7, 1 = 8, 2 = 8." in found.notes[0].text
    assert found.repeats.tolist() == [[400, 7], [401, 8], [402, 8]]
    assert not len(split(np.tile([0, 1], 210), duplicate_keys=keys).repeats)


def test_a_row_without_a_group_stands_alone() -> None:
    groups = np.concatenate([np.full(900, -1), np.repeat(np.arange(10), 10)])
    parts = split(np.tile([0, 1], 500), groups=groups).parts
    assert [len(parts[part]) for part in Part] == pytest.approx([600, 150, 100, 150], abs=15)


def test_two_groups_cannot_fill_four_parts() -> None:
    with pytest.raises(DataError, match="has no rows") as caught:
        split(np.tile([0, 1], 50), groups=np.repeat([0, 1], 50))
    assert "four groups" in caught.value.hint


def test_seeds_matter_and_repeat() -> None:
    target = np.tile([0, 1], 100)

    def train_rows(seed: int) -> list[int]:
        plan = build_split_plan(test_given=False, group=None, seed=seed)
        request = SplitRequest(target=target, task_type=TaskType.BINARY, plan=plan)
        return compute_split(request).parts[Part.TRAIN].tolist()

    assert train_rows(0) == train_rows(0)
    assert train_rows(0) != train_rows(1)


def test_a_hundred_thousand_groups_take_seconds_at_most() -> None:
    generator = np.random.default_rng(0)
    groups = generator.integers(0, 20_000, 60_000)
    parts = split(generator.integers(0, 2, 60_000), groups=groups).parts
    assert [len(parts[part]) / 60_000 for part in Part] == pytest.approx(
        [0.6, 0.15, 0.1, 0.15], abs=0.01
    )


def split_around_validation(n_test: int, **more: object) -> SplitResult:
    plan = build_split_plan(test_given=n_test > 0, val_given=True, group=None)
    return compute_split(
        SplitRequest(
            target=np.tile([0, 1], (400 + 100 + n_test) // 2), task_type=TaskType.BINARY, plan=plan,
            n_given_test=n_test, n_given_val=100, **more,
        )  # type: ignore[arg-type]
    )  # fmt: skip


def test_a_given_validation_part_is_select_and_calibrate() -> None:
    parts = split_around_validation(50).parts
    assert [len(parts[part]) for part in Part] == [400, 60, 40, 50]
    assert parts[Part.TRAIN].max() < 400 <= parts[Part.SELECT].min()
    assert parts[Part.TEST].tolist() == list(range(500, 550))
    parts = split_around_validation(0).parts
    assert [len(parts[part]) for part in Part] == [340, 60, 40, 60]
    assert parts[Part.TEST].max() < 400
    assert sorted(np.concatenate(list(parts.values()))) == list(range(500))


def test_a_copy_of_a_validation_row_trains_and_is_never_a_test_row() -> None:
    keys = np.arange(500, dtype=np.uint64)
    keys[400:450] = keys[:50]
    parts = split_around_validation(0, duplicate_keys=keys).parts
    assert set(range(50)) <= set(parts[Part.TRAIN].tolist())
    assert len(parts[Part.TEST]) == 60


def test_groups_of_given_parts_that_are_shared_are_told() -> None:
    plan = build_split_plan(test_given=True, val_given=True, group="g")
    groups = np.concatenate([np.arange(40), np.arange(35, 50), np.arange(45, 55)])
    request = SplitRequest(
        target=np.arange(65) % 2, task_type=TaskType.BINARY, plan=plan, groups=groups,
        n_given_test=10, n_given_val=15,
    )  # fmt: skip
    told = [note.text for note in compute_split(request).notes]
    assert len(told) == 2
    assert told[0].startswith("5 of the 10 groups of the test file")
    assert told[1].startswith("5 of the 15 groups of the validation part")


def test_rows_left_out_are_in_no_part_and_are_not_said_to_lack_a_target() -> None:
    left_out = np.zeros(550, dtype=bool)
    left_out[[0, 1, 2, 3, 420, 421]] = True
    result = split_around_validation(50, left_out=left_out)
    assert sum(map(len, result.parts.values())) == 544
    assert not left_out[np.concatenate(list(result.parts.values()))].any()
    assert result.notes == ()


def test_copies_of_pictures_are_tied_however_many_they_are() -> None:
    keys = np.repeat(np.arange(40), 10).astype(np.uint64)
    request = {"duplicate_keys": keys, "are_pictures": True}
    result = split(np.tile([0, 1], 200), **request)
    owners = [set(keys[rows]) for rows in result.parts.values()]
    assert sum(map(len, owners)) == 40
    assert result.notes == ()
    loose = split(np.tile([0, 1], 200), duplicate_keys=keys)
    assert [note.code for note in loose.notes] == ["duplicates_split"]


@pytest.mark.parametrize(
    "shares",
    [{"train": 1.0, "select": 0.6, "calibrate": 0.3}, {"train": 0.7, "select": 0.6, "calibrate": 0.4}],
)  # fmt: skip
def test_shares_around_a_given_validation_part_come_in_pairs(shares: dict[str, float]) -> None:
    with pytest.raises(SpecError, match="two pairs must each add up to 1"):
        SplitPlan(test=0.0, test_given=True, val_given=True, **shares)


def test_copies_between_training_and_validation_are_said() -> None:
    keys = np.arange(550, dtype=np.uint64)
    keys[400:404] = keys[:4]
    notes = split_around_validation(50, duplicate_keys=keys, are_pictures=True).notes
    (note,) = [each for each in notes if each.code == "validation_overlap"]
    assert note.text.startswith("4 of 100 pictures of the validation part")
    whole = split_around_validation(50, duplicate_keys=np.arange(550, dtype=np.uint64)).notes
    assert not whole
