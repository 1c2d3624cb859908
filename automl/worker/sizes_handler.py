"""How the score of a search's best model grows with the rows it learns from, in a limited child process."""

import json
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import ConfigDict, TypeAdapter, ValidationError, with_config

from automl.data.dataset import DataKind
from automl.errors import AutoMLError, SpecError
from automl.execution.child import ChildRequest, Limits
from automl.execution.devices import SlotKind
from automl.jobs.records import JobState
from automl.models.catalog import FAMILIES
from automl.settings import Settings
from automl.space.dimensions import Value
from automl.worker.child_folder import make_child_folder, render_settings
from automl.worker.context import HandlerContext, run_stoppable

if TYPE_CHECKING:
    from automl.data.task import Task
    from automl.data.views import Prepared
    from automl.evaluation.data_size import SizeRun
    from automl.training.request import TrainRequest

OUT = "sizes.json"
TIMEOUT_SECONDS = 7_200.0
UNTRAINED = {
    "constant": "a constant predicts the same however many rows there are",
    "pretrained": "its first weights come from other pictures, which a curve over these rows would leave out",
}


@with_config(ConfigDict(extra="forbid"))
@dataclass(frozen=True, kw_only=True, slots=True)
class SizesSpec:
    """What such a job is asked: ``spec`` says how rows become inputs, ``name`` what the model is called.

    ``epochs``: those of a network when it learns from all rows, 0 for other models; ``search`` is the id of the search.
    """

    spec: Mapping[str, Any]
    family: str
    config: Mapping[str, Value]
    name: str
    seed: int = 0
    epochs: int = 0
    search: str = ""


_ADAPTER = TypeAdapter(SizesSpec)


def plan_sizes(
    spec: Mapping[str, Any], result: Mapping[str, Any], search: str = ""
) -> SizesSpec | None:
    """The curve of a search's winner, or of the best single model where the winner is several; None without one."""
    trials = {row["number"]: row for row in result.get("trials") or ()}
    winner = (result.get("winner") or {}).get("trial")
    ranked = [row.get("trial") for row in result.get("leaderboard") or ()]
    chosen = next((n for n in (winner, *ranked) if n in trials and trials[n].get("config")), None)
    if chosen is None:
        return None
    trial = trials[chosen]
    return SizesSpec(
        spec=spec,
        family=str(trial["family"]),
        config=trial["config"],
        name=str(trial["name"]),
        seed=int(trial.get("seed") or 0),
        epochs=_find_epochs(trial),
        search=search,
    )


def _find_epochs(trial: Mapping[str, Any]) -> int:
    """The planned epochs of a network; on pictures those that the search had time for."""
    planned = int(trial["config"].get("epochs") or 0)
    family = FAMILIES.get(str(trial["family"]))
    of_pictures = family is not None and family.data == (DataKind.IMAGES,)
    return int(trial.get("n_epochs") or planned) if planned and of_pictures else planned


def find_obstacle(family: str) -> str:
    """Why a curve of this family cannot be drawn or would say nothing; empty where it can."""
    return UNTRAINED.get(family, "")


def render_sizes_spec(spec: SizesSpec) -> dict[str, Any]:
    """Plain values for ``NewJob.spec``."""
    rendered: dict[str, Any] = _ADAPTER.dump_python(spec, mode="json")
    return rendered


def parse_sizes_spec(value: object) -> SizesSpec:
    """Read a job's spec; a fault is a ``SpecError`` that names the field."""
    try:
        return _ADAPTER.validate_python(value)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"])) or "the document"
        raise SpecError(
            f"The curve over data size cannot be read at {where}: {first['msg']}.",
            hint="Start it again from the results.",
        ) from error


def handle(context: HandlerContext) -> Iterator[None]:
    """Train ``job.spec``, a ``SizesSpec``, on growing shares; writes ``sizes.json``, a ``SizeCurve``.

    Result ``{"out", "n_points"}``.
    """
    asked = parse_sizes_spec(dict(context.job.spec))
    has_gpu = any(slot.kind is SlotKind.CUDA for slot in context.slots)
    with make_child_folder(context) as folder:
        request = ChildRequest(
            function="automl.worker.sizes_handler:run_sizes",
            arguments={
                "asked": render_sizes_spec(asked),
                "out": str(context.workspace.job(context.job.id).resolve() / OUT),
                "settings": render_settings(context.settings),
                "device": "cuda:0" if has_gpu else "cpu",
            },
            folder=folder,
            limits=Limits(timeout_seconds=TIMEOUT_SECONDS),
        )
        result = yield from run_stoppable(context, request)
    if result is None:
        context.finish(JobState.STOPPED)
        return
    context.log("info", f"Trained {asked.name} on {result['n_points']} sizes of the train part.")
    context.succeed(result)


