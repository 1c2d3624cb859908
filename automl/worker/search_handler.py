"""A search from claim to final state: prepare, search, refit, look at the test part once, write the result."""

import json
import shutil
import time
from collections.abc import Callable, Generator, Iterator, Mapping
from dataclasses import asdict, replace
from hashlib import sha256
from pathlib import Path
from typing import Any

from automl.data.dataset import DataKind
from automl.execution.child import ChildRequest, Limits, Progress, run_child
from automl.execution.devices import Slot
from automl.execution.launching import warm_up
from automl.execution.local import LocalExecutor, LocalOptions, Patience
from automl.files import load_json, write_json
from automl.jobs.records import JobState, Outcome, StopMode, TrialState
from automl.search.budget import BudgetClock
from automl.search.context import (
    CoordinatorContext,
    Milestones,
    SearchDiscarded,
    Sizes,
    Warnings,
)
from automl.search.coordinator import Coordinator
from automl.search.crew import Crew
from automl.search.cross_validation import describe_folds, without_folds
from automl.search.floor import warn_of_floor
from automl.search.ledger import ACTIVE, Ledger
from automl.search.offers import Pruner
from automl.search.opened_model import OpenedModel
from automl.search.preparation import EARLY_RECORD, REFIT_ROWS, ROWS_WRITTEN, SEARCH_ROWS
from automl.search.pretrained_weights import narrow_spec
from automl.search.progress import build_progress, fit_progress, shorten_warnings
from automl.search.refits import Refitter
from automl.search.rungs import RungPlan, build_fold_plan, build_rung_plan
from automl.search.search_record import build_cost, build_search_record
from automl.search.spec import SearchSpec, parse_spec, render_spec
from automl.worker.child_folder import make_child_folder, render_settings
from automl.worker.context import HandlerContext, run_until
from automl.worker.result_record import build_trial_rows, render_result
from automl.worker.select_scores import SelectScores

PREPARE_SECONDS = 1_800.0
FINISH_SECONDS = 1_800.0
PREPARED = "prepared"
LONG_PATIENCE = Patience(
    first=3_600.0, floor=600.0
)  # one epoch over many pictures may take an hour


def handle(context: HandlerContext) -> Iterator[None]:
    """Run the search in ``job.spec``; ends as succeeded, stopped or failed."""
    run = SearchRun(context)
    try:
        yield from run.run()
    except SearchDiscarded as error:
        context.finish(JobState.STOPPED, None, Outcome(kind="discarded", message=error.message))
    finally:
        run.close()


