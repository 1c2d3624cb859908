"""Packs in the coordinator against simulated trainers: who trains with whom, repeats, joins, losses, stops."""

from dataclasses import replace
from itertools import islice

import pytest
from search_simulation import Bench, SimulatedTrainers, build_spec

from automl.execution.messages import FailureKind
from automl.jobs.records import StopMode, TrialState
from automl.models.catalog import get_space
from automl.models.starts import MLP_DEFAULT
from automl.models.tabular.buckets import compute_bucket
from automl.search.ledger import SEARCH
from automl.search.proposals import COMPANION
from automl.search.refit_plan import compute_refit_seconds
from automl.search.spec import Budget, Resources, Sampler
from automl.space.dimensions import Choice, Int, Switch

ENDED = (TrialState.COMPLETE, TrialState.PRUNED)
SHAPES = {
    "width": Choice(options=(32, 64)),
    "taper": Choice(options=(1.0,)),
    "residual": Choice(options=(False,)),
    "numeric_embedding": Switch(branches={"none": {}}),
    "numeric_view": Choice(options=("quantile",)),
    "one_hot_limit": Choice(options=(8,)),
}


def build_narrow_spec(pack_size=4, **changes):
    """Two families whose proposals often share a bucket."""
    spaces = {name: get_space(name) for name in ("constant", "linear", "boosting")}
    spaces["mlp"] = {**get_space("mlp"), **SHAPES}
    resources = Resources(
        devices=("cpu:0", "cpu:1"), threads=1, batch_size=128, pack_size=pack_size
    )
    spec = build_spec(families=tuple(spaces), spaces=spaces, resources=resources)
    return replace(spec, **changes)


def build_timed_spec(seconds=100.0, **changes):
    return build_narrow_spec(budget=Budget(seconds=seconds), **changes)


def run_timed(folder, room=999, **changes):
    trainers = SimulatedTrainers(seconds_per_poll=0.5, room=room)
    bench = Bench(folder, spec=build_timed_spec(**changes), trainers=trainers)
    return bench, bench.run()


def describe(rows):
    return [
        (row.number, dict(row.config), row.state, row.score, row.n_epochs, row.device, row.facts)
        for row in rows
    ]


def find_bucket(row):
    return compute_bucket(row.family, row.config)


class Lopsided(SimulatedTrainers):
    """The first slot moves only at every third poll."""

    turn = 0

    def poll(self, timeout):
        self.turn += 1
        held = {name: jobs.pop("cpu:0", None) for name, jobs in self._both() if self.turn % 3}
        reports = super().poll(timeout)
        for name, jobs in self._both():
            if held.get(name) is not None:
                jobs["cpu:0"] = held[name]
        return reports

    def _both(self):
        return (("jobs", self.jobs), ("members", self.members))


def test_packs_of_a_trial_budget_hold_one_bucket_each_and_count_every_trial(tmp_path):
    bench = Bench(tmp_path, spec=build_narrow_spec(budget=Budget(trials=40)))
    rows = [row for row in bench.run() if row.stage == SEARCH]
    assert len(rows) == 40
    assert all(row.state in ENDED for row in rows)
    assert len(bench.trainers.packs) >= 5
    for numbers in bench.trainers.packs:
        members = [bench.ledger[number] for number in numbers]
        assert 2 <= len(members) <= 4
        assert len({find_bucket(row) for row in members}) == 1
        assert {row.facts["pack_size"] for row in members} == {len(members)}
        assert len({row.facts["pack"] for row in members}) == 1
    assert not any(row.origin == COMPANION for row in rows)
    assert any("pack" not in row.facts for row in rows if row.family == "boosting")


def test_a_trial_budget_repeats_exactly_whoever_is_quicker(tmp_path):
    spec = build_narrow_spec(budget=Budget(trials=40))
    first = Bench(tmp_path / "a", spec=spec).run()
    second = Bench(tmp_path / "b", spec=spec).run()
    lopsided = Bench(tmp_path / "c", spec=spec, trainers=Lopsided()).run()
    assert describe(first) == describe(second) == describe(lopsided)
    assert any(row.state is TrialState.PRUNED for row in first)


@pytest.mark.parametrize("cut_after", [8, 30, 60, 100])
def test_a_search_that_was_cut_in_mid_pack_ends_as_the_undisturbed_one(tmp_path, cut_after):
    spec = build_narrow_spec(budget=Budget(trials=30))
    whole = Bench(tmp_path / "a", spec=spec).run()
    bench = Bench(tmp_path / "b", spec=spec)
    for _ in islice(bench.build().run(), cut_after):
        pass
    again = Bench(tmp_path / "b", spec=spec, rows=dict(bench.rows))
    lost = again.ledger.revive()
    rows = again.run()
    assert [(row.number, row.config, row.state, row.score) for row in rows] == [
        (row.number, row.config, row.state, row.score) for row in whole
    ]
    assert all(row.attempt == 2 for row in rows if row.number in {each.number for each in lost})


