"""Folds of train and select: every row is predicted once, by a model that neither learned from it nor stopped by it."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from automl.data.folds import STOP_SHARE, build_folds, find_problem
from automl.data.split_plan import build_split_plan
from automl.data.splits import SplitRequest
from automl.data.task import TaskType


def build_request(target: np.ndarray, task_type: TaskType = TaskType.BINARY, **more: object):
    group = "g" if more.get("groups") is not None else None
    plan = build_split_plan(test_given=False, group=group)
    return SplitRequest(target=target, task_type=task_type, plan=plan, **more)  # type: ignore[arg-type]


@settings(max_examples=30, deadline=None)
@given(n_rows=st.integers(30, 300), n_folds=st.integers(3, 10), seed=st.integers(0, 99))
def test_every_row_is_held_once_and_parts_of_a_fold_are_disjoint(n_rows, n_folds, seed):
    rng = np.random.default_rng(seed)
    rows = np.sort(rng.choice(400, n_rows, replace=False))
    folds = build_folds(build_request(rng.integers(0, 2, 400)), rows, n_folds)
    assert np.array_equal(np.sort(np.concatenate([fold.held for fold in folds])), rows)
    for fold in folds:
        together = np.concatenate([fold.train, fold.stop, fold.held])
        assert np.array_equal(np.sort(together), rows)
        assert len(fold.train)


def test_classes_have_their_shares_in_every_fold():
    target = np.repeat([0, 1], [300, 100])
    for fold in build_folds(build_request(target), np.arange(400), 5):
        assert [len(fold.held), int(target[fold.held].sum())] == [80, 20]
        assert len(fold.stop) == pytest.approx(STOP_SHARE * 320, abs=1)
        assert target[fold.stop].mean() == pytest.approx(0.25, abs=0.03)


def test_groups_and_copies_are_never_torn_apart():
    rng = np.random.default_rng(0)
    groups = rng.integers(0, 40, 400)
    keys = np.arange(400, dtype=np.uint64)
    keys[50] = keys[7]
    request = build_request(rng.integers(0, 2, 400), groups=groups)
    for fold in build_folds(request, np.arange(400), 5):
        parts = [set(groups[rows].tolist()) for rows in (fold.train, fold.stop, fold.held)]
        assert not parts[0] & parts[1] | parts[0] & parts[2] | parts[1] & parts[2]
    alone = build_request(rng.integers(0, 2, 400), duplicate_keys=keys)
    for fold in build_folds(alone, np.arange(400), 5):
        assert len({name for name, rows in list_parts(fold) if {7, 50} & set(rows.tolist())}) == 1


def list_parts(fold):
    return [("train", fold.train), ("stop", fold.stop), ("held", fold.held)]


def test_the_seed_of_the_split_decides():
    request = build_request(np.tile([0, 1], 100))
    first, second = (build_folds(request, np.arange(200), 5) for _ in range(2))
    assert all(np.array_equal(a.held, b.held) for a, b in zip(first, second, strict=True))
    assert not np.array_equal(first[0].held, build_folds(request, np.arange(200), 4)[0].held[:40])


def test_what_cannot_be_divided_is_named():
    rare = np.zeros(60, dtype=np.int64)
    rare[:3] = 1  # three rows cannot be in five folds
    request = build_request(rare)
    problem = find_problem(request, build_folds(request, np.arange(60), 5))
    assert "fewer than two classes" in problem
    few = build_request(np.tile([0, 1], 30), groups=np.repeat([0, 1, 2], 20))
    assert find_problem(few, build_folds(few, np.arange(60), 5))
    numbers = build_request(np.arange(60.0), TaskType.REGRESSION)
    assert not find_problem(numbers, build_folds(numbers, np.arange(60), 5))
