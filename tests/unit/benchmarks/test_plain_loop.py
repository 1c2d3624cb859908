"""The plain loop on prepared rows: its score is that of the search's own metric."""

import numpy as np
import pytest

from automl.data.task import Task, TaskType
from automl.data.views import Part, Prepared, Views, ViewShape
from benchmarks.plain_loop import LoopPlan, PlainLoop, build_inputs
from benchmarks.reaching import compare, summarise
from benchmarks.watched_search import Watched

TASKS = {
    "binary": Task(target="y", type=TaskType.BINARY, metric="roc_auc", classes=("a", "b"), positive="b"),
    "regression": Task(target="y", type=TaskType.REGRESSION, metric="rmse"),
}  # fmt: skip


def _prepare(kind: str) -> Prepared:
    rng = np.random.default_rng(0)
    x = rng.normal(size=(300, 4)).astype(np.float32)
    y = (x[:, 0] > 0).astype(np.int64) if kind == "binary" else 50 + 10 * x[:, 0].astype(np.float64)
    rows = np.arange(300)
    shape = ViewShape(
        n_raw=4, n_quantile=4, n_quantile_numeric=4, cardinalities=(3,),
        n_outputs=2 if kind == "binary" else 1,
    )  # fmt: skip
    codes = rng.integers(0, 3, (300, 1)).astype(np.int32)
    parts = {Part.TRAIN: rows[:200], Part.SELECT: rows[200:], Part.CALIBRATE: rows[:0], Part.TEST: rows[:0]}  # fmt: skip
    return Prepared(
        views=Views(raw=x, quantile=x, robust=x, standard=x, codes=codes), target=y, parts=parts,
        shape=shape, target_mean=50.0 if kind == "regression" else 0.0,
        target_scale=10.0 if kind == "regression" else 1.0,
    )  # fmt: skip


@pytest.mark.parametrize(("kind", "least"), [("binary", 0.8), ("regression", -9.0)])
def test_the_loop_learns_and_keeps_its_best_over_time(kind, least):
    plan = LoopPlan(width=16, n_trials=12, n_epochs=8)
    found = PlainLoop(_prepare(kind), TASKS[kind], plan).run()
    assert found["score"] > least  # a constant: 0.5, or about -10
    assert sum(found["states"].values()) == 12
    scores = [score for _, score in found["score_over_time"]]
    assert scores == sorted(scores)
    assert scores[-1] == found["score"]
    assert found["seconds_to_best"] <= found["seconds"]


def test_categories_are_ones_beside_the_numbers():
    prepared = _prepare("binary")
    inputs = build_inputs(prepared).numpy()
    assert inputs.shape == (300, 7)
    assert (inputs[:, 4:].argmax(axis=1) == prepared.views.codes[:, 0]).all()


def _watched(*points):
    curve = tuple({"seconds": at, "score": score} for at, score in points)
    return Watched(
        result={"metric": "roc_auc", "cost": {"n_trials": 30, "search_seconds": 60.0}}, failure="", seconds=60.0, cpu_seconds=60.0, peak_bytes=1,
        peak_anonymous_bytes=1, curve=curve, networks=curve[1:],
    )  # fmt: skip


def test_a_score_that_is_never_reached_is_the_slowest_of_all():
    loop = {"width": 128, "seed": 0, "score": 0.9, "seconds": 100.0, "seconds_to_best": 50.0}
    runs = [
        compare(loop, _watched((5.0, 0.92), (9.0, 0.93)), 60.0),
        compare(loop, _watched((5.0, 0.8), (30.0, 0.9)), 60.0),
        compare(loop, _watched((5.0, 0.8), (30.0, 0.85)), 60.0),
    ]
    assert [run["over_loop"] for run in runs] == [0.05, 0.3, None]
    assert runs[0]["over_loop_by_network"] == 0.09
    assert runs[0]["our_trials_per_minute"] == 30
    assert runs[1]["over_loop_to_its_best"] == 0.6
    (row,) = summarise(runs)
    assert row["over_loop"] == 0.3
    (row,) = summarise(runs[2:])
    assert row["over_loop"] is None
    assert row["goal"] == 0.25
