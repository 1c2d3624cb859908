"""Which columns give the target away, in a limited child process."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict
from typing import Any

from automl.execution.child import ChildRequest, Limits
from automl.jobs.records import JobState
from automl.settings import Settings
from automl.worker.child_folder import make_child_folder, render_settings
from automl.worker.context import HandlerContext, run_stoppable

_SECONDS = 300.0


def handle(context: HandlerContext) -> Iterator[None]:
    """Look for leaks in ``job.dataset`` under the setup in ``job.spec``; result ``{"notes": [Note…]}``."""
    settings = context.settings
    with make_child_folder(context) as folder:
        request = ChildRequest(
            function="automl.worker.check_handler:run_check",
            arguments={
                "dataset": context.job.dataset,
                "setup": dict(context.job.spec),
                "settings": render_settings(settings),
            },
            folder=folder,
            limits=Limits(timeout_seconds=_SECONDS, memory_bytes=settings.import_memory_bytes),
        )
        result = yield from run_stoppable(context, request)
    if result is None:
        context.finish(JobState.STOPPED)
        return
    context.succeed(result)


def run_check(
    arguments: Mapping[str, Any], report: Callable[[float, str], None]
) -> Mapping[str, Any]:
    """Inside the child: load the table, compute the notes."""
    from pydantic import TypeAdapter

    from automl.data.leaks import compute_leaks
    from automl.data.profile import load_profile
    from automl.data.setup import Setup, build_columns, infer_task
    from automl.data.store import load_dataset, load_frame

    workspace = Settings(**arguments["settings"]).workspace
    setup = TypeAdapter(Setup).validate_python(arguments["setup"])
    dataset = load_dataset(workspace, arguments["dataset"])
    task = infer_task(dataset, load_profile(workspace, dataset.id), setup)
    report(0.2, "Reading the table")
    frame = load_frame(workspace, dataset.id)
    report(0.4, "Looking for columns that give the target away")
    seen = frame.iloc[: dataset.n_train_rows]  # a given test part is looked at once, at the end
    notes = compute_leaks(seen, task, build_columns(dataset, setup))
    return {"notes": [asdict(note) for note in notes]}
