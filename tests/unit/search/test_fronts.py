"""Fronts, crowding and who goes on; a search with several objectives."""

import json
from dataclasses import replace
from itertools import islice

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from image_simulation import CNN_SPACE, build_bench, build_image_spec

from automl.jobs.records import TrialState
from automl.search import optuna_parts
from automl.search.fronts import build_values, compute_crowding, compute_fronts, is_promoted
from automl.search.goals import Objective
from automl.search.ledger import SEARCH
from automl.search.search_record import build_search_record
from automl.search.spec import Budget, Resources, Sampler
from automl.search.study import Study

TWO = (Objective.SCORE, Objective.PARAMETERS)
VALUES = st.lists(
    st.tuples(*[st.integers(min_value=-4, max_value=4).map(float)] * 3), min_size=1, max_size=25
)


def _facts(rows):
    return [(r.number, dict(r.config), r.state, r.score, dict(r.facts), r.n_epochs) for r in rows]


@given(VALUES)
def test_the_first_front_is_what_nobody_dominates(rows):
    values = np.array(rows)
    fronts = compute_fronts(values)
    for index, row in enumerate(values):
        beaten = any((other >= row).all() and (other > row).any() for other in values)
        assert (fronts[index] > 0) == beaten
    assert set(fronts) == set(range(fronts.max() + 1))


@given(VALUES)
def test_the_best_of_every_objective_is_on_the_first_front(rows):
    values = np.array(rows)
    fronts = compute_fronts(values)
    for column in values.T:
        assert (fronts[column == column.max()] == 0).any()


def test_the_ends_stand_alone_and_the_crowded_middle_does_not():
    values = np.array([[0.0, 4.0], [1.0, 3.0], [1.1, 2.9], [4.0, 0.0]])
    crowding = compute_crowding(values)
    assert np.isinf(crowding[[0, 3]]).all()
    assert crowding[1] == pytest.approx(1.1 / 4 + 1.1 / 4)


