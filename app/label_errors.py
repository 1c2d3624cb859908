"""Labels that may be wrong: one job per search, what a person marks of it, and the search that starts anew from that."""

import hashlib
import json
import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path

import pandas as pd

from app import services
from app.wording import say_plain
from automl.data.corrections import Corrections
from automl.errors import DataError
from automl.files import load_json, write_json
from automl.jobs.records import Job, JobKind
from automl.worker.labels_handler import OUT, ROWS

MAX_LISTED = 500
MARKS = "marks.json"
_CORRECTED = re.compile(r" · corrected: \d+$")


@dataclass(frozen=True, kw_only=True, slots=True)
class FoundLabels:
    """What a finished job left: ``frame`` as ``automl.evaluation.label_errors`` describes it, and its counts."""

    frame: pd.DataFrame
    n_rows: int
    n_contradicted: int
    n_suspected: int
    family: str
    n_folds: int


def submit_labels(search: Job) -> Job:
    """Queue the job; pressed twice it is the same one, pressed after the last one ended a new one."""
    n_ended = sum(not job.state.is_active for job in _list_jobs(search.id))
    key = f"{search.id}/{n_ended}"
    return services.submit(
        JobKind.LABELS, search.title, {"search": search.id, "spec": dict(search.spec)},
        key=f"labels-{hashlib.sha256(key.encode()).hexdigest()[:32]}", dataset=search.dataset,
    )  # fmt: skip


def find_labels(search_id: str) -> Job | None:
    """The newest job of a search, None where nobody asked yet."""
    return next(iter(_list_jobs(search_id)), None)


def read_labels(job: Job) -> FoundLabels | None:
    """What a finished job left; None where its files are not there."""
    folder = services.get_workspace().job(job.id)
    if not (folder / OUT).is_file() or not (folder / ROWS).is_file():
        return None
    facts = load_json(folder / OUT)
    frame = _read_rows(folder / ROWS, (folder / ROWS).stat().st_mtime_ns)
    return FoundLabels(frame=frame, **facts)


def read_marks(job: Job) -> Corrections:
    """What the person marked so far; kept beside the job, so that a reload loses nothing."""
    path = services.get_workspace().job(job.id) / MARKS
    if not path.is_file():
        return Corrections()
    value = load_json(path)
    try:
        relabelled = {int(row): str(label) for row, label in value["relabelled"].items()}
        return Corrections(dropped=tuple(map(int, value["dropped"])), relabelled=relabelled)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise DataError(
            f"The marks in {MARKS!r} cannot be read.", hint="Find the labels anew."
        ) from error


def mark(job: Job, rows: Iterable[int], action: str) -> None:
    """Mark rows of the list: ``drop``, ``relabel`` (as the likely class), or ``keep``, which takes a mark off."""
    found = read_labels(job)
    if found is None:
        return
    likely = found.frame.set_index("row")["likely"]
    chosen = [row for row in dict.fromkeys(map(int, rows)) if row in likely.index]
    marks = read_marks(job)
    dropped = [row for row in marks.dropped if row not in chosen]
    relabelled = {row: label for row, label in marks.relabelled.items() if row not in chosen}
    if action == "drop":
        dropped += chosen
    elif action == "relabel":
        relabelled |= {row: str(likely[row]) for row in chosen}
    write_json(
        services.get_workspace().job(job.id) / MARKS,
        {
            "dropped": sorted(dropped),
            "relabelled": {str(row): label for row, label in sorted(relabelled.items())},
        },
    )


def search_again(search: Job, marks: Corrections) -> Job:
    """Queue the same search on the same data set and split, with the marked rows left out or relabelled.

    Corrections that the search had itself stay. The same marks twice are the same search.
    """
    from automl.search.spec import parse_spec, render_spec

    spec = parse_spec(json.dumps(dict(search.spec)))
    corrections = spec.corrections.join(replace(marks, source=search.id))
    plain = json.loads(render_spec(replace(spec, corrections=corrections)))
    key = hashlib.sha256(json.dumps([search.id, plain["corrections"]]).encode()).hexdigest()[:32]
    title = say_plain("labels.search_title", name=search.title.split(" · ✎")[0], n=len(corrections))
    return services.submit(
        JobKind.SEARCH, title, plain, key=f"search-{key}", dataset=search.dataset
    )


def _list_jobs(search_id: str) -> list[Job]:
    """Jobs of a search, newest first."""
    jobs = services.get_store().list_jobs(kinds=(JobKind.LABELS,), limit=MAX_LISTED)
    return [job for job in jobs if job.spec.get("search") == search_id]


@lru_cache(maxsize=4)
def _read_rows(path: Path, _version: int) -> pd.DataFrame:
    return pd.read_parquet(path)
