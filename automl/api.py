"""Everything a click does, from Python: search, audit, predict. The shell is a thin layer over this module."""

import shutil
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import automl.errors
from automl.arguments import build_ranges, make_absolute, parse_choice, parse_folds
from automl.data.dataset import DataKind, Dataset, Role
from automl.data.profile import load_profile
from automl.data.samples import SAMPLES, write_sample
from automl.data.setup import Setup
from automl.data.store import load_dataset
from automl.data.task import TaskType
from automl.deploy.delivery import copy_results, require_folder
from automl.errors import AutoMLError, DataError, SearchFailed, SpecError
from automl.files import load_json
from automl.jobs.records import Job, JobKind, JobState, NewJob
from automl.models.image.mirroring import suggest_mirroring
from automl.models.image.weights import parse_weights
from automl.own_worker import Listen, OwnWorker, open_own_worker, run_limited
from automl.search.building import SearchRequest, build_search_spec, forbid_mirroring
from automl.search.goals import Method, ModelLimits, Objective
from automl.search.offers import Pruner, Sampler
from automl.search.spec import Budget, Preset, SearchSpec, parse_spec, render_spec
from automl.settings import Settings
from automl.worker.predict_handler import find_timeout

SAMPLE_PREFIX = "sample:"
MIRROR = ("yes", "no")


@dataclass(frozen=True, kw_only=True, slots=True)
class SearchCall:
    """What ``run_search`` is asked; the fields are the shell's flags.

    ``file`` is the path of a table, of a ZIP or a folder of pictures, or ``sample:NAME``; ``target`` of pictures
    is ``label`` unless another is named; ``spec`` the JSON text of a spec, which then decides everything but
    the data. ``listen`` is given the live progress; ``should_stop`` True ends the search and keeps its best.

    ``objectives`` are weighed beside the score, and what is over one of the three limits cannot win; multiply-adds are
    counted for pictures only. ``ranges`` narrow spaces: ``("mlp.depth", 1.0, 2.0)``, both ends included.

    ``method``, ``weights`` (a folder, or ``hub``) and ``mirror`` (``yes`` or ``no``; without it the names of the
    classes decide) are for pictures; ``families`` are all that learn from the data unless named.

    ``time`` is the column that puts rows in order (the oldest train, the newest test), ``weight`` the one that says how
    many cases a row stands for; both are for tables, and so are ``folds`` (a number, ``auto`` or ``none``).
    """

    file: str
    out: Path
    target: str | None = None
    test: str | None = None
    task: str | None = None
    metric: str | None = None
    positive: str | None = None
    beneficial: str | None = None
    sensitive: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()
    time: str | None = None
    weight: str | None = None
    budget_seconds: float | None = None
    trials: int | None = None
    seed: int | None = None
    preset: Preset | None = None
    families: tuple[str, ...] = ()
    sampler: str | None = None
    pruner: str | None = None
    folds: str | None = None
    ranges: tuple[tuple[str, float, float], ...] = ()
    method: str | None = None
    objectives: tuple[str, ...] = ()
    max_parameters: int | None = None
    max_macs: int | None = None
    max_latency_ms: float | None = None
    weights: str | None = None
    mirror: str | None = None
    spec: str | None = None
    listen: Listen = field(default=lambda _progress: None)
    should_stop: Callable[[], bool] = field(default=lambda: False)


@dataclass(frozen=True, kw_only=True, slots=True)
class AuditCall:
    """What ``run_audit`` is asked: labels in ``truth``, and decisions in ``prediction`` or a ``score``.

    A decision from a score is positive from ``threshold`` on (0.5 for probabilities).
    """

    file: Path
    out: Path
    truth: str
    sensitive: tuple[str, ...]
    prediction: str | None = None
    score: str | None = None
    threshold: float | None = None
    positive: str | None = None
    beneficial: str | None = None
    min_group_size: int = 30
    seed: int = 0


