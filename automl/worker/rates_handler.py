"""How far the loss of a network falls at each learning rate, in a limited child process."""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from pydantic import ConfigDict, TypeAdapter, ValidationError, with_config

from automl.errors import SpecError
from automl.execution.child import ChildRequest, Limits
from automl.jobs.records import JobState
from automl.settings import Settings
from automl.space.dimensions import Value
from automl.worker.child_folder import make_child_folder, render_settings
from automl.worker.context import HandlerContext, run_stoppable

OUT = "rates.json"
TIMEOUT_SECONDS = 1_800.0


@with_config(ConfigDict(extra="forbid"))
@dataclass(frozen=True, kw_only=True, slots=True)
class RatesSpec:
    """What such a job is asked: ``spec`` says how rows become inputs, ``name`` what the network is called.

    ``search`` is the id of the search it belongs to, empty for a network of no search.
    """

    spec: Mapping[str, Any]
    family: str
    config: Mapping[str, Value]
    name: str
    seed: int = 0
    search: str = ""


_ADAPTER = TypeAdapter(RatesSpec)


def plan_test(
    spec: Mapping[str, Any], result: Mapping[str, Any], search: str = ""
) -> RatesSpec | None:
    """The test of a search's best network, from its spec and ``result.json``; None where no network was trained."""
    models = (result.get(key) or {} for key in ("winner", "best_network"))
    network = next((each for each in models if each.get("is_network") and each.get("config")), None)
    if network is None:
        return None
    seeds = {row["number"]: row.get("seed") or 0 for row in result.get("trials") or ()}
    return RatesSpec(
        spec=spec,
        family=str(network["family"]),
        config=network["config"],
        name=str(network["name"]),
        seed=int(seeds.get(network.get("trial"), 0)),
        search=search,
    )


def render_rates_spec(spec: RatesSpec) -> dict[str, Any]:
    """Plain values for ``NewJob.spec``."""
    rendered: dict[str, Any] = _ADAPTER.dump_python(spec, mode="json")
    return rendered


def parse_rates_spec(value: object) -> RatesSpec:
    """Read a job's spec; a fault is a ``SpecError`` that names the field."""
    try:
        return _ADAPTER.validate_python(value)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"])) or "the document"
        raise SpecError(
            f"The learning-rate test cannot be read at {where}: {first['msg']}.",
            hint="Start it again from the results.",
        ) from error


def handle(context: HandlerContext) -> Iterator[None]:
    """Test ``job.spec``, a ``RatesSpec``; writes ``rates.json``, a ``RateTest``, into the job's folder.

    Result ``{"out", "suggested"}``.
    """
    asked = parse_rates_spec(dict(context.job.spec))
    with make_child_folder(context) as folder:
        request = ChildRequest(
            function="automl.worker.rates_handler:run_sweep",
            arguments={
                "asked": render_rates_spec(asked),
                "out": str(context.workspace.job(context.job.id).resolve() / OUT),
                "settings": render_settings(context.settings),
            },
            folder=folder,
            limits=Limits(timeout_seconds=TIMEOUT_SECONDS),
        )
        result = yield from run_stoppable(context, request)
    if result is None:
        context.finish(JobState.STOPPED)
        return
    context.log("info", f"Tested the learning rates of {asked.name}.")
    context.succeed(result)


def run_sweep(arguments: Mapping[str, Any], report: Callable[[float, str], None]) -> dict[str, Any]:
    """Inside the child: encode the rows as the search did, train the networks, write what was found."""
    from automl.data.store import load_dataset, load_frame
    from automl.files import write_json
    from automl.search.cross_validation import without_folds
    from automl.search.preparation import encode_rows
    from automl.search.spec import parse_spec
    from automl.training.packs.sweep import sweep_rates
    from automl.training.request import TrainRequest

    asked = parse_rates_spec(arguments["asked"])
    spec = parse_spec(json.dumps(dict(asked.spec)))
    workspace = Settings(**arguments["settings"]).workspace
    dataset = load_dataset(workspace, spec.data)
    report(0.0, "Reading the table")
    frame = load_frame(workspace, spec.data)
    prepared = encode_rows(without_folds(spec), dataset, frame).prepared  # on the train part alone
    request = TrainRequest(
        family=asked.family,
        config=dict(asked.config),
        seed=asked.seed,
        batch_size=spec.resources.batch_size,
        max_epochs=1,
        threads=spec.resources.threads,
    )
    steps = sweep_rates(prepared, spec.task, request, asked.name)
    try:
        while True:
            report(0.1 + 0.9 * next(steps), "Training at each learning rate")
    except StopIteration as end:
        found = end.value
    write_json(Path(arguments["out"]), asdict(found))
    return {"out": OUT, "suggested": found.suggested}
