"""The map of errors of a finished search: one job, run by the worker, kept in its folder."""

import hashlib
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import pandas as pd

from app import services
from app.error_rows import ErrorRows
from automl.files import load_json
from automl.jobs.records import Job, JobKind
from automl.worker.map_handler import OUT, POINTS

MAX_LISTED = 500


@dataclass(frozen=True, kw_only=True, slots=True)
class ErrorMap:
    """``points`` as ``automl.worker.map_handler`` writes them, and what is known of them."""

    points: pd.DataFrame
    what: str
    n_rows: int
    n_all: int
    n_inputs: int
    explained: tuple[float, float]
    perplexity: float
    seed: int


def submit_map(search: Job, found: ErrorRows) -> Job:
    """Queue the job; pressed twice it is the same one, pressed after the last one ended a new one."""
    n_ended = sum(not job.state.is_active for job in _list_jobs(search.id))
    dataset = found.dataset
    first = dataset.n_train_rows if dataset is not None and found.source.is_given_test else 0
    key = hashlib.sha256(f"{search.id}/{n_ended}".encode()).hexdigest()[:32]
    spec = {"search": search.id, "data": found.source.dataset, "first": first}
    return services.submit(
        JobKind.MAP, search.title, spec, key=f"map-{key}", dataset=search.dataset
    )


def find_map(search_id: str) -> Job | None:
    """The newest job of a search, None where nobody asked yet."""
    return next(iter(_list_jobs(search_id)), None)


def read_map(job: Job) -> ErrorMap | None:
    """What a finished job left; None where its files are not there."""
    folder = services.get_workspace().job(job.id)
    if not (folder / OUT).is_file() or not (folder / POINTS).is_file():
        return None
    facts = dict(load_json(folder / OUT))
    first, second = facts.pop("explained")
    points = _read_points(folder / POINTS, (folder / POINTS).stat().st_mtime_ns)
    return ErrorMap(points=points, explained=(float(first), float(second)), **facts)


def _list_jobs(search_id: str) -> list[Job]:
    """Jobs of a search, newest first."""
    jobs = services.get_store().list_jobs(kinds=(JobKind.MAP,), limit=MAX_LISTED)
    return [job for job in jobs if job.spec.get("search") == search_id]


@lru_cache(maxsize=4)
def _read_points(path: Path, _version: int) -> pd.DataFrame:
    return pd.read_parquet(path)
