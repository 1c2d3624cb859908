"""The coordinator over pictures: baselines, screens, limits, time, repeatability, resume."""

from dataclasses import replace
from itertools import islice

import pytest
from image_simulation import ImageTrainers, build_bench, build_image_spec

from automl.errors import SpecError
from automl.jobs.records import StopMode, TrialState
from automl.search.budget import compute_most_reserve
from automl.search.goals import Method, ModelLimits, Objective
from automl.search.ledger import BASELINE, REFIT, SEARCH
from automl.search.progress import build_progress
from automl.search.refit_plan import plan_refits
from automl.search.refits import Refitter
from automl.search.screens import DISCARDED, OVER_LIMIT, is_screened_out
from automl.search.search_record import build_search_record
from automl.search.spec import Budget, Resources, Sampler, parse_spec, render_spec

LIMIT = 200_000
ONE_SLOT = Resources(devices=("cpu:0",), threads=2, batch_size=64)


def _facts(rows):
    return [
        (row.number, row.family, dict(row.config), row.state, row.score, dict(row.facts),
         row.origin, row.failure_kind)
        for row in rows
    ]  # fmt: skip


def _run_refits(bench):
    steps = Refitter(bench.context, bench.ledger, bench.crew).run()
    while True:
        try:
            next(steps)
        except StopIteration as end:
            return end.value


def test_baselines_of_pictures_come_first_and_networks_are_screened(tmp_path):
    bench = build_bench(tmp_path)
    rows = bench.run()
    assert [row.family for row in rows[:3]] == ["constant", "linear", "small_cnn"]
    assert {row.stage for row in rows[:3]} == {BASELINE}
    networks = [row.number for row in rows if row.family in ("small_cnn", "cnn")]
    assert sorted(bench.trainers.screened) == networks
    assert all(
        {"parameters", "macs", "latency_ms", "proxy"} <= set(rows[n].facts) for n in networks
    )


def test_a_trial_budget_counts_what_is_trained_and_repeats_exactly(tmp_path):
    spec = build_image_spec(budget=Budget(trials=24))
    first = build_bench(tmp_path / "a", spec).run()
    second = build_bench(tmp_path / "b", spec).run()
    assert _facts(first) == _facts(second)
    assert sum(row.stage == SEARCH and not is_screened_out(row) for row in first) == 24


def test_the_cheap_filter_leaves_out_only_the_weakest_part_and_says_why(tmp_path):
    bench = build_bench(tmp_path, build_image_spec(budget=Budget(trials=40)))
    searched = [row for row in bench.run() if row.stage == SEARCH]
    out = [row for row in searched if row.failure_kind == DISCARDED]
    assert out
    assert len(out) <= 0.3 * len(searched)
    assert all(row.origin == "sampled" and row.n_epochs == 0 for row in out)
    assert all("30 %" in row.failure_message for row in out)
    trained = [row.n_parameters for row in searched if row.n_epochs > 0]
    assert max(row.n_parameters for row in out) < max(trained)
    record = build_search_record(bench.spec, bench.ledger)["screening"]
    assert record["seen"] == len(searched)
    assert record["discarded"] == len(out)
    assert len(record["reasons"]) == len(out)


