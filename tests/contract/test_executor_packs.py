"""What every executor must do with packs, with planted trainings."""

import os
import signal
import time

import pytest

from automl.execution.messages import (
    FailureKind,
    Measured,
    PackPaused,
    PackShed,
    TrialDone,
    TrialFailed,
    Verb,
)
from automl.execution.saving import check_manifest
from tests.contract.executor_rig import Rig

SLOT = "fake:0"


@pytest.fixture
def rig(tmp_path):
    rig = Rig(tmp_path, (SLOT,)).start()
    yield rig
    rig.executor.close()


def test_members_report_and_are_saved_each_for_itself(rig):
    rig.submit_pack([1, 2], SLOT, {1: {"max_epochs": 2}, 2: {"max_epochs": 4}})
    assert rig.executor.idle_slots() == ()
    first, second = rig.finish(1, 2)
    assert (rig.epochs(1), rig.epochs(2)) == ([1, 2], [1, 2, 3, 4])
    assert (first.score, second.score) == (0.02, 0.04)
    assert (first.metrics["members"], second.metrics["members"]) == (2, 1)
    assert check_manifest(rig.folder / "trial-2")["trial"] == 2
    assert rig.executor.idle_slots() == (SLOT,)


def test_members_are_measured_where_somebody_asked(rig):
    rig.submit_pack([1, 2], SLOT, {2: {"measure": True}}, max_epochs=2)
    plain, measured = rig.finish(1, 2)
    assert plain.facts == {}
    assert measured.facts == {"parameters": 7.0, "latency_ms": 1.5}


def test_at_a_rung_the_whole_pack_waits_for_those_who_ask(rig):
    rig.submit_pack([1, 2, 3], SLOT, {2: {"rungs": (2,)}, 3: {"rungs": (2,)}}, max_epochs=4)
    rig.wait(lambda: rig.find(PackPaused))
    assert rig.find(PackPaused) == [PackPaused(trials=(2, 3))]
    time.sleep(1.6)  # longer than the patience: waiting for us is no hang
    rig.reports += rig.executor.poll(0)
    rig.executor.answer(2, Verb.PRUNE)
    time.sleep(0.2)
    rig.reports += rig.executor.poll(0)
    assert [rig.epochs(n) for n in (1, 2, 3)] == [[1, 2]] * 3
    rig.executor.answer(3, Verb.CONTINUE)
    first, second, third = rig.finish(1, 2, 3)
    assert (second.was_pruned, second.n_epochs) == (True, 2)
    assert (first.n_epochs, third.n_epochs, third.was_pruned) == (4, 4, False)


def test_one_member_is_stopped_and_another_takes_its_place(rig):
    rig.submit_pack([1, 2], SLOT, seconds=0.05, max_epochs=1_000)
    rig.wait(lambda: len(rig.epochs(1)) >= 2)
    rig.executor.answer(1, Verb.STOP)
    rig.submit_pack([3], SLOT, seconds=0.05, max_epochs=3)
    stopped, joined = rig.finish(1, 3)
    assert 2 <= stopped.n_epochs < 20
    assert not stopped.was_pruned
    assert (joined.n_epochs, joined.metrics["members"]) == (3, 2)
    assert rig.executor.idle_slots() == ()
    rig.executor.answer(2, Verb.STOP)
    assert isinstance(rig.finish(2)[0], TrialDone)
    assert rig.executor.idle_slots() == (SLOT,)


def test_who_comes_to_a_pack_that_has_just_ended_begins_another(rig):
    rig.submit_pack([1], SLOT, max_epochs=1)
    time.sleep(0.3)  # over in its trainer, and not yet heard here
    rig.submit_pack([2], SLOT, max_epochs=2)
    assert [done.n_epochs for done in rig.finish(1, 2)] == [1, 2]


@pytest.mark.parametrize("fault", ["diverged", "nan"])
def test_a_member_that_diverges_leaves_the_others_alone(rig, fault):
    rig.submit_pack([1, 2], SLOT, {1: {"fault": fault}})
    failed, done = rig.finish(1, 2)
    assert failed.kind is FailureKind.DIVERGED
    assert done.n_epochs == 3
    assert rig.epochs(1) == []


def test_a_pack_without_memory_is_shed_for_packs_of_half_its_size(rig):
    rig.submit_pack([1, 2, 3, 4, 5], SLOT, room=2)
    rig.wait(lambda: rig.find(PackShed))
    (shed,) = rig.find(PackShed)
    assert (shed.trials, shed.most, shed.kind) == (
        (1, 2, 3, 4, 5),
        2,
        FailureKind.OUT_OF_MEMORY,
    )
    assert "out of memory" in shed.reason
    assert rig.executor.idle_slots() == (SLOT,)
    rig.submit_pack([1, 2], SLOT, room=2)
    assert all(isinstance(done, TrialDone) for done in rig.finish(1, 2))