@dataclass(frozen=True, kw_only=True, slots=True)
class PredictCall:
    """What ``run_predict`` is asked: a bundle (folder or ZIP), rows or pictures, where to write.

    ``file`` is a table, or for a bundle that reads pictures a ZIP, a folder or one picture. ``coverage`` (0.8, 0.9 or
    0.95) adds prediction sets, or intervals.
    """

    bundle: Path
    file: Path
    out: Path
    coverage: float | None = None


def run_search(call: SearchCall, settings: Settings | None = None) -> dict[str, Any]:
    """Search, write everything into ``call.out``, return the content of ``result.json``.

    Bad input is a ``DataError`` or ``SpecError``, a search without a model ``SearchFailed``.
    """
    settings = settings or Settings()
    require_folder(call.out)
    budget = _build_budget(call)
    with open_own_worker(settings) as session:
        dataset = import_file(session, call)
        spec = build_spec(session, call, dataset, budget)
        job = session.run(
            NewJob(
                kind=JobKind.SEARCH,
                title=f"{dataset.name}: {spec.task.target}",
                dataset=dataset.id,
                spec=render_plain(spec),
            ),
            call.listen,
            call.should_stop,
        )
        require_ended_well(job)
        result_folder = settings.workspace.result(job.id)
        if not (result_folder / "result.json").is_file():
            raise SearchFailed("The search was ended and its results were discarded.")
        copy_results(result_folder, call.out)
        shutil.copyfile(settings.workspace.job(job.id) / "spec.json", call.out / "spec.json")
    result: dict[str, Any] = load_json(call.out / "result.json")
    return result


def run_audit(call: AuditCall, settings: Settings | None = None) -> dict[str, Any]:
    """Audit decisions that are already in a file; the content of ``audit.json``."""
    require_folder(call.out)
    arguments = {
        "file": str(call.file.absolute()),
        "out": str(call.out.absolute()),
        "truth": call.truth,
        "sensitive": list(call.sensitive),
        "prediction": call.prediction,
        "score": call.score,
        "threshold": call.threshold,
        "positive": call.positive,
        "beneficial": call.beneficial,
        "min_group_size": call.min_group_size,
        "seed": call.seed,
    }
    run_limited(settings or Settings(), "automl.worker.auditing:run_audit_file", arguments)
    audit: dict[str, Any] = load_json(call.out / "audit.json")
    return audit


def run_predict(call: PredictCall, settings: Settings | None = None) -> dict[str, Any]:
    """Predict every row of a file, or every picture, with a bundle; rows written and notes."""
    arguments = {
        "bundle": str(call.bundle.absolute()),
        "file": str(call.file.absolute()),
        "name": call.file.name,
        "out": str(call.out.absolute()),
        "coverage": call.coverage,
    }
    settings = settings or Settings()
    return run_limited(
        settings,
        "automl.worker.predict_handler:run_predict_file",
        arguments,
        timeout_seconds=find_timeout(settings, call.file),
    )


def import_file(session: OwnWorker, call: SearchCall) -> Dataset:
    """The data set behind FILE (and the test file), imported by the same job as an upload."""
    with tempfile.TemporaryDirectory(prefix="sample-") as folder:
        request: dict[str, Any] = {"source": "shell"}
        if call.file.startswith(SAMPLE_PREFIX):
            path = write_sample(call.file.removeprefix(SAMPLE_PREFIX), Path(folder))
            request["source"] = call.file
        else:
            path = Path(call.file).absolute()
        request |= {"path": str(path.absolute()), "name": path.name}
        if call.test is not None:
            test = Path(call.test)
            request |= {"test_path": str(test.absolute()), "test_name": test.name}
        for name in ("path", "test_path"):
            if name in request and not Path(request[name]).exists():
                raise DataError(
                    f"There is no file {request[name]!r}.", hint="Check the name and the folder."
                )
        job = session.run(NewJob(kind=JobKind.IMPORT, title=path.name, spec=request), call.listen)
    require_ended_well(job)
    return load_dataset(session.settings.workspace, str(job.result["dataset"]))


