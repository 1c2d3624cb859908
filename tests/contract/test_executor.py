"""What every executor must do, with planted trainings; the local one is the one there is."""

import os
import signal
import threading
import time

import pytest

from automl.errors import DataError
from automl.execution.devices import Slot, SlotKind
from automl.execution.executor import TrainerLost
from automl.execution.local import Patience
from automl.execution.messages import (
    FailureKind,
    Ready,
    Screened,
    TrialDiscarded,
    TrialDone,
    TrialFailed,
    Verb,
)
from automl.execution.saving import check_manifest
from tests.contract.executor_rig import Rig, is_running
from tests.unit.execution.planted import TASK_JSON


@pytest.fixture
def rig(tmp_path):
    rig = Rig(tmp_path, ("fake:0", "fake:1")).start()
    yield rig
    pids = rig.pids().values()
    rig.executor.close()
    rig.executor.close()
    assert not [pid for pid in pids if is_running(pid)]


def test_a_trial_reports_epochs_then_its_result_and_leaves_a_whole_folder(rig):
    rig.submit(1, seconds=0.01, max_epochs=4)
    (done,) = rig.finish(1)
    assert isinstance(done, TrialDone)
    assert rig.epochs(1) == [1, 2, 3, 4]
    assert (done.score, done.n_epochs, done.was_pruned) == (0.04, 4, False)
    manifest = check_manifest(rig.folder / "trial-1")
    assert (manifest["trial"], manifest["score"], manifest["seed"]) == (1, 0.04, 0)
    assert set(manifest["files"]) == {"model.json", "select_prediction.npy"}
    (rig.folder / "trial-1" / "model.json").write_text("torn")
    assert check_manifest(rig.folder / "trial-1") is None
    assert not list(rig.folder.glob(".*part"))


def test_a_model_is_measured_where_somebody_asked(rig):
    rig.submit(1, max_epochs=1)
    rig.submit(2, max_epochs=1, measure=True)
    plain, measured = rig.finish(1, 2)
    assert plain.facts == {}
    assert measured.facts == {"parameters": 7.0, "latency_ms": 1.5}


def test_two_slots_run_two_trials_at_once(rig):
    started = time.monotonic()
    rig.submit(1, seconds=0.3, max_epochs=3)
    rig.submit(2, seconds=0.3, max_epochs=3)
    assert rig.executor.idle_slots() == ()
    first, second = rig.finish(1, 2)
    assert time.monotonic() - started < 1.6
    assert first.metrics["pid"] != second.metrics["pid"]


def test_at_a_rung_the_trainer_waits_for_an_answer(rig):
    rig.submit(1, rungs=(2,), max_epochs=4)
    rig.wait(lambda: rig.epochs(1) == [1, 2])
    rig.wait(lambda: True)
    time.sleep(1.6)  # longer than the patience: waiting for us is no hang
    rig.reports += rig.executor.poll(0)
    assert rig.epochs(1) == [1, 2]
    rig.executor.answer(1, Verb.CONTINUE)
    (done,) = rig.finish(1)
    assert rig.epochs(1) == [1, 2, 3, 4]
    assert not done.was_pruned


def test_a_pruned_trial_ends_with_its_score(rig):
    rig.submit(1, rungs=(1,), max_epochs=4)
    rig.wait(lambda: rig.epochs(1) == [1])
    rig.executor.answer(1, Verb.PRUNE)
    (done,) = rig.finish(1)
    assert (done.was_pruned, done.n_epochs) == (True, 1)


def find_screen(rig, trial):
    return next((r for _, r in rig.reports if isinstance(r, Screened) and r.trial == trial), None)


def test_after_a_screen_the_trainer_waits_and_may_be_told_fewer_epochs(rig):
    rig.submit(1, screen=True, max_epochs=9, rungs=(1, 3, 5))
    rig.wait(lambda: find_screen(rig, 1))
    assert find_screen(rig, 1).screen.parameters == 10
    time.sleep(1.6)  # longer than the patience: waiting for us is no hang
    rig.reports += rig.executor.poll(0)
    assert rig.epochs(1) == []
    rig.executor.answer(1, Verb.CONTINUE, 3)
    rig.wait(lambda: rig.epochs(1) == [1])
    rig.executor.answer(1, Verb.CONTINUE)
    (done,) = rig.finish(1)  # nobody asks at the new end
    assert isinstance(done, TrialDone)
    assert rig.epochs(1) == [1, 2, 3]
    assert check_manifest(rig.folder / "trial-1")["config"]["epochs"] == 3