class SearchRun:
    """One attempt at one search."""

    def __init__(self, context: HandlerContext) -> None:
        self._context = context
        self._started = time.monotonic()
        self._folder = context.workspace.job(context.job.id).resolve()
        self._warnings = Warnings(path=self._folder / "warnings.json")
        for text in context.warnings:
            self._warnings.add(text)
        self._milestones = Milestones(
            first_model_seconds=context.job.progress.get("first_model_seconds")
        )
        self._spec, self._slots = self._read_spec()
        self._executor: LocalExecutor | None = None
        self._are_rows_written = False
        self._start_seconds: float | None = None
        self._preparing = self._prepare()

    def close(self) -> None:
        """End the trainers and what prepares their rows, whatever happened."""
        self._preparing.close()
        if self._executor is not None:
            self._executor.close()
            self._executor = None

    def run(self) -> Iterator[None]:
        """All steps; yields whenever it waits."""
        self._context.log(
            "info", f"Searching for {self._spec.task.target} on {len(self._slots)} slots"
        )
        write_json(self._folder / "spec.json", json.loads(render_spec(self._spec)))
        warm_up()  # torch is imported while the rows are prepared
        self._report("preparing", "Splitting and encoding the rows")
        record = yield from self._await_rows()
        self._spec = narrow_spec(self._spec, tuple(record.get("weights", ())))
        if "folds" not in record and self._spec.folds:
            self._spec = without_folds(self._spec)
        executor = self._start_searching()
        search = self._build_context(executor, record)
        ledger = self._build_ledger()
        crew = Crew(search, ledger)
        plan = self._plan_rungs(search.sizes)
        yield from self._search(Coordinator(search, ledger, crew, plan))
        if ledger.find_best() is None:
            self._fail_without_model(ledger)
            return
        search_seconds = search.clock.compute_elapsed()
        warn_of_floor(search, ledger)
        self._load_rows(executor, REFIT_ROWS)
        refitter = Refitter(search, ledger, crew)
        models = yield from refitter.run()
        self.close()
        self._context.report_progress(build_progress("evaluation", search, ledger, crew))
        found = build_search_record(self._spec, ledger, refitter.ensemble)
        found["cost"] = build_cost(ledger, search_seconds, self._milestones.ensemble_seconds)
        if self._spec.folds:
            found["cross_validation"] = describe_folds(record["folds"])
        result = yield from self._finish(record, ledger, models, found)
        self._end(result, search, ledger, crew)

    def _read_spec(self) -> tuple[SearchSpec, tuple[Slot, ...]]:
        """The spec, and the slots it names; a device that is not here is replaced, which is said."""
        spec = parse_spec(json.dumps(dict(self._context.job.spec)))
        known = {slot.name: slot for slot in self._context.slots}
        missing = [name for name in spec.resources.devices if name not in known]
        if not missing:
            return spec, tuple(known[name] for name in spec.resources.devices)
        slots = self._context.slots[: len(spec.resources.devices)]
        self._warnings.add(
            f"The search was planned for {', '.join(spec.resources.devices)}, but {missing[0]} is not "
            f"on this machine; it runs on {', '.join(slot.name for slot in slots)}."
        )
        resources = replace(spec.resources, devices=tuple(slot.name for slot in slots))
        return replace(spec, resources=resources), slots

    def _start_trainers(self) -> LocalExecutor:
        has_images = self._spec.data_kind is DataKind.IMAGES
        options = LocalOptions(
            processes=self._context.processes,
            log_folder=self._folder / "trainers",
            patience=LONG_PATIENCE if has_images else Patience(),
        )
        self._executor = LocalExecutor(self._slots, self._context.log, options)
        self._executor.start()
        return self._executor

    def _start_searching(self) -> LocalExecutor:
        executor = self._start_trainers()
        self._load_rows(executor, SEARCH_ROWS)
        return executor

    def _note_progress(self, progress: Progress) -> None:
        if self._start_seconds is None:
            self._start_seconds = time.monotonic() - self._started
        is_table = self._spec.data_kind is DataKind.TABLE
        self._are_rows_written |= is_table and progress.fraction >= ROWS_WRITTEN

    def _await_rows(self) -> Generator[None, None, dict[str, Any]]:
        """What is known of the rows: of a table already while the child still looks at its columns."""
        while not self._are_rows_written:
            try:
                next(self._preparing)
            except StopIteration as end:
                record: dict[str, Any] = end.value
                return record
            yield
        return dict(load_json(self._folder / PREPARED / EARLY_RECORD))

    def _search(self, coordinator: Coordinator) -> Generator[None, None, None]:
        """Run the coordinator; what the child still finds out about the columns is told meanwhile."""
        for _ in coordinator.run():
            next(self._preparing, None)
            yield
        yield from self._preparing

    def _prepare(self) -> Generator[None, None, dict[str, Any]]:
        arguments = {
            "spec": render_spec(self._spec),
            "folder": str(self._folder / PREPARED),
            "settings": render_settings(self._context.settings),
        }
        record = yield from self._run_child(
            "automl.search.preparation:run_preparation",
            arguments,
            PREPARE_SECONDS,
            self._note_progress,
        )
        for note in record["notes"]:
            if note["level"] == "warning":
                self._warnings.add(note["text"])
            self._context.log(note["level"], note["text"])
        return record

    def _run_child(
        self,
        function: str,
        arguments: Mapping[str, Any],
        seconds: float,
        on_progress: Callable[[Progress], None] | None = None,
    ) -> Generator[None, None, dict[str, Any]]:
        with make_child_folder(self._context) as folder:
            request = ChildRequest(
                function=function,
                arguments=arguments,
                folder=folder,
                limits=Limits(timeout_seconds=seconds),
            )
            result = yield from run_until(
                lambda: self._context.stop_mode() is StopMode.DISCARD,
                run_child(request, on_progress),
            )
        if result is None:
            raise SearchDiscarded("The search was ended and its results were discarded.")
        return result

    def _load_rows(self, executor: LocalExecutor, rows: str) -> None:
        from pydantic import TypeAdapter

        from automl.data.task import Task

        task = TypeAdapter(Task).dump_json(self._spec.task).decode()
        executor.prepare(self._folder / PREPARED / rows, task, self._spec.resources.threads)

    def _plan_rungs(self, sizes: Sizes) -> RungPlan:
        spec = self._spec
        if spec.folds:
            return build_fold_plan(spec.folds, is_each=spec.pruner is Pruner.WILCOXON)
        return build_rung_plan(sizes.train, spec.resources.batch_size)

    def _build_context(
        self, executor: LocalExecutor, record: Mapping[str, Any]
    ) -> CoordinatorContext:
        n_rows = record["n_rows"]
        folds = record["folds"] if self._spec.folds else {}
        return CoordinatorContext(
            spec=self._spec,
            job_id=self._context.job.id,
            folder=self._folder,
            trainers=executor,
            clock=BudgetClock(
                total=self._spec.budget.seconds,
                base=self._context.job.consumed_seconds,
                started=self._started,
            ),
            sizes=Sizes(
                train=folds.get("n_train", n_rows["train"]),
                select=folds.get("n_judged", n_rows["select"]),
                refit=n_rows["train"] + n_rows["select"],
                test=n_rows["test"],
            ),
            warnings=self._warnings,
            milestones=self._milestones,
            stop_mode=self._context.stop_mode,
            report=self._context.report_progress,
            log=self._context.log,
            describe_score=SelectScores(self._spec.task, self._folder).describe,
            start_seconds=self._start_seconds,
        )

    def _build_ledger(self) -> Ledger:
        store, lease = self._context.store, self._context.lease
        ledger = Ledger(
            store.list_trials(self._context.job.id),
            lambda trials: store.write_trials(lease, trials),
            self._folder / "epochs.jsonl",
            self._spec.limits,
        )
        for trial in ledger.revive():
            self._context.log("info", f"trial {trial.number} was interrupted and runs again")
        return ledger

    def _finish(
        self,
        record: Mapping[str, Any],
        ledger: Ledger,
        models: tuple[OpenedModel, ...],
        found: Mapping[str, Any],
    ) -> Generator[None, None, dict[str, Any]]:
        """Count the look, then open the test part in a child process; ``found`` goes into the result."""
        looks = self._context.store.record_look(
            self._context.lease, record["test_fingerprint"], _hash_models(self._folder, models)
        )
        arguments = {
            "spec": render_spec(self._spec),
            "folder": str(self._folder),
            "settings": render_settings(self._context.settings),
            "models": [asdict(model) for model in models],
            "trials": build_trial_rows(ledger),
            "preparation": dict(record),
            "looks": looks,
            "warnings": self._warnings.texts,
            "search": dict(found),
        }
        return (
            yield from self._run_child(
                "automl.worker.finishing:run_finishing", arguments, FINISH_SECONDS
            )
        )

    def _end(
        self, result: dict[str, Any], search: CoordinatorContext, ledger: Ledger, crew: Crew
    ) -> None:
        """Write ``result.json`` last: it says that everything else is there."""
        job = self._context.job
        waited = max(0.0, (job.started_at or job.created_at) - job.created_at)
        result["wall_seconds"] = round(waited + search.clock.compute_elapsed(), 2)
        result["first_model_seconds"] = self._milestones.first_model_seconds
        result["packs"] = {
            "pack_size": self._spec.resources.pack_size,
            "gains": {str(width): round(gain, 2) for width, gain in (crew.gains or {}).items()},
        }
        result["devices"] = {
            slot: sum(row.device == crew.devices.get(slot, slot) for row in ledger.list_trials())
            for slot in self._spec.resources.devices
        }
        write_json(self._context.workspace.result(job.id) / "result.json", render_result(result))
        is_stopped = self._context.stop_mode() is StopMode.KEEP_BEST
        self._context.report_progress(build_progress("done", search, ledger, crew))
        self._context.finish(
            JobState.STOPPED if is_stopped else JobState.SUCCEEDED,
            {"winner": result["winner"]["name"], "test": result["test"].get(result["metric"])},
            Outcome(kind="stopped", message="Stopped on request; the best so far was kept.")
            if is_stopped
            else None,
        )
        if not is_stopped:  # what succeeded is never resumed; the bundle has an encoder of its own
            shutil.rmtree(self._folder / PREPARED, ignore_errors=True)

    def _fail_without_model(self, ledger: Ledger) -> None:
        failed = [row for row in ledger.list_trials() if row.state is TrialState.FAILED]
        reasons = sorted({f"{row.family}: {row.failure_message}" for row in failed})
        hints = sorted({row.failure_hint for row in failed if row.failure_hint})
        n_open = sum(row.state in ACTIVE for row in ledger.list_trials())
        self._context.finish(
            JobState.FAILED,
            None,
            Outcome(
                kind="no_model",
                message=f"No model could be trained ({len(failed)} failed, {n_open} not started). "
                + " ".join(reasons[:3]),
                hint=" ".join(hints[:2]) or "Look at the failed trials and at the log.",
            ),
        )

    def _report(self, phase: str, words: str) -> None:
        progress = fit_progress(
            {
                "phase": phase,
                "words": words,
                "elapsed_seconds": round(self._context.consumed_seconds(), 2),
                "budget_seconds": self._spec.budget.seconds,
                "budget_trials": self._spec.budget.trials,
                "n_trials": 0,
                "n_finished": 0,
                "best": None,
                "baseline_best": None,
                "running": [],
                "devices": [],
                "warnings": shorten_warnings(self._warnings.texts),
                "first_model_seconds": self._milestones.first_model_seconds,
            }
        )
        self._context.report_progress(progress)


def _hash_models(folder: Path, models: tuple[OpenedModel, ...]) -> str:
    """One hash over the weights of everything that is about to be opened, and how an ensemble weighs them."""
    digest = sha256()
    for model in models:
        for member in model.members:
            digest.update((folder / member.folder / "model.safetensors").read_bytes())
            digest.update((folder / member.folder / "model.json").read_bytes())
        if model.is_ensemble:
            digest.update(repr(model.weights).encode())
    return digest.hexdigest()
