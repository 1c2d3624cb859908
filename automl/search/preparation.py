"""The first step of a search, in a limited child process: split, encode, look for leaks, write the views."""

from collections.abc import Callable, Mapping
from dataclasses import asdict, replace
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from automl.data.dataset import DataKind, Dataset, Note, Role
from automl.data.encoding import save_encoder
from automl.data.images.preparing import Pictures, load_pictures
from automl.data.leaks import compute_leaks
from automl.data.preparing import PreparedResult, PrepareRequest, prepare, save_prepared
from automl.data.store import load_dataset, load_frame
from automl.data.views import Part, Prepared
from automl.files import load_json, write_json
from automl.models.image.classic_space import find_caution
from automl.models.image.mirroring import may_mirror, suggest_mirroring
from automl.search.pretrained_weights import prepare_weights
from automl.search.spec import SearchSpec, compute_spec_hash, parse_spec
from automl.settings import Settings

if TYPE_CHECKING:
    import pandas as pd

SEARCH_ROWS = "search"  # encoder fitted on train
REFIT_ROWS = "refit"  # encoder fitted on train + select
RECORD = "preparation.json"
EARLY_RECORD = "rows.json"  # what a table can be searched with, before its columns were looked at
ROWS_WRITTEN = 0.8  # from this share of the work on, the search of a table may begin
MOST_PAIRS = 2_000  # of repeated rows that are named
VIEWS_VERSION = 3  # of what lies in a prepared folder; an earlier one is prepared again


def run_preparation(
    arguments: Mapping[str, Any], report: Callable[[float, str], None]
) -> dict[str, Any]:
    """Prepare the rows of ``spec`` in ``folder``; what is there from an earlier attempt is kept.

    Returns rows by part, the fingerprint of the test part, and the notes (leaks are among them: they are
    told, never acted upon).
    """
    spec = parse_spec(arguments["spec"])
    folder = Path(arguments["folder"])
    if known := _read_record(folder, spec):
        return known
    workspace = Settings(**arguments["settings"]).workspace
    dataset = load_dataset(workspace, spec.data)
    report(0.1, "Reading the table")
    frame = load_frame(workspace, spec.data)
    pictures = None
    if dataset.images is not None:
        report(0.2, "Looking for copies among the pictures")
        place = workspace.dataset(spec.data)
        pictures = load_pictures(place, dataset.images, spec.excluded)
    report(0.3, "Splitting and encoding")
    result = encode_rows(spec, dataset, frame, pictures)
    save_prepared(folder / SEARCH_ROWS, result.prepared)
    save_prepared(folder / REFIT_ROWS, result.refit)
    save_encoder(result.encoder, folder / SEARCH_ROWS / "encoder")
    save_encoder(result.refit_encoder, folder / REFIT_ROWS / "encoder")
    record = _build_record(spec, result)
    leaks: tuple[Note, ...] = ()
    if pictures is None:
        write_json(folder / EARLY_RECORD, record)
        report(ROWS_WRITTEN, "Looking for columns that give the target away")
        parts = result.prepared.parts
        own_rows = np.sort(
            np.concatenate([rows for part, rows in parts.items() if part is not Part.TEST])
        )
        leaks = compute_leaks(frame.iloc[own_rows], spec.task, spec.columns)
    weights, said = prepare_weights(spec, folder)
    slow = list_slow_learners(spec, len(result.prepared.parts[Part.TRAIN]))
    record |= {
        "weights": list(weights),
        "notes": [
            asdict(note)
            for note in (
                *dataset.notes,
                *list_unused(dataset, spec),
                *leaks,
                *result.notes,
                *said,
                *slow,
                *list_unmirrored(spec),
            )
        ],
    }
    write_json(folder / RECORD, record)
    return record


def encode_rows(
    spec: SearchSpec,
    dataset: Dataset,
    frame: "pd.DataFrame",
    pictures: Pictures | None = None,
    n_folds: int | None = None,
) -> PreparedResult:
    """The rows of a data set as the search of ``spec`` reads them; the same every time.

    ``n_folds``: other folds than those of the spec, for what is done with its rows afterwards.
    """
    request = build_request(spec, dataset, frame, pictures)
    return prepare(request if n_folds is None else replace(request, n_folds=n_folds))


