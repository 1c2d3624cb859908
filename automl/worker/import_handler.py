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
    """Run ``import_file`` on ``job.spec`` (an ``ImportRequest`` as JSON, a sample's without a path); result ``{"dataset": id}``."""
    settings = context.settings
    with make_child_folder(context) as folder:
        request = ChildRequest(
            function="automl.worker.import_handler:run_import",
            arguments={
                "request": dict(context.job.spec),
                "settings": render_settings(settings),
            },
            folder=folder,
            limits=build_limits(settings, str(context.job.spec.get("path", ""))),
        )
        result = yield from run_stoppable(context, request)
    if result is None:
        context.finish(JobState.STOPPED)
        return
    context.log("info", f"Imported {context.job.title}.")
    context.succeed(result)


def build_limits(settings: Settings, path: str) -> Limits:
    """What the child may use; an array of pictures may be large, and takes its time.

    A sample has no path yet; all of them are small.
    """
    from automl.data.images.sizing import SIDES
    from automl.data.intake import looks_zipped

    is_pictures = bool(path) and (Path(path).is_dir() or looks_zipped(Path(path)))
    seconds = settings.image_import_seconds if is_pictures else settings.import_seconds
    file_bytes = 4 * settings.max_table_bytes
    if is_pictures:
        file_bytes = max(file_bytes, settings.max_members * SIDES[-1] ** 2 * 3)
    return Limits(
        timeout_seconds=seconds,
        memory_bytes=settings.import_memory_bytes,
        cpu_seconds=int(4 * seconds),
        file_bytes=file_bytes + 100_000_000,
    )


def run_import(
    arguments: Mapping[str, Any], report: Callable[[float, str], None]
) -> Mapping[str, Any]:
    """Inside the child: read, check, write the data set."""
    from pydantic import TypeAdapter

    from automl.data.importing import ImportRequest
    from automl.data.intake import import_file
    from automl.data.samples import write_sample

    settings = Settings(**arguments["settings"])
    request = TypeAdapter(ImportRequest).validate_python(arguments["request"])
    if not request.path and request.source.startswith("sample:"):
        report(0.0, "Making the sample")
        path = write_sample(request.source.removeprefix("sample:"), Path.cwd())
        request = replace(request, path=str(path))
    dataset = import_file(request, settings.workspace, settings, report=report)
    return {"dataset": dataset.id, "name": dataset.name, "n_rows": dataset.n_rows}
