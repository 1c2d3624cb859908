"""The coordinator against simulated trainers: order, repeatability, resume, stop, failures."""

from dataclasses import replace
from itertools import islice

import pytest
from search_simulation import Bench, SimulatedTrainers, build_spec

from automl.jobs.records import StopMode, Trial, TrialState
from automl.models.catalog import FAMILIES, get_starts
from automl.search.context import SearchDiscarded
from automl.search.ledger import BASELINE, SEARCH
from automl.search.spec import Budget, Pruner, Resources, Sampler


def _facts(rows):
    return [
        (
            row.number,
            row.family,
            dict(row.config),
            row.state,
            row.score,
            row.n_epochs,
            row.seed,
            row.device,
        )
        for row in rows
    ]


def test_baselines_come_first_and_do_not_count_as_trials(tmp_path):
    rows = Bench(tmp_path).run()
    assert [row.family for row in rows[:4]] == ["constant", "linear", "lightgbm", "boosting"]
    assert [row.stage for row in rows] == [BASELINE] * 4 + [SEARCH] * 12
    assert rows[4].family == "mlp"
    assert dict(rows[4].config) == dict(FAMILIES["mlp"].default)
    assert all(row.state in (TrialState.COMPLETE, TrialState.PRUNED) for row in rows)


def test_a_trial_budget_repeats_exactly(tmp_path):
    first = Bench(tmp_path / "a").run()
    second = Bench(tmp_path / "b").run()
    assert _facts(first) == _facts(second)


def test_batches_do_not_depend_on_who_is_quicker(tmp_path):
    class Lopsided(SimulatedTrainers):
        """The first slot moves only at every third poll."""

        turn = 0

        def _advance(self, slot):
            self.turn += 1
            return None if slot == "cpu:0" and self.turn % 3 else super()._advance(slot)

    even = Bench(tmp_path / "a").run()
    lopsided = Bench(tmp_path / "b", trainers=Lopsided()).run()
    assert _facts(even) == _facts(lopsided)


def test_another_seed_gives_another_search(tmp_path):
    first = Bench(tmp_path / "a", spec=build_spec(budget=Budget(trials=20))).run()
    second = Bench(tmp_path / "b", spec=build_spec(budget=Budget(trials=20), seed=1)).run()
    assert [row.config for row in first] != [row.config for row in second]


@pytest.mark.parametrize("cut_after", [5, 40, 90, 160])
def test_a_search_that_was_cut_goes_on_where_it_stood(tmp_path, cut_after):
    bench = Bench(tmp_path / "a")
    for _ in islice(bench.build().run(), cut_after):
        pass
    finished = {
        row.number: row
        for row in bench.ledger.list_trials()
        if row.state in (TrialState.COMPLETE, TrialState.PRUNED)
    }
    again = Bench(tmp_path / "a", rows=dict(bench.rows))
    lost = again.ledger.revive()
    assert all(row.attempt == 2 and row.state is TrialState.WAITING for row in lost)
    rows = again.run()
    assert {row.number: row for row in rows if row.number in finished} == finished
    numbers = [command.trial for command in again.trainers.trained]
    assert len(set(numbers)) == len(numbers)
    assert not set(numbers) & set(finished)
    assert len(rows) == 16


def test_a_resumed_search_proposes_what_the_undisturbed_one_did(tmp_path):
    whole = Bench(tmp_path / "a", spec=build_spec(budget=Budget(trials=24))).run()
    half = Bench(tmp_path / "b", spec=build_spec(budget=Budget(trials=12))).run()
    rows = {row.number: row for row in half}
    rest = Bench(tmp_path / "c", spec=build_spec(budget=Budget(trials=24)), rows=rows).run()
    assert _facts(whole) == _facts(rest)


def test_weak_networks_are_ended_early_and_boosting_is_not(tmp_path):
    rows = Bench(tmp_path, spec=build_spec(budget=Budget(trials=30))).run()
    pruned = [row for row in rows if row.state is TrialState.PRUNED]
    assert pruned
    assert {row.family for row in pruned} <= {"mlp", "resnet"}
    assert all(row.n_epochs < row.config["epochs"] for row in pruned)


def test_without_a_pruner_every_network_runs_to_its_end(tmp_path):
    rows = Bench(tmp_path, spec=build_spec(pruner=Pruner.NONE)).run()
    networks = [row for row in rows if "epochs" in row.config]
    assert all(row.n_epochs == row.config["epochs"] for row in networks)


def test_three_of_four_asks_go_to_networks(tmp_path):
    rows = Bench(tmp_path, spec=build_spec(budget=Budget(trials=40))).run()
    asked = [row.family for row in rows if row.stage == SEARCH][-24:]
    assert asked.count("boosting") == 6
    assert asked.count("mlp") > asked.count("resnet") > 0


@pytest.mark.parametrize("sampler", [Sampler.RANDOM, Sampler.GRID])
def test_the_other_samplers_fill_the_budget(tmp_path, sampler):
    rows = Bench(tmp_path, spec=build_spec(sampler=sampler)).run()
    configs = [(row.family, tuple(row.config.items())) for row in rows if row.stage == SEARCH]
    assert len(configs) == 12
    assert len(set(configs)) == 12


def test_a_grid_ends_when_it_is_exhausted(tmp_path):
    spec = build_spec(sampler=Sampler.GRID, budget=Budget(trials=100))
    spaces = {name: {} for name in ("constant", "linear", "boosting")}
    spaces["boosting"] = {"max_features": spec.spaces["boosting"]["max_features"]}
    rows = Bench(tmp_path, spec=replace(spec, families=tuple(spaces), spaces=spaces)).run()
    assert [row.config["max_features"] for row in rows if row.stage == SEARCH] == pytest.approx(
        [0.3, 0.65, 1.0]
    )


