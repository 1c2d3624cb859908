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
    request = SplitRequest(target=target, task_type=TaskType.BINARY, plan=plan, groups=groups)
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
        SplitRequest(target=target, task_type=TaskType.MULTICLASS, plan=plan)
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