def test_the_last_member_without_memory_comes_back_and_is_tried_alone_with_half_the_batch(rig):
    rig.submit_pack([1], SLOT, fault="memory-once", batch_size=64)
    rig.wait(lambda: rig.find(PackShed))
    (shed,) = rig.find(PackShed)
    assert (shed.trials, shed.most, shed.kind) == ((1,), 1, FailureKind.OUT_OF_MEMORY)
    assert rig.ends() == {}
    assert rig.executor.idle_slots() == (SLOT,)
    rig.submit(1, slot=SLOT, fault="memory-once", batch_size=64)
    (done,) = rig.finish(1)
    assert done.warnings == ("Memory ran out with batch 64; batch 32 was used.",)


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        ("bug", FailureKind.BUG),
        ("segfault", FailureKind.CRASHED),
        ("hang", FailureKind.TIMEOUT),
    ],
)
def test_nobody_is_blamed_for_a_pack_that_ends(rig, fault, kind):
    rig.submit_pack([1, 2, 3, 4], SLOT, {3: {"fault": fault}})
    rig.wait(lambda: rig.find(PackShed))
    (shed,) = rig.find(PackShed)
    assert (shed.trials, shed.most, shed.kind) == ((1, 2, 3, 4), 2, kind)
    assert rig.ends() == {}
    rig.wait(rig.executor.idle_slots)
    rig.submit(3, slot=SLOT, fault=fault)
    (failed,) = rig.finish(3)
    assert isinstance(failed, TrialFailed)
    assert failed.kind is kind


def test_who_joins_a_pack_as_its_last_member_fails_is_trained(rig):
    rig.submit_pack([1], SLOT, fault="bug", seconds=0.3)
    rig.submit_pack([2], SLOT, max_epochs=2)
    assert rig.finish(2)[0].n_epochs == 2
    assert rig.find(PackShed)[0].trials == (1,)


@pytest.mark.parametrize("fault", ["measured-bug", "measured-memory"])
def test_a_member_that_fails_after_its_training_leaves_the_others_alone(rig, fault):
    rig.submit_pack([1, 2], SLOT, {1: {"fault": fault, "max_epochs": 1}}, measure=True)
    failed, done = rig.finish(1, 2)
    assert isinstance(failed, TrialFailed)
    assert done.n_epochs == 3
    rig.submit_pack([3], SLOT, fault=fault, measure=True)  # nor is it a loss when it was the last
    assert isinstance(rig.finish(3)[0], TrialFailed)
    assert rig.find(PackShed) == []


def test_a_device_that_breaks_after_a_training_costs_the_trainer(rig):
    before = rig.pids()[SLOT]
    changes = {1: {"fault": "measured-device", "max_epochs": 1}}
    rig.submit_pack([1, 2, 3], SLOT, changes, measure=True, seconds=0.05)
    rig.wait(lambda: rig.find(PackShed))
    assert rig.finish(1)[0].kind is FailureKind.CRASHED
    assert rig.find(PackShed)[0].trials == (2, 3)
    rig.wait(rig.executor.idle_slots)
    assert rig.pids()[SLOT] != before


def test_a_killed_trainer_gives_its_pack_back_and_is_replaced(rig):
    rig.submit_pack([1, 2, 3], SLOT, seconds=5.0)
    before = rig.pids()[SLOT]
    os.kill(before, signal.SIGKILL)
    rig.wait(lambda: rig.find(PackShed))
    assert rig.find(PackShed)[0].trials == (1, 2, 3)
    rig.wait(rig.executor.idle_slots)
    assert rig.pids()[SLOT] != before


def test_ending_one_member_sheds_the_others(rig):
    rig.submit_pack([1, 2, 3], SLOT, {1: {"fault": "deaf"}})
    time.sleep(0.1)
    rig.executor.end(1)
    rig.wait(lambda: rig.find(PackShed))
    (shed,) = rig.find(PackShed)
    assert (shed.trials, shed.most) == ((2, 3), 2)
    assert 1 not in rig.ends()


def test_a_member_that_overruns_its_deadline_ends_with_what_it_has(rig):
    deadlines = {1: {"deadline_seconds": 0.3}}
    rig.submit_pack([1, 2], SLOT, deadlines, seconds=0.05, max_epochs=10)
    first, second = rig.finish(1, 2)
    assert 1 <= first.n_epochs < 10
    assert second.n_epochs == 10


def test_what_packs_gain_is_found_out_on_an_idle_slot(rig):
    rig.executor.measure(SLOT, 150)
    assert rig.executor.idle_slots() == ()
    with pytest.raises(RuntimeError, match="not idle"):
        rig.executor.measure(SLOT, 150)
    rig.wait(lambda: rig.find(Measured))
    (found,) = rig.find(Measured)
    assert (found.gains, found.problem) == ({"64": 1.5}, "")
    rig.submit(1, slot=SLOT)
    assert isinstance(rig.finish(1)[0], TrialDone)


def test_what_cannot_be_measured_is_said(rig):
    rig.executor.measure(SLOT, 15)
    rig.wait(lambda: rig.find(Measured))
    assert rig.find(Measured)[0].gains == {}
    assert "no such key" in rig.find(Measured)[0].problem


@pytest.mark.parametrize("batch_size", [13, 14])
def test_a_trainer_that_is_lost_while_measuring_is_replaced(rig, batch_size):
    before = rig.pids()[SLOT]
    rig.executor.measure(SLOT, batch_size)
    rig.wait(lambda: rig.pids()[SLOT] != before)
    rig.wait(rig.executor.idle_slots)
    assert rig.ends() == {}


def test_a_pack_joins_no_single_trial(rig):
    rig.submit(1, slot=SLOT, seconds=0.3)
    with pytest.raises(RuntimeError, match="not idle"):
        rig.submit_pack([2], SLOT)