def _build_budget(call: SearchCall) -> Budget | None:
    if call.budget_seconds is None and call.trials is None:
        return None
    return Budget(seconds=call.budget_seconds, trials=call.trials)


def build_spec(
    session: OwnWorker, call: SearchCall, dataset: Dataset, budget: Budget | None
) -> SearchSpec:
    """The spec that a call asks for: given, or built from its flags."""
    if call.spec is not None:
        return _read_spec(call, dataset, budget)
    spec = build_search_spec(
        SearchRequest(
            dataset=dataset,
            profile=load_profile(session.settings.workspace, dataset.id),
            setup=_build_setup(call, dataset),
            slots=session.devices.slots,
            budget=budget,
            preset=call.preset or Preset.BALANCED,
            seed=call.seed or 0,
            families=call.families or None,
            sampler=parse_choice(Sampler, call.sampler or Sampler.TPE, "sampler"),
            pruner=parse_choice(Pruner, call.pruner or Pruner.SUCCESSIVE_HALVING, "pruner"),
            folds=parse_folds(call.folds),
            ranges=build_ranges(call.ranges),
            method=parse_choice(Method, call.method or Method.PLAIN, "method"),
            objectives=_build_objectives(call),
            limits=ModelLimits(
                parameters=call.max_parameters,
                macs=call.max_macs,
                latency_ms=call.max_latency_ms,
            ),
            weights=parse_weights(make_absolute(call.weights)),
        )
    )
    return spec if _may_mirror(call, spec) else forbid_mirroring(spec)


def _may_mirror(call: SearchCall, spec: SearchSpec) -> bool:
    """What was said, else what the classes suggest; a table has nothing to mirror."""
    if spec.data_kind is not DataKind.IMAGES:
        if call.mirror is not None:
            raise SpecError(
                f"--mirror {call.mirror!r} is for pictures; {spec.data_name!r} is a table.",
                hint="Leave out --mirror.",
            )
        return True
    if call.mirror not in (None, *MIRROR):
        raise SpecError(f"--mirror is {call.mirror!r}.", hint=f"Choose {' or '.join(MIRROR)}.")
    is_suggested = suggest_mirroring(spec.task.classes).is_safe
    return is_suggested if call.mirror is None else call.mirror == "yes"


def _read_spec(call: SearchCall, dataset: Dataset, budget: Budget | None) -> SearchSpec:
    """A given spec on the given file; budget and seed may be said anew, nothing else."""
    spec = parse_spec(call.spec or "")
    if spec.data != dataset.id:
        raise SpecError(
            f"The spec was made for {spec.data_name!r} ({spec.data[:12]}), but {dataset.name!r} has "
            f"other content ({dataset.id[:12]}).",
            hint="Give the file (and the test file) the spec was made for, or leave out --spec.",
        )
    if call.target is not None and call.target != spec.task.target:
        raise SpecError(
            f"The target is {call.target!r}, but the spec predicts {spec.task.target!r}.",
            hint="Leave out --target, or --spec.",
        )
    given = {
        "task": call.task, "metric": call.metric, "positive": call.positive, "preset": call.preset,
        "beneficial": call.beneficial, "sensitive": call.sensitive, "ignore": call.ignore,
        "time": call.time, "weight": call.weight, "families": call.families,
        "sampler": call.sampler, "pruner": call.pruner, "range": call.ranges, "method": call.method,
        "objective": call.objectives, "folds": call.folds,
        "max-parameters": call.max_parameters, "max-macs": call.max_macs,
        "max-latency-ms": call.max_latency_ms, "weights": call.weights,
        "mirror": call.mirror,
    }  # fmt: skip
    for name, value in given.items():
        if value is not None and value != ():
            raise SpecError(
                f"--{name} {value!r} was given, but the spec decides that.",
                hint=f"Leave out --{name}, or --spec.",
            )
    seed = spec.seed if call.seed is None else call.seed
    return replace(spec, budget=budget or spec.budget, seed=seed)