@given(VALUES)
def test_at_most_a_third_goes_on_and_the_first_always_does(rows):
    known = dict(enumerate(rows))
    kept = [number for number in known if is_promoted(known, number, 3)]
    assert len(kept) == max(1, len(rows) // 3)
    assert is_promoted({7: rows[0]}, 7, 3)


def test_costs_change_their_sign_and_an_unknown_one_gives_nothing():
    objectives = (Objective.SCORE, Objective.LATENCY, Objective.MACS)
    facts = {"latency_ms": 2.0, "macs": 5.0}
    assert build_values(objectives, 0.9, facts) == (0.9, -2.0, -5.0)
    assert build_values(objectives, 0.9, {"macs": 5.0}) is None
    assert build_values(objectives, None, facts) is None
    assert build_values(objectives, float("nan"), facts) is None


def test_a_known_toy_front_is_found(tmp_path):
    spec = build_image_spec(objectives=TWO, budget=Budget(trials=60))
    bench = build_bench(tmp_path, spec)
    bench.run()
    record = build_search_record(spec, bench.ledger)
    front = [row for row in record["pareto"] if row["on_front"]]
    assert len(front) >= 4
    costs = [row["values"]["parameters"]["value"] for row in front]
    scores = [row["values"]["score"]["value"] for row in front]
    assert costs == sorted(costs, reverse=True)  # best score first, so dearest first
    assert scores == sorted(scores, reverse=True)
    assert record["pareto"][0]["trial"] == bench.ledger.find_best().number
    assert front[0]["values"]["parameters"]["unit"] == "parameters"
    assert "best score" in record["pareto_note"]


def test_own_rungs_end_what_is_dominated_and_small_networks_are_not_filtered(tmp_path):
    spec = build_image_spec(objectives=TWO, budget=Budget(trials=40))
    rows = [row for row in build_bench(tmp_path, spec).run() if row.stage == SEARCH]
    pruned = [row for row in rows if row.state is TrialState.PRUNED]
    assert pruned
    assert all(row.n_epochs > 0 and not row.failure_kind for row in pruned)


@pytest.mark.parametrize("sampler", [Sampler.TPE, Sampler.NSGA2, Sampler.RANDOM])
def test_two_searches_with_several_objectives_are_equal(tmp_path, sampler):
    spec = build_image_spec(objectives=TWO, budget=Budget(trials=16), sampler=sampler)
    first = build_bench(tmp_path / "a", spec).run()
    assert _facts(first) == _facts(build_bench(tmp_path / "b", spec).run())


@pytest.mark.parametrize("sampler", [Sampler.TPE, Sampler.NSGA2])
@pytest.mark.parametrize("cut_after", [30, 90])
def test_a_search_with_several_objectives_that_was_cut_decides_the_same(
    tmp_path, sampler, cut_after
):
    one = Resources(devices=("cpu:0",), threads=2, batch_size=64)
    spec = build_image_spec(
        objectives=TWO, budget=Budget(trials=16), sampler=sampler, resources=one
    )
    whole = build_bench(tmp_path / "a", spec, slots=("cpu:0",)).run()
    bench = build_bench(tmp_path / "b", spec, slots=("cpu:0",))
    for _ in islice(bench.build().run(), cut_after):
        pass
    fresh = build_bench(tmp_path / "b", spec, slots=("cpu:0",))
    again = type(fresh)(fresh.folder, spec=spec, trainers=fresh.trainers, rows=dict(bench.rows))
    again.ledger.revive()
    assert _facts(again.run()) == _facts(whole)


def test_tpe_gives_way_to_a_genetic_sampler_after_many_trials(monkeypatch):
    monkeypatch.setattr(optuna_parts, "FIRST_GENETIC_TRIAL", 6)
    study = Study("s", build_image_spec(objectives=TWO), 1)
    kinds = []
    for number in range(12):
        study.ask(number, "cnn", CNN_SPACE)
        kinds.append(type(study._get_study("cnn").sampler).__name__)
        study.tell(number, TrialState.COMPLETE, 0.5 + number / 100, {"parameters": 100.0 + number})
    assert kinds == ["TPESampler"] * 6 + ["NSGAIISampler"] * 6


def test_what_broke_a_limit_is_a_lesson_and_what_the_filter_left_out_is_none():
    import optuna

    spec = build_image_spec()
    study = Study("s", spec, 1)
    for number in range(3):
        study.ask(number, "cnn", CNN_SPACE)
    study.constrain(0, {"parameters": 0.3})
    study.constrain(0, {"parameters": 0.3})  # again after a crash: once is enough
    study.constrain(1, {"parameters": -0.3})
    for number in range(3):
        study.tell(number, TrialState.PRUNED, None)
    states = [trial.state for trial in study._get_study("cnn").get_trials()]
    over, within, unknown = states
    assert over is optuna.trial.TrialState.PRUNED
    assert within is unknown is optuna.trial.TrialState.FAIL
    assert study._find_frozen(0).constraints == {"parameters": 0.3}
    assert json.dumps(study.describe(0))


def test_a_rebuilt_study_has_the_same_states_and_constraints(tmp_path):
    from automl.search.goals import ModelLimits

    spec = build_image_spec(limits=ModelLimits(parameters=200_000), budget=Budget(trials=12))
    bench = build_bench(tmp_path, spec)
    coordinator = bench.build()
    for _ in coordinator.run():
        pass
    study = coordinator._study
    rebuilt = Study("s", spec, 1)
    rows = [replace(row) for row in bench.ledger.list_trials(SEARCH)]
    rebuilt.rebuild(rows)
    for row in rows:
        first, second = study._find_frozen(row.number), rebuilt._find_frozen(row.number)
        assert first.state == second.state
        assert first.values == second.values
        assert first.constraints == second.constraints
        assert first.params == second.params