@pytest.mark.parametrize("verb", [Verb.PRUNE, Verb.STOP])
def test_a_trial_that_ends_at_its_screen_leaves_nothing_and_its_slot(rig, verb):
    slot = rig.submit(1, screen=True)
    rig.wait(lambda: find_screen(rig, 1))
    rig.executor.answer(1, verb)
    (ended,) = rig.finish(1)
    assert ended == TrialDiscarded(trial=1)
    assert rig.epochs(1) == []
    assert not (rig.folder / "trial-1").exists()
    rig.submit(2, slot=slot)
    assert isinstance(rig.finish(2)[0], TrialDone)


def test_a_screen_that_fails_is_a_failed_trial(rig):
    rig.submit(1, screen=True, screen_fault="data")
    (failed,) = rig.finish(1)
    assert failed.kind is FailureKind.DATA


def test_stop_is_heard_between_rungs(rig):
    rig.submit(1, seconds=0.05, max_epochs=1_000)
    rig.wait(lambda: len(rig.epochs(1)) >= 2)
    rig.executor.answer(1, Verb.STOP)
    (done,) = rig.finish(1)
    assert 2 <= done.n_epochs < 20
    rig.executor.answer(1, Verb.STOP)  # too late: without effect on the next trial
    rig.submit(2)
    assert rig.finish(2)[0].n_epochs == 3


def test_a_deadline_ends_a_trial_with_what_it_has(rig):
    rig.submit(1, seconds=0.05, max_epochs=1_000, deadline_seconds=0.4)
    (done,) = rig.finish(1)
    assert isinstance(done, TrialDone)
    assert 1 <= done.n_epochs < 20


FAULTS = {
    "memory": FailureKind.OUT_OF_MEMORY,
    "diverged": FailureKind.DIVERGED,
    "nan": FailureKind.DIVERGED,
    "data": FailureKind.DATA,
    "bug": FailureKind.BUG,
    "hang": FailureKind.TIMEOUT,
    "deaf": FailureKind.TIMEOUT,
    "exit-0": FailureKind.BUG,
    "exit-5": FailureKind.CRASHED,
    "late": FailureKind.CRASHED,
    "segfault": FailureKind.CRASHED,
    "killed": FailureKind.OUT_OF_MEMORY,
    "full": FailureKind.DISK_FULL,
}
DEADLY = {"hang", "deaf", "exit-0", "exit-5", "late", "segfault", "killed"}


def test_planted_faults_have_names_and_every_slot_is_used_again(rig):
    faults = list(FAULTS)
    for number, fault in enumerate(faults):
        rig.submit(number, fault=fault)
    failures = rig.finish(*range(len(faults)))
    found = {fault: failure.kind for fault, failure in zip(faults, failures, strict=True)}
    assert found == FAULTS
    assert all(failure.message for failure in failures)
    rig.wait(lambda: len(rig.executor.idle_slots()) == 2)
    rig.submit(100, slot="fake:0")
    rig.submit(101, slot="fake:1")
    assert all(isinstance(done, TrialDone) for done in rig.finish(100, 101))
    replaced = [line for level, line in rig.log if "was replaced" in line]
    assert len(replaced) == len(DEADLY)
    assert not list(rig.folder.glob("trial-?"))  # a failed trial leaves no folder


def test_memory_that_runs_out_halves_the_batch_once(rig):
    rig.submit(1, fault="memory-once", batch_size=64)
    (done,) = rig.finish(1)
    assert done.metrics["batch"] == 32
    assert done.warnings == ("Memory ran out with batch 64; batch 32 was used.",)
    rig.submit(2, fault="memory-once", batch_size=256)
    (failed,) = rig.finish(2)
    assert failed.kind is FailureKind.OUT_OF_MEMORY


def test_noise_of_a_library_blocks_nothing(rig):
    rig.submit(1, fault="noise")
    assert isinstance(rig.finish(1)[0], TrialDone)


def test_a_trial_that_overruns_its_deadline_is_ended(rig):
    rig.submit(1, fault="hang", deadline_seconds=0.2)
    (failed,) = rig.finish(1)
    assert failed.kind is FailureKind.TIMEOUT
    assert "deadline" in failed.message


def test_a_trial_can_be_ended_and_new_data_prepared_at_once(rig):
    slot = rig.submit(1, fault="deaf", deadline_seconds=60.0)
    time.sleep(0.1)
    rig.executor.answer(1, Verb.STOP)
    rig.executor.end(1)
    rig.executor.prepare(rig.folder, TASK_JSON, 1)
    rig.submit(2, slot=rig.wait(lambda: slot in rig.executor.idle_slots()) or slot)
    assert isinstance(rig.finish(2)[0], TrialDone)
    assert 1 not in rig.ends()


