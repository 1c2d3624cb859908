"""Maps of what a decision looked at: one job per picture of a search, run by the worker, kept in its folder."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from app import services
from automl.files import load_json
from automl.jobs.records import Job, JobKind, JobState
from automl.worker.explain_handler import COVERED

MAX_LISTED = 500
PREDICTED = "predicted"


@dataclass(frozen=True, kw_only=True, slots=True)
class Explanation:
    """What one job found for one picture; ``maximum`` is the raw map's largest value.

    ``covered`` is the map of occlusion with its ``largest_drop``; None where the job was run by an earlier release.
    ``document`` holds all of it as JSON.
    """

    path: Path
    label: str
    probability: float | None
    maximum: float | None
    method: str
    limits: str
    note: str = ""
    covered: Path | None = None
    largest_drop: float | None = None
    covered_limits: str = ""
    document: Path | None = None


def submit_explanation(search_id: str, row: int) -> Job:
    """Queue the map of one picture; the same picture again is the same job, unless the last one failed."""
    done = [job for job in list_explanations(search_id) if get_row(job) == row]
    n_failed = sum(job.state in (JobState.FAILED, JobState.STOPPED) for job in done)
    key = f"{search_id}/{row}/{PREDICTED}/{n_failed}"
    spec = {"search": search_id, "rows": [row], "classes": PREDICTED}
    return services.submit(
        JobKind.EXPLAIN, f"{search_id[:8]} · {row}", spec,
        key=f"explain-{hashlib.sha256(key.encode()).hexdigest()[:32]}",
    )  # fmt: skip


def list_explanations(search_id: str) -> list[Job]:
    """Jobs that explain pictures of a search, newest first."""
    jobs = services.get_store().list_jobs(kinds=(JobKind.EXPLAIN,), limit=MAX_LISTED)
    return [job for job in jobs if job.spec.get("search") == search_id]


def find_explanation(search_id: str, row: int) -> Job | None:
    """The newest job for one picture, None where nobody asked yet."""
    return next((job for job in list_explanations(search_id) if get_row(job) == row), None)


def get_row(job: Job) -> int | None:
    """The picture that a job of the page is about."""
    rows = job.spec.get("rows") or ()
    return int(rows[0]) if len(rows) == 1 else None


def read_explanation(job: Job, row: int) -> Explanation | None:
    """What a finished job left for that picture; None where the files are not there."""
    folder = services.get_workspace().job(job.id)
    path, record = folder / "explained" / f"{int(row)}.png", folder / "explained.json"
    if not path.is_file() or not record.is_file():
        return None
    value = load_json(record)
    found = _find_row(value, row)
    covered = folder / "explained" / f"{int(row)}{COVERED}.png"
    return Explanation(
        path=path,
        label=str(found.get("class", "")),
        probability=_read_number(found.get("probability")),
        maximum=_read_number(found.get("maximum")),
        method=str(found.get("method") or value.get("method") or ""),
        limits=str(value.get("limits") or ""),
        note=str(found.get("note") or ""),
        covered=covered if covered.is_file() else None,
        largest_drop=_read_number(found.get("largest_drop")),
        covered_limits=str(value.get("occlusion_limits") or ""),
        document=record,
    )


def _find_row(value: Mapping[str, Any], row: int) -> Mapping[str, Any]:
    return next((each for each in value.get("rows") or () if each.get("row") == row), {})


def _read_number(value: object) -> float | None:
    return float(value) if isinstance(value, (int, float)) else None
