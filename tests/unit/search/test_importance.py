"""Importance finds the setting that decides, within a conditional space, and says how sure that is."""

import json
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from automl.search.importance import LEAST_TRIALS, compute_importance
from automl.search.spec import SearchSpec
from automl.space.dimensions import Choice, Float, Int, Space, Switch
from tests.unit.search.simulation import build_spec

SPACE: Space = {
    "rate": Float(low=1e-4, high=1e-1, log=True),
    "idle": Float(low=0.0, high=1.0),
    "kind": Choice(options=("a", "b")),
    "switch": Switch(branches={"on": {"depth": Float(low=0.0, high=1.0)}, "off": {}}),
}


@pytest.fixture
def spec() -> SearchSpec:
    return build_spec(families=("mlp",), spaces={"mlp": SPACE})


def draw_trials(n: int, *, state: str = "complete", seed: int = 0) -> Iterator[dict[str, Any]]:
    """The score follows the rate and nothing else."""
    generator = np.random.default_rng(seed)
    for number in range(n):
        config: dict[str, Any] = {
            "rate": float(10 ** generator.uniform(-4, -1)),
            "idle": float(generator.uniform()),
            "kind": str(generator.choice(["a", "b"])),
            "switch": str(generator.choice(["on", "off"])),
        }
        if config["switch"] == "on":
            config["switch.on.depth"] = float(generator.uniform())
        yield {
            "number": number, "family": "mlp", "stage": "search", "state": state, "config": config,
            "score": -abs(float(np.log10(config["rate"])) + 2.0),
        }  # fmt: skip


def test_the_setting_that_decides_leads_and_shares_add_up(spec: SearchSpec) -> None:
    rows = compute_importance(spec, list(draw_trials(120)))
    assert rows[0]["label"] == "rate"
    assert rows[0]["low"] > max(row["share"] for row in rows[1:])
    assert {row["label"] for row in rows} == {"rate", "idle", "kind", "switch", "switch.on.depth"}
    assert sum(row["share"] for row in rows) == pytest.approx(1.0)
    for row in rows:
        assert 0 <= row["low"] <= row["share"] <= row["high"] <= 1
        assert row["n"] == 120
    json.dumps(rows)


def test_the_same_trials_give_the_same_numbers(spec: SearchSpec) -> None:
    trials = list(draw_trials(30))
    assert compute_importance(spec, trials) == compute_importance(spec, trials)


def test_too_few_completed_trials_have_no_importance(spec: SearchSpec) -> None:
    few = list(draw_trials(LEAST_TRIALS - 1))
    early = list(draw_trials(50, state="pruned"))
    assert compute_importance(spec, few + early) == []


def test_trials_that_were_ended_early_count_as_not_among_the_best(spec: SearchSpec) -> None:
    complete = list(draw_trials(40))
    pruned = [
        {**row, "state": "pruned", "score": 0.0, "config": {**row["config"], "kind": "b"}}
        for row in draw_trials(60, seed=1)
    ]
    for row in complete:
        row["config"]["kind"] = "a"
    rows = compute_importance(spec, complete + pruned)
    kind = next(row for row in rows if row["label"] == "kind")
    assert kind["share"] > 0.02
    assert kind["n"] == 100


def test_a_value_outside_of_its_range_counts_as_the_nearest_within() -> None:
    spec = build_spec(families=("mlp",), spaces={"mlp": {"epochs": Int(low=8, high=40, log=True)}})
    rows = [
        {**row, "config": {"epochs": 4 if row["number"] == 3 else 8 + row["number"]}}
        for row in draw_trials(20)
    ]
    assert [row["label"] for row in compute_importance(spec, rows)] == ["epochs"]


def test_scores_that_are_all_equal_single_nothing_out(spec: SearchSpec) -> None:
    rows = compute_importance(spec, [{**row, "score": 0.5} for row in draw_trials(20)])
    assert all(0 <= row["share"] <= 1 for row in rows)
