"""Handlers with known behaviour, resolved by name in workers of tests."""

import json
import os
import time
from pathlib import Path

from automl.errors import DataError, DiskFull
from automl.execution.child import ChildRequest, Limits
from automl.execution.devices import list_slots
from automl.execution.local import LocalExecutor, LocalOptions
from automl.execution.messages import TrialDone, TrialFailed
from automl.jobs.records import JobKind, JobState, Outcome, StopMode, Trial, TrialState
from automl.worker.context import run_stoppable
from tests.unit.execution.planted import FUNCTIONS, PRELOAD, TASK_JSON, build_train

HERE = "tests.unit.worker.planted_handlers"
HANDLERS = {
    JobKind.SEARCH: f"{HERE}:search",
    JobKind.IMPORT: f"{HERE}:run",
    JobKind.CHECK: f"{HERE}:run",
    JobKind.PREDICT: f"{HERE}:run_child",
}


def run(context):
    """A short job that behaves as its spec says."""
    spec = context.job.spec
    for step in range(spec.get("steps", 1)):
        context.report_progress({"step": step})
        yield
    match spec.get("end", "succeed"):
        case "succeed":
            context.succeed({"steps": spec.get("steps", 1)})
        case "data":
            raise DataError("Column 'x' is empty.", hint="Ignore it.")
        case "bug":
            raise ZeroDivisionError("division by zero")
        case "full":
            raise DiskFull("The disk is full.")
        case "silent":
            return
        case "forever":
            try:
                while context.stop_mode() is None:
                    yield
                context.finish(JobState.STOPPED, {"mode": str(context.stop_mode())})
            finally:
                context.log("info", "closed")


def run_child(context):
    result = yield from run_stoppable(
        context,
        ChildRequest(
            function=f"tests.unit.execution.planted_child:{context.job.spec['function']}",
            arguments={"a": 1, "b": 2},
            folder=context.workspace.tmp / context.job.id,
            limits=Limits(timeout_seconds=30),
        ),
    )
    if result is None:
        context.finish(JobState.STOPPED)
    else:
        context.succeed(result)


def search(context):
    """A search in miniature: one trial after another on every slot, told to the store, resumable."""
    folder = context.workspace.job(context.job.id)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "data").write_text("rows")
    n_trials, seconds = context.job.spec["trials"], context.job.spec["seconds"]
    known = {trial.number for trial in context.store.list_trials(context.job.id)}
    todo = [number for number in range(n_trials) if number not in known]
    options = LocalOptions(functions=FUNCTIONS, processes=context.processes, preload=PRELOAD)
    executor = LocalExecutor(list_slots(context.settings), context.log, options)
    try:
        executor.start()
        executor.prepare(folder, TASK_JSON, 1)
        note_pids(folder, executor)
        while len(known) < n_trials and context.stop_mode() is None:
            for slot in executor.idle_slots():
                if todo:
                    executor.submit(slot, build_train(todo.pop(0), folder, seconds=seconds))
            for slot, report in executor.poll(0.05):
                if isinstance(report, (TrialDone, TrialFailed)):
                    if isinstance(report, TrialFailed):
                        todo.append(report.trial)  # killed by the test: once more
                        note_pids(folder, executor)
                        continue
                    known.add(report.trial)
                    context.store.write_trial(context.lease, build_row(slot, report))
            context.report_progress({"n_finished": len(known)})
            yield
    finally:
        executor.close()
    if context.stop_mode() is StopMode.KEEP_BEST:
        context.finish(JobState.STOPPED, {}, Outcome(kind="stopped", message="You stopped it."))
    else:
        context.succeed({"n": len(known)})


def build_row(slot, report):
    return Trial(
        number=report.trial,
        family="fake",
        config={},
        state=TrialState.COMPLETE,
        stage="search",
        seed=0,
        score=report.score,
        device=slot,
        finished_at=time.time(),
    )


def note_pids(folder: Path, executor) -> None:
    pids = {name: seat.pid for name, seat in executor._seats.items()}
    (folder / "pids.json").write_text(json.dumps({"worker": os.getpid(), "trainers": pids}))