def build_request(
    spec: SearchSpec, dataset: Dataset, frame: "pd.DataFrame", pictures: Pictures | None = None
) -> PrepareRequest:
    """What is to be prepared for the search of ``spec``."""
    return PrepareRequest(
        frame=frame,
        columns=spec.columns,
        task=spec.task,
        split_plan=spec.split,
        n_given_test=dataset.n_test_rows,
        n_given_val=dataset.n_val_rows if spec.split.val_given else 0,
        pictures=pictures,
        units={column.name: column.unit for column in dataset.columns if column.unit},
        n_folds=spec.folds,
        corrections=spec.corrections,
    )


def list_unused(dataset: Dataset, spec: SearchSpec) -> tuple[Note, ...]:
    """Columns that nobody asked to leave out and that are left out all the same, with the reason.

    Beside pictures every other column only describes them: none of that is worth a warning.
    """
    if dataset.images is not None:
        return ()
    unused = {use.name for use in spec.columns if use.role is Role.IGNORED}
    return tuple(
        Note(
            code="unused",
            column=column.name,
            level="warning",
            text=f"The column {column.name!r} is not used: {column.role_reason}.",
        )
        for column in dataset.columns
        if column.name in unused and column.suggested_role is Role.IGNORED
    )


def list_unmirrored(spec: SearchSpec) -> tuple[Note, ...]:
    """A warning where no network sees mirrored pictures because of what the classes are called."""
    suggested = suggest_mirroring(spec.task.classes)
    is_safe = suggested.is_safe or any(map(may_mirror, spec.spaces.values()))
    if is_safe or spec.data_kind is not DataKind.IMAGES:
        return ()
    text = (
        f"Pictures are not mirrored: {suggested.reason}. Where a mirrored picture keeps its class, allow it: "
        "in the form of a search, or with --mirror yes."
    )
    return (Note(code="mirroring", text=text, level="warning"),)


def list_slow_learners(spec: SearchSpec, n_rows: int) -> tuple[Note, ...]:
    """A note where classical networks are on offer that need more than ``n_rows`` training pictures."""
    text = find_caution(spec.spaces.get("classic", {}), n_rows)
    return (Note(code="few_pictures", text=text, level="info"),) if text else ()


def _build_record(spec: SearchSpec, result: PreparedResult) -> dict[str, Any]:
    parts = result.prepared.parts
    test = np.ascontiguousarray(parts[Part.TEST], dtype="<i8").tobytes()
    return {
        "spec_hash": compute_spec_hash(spec),
        "views_version": VIEWS_VERSION,
        "n_rows": {str(part): len(rows) for part, rows in parts.items()},
        **_describe_repeats(result),
        **({"folds": _describe_folds(result.prepared)} if result.prepared.folds else {}),
        "test_fingerprint": sha256(spec.data.encode() + test).hexdigest(),
        "split_hash": sha256(
            b"".join(np.ascontiguousarray(parts[part], dtype="<i8").tobytes() for part in Part)
        ).hexdigest(),
    }


def _describe_repeats(result: PreparedResult) -> dict[str, Any]:
    """How many rows of the given test file models have met before, and which: pairs of row numbers of the data set."""
    pairs = result.repeats
    return {"repeats": {"n": len(pairs), "pairs": pairs[:MOST_PAIRS].tolist()}}


def _describe_folds(prepared: Prepared) -> dict[str, int]:
    """How many folds there are, the rows that are predicted in them all together, and those a fold learns from."""
    return {
        "n_folds": len(prepared.folds),
        "n_judged": len(prepared.judged),
        "n_train": min(len(fold.parts[Part.TRAIN]) for fold in prepared.folds),
    }


def _read_record(folder: Path, spec: SearchSpec) -> dict[str, Any] | None:
    if not (folder / RECORD).exists():
        return None
    record: dict[str, Any] = load_json(folder / RECORD)
    is_same = record.get("spec_hash") == compute_spec_hash(spec)
    return record if is_same and record.get("views_version") == VIEWS_VERSION else None
