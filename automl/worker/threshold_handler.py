"""Storing a threshold with a model, in a limited child process: the audit is computed anew."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from automl.errors import SpecError
from automl.evaluation.threshold_change import (
    describe_change,
    describe_choice,
    parse_request,
    render_request,
)
from automl.execution.child import ChildRequest, Limits, Progress, run_child
from automl.jobs.records import JobState
from automl.worker.child_folder import make_child_folder, render_settings
from automl.worker.context import HandlerContext

TIMEOUT_SECONDS = 1_800.0


def handle(context: HandlerContext) -> Iterator[None]:
    """Store what ``job.spec`` = ``{search, request}`` asks for (``ThresholdRequest``) with the winner of a search.

    Result ``{"threshold", "said"}``. Once begun it is carried through: half of it would leave files that disagree.
    """
    if context.stop_mode() is not None:
        context.finish(JobState.STOPPED)
        return
    spec = context.job.spec
    search = context.store.read_job(str(spec["search"]))
    if search is None or search.state.is_active:
        raise SpecError(
            "The search whose threshold is to be changed is not finished, or is gone.",
            hint="Wait until it ends.",
        )

    def show(progress: Progress) -> None:
        context.report_progress({"fraction": progress.fraction, "words": progress.words})

    with make_child_folder(context) as folder:
        request = ChildRequest(
            function="automl.worker.threshold_handler:run_change",
            arguments={
                "folder": str(context.workspace.result(search.id).resolve()),
                "spec": str(context.workspace.job(search.id).resolve() / "spec.json"),
                "request": render_request(parse_request(dict(spec["request"]))),
                "is_stored": True,
                "settings": render_settings(context.settings),
            },
            folder=folder,
            limits=Limits(timeout_seconds=TIMEOUT_SECONDS),
        )
        result = yield from run_child(request, show)
    context.log("info", f"Stored the threshold {result['said']}.")
    context.succeed({"threshold": result["threshold"], "said": result["said"]})


def run_change(
    arguments: Mapping[str, Any], report: Callable[[float, str], None]
) -> dict[str, Any]:
    """Inside the child: find the threshold, and store it where ``is_stored``.

    ``{"threshold", "previous", "said", "is_stored", "change", "parts", "notes"}``: what it gives on both parts.
    """
    from automl.worker.threshold_files import (
        apply_change,
        describe_parts,
        list_notes,
        load_result_files,
        plan_change,
    )

    request = parse_request(arguments["request"])
    if arguments["is_stored"]:
        request.require_reason()
    files = load_result_files(Path(arguments["folder"]), Path(arguments["spec"]))
    change = plan_change(files, request)
    if arguments["is_stored"]:
        apply_change(files, change, report)
    describe = describe_change if arguments["is_stored"] else describe_choice
    return {
        "threshold": change.threshold,
        "previous": change.previous,
        "said": describe(change),
        "is_stored": bool(arguments["is_stored"]),
        "change": asdict(change),
        "parts": describe_parts(files, change.threshold, request.costs),
        "notes": list_notes(files, change),
    }
