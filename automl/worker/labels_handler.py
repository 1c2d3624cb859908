"""Which labels of a search's training rows may be wrong, in a limited child process."""

import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from automl.errors import SpecError
from automl.execution.child import ChildRequest, Limits
from automl.jobs.records import JobState
from automl.settings import Settings
from automl.worker.child_folder import make_child_folder, render_settings
from automl.worker.context import HandlerContext, run_stoppable

OUT, ROWS = "labels.json", "labels.parquet"
N_FOLDS = 5
FAMILY, FAMILY_OF_PICTURES = "lightgbm", "small_cnn"  # quick, and good without any search
MOST_EPOCHS = 12  # of the network on pictures
TIMEOUT_SECONDS = 6 * 3_600.0


def handle(context: HandlerContext) -> Iterator[None]:
    """Rank the labels of ``job.spec`` = ``{search, spec}``, a search's id and its spec.

    Writes ``labels.parquet`` (``automl.evaluation.label_errors.COLUMNS``) and ``labels.json`` into the job's folder;
    result ``{"out", "n_suspected"}``.
    """
    with make_child_folder(context) as folder:
        request = ChildRequest(
            function="automl.worker.labels_handler:run_labels",
            arguments={
                "spec": dict(context.job.spec.get("spec") or {}),
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
    context.log("info", f"{result['n_suspected']} labels look wrong.")
    context.succeed(result)


def run_labels(
    arguments: Mapping[str, Any], report: Callable[[float, str], None]
) -> dict[str, Any]:
    """Inside the child: train on folds of train and select, predict every row out of fold, rank the labels."""
    import numpy as np

    from automl.data.images.preparing import load_pictures
    from automl.data.store import load_dataset, load_frame
    from automl.evaluation.label_errors import rank_labels
    from automl.files import write_atomic, write_json
    from automl.search.preparation import encode_rows
    from automl.search.spec import parse_spec
    from automl.worker.out_of_fold import predict_out_of_fold

    spec = parse_spec(json.dumps(arguments["spec"]))
    if not spec.task.classes:
        raise SpecError(
            f"{spec.task.target!r} is a value: it has no label that another one could replace.",
            hint="Look at the rows with the greatest errors instead.",
        )
    workspace = Settings(**arguments["settings"]).workspace
    dataset = load_dataset(workspace, spec.data)
    report(0.0, "Reading the rows")
    frame, pictures = load_frame(workspace, spec.data), None
    if dataset.images is not None:
        pictures = load_pictures(workspace.dataset(spec.data), dataset.images, spec.excluded)
    result = encode_rows(spec, dataset, frame, pictures, n_folds=N_FOLDS)
    if not result.prepared.folds:
        raise SpecError(
            next(note.text for note in result.notes if note.code == "no_folds"),
            hint="There are too few rows of some class to predict each by models that never saw it.",
        )
    family, epochs = (FAMILY, 1) if pictures is None else (FAMILY_OF_PICTURES, MOST_EPOCHS)
    predicted = predict_out_of_fold(result.prepared, spec, family, epochs, report)
    rows = result.prepared.judged
    labels = result.prepared.target[rows].astype(np.int64)
    found = rank_labels(rows, labels, predicted, spec.task.classes)
    out = Path(arguments["out"])
    write_atomic(out / ROWS, found.frame.to_parquet(index=False) or b"")
    facts = {"n_rows": found.n_rows, "n_contradicted": found.n_contradicted, "n_suspected": found.n_suspected}  # fmt: skip
    write_json(out / OUT, {**facts, "family": family, "n_folds": N_FOLDS})
    return {"out": OUT, "n_suspected": found.n_suspected}