def run_sizes(arguments: Mapping[str, Any], report: Callable[[float, str], None]) -> dict[str, Any]:
    """Inside the child: divide the train part, train on each share anew, score on the select part."""
    import numpy as np

    from automl.data.task import TaskType
    from automl.data.views import Part
    from automl.evaluation.data_size import SizeCurve, compute_points, list_sizes, order_rows
    from automl.files import write_json
    from automl.search.cross_validation import without_folds
    from automl.search.rungs import MOST_EPOCHS
    from automl.search.spec import parse_spec
    from automl.training.request import TrainRequest
    from automl.training.rows import get_weight

    asked = parse_sizes_spec(arguments["asked"])
    if obstacle := find_obstacle(asked.family):
        raise SpecError(f"{asked.name} has no curve over data size: {obstacle}.")
    spec = without_folds(parse_spec(json.dumps(dict(asked.spec))))
    report(0.0, "Reading the data")
    prepare, prepared = _prepare(spec, Settings(**arguments["settings"]))
    train, select = prepared.parts[Part.TRAIN], prepared.parts[Part.SELECT]
    is_value = spec.task.type is TaskType.REGRESSION
    labels = None if is_value else np.asarray(prepared.target[train])
    ordered = order_rows(np.asarray(train), labels, spec.seed)
    sizes = list_sizes(len(train))
    request = TrainRequest(
        family=asked.family,
        config=dict(asked.config),
        seed=asked.seed,
        batch_size=spec.resources.batch_size,
        max_epochs=asked.epochs or MOST_EPOCHS,
        device=str(arguments["device"]),
        threads=spec.resources.threads,
    )
    shares = prepare([ordered[:size] for size in sizes])
    requests = [_plan_share(request, asked.epochs, sizes[-1] / size, MOST_EPOCHS) for size in sizes]
    runs = _train_all(shares, spec.task, requests, sizes, report)
    curve = SizeCurve(
        model=asked.name,
        family=asked.family,
        metric=spec.task.metric,
        n_judged=len(select),
        seed=spec.seed,
        device=request.device,
        epochs=asked.epochs,
        points=compute_points(
            spec.task,
            np.asarray(prepared.target[select]),
            runs,
            weight=get_weight(prepared, select),
            seed=spec.seed,
        ),
    )
    write_json(Path(arguments["out"]), asdict(curve))
    return {"out": OUT, "n_points": len(curve.points)}


def _prepare(spec: Any, settings: Settings) -> tuple[Callable[[Any], Iterator["Prepared"]], Any]:
    """What encodes shares of the train part, and the rows as the search read them."""
    from automl.data.images.preparing import load_pictures
    from automl.data.preparing import prepare, prepare_shares
    from automl.data.store import load_dataset, load_frame
    from automl.search.preparation import build_request

    workspace = settings.workspace
    dataset = load_dataset(workspace, spec.data)
    pictures = None
    if dataset.images is not None:
        pictures = load_pictures(workspace.dataset(spec.data), dataset.images, spec.excluded)
    request = build_request(spec, dataset, load_frame(workspace, spec.data), pictures)
    prepared = prepare(request).prepared
    return lambda shares: prepare_shares(request, prepared, shares), prepared


def _plan_share(
    request: "TrainRequest", epochs: int, times_fewer: float, most: int
) -> "TrainRequest":
    """About as many steps on a share as on all rows: fewer would count as a lack of rows."""
    if not epochs:
        return request
    own = min(most, round(epochs * times_fewer))
    return replace(request, config={**request.config, "epochs": own}, max_epochs=own)


def _train_all(
    shares: Iterator["Prepared"],
    task: "Task",
    requests: Sequence["TrainRequest"],
    sizes: Sequence[int],
    report: Callable[[float, str], None],
) -> list["SizeRun"]:
    """One training after another; one that fails is kept with its reason."""
    from automl.evaluation.data_size import SizeRun

    runs: list[SizeRun] = []
    for size, prepared, request in zip(sizes, shares, requests, strict=True):
        report(
            0.05 + 0.95 * len(runs) / len(sizes), f"Learning from {size:,} of {sizes[-1]:,} rows"
        )
        started = time.monotonic()
        prediction, failure = None, ""
        try:
            prediction = _train_one(prepared, task, request)
        except AutoMLError as error:
            failure = str(error)
        seconds = time.monotonic() - started
        runs.append(SizeRun(n_rows=size, prediction=prediction, seconds=seconds, failure=failure))
    return runs


def _train_one(prepared: "Prepared", task: "Task", request: "TrainRequest") -> Any:
    """The prediction of the select part after a whole training."""
    from automl.training.epoch import Verb
    from automl.training.run import train

    steps = train(prepared, task, request)
    try:
        next(steps)
        while True:
            steps.send(Verb.CONTINUE)
    except StopIteration as end:
        return end.value.select_prediction
