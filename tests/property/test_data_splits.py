"""Whatever the table, parts are disjoint, whole, repeatable, and tear nothing apart."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from automl.data.split_plan import SplitPlan, build_split_plan
from automl.data.splits import SplitRequest, compute_split
from automl.data.task import TaskType
from automl.data.views import Part

seeds = st.integers(0, 2**32 - 1)


@settings(max_examples=200, deadline=None)
@given(seed=seeds, n_rows=st.integers(60, 400), n_groups=st.integers(8, 80))
def test_no_group_is_in_two_parts(seed: int, n_rows: int, n_groups: int) -> None:
    generator = np.random.default_rng(seed)
    groups = np.concatenate([np.arange(n_groups), generator.integers(0, n_groups, n_rows)])
    target = generator.integers(0, 2, len(groups))
    plan = build_split_plan(test_given=False, group="g", seed=seed)
    request = SplitRequest(
        target=target, task_type=TaskType.BINARY, plan=plan, classes=("0", "1"), groups=groups
    )
    parts = compute_split(request).parts
    owners = [set(groups[parts[part]]) for part in Part]
    assert sum(map(len, owners)) == n_groups
    assert sorted(np.concatenate(list(parts.values()))) == list(range(len(groups)))


@settings(max_examples=150, deadline=None)
@given(seed=seeds, counts=st.lists(st.integers(5, 80), min_size=2, max_size=6))
def test_every_class_has_its_share_to_under_one_row(seed: int, counts: list[int]) -> None:
    target = np.random.default_rng(seed).permutation(np.repeat(np.arange(len(counts)), counts))
    plan = SplitPlan(seed=seed)
    parts = compute_split(
        SplitRequest(
            target=target, task_type=TaskType.MULTICLASS, plan=plan, classes=tuple("abcdef")
        )
    ).parts
    shares = {Part.TRAIN: 0.6, Part.SELECT: 0.15, Part.CALIBRATE: 0.1, Part.TEST: 0.15}
    for part, rows in parts.items():
        assert (np.diff(rows) > 0).all()
        for label, count in enumerate(counts):
            assert abs(int((target[rows] == label).sum()) - shares[part] * count) < 1
    assert sum(map(len, parts.values())) == len(target)


@settings(max_examples=100, deadline=None)
@given(seed=seeds, n_rows=st.integers(200, 600), n_copies=st.integers(1, 50))
def test_copies_are_never_torn(seed: int, n_rows: int, n_copies: int) -> None:
    generator = np.random.default_rng(seed)
    keys = np.arange(n_rows, dtype=np.uint64)
    originals = generator.choice(n_rows, n_copies, replace=False)
    keys = np.concatenate([keys, keys[originals]])
    target = generator.normal(size=n_rows)
    target = np.concatenate([target, target[originals]])
    request = SplitRequest(
        target=target, task_type=TaskType.REGRESSION, plan=SplitPlan(seed=seed), duplicate_keys=keys
    )
    result = compute_split(request)
    owners = [set(keys[result.parts[part]]) for part in Part]
    assert sum(map(len, owners)) == n_rows
    assert sum(map(len, result.parts.values())) == n_rows + n_copies
    again = compute_split(request)
    assert all(np.array_equal(result.parts[part], again.parts[part]) for part in Part)


@settings(max_examples=150, deadline=None)
@given(
    seed=seeds, n_keys=st.integers(100, 300), n_val=st.integers(30, 120),
    n_test=st.sampled_from([0, 40]), are_pictures=st.booleans(),
)  # fmt: skip
def test_given_parts_stay_and_what_is_divided_tears_no_copy(
    *, seed: int, n_keys: int, n_val: int, n_test: int, are_pictures: bool
) -> None:
    generator = np.random.default_rng(seed)
    n_rows = 200 + n_val + n_test
    # with many copies only pictures are tied, so a table gets few of them
    keys = np.arange(n_rows) if not are_pictures else generator.integers(0, n_keys, n_rows)
    request = SplitRequest(
        target=generator.integers(0, 2, n_rows),
        task_type=TaskType.BINARY,
        classes=("0", "1"),
        plan=build_split_plan(test_given=n_test > 0, val_given=True, group=None, seed=seed),
        duplicate_keys=keys.astype(np.uint64),
        n_given_test=n_test,
        n_given_val=n_val,
        are_pictures=are_pictures,
    )
    parts = compute_split(request).parts
    assert sorted(np.concatenate(list(parts.values()))) == list(range(n_rows))
    decided = np.concatenate([parts[Part.SELECT], parts[Part.CALIBRATE]])
    assert sorted(decided) == list(range(200, 200 + n_val))
    owners = {part: set(keys[rows].tolist()) for part, rows in parts.items()}
    assert not owners[Part.SELECT] & owners[Part.CALIBRATE]
    if n_test:
        assert parts[Part.TEST].tolist() == list(range(n_rows - n_test, n_rows))
    else:
        others = owners[Part.TRAIN] | owners[Part.SELECT] | owners[Part.CALIBRATE]
        assert not owners[Part.TEST] & others