def test_a_filter_whose_ranks_say_nothing_switches_itself_off_and_says_so(tmp_path, monkeypatch):
    import image_simulation

    def prefer_small(config, epoch):
        return 0.9 - 0.001 * int(config.get("width", 0)) + 0.001 * epoch

    monkeypatch.setattr(image_simulation, "score", prefer_small)
    bench = build_bench(tmp_path, build_image_spec(budget=Budget(trials=60)))
    rows = [row for row in bench.run() if row.stage == SEARCH]
    assert any("switched itself off" in text for text in bench.warnings.texts)
    late = rows[len(rows) // 2 :]
    assert not [row for row in late if row.failure_kind == DISCARDED]


def test_no_trained_network_exceeds_a_limit(tmp_path):
    spec = build_image_spec(limits=ModelLimits(parameters=LIMIT), budget=Budget(trials=30))
    bench = build_bench(tmp_path, spec)
    rows = [row for row in bench.run() if row.stage == SEARCH]
    over = [row for row in rows if row.failure_kind == OVER_LIMIT]
    assert over
    assert all(row.facts["parameters"] > LIMIT and row.n_epochs == 0 for row in over)
    assert all("the limit is 200 k" in row.failure_message for row in over)
    progress = build_progress("search", bench.context, bench.ledger, bench.crew)
    assert (progress["n_finished"], progress["n_screened_out"]) == (30, len(rows) - 30)
    trained = [row for row in rows if row.n_epochs > 0]
    assert len(trained) == 30
    assert all(row.facts["parameters"] <= LIMIT for row in trained)
    assert bench.ledger.find_best().n_parameters <= LIMIT
    late = rows[len(rows) // 2 :]  # the sampler learns where the limit lies
    early = rows[: len(rows) // 2]
    count = lambda some: sum(row.failure_kind == OVER_LIMIT for row in some)  # noqa: E731
    assert count(late) <= count(early)


def test_with_a_limit_the_final_model_is_one_network(tmp_path):
    spec = build_image_spec(limits=ModelLimits(parameters=LIMIT), budget=Budget(trials=6))
    bench = build_bench(tmp_path, spec)
    bench.run()
    models = _run_refits(bench)
    assert all(len(model.folders) == 1 for model in models)
    assert not any("seed" in text for text in bench.warnings.texts)


def test_a_baseline_over_the_limit_stays_and_never_wins(tmp_path):
    spec = build_image_spec(limits=ModelLimits(parameters=2_500), budget=Budget(trials=4))
    bench = build_bench(tmp_path, spec)
    rows = bench.run()
    small = next(row for row in rows if row.family == "small_cnn")
    assert small.state is TrialState.COMPLETE
    assert not bench.ledger.is_within_limits(small)
    assert bench.ledger.find_best().family != "small_cnn"


def test_proposals_that_all_break_the_limit_end_and_it_is_said(tmp_path):
    spec = build_image_spec(limits=ModelLimits(parameters=1_000), budget=Budget(trials=4))
    bench = build_bench(tmp_path, spec)
    rows = [row for row in bench.run() if row.stage == SEARCH]
    assert all(row.failure_kind == OVER_LIMIT for row in rows)
    assert 60 <= len(rows) <= 62
    assert any("the limit is 1 k" in text for text in bench.warnings.texts)


@pytest.mark.parametrize("cut_after", [5, 25, 60, 100])
def test_a_search_that_was_cut_goes_on_and_decides_the_same(tmp_path, cut_after):
    spec = build_image_spec(
        budget=Budget(trials=20), limits=ModelLimits(parameters=400_000), resources=ONE_SLOT
    )
    whole = build_bench(tmp_path / "a", spec, slots=("cpu:0",)).run()
    bench = build_bench(tmp_path / "b", spec, slots=("cpu:0",))
    for _ in islice(bench.build().run(), cut_after):
        pass
    again = build_bench(tmp_path / "b", spec, slots=("cpu:0",))
    again = type(again)(again.folder, spec=spec, trainers=again.trainers, rows=dict(bench.rows))
    again.ledger.revive()
    assert _facts(again.run()) == _facts(whole)


def test_what_a_crash_interrupted_after_its_verdict_is_not_trained(tmp_path):
    spec = build_image_spec(budget=Budget(trials=4), resources=ONE_SLOT)
    bench = build_bench(tmp_path, spec, slots=("cpu:0",))
    steps = bench.build().run()
    while not (found := [row for row in bench.ledger.list_trials(SEARCH) if row.facts]):
        next(steps)
    row = found[0]
    judged = replace(
        row, state=TrialState.RUNNING, failure_kind=OVER_LIMIT, failure_message="Too large."
    )
    again = build_bench(tmp_path, spec, slots=("cpu:0",))
    again = type(again)(
        tmp_path, spec=spec, trainers=again.trainers, rows={**bench.rows, row.number: judged}
    )
    again.ledger.revive()
    rows = {each.number: each for each in again.run()}
    assert rows[row.number].state is TrialState.PRUNED
    assert rows[row.number].n_epochs == 0


@pytest.mark.parametrize("seconds", [120, 600])
@pytest.mark.parametrize("slowness", [1.0, 1.6])
def test_a_time_budget_shortens_plans_and_never_cuts_them(tmp_path, seconds, slowness):
    trainers = ImageTrainers(slots=("cpu:0",), seconds_per_poll=0.25, slowness=slowness)
    spec = build_image_spec(budget=Budget(seconds=seconds), resources=ONE_SLOT)
    bench = build_bench(tmp_path, spec, trainers=trainers)
    rows = [row for row in bench.run() if row.stage == SEARCH]
    complete = [row for row in rows if row.state is TrialState.COMPLETE and row.n_epochs > 0]
    assert complete
    whole = [row for row in complete if row.n_epochs == row.config["epochs"]]
    assert len(whole) >= len(complete) - 1  # at most the one that the end of the search met
    assert all(row.facts["horizon"] <= row.config["epochs"] for row in complete)
    assert trainers.now <= seconds
    best = bench.ledger.find_best()
    (refit,) = [each for each in plan_refits(bench.ledger, 1) if "winner" in each.roles]
    assert refit.source.number == best.number
    left = seconds - trainers.now
    assert 1.25 * (best.fit_seconds or 0) <= left
    longest = max(row.fit_seconds or 0.0 for row in rows)
    assert longest <= 1.5 * (seconds - compute_most_reserve(seconds, is_long=True)) / 3


def test_a_network_that_is_too_slow_for_the_time_left_is_not_begun(tmp_path):
    trainers = ImageTrainers(slots=("cpu:0",), seconds_per_poll=0.25, slowness=40.0)
    spec = build_image_spec(budget=Budget(seconds=120), resources=ONE_SLOT)
    bench = build_bench(tmp_path, spec, trainers=trainers)
    rows = [row for row in bench.run() if row.stage == SEARCH]
    late = [row for row in rows if row.failure_kind == "no_time"]
    assert late
    assert all("too long for the time there is" in row.failure_message for row in late)
    assert bench.ledger.find_best() is not None


def test_a_refit_of_a_whole_schedule_is_as_long_as_the_trial(tmp_path):
    bench = build_bench(tmp_path)
    bench.run()
    refits = plan_refits(bench.ledger)
    network = next(each for each in refits if "network" in each.roles)
    assert network.epochs == network.source.n_epochs == network.source.facts["horizon"]
    _run_refits(bench)
    row = next(
        row
        for row in bench.ledger.list_trials(REFIT)
        if row.optuna["source"] == network.source.number
    )
    assert row.config == network.source.config


def test_a_refit_that_cannot_fit_is_left_and_the_model_of_the_search_stands_in(tmp_path):
    spec = build_image_spec(budget=Budget(seconds=600), resources=ONE_SLOT)
    trainers = ImageTrainers(slots=("cpu:0",), seconds_per_poll=0.25)
    bench = build_bench(tmp_path, spec, trainers=trainers)
    bench.run()
    best = bench.ledger.find_best()
    bench.ledger.put(replace(best, fit_seconds=5_000.0))
    winner = _run_refits(bench)[0]
    assert not winner.is_refit
    assert not [r for r in bench.ledger.list_trials(REFIT) if r.optuna["source"] == best.number]
    said = [text for text in bench.warnings.texts if "could not be trained again" in text]
    assert len(said) == 1
    assert "rows: no time was left to begin; its model" in said[0]


def test_goals_survive_json_and_old_specs_are_read():
    spec = build_image_spec(
        method=Method.BOTH,
        objectives=(Objective.SCORE, Objective.LATENCY, Objective.MACS),
        limits=ModelLimits(parameters=10, latency_ms=2.5),
    )
    assert parse_spec(render_spec(spec)) == spec
    import json

    old = json.loads(render_spec(build_image_spec()))
    for name in ("method", "objectives", "limits", "weights"):
        del old[name]
    assert parse_spec(json.dumps(old)) == build_image_spec()


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"objectives": (Objective.PARAMETERS, Objective.SCORE)}, "parameters, score"),
        ({"objectives": (Objective.SCORE, Objective.SCORE)}, "score, score"),
        ({"objectives": ()}, "nothing"),
        ({"objectives": tuple(Objective)}, "4 objectives"),
        ({"sampler": Sampler.NSGA2}, "only the score"),
        ({"sampler": Sampler.GRID, "method": Method.BOTH}, "weight sharing"),
    ],
)
def test_goals_that_do_not_fit_are_named(changes, words):
    with pytest.raises(SpecError, match=words):
        build_image_spec(**changes)


