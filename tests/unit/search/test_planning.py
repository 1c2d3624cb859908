"""Rungs, turns, budget and refit plans."""

from collections.abc import Mapping
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter
from search_simulation import Bench, SimulatedTrainers, build_spec

from automl.data.dataset import DataKind
from automl.jobs.records import StopMode, TrialState
from automl.models.catalog import FAMILIES, get_space, list_families
from automl.models.tabular.config import without_plain_columns
from automl.search.budget import BudgetClock, compute_makespan, compute_reserve
from automl.search.ledger import REFIT, SEARCH
from automl.search.refit_plan import compute_finish_share, estimate_end, plan_refits
from automl.search.refits import Refitter
from automl.search.rungs import MOST_EPOCHS, build_rung_plan
from automl.search.seeding import derive_seed
from automl.search.spec import Budget
from automl.search.turns import build_starts, build_turns
from automl.space.dimensions import Space

OLD_SPACES = Path(__file__).parent / "old_spaces.json"  # from before networks chose their columns


@given(
    n_train=st.integers(min_value=1, max_value=10_000_000),
    batch=st.integers(min_value=2, max_value=2048),
)
def test_rungs_start_at_an_epoch_or_fifty_steps_and_triple(n_train, batch):
    plan = build_rung_plan(n_train, batch)
    steps = -(-n_train // batch)
    assert plan.first >= 1
    assert plan.first * steps >= 50
    assert plan.first == 1 or (plan.first - 1) * steps < 50
    assert all(later == 3 * earlier for earlier, later in pairwise(plan.rungs))
    assert all(rung < MOST_EPOCHS for rung in plan.rungs)


def test_nobody_asks_at_the_horizon_itself():
    plan = build_rung_plan(22_800, 512)
    assert plan.before(plan.rungs[1]) == plan.rungs[:1]


@pytest.mark.parametrize(
    ("families", "cycle"),
    [
        (("constant", "linear", "boosting", "mlp", "resnet"), ("mlp", "resnet", "mlp", "boosting")),
        (("boosting", "mlp"), ("mlp", "mlp", "mlp", "boosting")),
        (("mlp", "resnet"), ("mlp", "resnet", "mlp")),
        (("linear", "boosting"), ("boosting",)),
        (("boosting", "lightgbm", "linear"), ("lightgbm", "boosting")),
        (
            ("lightgbm", "boosting", "mlp", "resnet"),
            ("mlp", "resnet", "mlp", "lightgbm", "mlp", "resnet", "mlp", "boosting"),
        ),
        (
            ("boosting", "mlp", "realmlp", "tabm", "resnet"),
            ("mlp", "realmlp", "resnet", "boosting", "mlp", "tabm", "resnet", "boosting"),
        ),
        (("mlp", "tabm"), ("mlp", "tabm", "mlp")),
        (("realmlp", "tabm"), ("realmlp", "tabm", "realmlp")),
        (("constant", "linear"), ()),
        (("constant", "small_cnn", "cnn"), ("cnn",)),
        (("small_cnn", "cnn", "classic"), ("cnn", "cnn", "cnn", "classic")),
        (("pretrained", "classic", "cnn"), ("cnn", "pretrained", "cnn", "classic")),
    ],
)
def test_turns(families, cycle):
    assert build_turns(families) == cycle


def test_the_start_list_begins_with_the_reference_network_and_respects_the_space():
    spaces = {name: get_space(name) for name in list_families(DataKind.TABLE)}
    starts = build_starts(spaces)
    assert starts[0].family == "mlp"
    assert starts[0].config == FAMILIES["mlp"].default
    assert {start.family for start in starts} == set(spaces) - {"constant"}
    assert FAMILIES["linear"].default not in [start.config for start in starts]
    narrowed = dict(spaces["mlp"])
    narrowed.pop("depth")
    assert not [s for s in build_starts({**spaces, "mlp": narrowed}) if s.family == "mlp"]


def test_a_space_of_an_older_search_keeps_its_start_list():
    lacking = {"numeric_view", "one_hot_limit", "target_encoding"}
    spaces = TypeAdapter(Mapping[str, Space]).validate_json(OLD_SPACES.read_text())
    for family, n_starts in (("mlp", 4), ("resnet", 3)):  # as many as these families had then
        whole, old = get_space(family), spaces[family]
        assert set(old) == set(whole) - lacking
        starts = build_starts({family: old})
        assert len(starts) == n_starts
        assert starts[0].config == {
            name: value for name, value in FAMILIES[family].default.items() if name not in lacking
        }
        # another view or limit is another network: it is not taken for what the space has
        odd = {**FAMILIES[family].default, "numeric_view": "robust"}
        assert without_plain_columns(odd, old)["numeric_view"] == "robust"


@given(
    st.lists(st.floats(min_value=0.1, max_value=100), min_size=1, max_size=20), st.integers(1, 8)
)
def test_a_makespan_lies_between_its_bounds(lengths, n_slots):
    span = compute_makespan(lengths, n_slots)
    assert span >= max(*lengths, sum(lengths) / n_slots) - 1e-9
    assert span <= sum(lengths) + 1e-9


@given(
    total=st.floats(min_value=5, max_value=36_000),
    refits=st.floats(min_value=0, max_value=10_000),
    finish=st.floats(min_value=0, max_value=100),
)
def test_the_reserve_never_eats_more_than_its_share(total, refits, finish):
    reserve = compute_reserve(total, refits, finish)
    assert 0 <= reserve <= max(0.25 * total, min(25.0, 0.5 * total)) + 1e-9


@given(st.floats(min_value=0, max_value=100), st.floats(min_value=0, max_value=100))
def test_a_quick_machine_keeps_less_for_the_end_and_a_slow_one_never_more_than_planned(one, other):
    quick, slow = (compute_finish_share(seconds) for seconds in sorted((one, other)))
    assert 0.65 <= quick <= slow <= compute_finish_share(None) == 1.0


def test_the_end_follows_what_the_machine_took_to_start(tmp_path):
    bench = Bench(tmp_path)
    planned = [
        estimate_end(bench.ledger, replace(bench.context, start_seconds=seconds))
        for seconds in (0.9, 1.5, 30.0, None)
    ]
    assert planned[0] == pytest.approx(0.65 * planned[3])
    assert planned[0] < planned[1] < planned[2] == planned[3]


def test_the_clock_counts_earlier_attempts():
    clock = BudgetClock(total=100, base=40, started=10, now=lambda: 30)
    assert clock.compute_elapsed() == 60
    assert clock.compute_left(reserve=15) == 25
    assert BudgetClock(total=None, base=0, started=0).compute_left() is None


def test_seeds_depend_on_every_name():
    seeds = {derive_seed(0), derive_seed(1), derive_seed(0, "a"), derive_seed(0, "a", 1)}
    assert len(seeds) == 4
    assert all(0 <= seed < 2**31 for seed in seeds)


def _refit(bench):
    steps = Refitter(bench.context, bench.ledger, bench.crew).run()
    while True:
        try:
            next(steps)
        except StopIteration as end:
            return end.value


def test_winner_network_and_baselines_are_refitted_networks_three_times(tmp_path):
    bench = Bench(tmp_path)
    bench.run()
    models = _refit(bench)
    best = bench.ledger.find_best()
    assert models[0].trial == best.number
    assert "winner" in models[0].roles
    assert sum("baseline" in model.roles for model in models) == 4
    network = next(model for model in models if "network" in model.roles)
    assert len(network.folders) == 3
    assert all(model.is_refit for model in models)
    rows = bench.ledger.list_trials(REFIT)
    assert len({row.seed for row in rows}) == len(rows)
    assert network.epochs == bench.ledger[network.trial].best_epoch


def test_a_model_without_chance_in_it_is_refitted_once(tmp_path):
    spec = build_spec()
    spaces = {"linear": spec.spaces["linear"]}
    bench = Bench(tmp_path, spec=replace(spec, families=("linear",), spaces=spaces))
    rows = bench.run()
    best = next(row for row in rows if row.stage == SEARCH)
    bench.ledger.update(best.number, score=0.99)
    winner = plan_refits(bench.ledger)[0]
    assert (winner.source.family, winner.n_seeds) == ("linear", 1)


def test_refits_that_are_there_are_not_made_again(tmp_path):
    bench = Bench(tmp_path)
    bench.run()
    first = _refit(bench)
    n_trained = len(bench.trainers.trained)
    assert _refit(bench) == first
    assert len(bench.trainers.trained) == n_trained


def test_a_failed_refit_falls_back_to_the_model_of_the_search_and_says_so(tmp_path):
    bench = Bench(tmp_path)
    bench.run()
    bench.trainers.fails = frozenset({"linear"})
    models = _refit(bench)
    linear = next(m for m in models if bench.ledger[m.trial].family == "linear")
    assert not linear.is_refit
    assert linear.folders == (f"trials/{linear.trial:05d}-1",)
    assert any("Linear" in text and "again" in text for text in bench.warnings.texts)


def test_when_time_is_short_there_are_fewer_seeds_and_it_is_said(tmp_path):
    trainers = SimulatedTrainers(seconds_per_poll=0.05)
    bench = Bench(tmp_path, spec=build_spec(budget=Budget(seconds=60)), trainers=trainers)
    bench.run()
    slow = bench.ledger.find_best_network()
    bench.ledger.put(replace(slow, fit_seconds=9.0))
    models = _refit(bench)
    network = next(model for model in models if "network" in model.roles)
    assert len(network.folders) < 3
    assert any("seed" in text for text in bench.warnings.texts)


def test_a_stop_is_answered_with_quick_refits(tmp_path):
    bench = Bench(tmp_path)
    bench.run()
    for row in bench.ledger.list_trials():
        bench.ledger.put(replace(row, fit_seconds=20.0))
    bench.stop = StopMode.KEEP_BEST
    network = next(model for model in _refit(bench) if "network" in model.roles)
    assert len(network.folders) == 1


@pytest.mark.parametrize("state", [TrialState.COMPLETE, TrialState.PRUNED])
def test_a_refit_that_was_cut_is_trained_again_after_a_resume(tmp_path, state):
    bench = Bench(tmp_path)
    bench.run()
    bench.stop = StopMode.KEEP_BEST
    first = next(model for model in _refit(bench) if "network" in model.roles)
    (cut,) = [r for r in bench.ledger.list_trials(REFIT) if r.optuna["source"] == first.trial]
    bench.ledger.put(replace(cut, state=state, n_epochs=cut.n_epochs - 1))
    before = {row.number for row in bench.ledger.list_trials(REFIT)}
    bench.stop = None
    again = next(model for model in _refit(bench) if "network" in model.roles)
    assert len(again.folders) == 3
    assert all(member.is_refit for member in again.members)
    assert not [text for text in bench.warnings.texts if "could not be trained again" in text]
    added = [row for row in bench.ledger.list_trials(REFIT) if row.number not in before]
    assert sum(row.optuna["source"] == first.trial for row in added) == 3
    assert all(row.optuna["seed_index"] > 0 for row in added if row.optuna["source"] != first.trial)  # fmt: skip
    assert next(row.seed for row in added if row.optuna == cut.optuna) == cut.seed


def test_a_pruned_network_stands_in_when_none_finished(tmp_path):
    bench = Bench(tmp_path)
    bench.run()
    for row in bench.ledger.list_trials():
        if FAMILIES[row.family].is_network and row.state is TrialState.COMPLETE:
            bench.ledger.put(replace(row, state=TrialState.PRUNED))
    network = bench.ledger.find_best_network()
    assert network.state is TrialState.PRUNED
    assert any("network" in refit.roles for refit in plan_refits(bench.ledger))