def test_a_family_that_is_never_sampled_still_gets_its_start_list(tmp_path):
    spec = build_spec(budget=Budget(trials=100))
    spaces = {"linear": spec.spaces["linear"]}
    rows = Bench(tmp_path, spec=replace(spec, families=("linear",), spaces=spaces)).run()
    tried = [dict(row.config) for row in rows if row.stage == SEARCH]
    assert tried == [dict(config) for config in get_starts("linear")]


def test_a_time_budget_keeps_its_reserve_and_uses_all_slots(tmp_path):
    trainers = SimulatedTrainers(
        slots=tuple(f"fake:{index}" for index in range(4)), seconds_per_poll=0.5
    )
    spec = build_spec(
        budget=Budget(seconds=100),
        resources=Resources(devices=trainers.slots, threads=1, batch_size=128),
    )
    bench = Bench(tmp_path, spec=spec, trainers=trainers)
    rows = bench.run()
    assert 74 <= trainers.now <= 92
    assert trainers.most_at_once == 4
    assert {row.device for row in rows} == set(trainers.slots)
    assert all(row.state is not TrialState.WAITING for row in rows[:-4])


def test_both_budgets_end_with_the_first_that_is_spent(tmp_path):
    trainers = SimulatedTrainers(seconds_per_poll=0.01)
    bench = Bench(
        tmp_path, spec=build_spec(budget=Budget(seconds=100, trials=5)), trainers=trainers
    )
    assert len([row for row in bench.run() if row.stage == SEARCH]) == 5
    assert trainers.now < 50


def test_stop_keeps_what_is_there(tmp_path):
    bench = Bench(tmp_path)
    steps = bench.build().run()
    for _ in islice(steps, 30):
        pass
    bench.stop = StopMode.KEEP_BEST
    for _ in steps:
        pass
    assert not bench.crew.running
    assert bench.ledger.find_best() is not None
    assert len(bench.ledger.list_trials()) < 15


def test_stop_before_the_first_model_still_ends_with_one(tmp_path):
    bench = Bench(tmp_path, stop=StopMode.KEEP_BEST)
    rows = bench.run()
    assert bench.ledger.find_best() is not None
    assert not [row for row in rows if row.stage == SEARCH and row.n_epochs > 1]


def test_discard_ends_at_once(tmp_path):
    bench = Bench(tmp_path)
    steps = bench.build().run()
    next(steps)
    bench.stop = StopMode.DISCARD
    with pytest.raises(SearchDiscarded):
        next(steps)


def test_failed_trials_are_results_and_do_not_go_on_for_ever(tmp_path):
    trainers = SimulatedTrainers(fails=frozenset(FAMILIES) - {"constant"}, seconds_per_poll=0.01)
    spec = build_spec(budget=Budget(seconds=3600))
    bench = Bench(tmp_path, spec=spec, trainers=trainers)
    failed = [row for row in bench.run() if row.state is TrialState.FAILED]
    assert 20 <= len(failed) <= 24
    assert all(row.failure_kind == "crashed" and row.failure_message for row in failed)
    assert any("It died." in text for text in bench.warnings.texts)
    assert bench.ledger.find_best().family == "constant"


def test_when_everything_fails_the_search_ends_without_a_best(tmp_path):
    trainers = SimulatedTrainers(fails=frozenset(FAMILIES), seconds_per_poll=0.01)
    bench = Bench(tmp_path, spec=build_spec(budget=Budget(seconds=3600)), trainers=trainers)
    bench.run()
    assert bench.ledger.find_best() is None


def test_progress_stays_small_and_names_the_best(tmp_path, monkeypatch):
    import json

    from automl.search import progress

    monkeypatch.setattr(progress, "EVERY_SECONDS", 0.0)
    bench = Bench(tmp_path, spec=build_spec(budget=Budget(trials=30)))
    bench.warnings.texts += ["\u5e74\u9f62" * 450] * 50  # six bytes each in JSON
    bench.run()
    assert max(len(json.dumps(each)) for each in bench.progress) <= 4096
    last = bench.progress[-1]
    assert last["best"]["trial"] == bench.ledger.find_best().number
    assert last["n_finished"] >= 29
    assert last["first_model_seconds"] is not None
    assert [each["phase"] for each in bench.progress[:2]] == ["baselines"] * 2


def running(bench: Bench) -> list[Trial]:
    return [row for row in bench.ledger.list_trials() if row.state is TrialState.RUNNING]


def test_a_trial_that_does_not_hear_the_stop_is_ended_and_leaves_its_slot(tmp_path, monkeypatch):
    from automl.search import coordinator

    monkeypatch.setattr(coordinator, "STOP_GRACE_SECONDS", 0.05)
    bench = Bench(tmp_path, trainers=SimulatedTrainers(deaf=frozenset({"boosting"})))
    steps = bench.build().run()
    while not any(row.family == "boosting" for row in running(bench)):
        next(steps)
    bench.stop = StopMode.KEEP_BEST
    for _ in steps:
        pass
    assert len(bench.trainers.idle_slots()) == 2
    ended = next(row for row in bench.ledger.list_trials() if row.family == "boosting")
    assert (ended.state, ended.failure_kind) == (TrialState.FAILED, "timeout")