@pytest.mark.parametrize(
    "changes",
    [
        {"method": Method.WEIGHT_SHARING},
        {"objectives": (Objective.SCORE, Objective.MACS)},
        {"limits": ModelLimits(macs=5)},
    ],
)
def test_goals_that_only_pictures_have_are_refused_for_a_table(changes):
    from search_simulation import build_spec

    with pytest.raises(SpecError, match="table"):
        build_spec(**changes)


@pytest.mark.parametrize("value", [0, -1, float("inf")])
def test_a_limit_is_a_number_above_nothing(value):
    with pytest.raises(SpecError, match="latency_ms"):
        ModelLimits(latency_ms=value)


def _stop_and_resume(folder, bench, stop_when):
    """Press Stop at a moment, let the search end, and go on with its rows in a new process."""
    steps = bench.build().run()
    while not stop_when():
        next(steps)
    bench.stop = StopMode.KEEP_BEST
    for _ in steps:
        pass
    assert not bench.crew.running
    resumed = build_bench(folder, bench.spec, candidates=bench.trainers.candidates)
    resumed.rows.update(bench.rows)
    resumed.__post_init__()
    return resumed


def test_what_waits_at_its_screen_when_a_person_stops_is_trained_when_the_search_goes_on(tmp_path):
    bench = build_bench(tmp_path, build_image_spec(budget=Budget(trials=6)))
    whole = build_bench(tmp_path / "whole", bench.spec).run()
    resumed = _stop_and_resume(
        tmp_path, bench, lambda: 2 in bench.crew.running and bench.ledger.find_best() is not None
    )
    yardstick = resumed.ledger[2]
    assert (yardstick.family, yardstick.state) == ("small_cnn", TrialState.WAITING)
    assert _facts(resumed.run()) == _facts(whole)