def test_proposing_that_a_crash_interrupted_is_made_whole(tmp_path):
    spec = build_narrow_spec(budget=Budget(trials=24))
    whole = Bench(tmp_path / "a", spec=spec).run()

    class Cut(Exception):
        pass

    bench = Bench(tmp_path / "b", spec=spec)
    write = bench.write

    def write_some(trials):
        write(trials)
        if sum(row.stage == SEARCH for row in bench.rows.values()) == 5:
            raise Cut

    bench.ledger._write = write_some
    with pytest.raises(Cut):
        bench.run()
    again = Bench(tmp_path / "b", spec=spec, rows=dict(bench.rows))
    again.ledger.revive()
    assert [row.config for row in again.run()] == [row.config for row in whole]


def test_in_a_time_budget_companions_fill_the_packs_and_take_free_places(tmp_path):
    bench, rows = run_timed(tmp_path)
    searched = [row for row in rows if row.stage == SEARCH]
    first = [bench.ledger[number] for number in bench.trainers.packs[0]]
    assert len(first) == 4
    assert any(row.origin == COMPANION for row in first)
    joined = [numbers for numbers in bench.trainers.packs if len(numbers) < 4]
    assert joined
    sizes = [row.facts["pack_size"] for row in searched if "pack" in row.facts]
    assert max(sizes) == 4
    by_pack = {}
    for row in searched:
        by_pack.setdefault(row.facts.get("pack"), []).append(row)
    by_pack.pop(None)
    for members in by_pack.values():
        assert len({find_bucket(row) for row in members}) == 1
        assert len(members) <= 12  # then others have their turn
    families = [row.family for row in searched if row.origin not in (COMPANION, "start")]
    assert families.count("boosting") >= len(families) // 5  # nobody's turn was taken
    never = [row for row in searched if row.failure_kind == "stopped"]
    assert len(never) <= 4
    assert all(row.state is TrialState.PRUNED and row.n_epochs == 0 for row in never)
    assert all(row.number > searched[-1].number - 20 for row in never)
    assert not any(row.state is TrialState.WAITING for row in rows)


@pytest.mark.parametrize("family", ["mlp", "resnet"])
def test_a_companion_shares_the_bucket_of_whom_it_accompanies(tmp_path, family):
    spaces = {family: get_space(family)}
    spec = build_spec(families=(family,), spaces=spaces, budget=Budget(seconds=100))
    proposer = Bench(tmp_path, spec=spec).build()._proposer
    leaders = [proposer.propose() for _ in range(20)]
    for leader in leaders:
        companion = proposer.accompany(leader)
        assert find_bucket(companion) == find_bucket(leader)
        assert companion.config != leader.config


def test_packs_find_more_networks_in_the_same_time(tmp_path):
    _, packed = run_timed(tmp_path / "a")
    _, single = run_timed(tmp_path / "b", pack_size=1)
    assert len(packed) > 1.5 * len(single)
    assert not any("pack" in row.facts for row in single)


def test_on_a_cpu_a_known_good_configuration_is_not_held_up_by_companions(tmp_path):
    trainers = SimulatedTrainers(seconds_per_poll=0.5)
    resources = Resources(devices=("cpu:0", "cpu:1"), threads=1, batch_size=128, pack_size=4)
    spec = build_spec(budget=Budget(seconds=300), resources=resources)
    bench = Bench(tmp_path, spec=spec, trainers=trainers)
    rows = bench.run()
    packs = {}
    for row in rows:
        packs.setdefault(row.facts.get("pack"), []).append(row.origin)
    packs.pop(None)
    assert any(COMPANION in origins for origins in packs.values())
    led = [origins for origins in packs.values() if origins[0] == "start"]
    assert not any(COMPANION in origins for origins in led)
    late = [row for row in rows if row.origin == COMPANION][-1]
    assert late.number < rows[-1].number  # the last part belongs to who is there


def test_a_machine_where_packs_gain_nothing_has_none(tmp_path):
    trainers = SimulatedTrainers(seconds_per_poll=0.5, gains={"64": 1.05, "128": 0.9})
    bench = Bench(tmp_path, spec=build_timed_spec(), trainers=trainers)
    rows = bench.run()
    assert bench.crew.gains == {64: 1.05, 128: 0.9}
    begun_later = [row for row in rows if row.stage == SEARCH][12:]
    assert begun_later
    assert not any("pack" in row.facts for row in begun_later)


