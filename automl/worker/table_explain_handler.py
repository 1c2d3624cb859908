"""An explanation of a model of a table, in a limited child process."""

from collections.abc import Iterator

from automl.errors import BundleError
from automl.execution.child import ChildRequest, Limits
from automl.jobs.records import JobState
from automl.worker.child_folder import make_child_folder, render_settings
from automl.worker.context import HandlerContext, run_stoppable
from automl.worker.explain_spec import parse_explain_spec, render_explain_spec

TIMEOUT_SECONDS = 3_600.0


def handle(context: HandlerContext) -> Iterator[None]:
    """Answer ``job.spec``, an ``ExplainSpec``; leaves ``explanation.json`` and ``values.parquet`` in the job's folder.

    Result ``{"out", "n_values"}``.
    """
    asked = parse_explain_spec(dict(context.job.spec))
    bundle = context.workspace.result(asked.search) / "bundle"
    if not bundle.is_dir():
        raise BundleError(
            "The search that should be explained has no model any more.",
            hint="Choose another model, or search again.",
        )
    with make_child_folder(context) as folder:
        request = ChildRequest(
            function="automl.worker.table_explaining:run_table_explanation",
            arguments={
                "asked": render_explain_spec(asked),
                "bundle": str(bundle.resolve()),
                "job": str(context.workspace.job(asked.search).resolve()),
                "out": str(context.workspace.job(context.job.id).resolve()),
                "settings": render_settings(context.settings),
            },
            folder=folder,
            limits=Limits(timeout_seconds=TIMEOUT_SECONDS),
        )
        result = yield from run_stoppable(context, request)
    if result is None:
        context.finish(JobState.STOPPED)
        return
    context.log("info", f"Explained the model by {asked.method}: {result['n_values']} values.")
    context.succeed(result)