def _build_objectives(call: SearchCall) -> tuple[Objective, ...]:
    """The score first, whether it was named or not."""
    named = (parse_choice(Objective, name, "objective") for name in call.objectives)
    return (Objective.SCORE, *(each for each in named if each is not Objective.SCORE))


def _build_setup(call: SearchCall, dataset: Dataset) -> Setup:
    """The choices of the call; a sample brings its own for what was not said, pictures their classes."""
    known = SAMPLES.get(call.file.removeprefix(SAMPLE_PREFIX))
    preset = known.setup if known and call.file.startswith(SAMPLE_PREFIX) else Setup()
    suggested = (c.name for c in dataset.columns if c.suggested_role is Role.TARGET)
    target = call.target or preset.target or next(suggested, None)
    if target is None:
        raise SpecError("No target was named.", hint="Give --target COLUMN.")
    is_preset = target == preset.target
    has_outcomes = is_preset and call.task in (None, TaskType.BINARY)
    task_type = None if call.task is None else parse_choice(TaskType, call.task, "task")
    roles = (dict(preset.roles) if is_preset else {}) | _read_roles(call)
    if target in roles:
        raise SpecError(
            f"{target!r} is the target and cannot be {roles[target]} too.",
            hint="Name another column.",
        )
    return Setup(
        target=target,
        kinds=preset.kinds,
        roles=roles,
        inputs=preset.inputs if is_preset else (),
        task_type=task_type or (preset.task_type if is_preset else None),
        metric=call.metric or (preset.metric if is_preset else None),
        positive=call.positive or (preset.positive if has_outcomes else None),
        beneficial=call.beneficial or (preset.beneficial if has_outcomes else None),
    )


def _read_roles(call: SearchCall) -> dict[str, Role]:
    """The roles that columns were given by flags, each column by one of them."""
    named = {
        Role.SENSITIVE: call.sensitive,
        Role.IGNORED: call.ignore,
        Role.TIME: (call.time,) if call.time else (),
        Role.WEIGHT: (call.weight,) if call.weight else (),
    }
    flags = {Role.IGNORED: "--ignore"}
    roles: dict[str, Role] = {}
    for role, names in named.items():
        for name in names:
            if roles.get(name, role) is not role:
                first, second = (flags.get(each, f"--{each}") for each in (roles[name], role))
                raise SpecError(
                    f"{name!r} is named by both {first} and {second}.",
                    hint="Leave out one of them.",
                )
            roles[name] = role
    return roles


def render_plain(spec: SearchSpec) -> dict[str, Any]:
    """A spec as plain values, for ``NewJob.spec``."""
    import json

    value: dict[str, Any] = json.loads(render_spec(spec))
    return value


def require_ended_well(job: Job) -> None:
    """Raise what ended a job: bad input as itself, anything else as ``SearchFailed``.

    So does a job that was given back (the disk is full, the lease was lost).
    """
    stopped_well = job.state is JobState.STOPPED and job.kind is JobKind.SEARCH
    if job.state is JobState.SUCCEEDED or stopped_well:
        return
    outcome = job.outcome
    message = outcome.message if outcome else f"{job.title} was not finished ({job.state})."
    kind = getattr(automl.errors, outcome.kind if outcome else "", None)
    if isinstance(kind, type) and issubclass(kind, AutoMLError):
        raise kind(message, hint=outcome.hint if outcome else "")
    raise SearchFailed(message, hint=outcome.hint if outcome else "")


__all__ = [
    "AuditCall", "PredictCall", "SearchCall", "run_audit", "run_predict", "run_search",
]  # fmt: skip