def test_what_packs_gain_is_measured_on_a_cpu_beside_a_gpu(tmp_path):
    devices = ("cuda:0", "cpu:0")
    spec = build_timed_spec()
    spec = replace(spec, resources=replace(spec.resources, devices=devices))
    bench = Bench(tmp_path, spec=spec, trainers=SimulatedTrainers(devices, seconds_per_poll=0.5))
    bench.run()
    assert bench.trainers.measured == ["cpu:0"]


@pytest.mark.parametrize("budget", [Budget(seconds=50), Budget(trials=8)])
def test_short_budgets_and_budgets_of_trials_measure_nothing(tmp_path, budget):
    trainers = SimulatedTrainers(seconds_per_poll=0.5 if budget.seconds else 0.0)
    bench = Bench(tmp_path, spec=build_narrow_spec(budget=budget), trainers=trainers)
    bench.run()
    assert bench.crew.gains is None
    assert trainers.packs


def test_a_grid_has_no_companions(tmp_path):
    spec = build_timed_spec(sampler=Sampler.GRID)
    plan = {"lr": Choice(options=(0.001,)), "weight_decay": Choice(options=(0.0,))}
    fixed = {
        label: Choice(options=(value,)) for label, value in MLP_DEFAULT.items() if "." not in label
    }
    space = {**fixed, **SHAPES, "depth": Int(low=1, high=4)}
    space["optimizer"] = Switch(branches={"adamw": plan})
    spaces = {name: spec.spaces[name] for name in ("constant", "linear")} | {"mlp": space}
    spec = replace(spec, families=tuple(spaces), spaces=spaces)
    bench = Bench(tmp_path, spec=spec, trainers=SimulatedTrainers(seconds_per_poll=0.5))
    rows = [row for row in bench.run() if row.stage == SEARCH]
    assert len(rows) == 6  # three depths, two widths
    assert {row.origin for row in rows} == {"grid"}
    assert max(map(len, bench.trainers.packs)) >= 2


def test_memory_that_runs_out_halves_the_packs_and_is_said(tmp_path):
    bench, rows = run_timed(tmp_path, room=2)
    searched = [row for row in rows if row.stage == SEARCH]
    assert not [row for row in searched if row.state is TrialState.FAILED]
    halved = [row for row in searched if "memory_most" in row.facts]
    assert halved
    assert all(row.attempt == 1 for row in halved)
    assert any("begun again, at most 2 at once: Memory ran out." in t for t in bench.warnings.texts)
    assert all(row.state in ENDED for row in halved[:8])


def test_after_memory_ran_out_once_packs_of_that_bucket_stay_small(tmp_path):
    bench, _ = run_timed(tmp_path, room=2)
    large = [numbers for numbers in bench.trainers.packs if len(numbers) > 2]
    buckets = [find_bucket(bench.ledger[numbers[0]]) for numbers in large]
    assert len(buckets) == len(set(buckets))


def test_a_trainer_that_dies_gives_its_pack_back(tmp_path):
    class Mortal(SimulatedTrainers):
        n_deaths = 0

        def poll(self, timeout):
            reports = super().poll(timeout)
            for slot, pack in list(self.members.items()):
                if self.n_deaths < 2 and len(pack) == 4 and min(job[1] for job in pack) >= 1:
                    self.n_deaths += 1
                    numbers = {job[0].trial for job in pack}
                    reports = [each for each in reports if not numbers & set(find_trials(each[1]))]
                    reports.append((slot, self.lose(slot, FailureKind.CRASHED, "It crashed.")))
            return reports

    bench = Bench(tmp_path, spec=build_timed_spec(), trainers=Mortal(seconds_per_poll=0.5))
    rows = bench.run()
    lost = [row for row in rows if "pack_most" in row.facts]
    assert len(lost) >= 4
    assert all(row.attempt == 1 for row in lost)
    assert all(row.facts["pack_most"] == 2 for row in lost)
    assert not [row for row in rows if row.state is TrialState.FAILED]
    assert any("It crashed." in text for text in bench.warnings.texts)


