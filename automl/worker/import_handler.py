"""An upload or a sample becomes a data set, in a limited child process."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from automl.execution.child import ChildRequest, Limits
from automl.jobs.records import JobState
from automl.settings import Settings
from automl.worker.child_folder import make_child_folder, render_settings
from automl.worker.context import HandlerContext, run_stoppable


def handle(context: HandlerContext) -> Iterator[None]:
    """Run ``import_table`` on ``job.spec`` (an ``ImportRequest`` as JSON, a sample's without a path); result ``{"dataset": id}``."""
    settings = context.settings
    with make_child_folder(context) as folder:
        request = ChildRequest(
            function="automl.worker.import_handler:run_import",
            arguments={
                "request": dict(context.job.spec),
                "settings": render_settings(settings),
            },
            folder=folder,
            limits=Limits(
                timeout_seconds=settings.import_seconds,
                memory_bytes=settings.import_memory_bytes,
                cpu_seconds=int(4 * settings.import_seconds),
                file_bytes=4 * settings.max_table_bytes + 100_000_000,
            ),
        )
        result = yield from run_stoppable(context, request)
    if result is None:
        context.finish(JobState.STOPPED)
        return
    context.log("info", f"Imported {context.job.title}.")
    context.succeed(result)


def run_import(
    arguments: Mapping[str, Any], report: Callable[[float, str], None]
) -> Mapping[str, Any]:
    """Inside the child: read, check, write the data set."""
    from pydantic import TypeAdapter

    from automl.data.importing import ImportRequest, import_table
    from automl.data.samples import write_sample

    settings = Settings(**arguments["settings"])
    request = TypeAdapter(ImportRequest).validate_python(arguments["request"])
    if not request.path and request.source.startswith("sample:"):
        report(0.0, "Making the sample")
        path = write_sample(request.source.removeprefix("sample:"), Path.cwd())
        request = replace(request, path=str(path))
    dataset = import_table(request, settings.workspace, settings, report=report)
    return {"dataset": dataset.id, "name": dataset.name, "n_rows": dataset.n_rows}