def test_four_devices_share_the_trials_and_a_killed_trainer_is_replaced(tmp_path):
    names = tuple(f"fake:{index}" for index in range(4))
    rig = Rig(tmp_path, names).start()
    try:
        assert {r.device for _, r in rig.reports if isinstance(r, Ready)} == set(names)
        for number in range(8):
            rig.submit(number, seconds=0.05)
        done = rig.finish(*range(8))
        assert {rig.ends()[number][0] for number in range(8)} == set(names)
        assert len({report.metrics["pid"] for report in done}) == 4

        victim = rig.submit(10, seconds=5.0)
        before = rig.pids()[victim]
        rig.wait(lambda: True)
        os.kill(before, signal.SIGKILL)
        (failed,) = rig.finish(10)
        assert isinstance(failed, TrialFailed)
        rig.wait(lambda: victim in rig.executor.idle_slots())
        assert rig.pids()[victim] != before
        rig.submit(11, slot=victim)
        assert isinstance(rig.finish(11)[0], TrialDone)
    finally:
        rig.executor.close()


def test_a_device_that_fails_falls_back_to_the_cpu_and_says_so(tmp_path):
    rig = Rig(tmp_path, ("fake-broken:0",)).start()
    try:
        ready = next(report for _, report in rig.reports if isinstance(report, Ready))
        assert ready.device == "cpu"
        assert "fake-broken:0" in ready.warning
        assert "CPU" in ready.warning
        assert ("warning", ready.warning) in rig.log
        rig.submit(1)
        assert isinstance(rig.finish(1)[0], TrialDone)
    finally:
        rig.executor.close()


def test_a_gpu_that_is_not_there_falls_back_to_the_cpu(tmp_path):
    rig = Rig(tmp_path, (), Patience())
    slot = Slot(name="cuda:0", kind=SlotKind.CUDA, title="A card", uuid="GPU-not-there")
    rig.executor._slots = (slot,)
    rig.start()
    try:
        ready = next(report for _, report in rig.reports if isinstance(report, Ready))
        assert ready.device == "cpu"
        assert "A card (cuda:0) failed" in ready.warning
        rig.submit(1)
        assert isinstance(rig.finish(1)[0], TrialDone)
    finally:
        rig.executor.close()


def test_prepared_data_that_cannot_be_loaded_end_the_search(rig):
    empty = rig.folder / "empty"
    empty.mkdir()
    rig.executor.prepare(empty, TASK_JSON, 1)
    with pytest.raises(DataError, match="no prepared data in 'empty'"):
        rig.wait(lambda: False)


def test_trainers_that_never_start_end_the_search(rig):
    deadly = rig.folder / "deadly"
    deadly.mkdir()
    (deadly / "kill-loading").touch()
    rig.executor.prepare(deadly, TASK_JSON, 1)
    with pytest.raises(TrainerLost, match="4 times"):
        rig.wait(lambda: False)


def test_new_data_can_be_prepared_between_trials(rig):
    rig.submit(1)
    rig.finish(1)
    other = rig.folder / "refit"
    other.mkdir()
    (other / "data").write_text("rows")
    rig.executor.prepare(other, TASK_JSON, 2)
    assert rig.executor.idle_slots() == ()
    rig.submit(2, is_refit=True)
    assert rig.finish(2)[0].metrics["threads"] == 2


def test_misuse_is_refused(rig):
    rig.submit(1, slot="fake:0", seconds=0.3)
    with pytest.raises(RuntimeError, match="not idle"):
        rig.submit(2, slot="fake:0")
    with pytest.raises(RuntimeError, match="still trains"):
        rig.executor.prepare(rig.folder, TASK_JSON, 1)


def test_trainers_are_only_started_from_the_main_thread(tmp_path):
    rig = Rig(tmp_path, ("fake:0",))
    caught = []

    def start():
        try:
            rig.executor.start()
        except RuntimeError as error:
            caught.append(error)

    thread = threading.Thread(target=start)
    thread.start()
    thread.join()
    assert "main thread" in str(caught[0])


def test_closing_in_mid_trial_takes_no_time(tmp_path):
    rig = Rig(tmp_path, ("fake:0", "fake:1")).start()
    rig.submit(1, fault="deaf")
    time.sleep(0.1)
    pids = rig.pids().values()
    started = time.monotonic()
    rig.executor.close()
    assert time.monotonic() - started < 3
    assert not [pid for pid in pids if is_running(pid)]