@pytest.mark.parametrize("budget", [Budget(trials=12), Budget(seconds=100.0)])
def test_the_last_member_of_a_pack_that_is_lost_trains_alone(tmp_path, budget):
    class Tight(SimulatedTrainers):
        lost = ()

        def poll(self, timeout):
            reports = super().poll(timeout)
            for slot, pack in list(self.members.items()):
                if not self.lost and len(pack) == 1 and self.packs[0][0] != pack[0][0].trial:
                    self.lost = (pack[0][0].trial,)
                    reports = [
                        each for each in reports if not set(self.lost) & set(find_trials(each[1]))
                    ]
                    reports.append((slot, self.lose(slot, FailureKind.OUT_OF_MEMORY, "No room.")))
            return reports

    trainers = Tight(seconds_per_poll=0.5)
    bench = Bench(tmp_path, spec=build_narrow_spec(budget=budget), trainers=trainers)
    rows = {row.number: row for row in bench.run()}
    (lost,) = trainers.lost
    assert rows[lost].facts["memory_most"] == 1
    assert rows[lost].state in ENDED
    assert rows[lost].attempt == 1
    assert sum(lost in numbers for numbers in trainers.packs) == 1
    assert sum(command.trial == lost for command in trainers.trained) == 2
    text = "A network, the last of several that trained at once, was begun again alone: No room."
    assert text in bench.warnings.texts


def find_trials(report):
    return getattr(report, "trials", None) or (getattr(report, "trial", -1),)


def test_progress_and_result_say_what_trains_at_once(tmp_path):
    from automl.search.progress import build_progress
    from automl.worker.result_record import build_trial_rows

    bench = Bench(
        tmp_path, spec=build_timed_spec(), trainers=SimulatedTrainers(seconds_per_poll=0.5)
    )
    steps = bench.build().run()
    while max((run.epoch for run in bench.crew.running.values() if run.pack == 0), default=0) < 1:
        next(steps)
    progress = build_progress("search", bench.context, bench.ledger, bench.crew)
    slot = bench.ledger[bench.trainers.packs[0][0]].device
    device = next(each for each in progress["devices"] if each["name"] == slot)
    assert (device["trial"], device["n_running"]) == (bench.trainers.packs[0][0], 4)
    rows = {row["number"]: row for row in build_trial_rows(bench.ledger)}
    assert [rows[n]["pack"] for n in bench.trainers.packs[0]] == [0] * 4
    assert rows[bench.trainers.packs[0][0]]["pack_size"] == 4
    assert rows[0]["pack"] is None


def test_what_a_member_would_take_alone_is_bounded_by_its_pack_at_its_smallest(tmp_path):
    bench, rows = run_timed(tmp_path)
    packed = [row for row in rows if "pack" in row.facts and row.state in ENDED]
    factors = {row.facts["alone_factor"] for row in packed}
    assert factors <= {1.0, 2.0, 3.0}  # a CPU is never more than three times quicker
    assert 3.0 in factors
    single = [row for row in rows if "pack" not in row.facts]
    assert not any("alone_factor" in row.facts for row in single)
    row = replace(packed[0], facts={"alone_factor": 3.0}, fit_seconds=2.0, n_epochs=10)
    alone = replace(row, facts={})
    sizes = bench.context.sizes
    more = compute_refit_seconds(row, 10, sizes) - compute_refit_seconds(alone, 10, sizes)
    assert more == pytest.approx(2 * 2.0 * sizes.refit / sizes.train)


def test_stop_in_mid_pack_keeps_what_its_members_have(tmp_path):
    bench = Bench(
        tmp_path, spec=build_timed_spec(), trainers=SimulatedTrainers(seconds_per_poll=0.5)
    )
    steps = bench.build().run()
    while not any(
        run.pack is not None and run.epoch > 1 for run in list(bench.crew.running.values())
    ):
        next(steps)
    members = [number for number, run in bench.crew.running.items() if run.pack is not None]
    bench.stop = StopMode.KEEP_BEST
    for _ in steps:
        pass
    assert not bench.crew.running
    assert all(bench.ledger[number].state in ENDED for number in members)
    assert all(bench.ledger[number].n_epochs >= 1 for number in members)


def test_a_pack_that_hears_nothing_is_ended_with_all_its_members(tmp_path, monkeypatch):
    from automl.search import coordinator

    class Deaf(SimulatedTrainers):
        def _advance_pack(self, slot):
            return [] if self.deaf else super()._advance_pack(slot)

    monkeypatch.setattr(coordinator, "STOP_GRACE_SECONDS", 0.05)
    trainers = Deaf(seconds_per_poll=0.5)
    bench = Bench(tmp_path, spec=build_timed_spec(), trainers=trainers)
    steps = bench.build().run()
    while not trainers.packs:
        next(steps)
    trainers.deaf = frozenset({"mlp"})
    bench.stop = StopMode.KEEP_BEST
    for _ in steps:
        pass
    assert len(trainers.idle_slots()) == 2
    ended = [bench.ledger[number] for number in trainers.packs[0]]
    assert {(row.state, row.failure_kind) for row in ended} == {(TrialState.FAILED, "timeout")}
