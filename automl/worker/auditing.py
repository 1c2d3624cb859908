"""The audit of decisions in a file, in a limited child process."""

from collections.abc import Callable, Mapping
from hashlib import file_digest
from pathlib import Path
from typing import Any

from automl.data.dataset import Note
from automl.data.loading import load_raw
from automl.reports.external import ExternalAudit, write_external_report
from automl.reports.external_classes import has_several_classes, write_external_class_report
from automl.settings import Settings
from automl.worker.result_record import collect_versions
from fairness.context import ReportContext


def run_audit_file(
    arguments: Mapping[str, Any], report: Callable[[float, str], None]
) -> dict[str, Any]:
    """Read ``file``, audit it, write the four forms and the predictions into ``out``."""
    file, out = Path(arguments["file"]), Path(arguments["out"])
    request = ExternalAudit(
        truth=arguments["truth"],
        sensitive=tuple(arguments["sensitive"]),
        prediction=arguments["prediction"],
        score=arguments["score"],
        threshold=arguments["threshold"],
        positive=arguments["positive"],
        beneficial=arguments["beneficial"],
        min_group_size=arguments["min_group_size"],
        seed=arguments["seed"],
    )
    report(0.1, "Reading the file")
    raw = load_raw(file, file.name, Settings(**arguments["settings"]))
    report(0.4, "Auditing")
    context = ReportContext(
        title=f"Audit of {request.prediction or request.score}",
        model_name=str(request.prediction or request.score),
        data_name=file.name,
        versions=collect_versions(),
        hashes={"file": _hash_file(file)},
        warnings=tuple(note.text for note in raw.notes if _matters(note, request)),
    )
    frame = raw.table.to_pandas()
    if has_several_classes(frame, request):
        return {"n_rows": write_external_class_report(out, frame, request, context).overall.n}
    return {"n_rows": write_external_report(out, frame, request, context).overall.n}


def _matters(note: Note, request: ExternalAudit) -> bool:
    """Whether a note of the loading is a warning, or says which of two equal names is audited."""
    if note.level == "warning":
        return True
    named = {request.truth, request.prediction, request.score, *request.sensitive}
    return note.code == "duplicate_name" and bool(
        named & {note.column, note.column.rpartition(".")[0]}
    )


def _hash_file(file: Path) -> str:
    with file.open("rb") as stream:
        return file_digest(stream, "sha256").hexdigest()
