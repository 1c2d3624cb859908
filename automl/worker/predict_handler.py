"""A file of rows through the bundle of a finished search, in a limited child process."""

import zipfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from automl.errors import BundleError
from automl.execution.child import ChildRequest, Limits
from automl.jobs.records import JobState
from automl.settings import Settings
from automl.worker.child_folder import make_child_folder, render_settings
from automl.worker.context import HandlerContext, run_stoppable
from fairness.errors import FairloomError

OUT = "predictions"


def handle(context: HandlerContext) -> Iterator[None]:
    """Predict ``job.spec`` = ``{search, path, name}``; the rows go to ``predictions.csv`` in the job's folder.

    With ``coverage`` they have sets or intervals. A Parquet file gives ``predictions.parquet``. Result ``{"out", "n_rows", "notes"}``.
    """
    settings, spec = context.settings, context.job.spec
    bundle = context.workspace.result(str(spec["search"])) / "bundle"
    if not bundle.is_dir():
        raise BundleError(
            "The search this file should be predicted with has no model any more.",
            hint="Choose another model.",
        )
    name = str(spec["name"])
    suffix = ".parquet" if Path(name).suffix.lower() == ".parquet" else ".csv"
    out = context.workspace.job(context.job.id).resolve() / f"{OUT}{suffix}"
    with make_child_folder(context) as folder:
        request = ChildRequest(
            function="automl.worker.predict_handler:run_predict_file",
            arguments={
                "bundle": str(bundle.resolve()),
                "file": str(spec["path"]),
                "name": name,
                "out": str(out),
                "coverage": spec.get("coverage"),
                "settings": render_settings(settings),
            },
            folder=folder,
            limits=Limits(
                timeout_seconds=find_timeout(settings, Path(str(spec["path"]))),
                memory_bytes=settings.import_memory_bytes,
            ),
        )
        try:
            result = yield from run_stoppable(context, request)
        except FairloomError:
            _remove_upload(context)
            raise
    _remove_upload(context)
    if result is None:
        context.finish(JobState.STOPPED)
        return
    context.log("info", f"Predicted {result['n_rows']} rows of {name}.")
    context.succeed(result)


def find_timeout(settings: Settings, path: Path) -> float:
    """Many pictures may take longer than any table; they come as a folder or a ZIP."""
    has_pictures = path.is_dir() or zipfile.is_zipfile(path)
    return settings.image_import_seconds if has_pictures else settings.import_seconds


def _remove_upload(context: HandlerContext) -> None:
    """Clear away the file that was predicted, if it is an upload of ours; a later try would find none."""
    path = Path(str(context.job.spec["path"]))
    if path.suffix == ".part" and path.resolve().parent == context.workspace.incoming.resolve():
        path.unlink(missing_ok=True)


def run_predict_file(
    arguments: Mapping[str, Any], report: Callable[[float, str], None]
) -> dict[str, Any]:
    """Inside the child: load the bundle, read, predict, write."""
    from automl.deploy.batch import predict_file, require_output
    from automl.deploy.bundle import load_bundle

    out = Path(arguments["out"])
    require_output(out)
    report(0.1, "Loading the model")
    with load_bundle(Path(arguments["bundle"])) as bundle:
        report(0.4, "Predicting")
        done = predict_file(
            bundle,
            Path(arguments["file"]),
            out,
            Settings(**arguments["settings"]),
            name=arguments["name"],
            report=lambda share, words: report(0.4 + 0.6 * share, words),
            coverage=arguments.get("coverage"),
        )
    return done.to_json()
