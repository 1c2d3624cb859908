"""What a threshold gives, for the page: rows sorted once per version of the predictions, then only counted.

Which threshold and which costs are looked at stands in the address, so that a link shows the same. A threshold is
stored with the model by a job.
"""

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import pandas as pd

from app import audits, results, services, session
from automl.data.task import Task, TaskType
from automl.errors import DataError, SpecError
from automl.evaluation.costs import Costs, parse_costs
from automl.evaluation.cuts import Cuts, build_cuts
from automl.evaluation.goal import DEFAULT_LEVELS, Goal
from automl.evaluation.outputs import read_scores
from automl.evaluation.threshold_change import ThresholdRequest, render_request
from automl.evaluation.thresholds import BestThreshold, Rule, find_best_threshold
from automl.jobs.records import Job, JobKind
from automl.reports.predictions import CALIBRATE_PREDICTIONS, PREDICTIONS
from fairness.count_audit import CountAudit, GroupTables, compute_count_audit
from fairness.groups import build_grouping

MAX_LISTED = 500
_Said = TypeVar("_Said")
VIEWS = ("threshold", "costs", "goal", "level")  # what the address says


@dataclass(frozen=True, kw_only=True, slots=True)
class View:
    """What is looked at: a threshold, what outcomes cost, and the rule that looks for the best one."""

    threshold: float
    costs: Costs
    rule: Rule
    ignored: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class GroupCuts:
    """The groups of a sensitive column, the largest first, each with its rows sorted by score."""

    names: tuple[str, ...]
    cuts: tuple[Cuts, ...]


def read_view(stored: float) -> View:
    """What the address says; what it does not say is the stored threshold, equal costs and F1.

    What it says wrongly is taken for not said, and named in ``ignored``.
    """
    ignored: list[str] = []
    costs = _read("costs", parse_costs, Costs(), ignored)
    goal = _read("goal", Goal, Goal.F1, ignored)
    level = None
    if goal in DEFAULT_LEVELS:
        level = _read("level", _parse_share, DEFAULT_LEVELS[goal], ignored)
    return View(
        threshold=_read("threshold", _parse_share, stored, ignored),
        costs=costs,
        rule=Rule(goal=goal, level=level, costs=costs),
        ignored=tuple(ignored),
    )


def _read(name: str, parse: Callable[[str], _Said], absent: _Said, ignored: list[str]) -> _Said:
    text = session.get_view(name)
    if not text:
        return absent
    try:
        return parse(text)
    except (ValueError, SpecError):
        ignored.append(name)
        return absent


def _parse_share(text: str) -> float:
    value = float(text)
    if not 0 <= value <= 1:
        raise ValueError(text)
    return value


def write_view(**values: str) -> None:
    """Put a part of the view into the address; an empty text takes it out."""
    session.set_view(**values)


def read_task(job: Job, result: Mapping[str, Any]) -> Task | None:
    """The task of a search between two classes; None for any other."""
    task = audits.read_task(job, result)
    if task.type != "binary":
        return None
    said = job.spec.get("task") or result.get("task") or {}
    return Task(
        target=str(said.get("target", "")),
        type=TaskType(task.type),
        metric=str(result["metric"]),
        classes=task.classes,
        positive=task.positive,
    )


def read_cuts(search_id: str, task: Task, part: str) -> Cuts | None:
    """The counts at every threshold of the ``test`` or ``calibrate`` part; None where its rows were not kept."""
    path = results.get_result_file(search_id, _FILES[part])
    if not path.is_file():
        return None
    return _build_cuts(path, path.stat().st_mtime_ns, task, search_id, part)


_FILES = {"test": PREDICTIONS, "calibrate": CALIBRATE_PREDICTIONS}
_READERS = {
    "test": results.read_predictions,
    "calibrate": results.read_calibrate_predictions,
}


@lru_cache(maxsize=4)  # 24 MB each at a million rows
def _build_cuts(_path: Path, _version: int, task: Task, search_id: str, part: str) -> Cuts:
    return build_cuts(*read_scores(task, _require_rows(search_id, part)))


def _require_rows(search_id: str, part: str) -> pd.DataFrame:
    frame = _READERS[part](search_id)
    if frame is None:
        raise DataError("The predictions of this search are gone.", hint="Search again.")
    return frame


def find_best(search_id: str, task: Task, rule: Rule) -> BestThreshold | None:
    """The best threshold on the calibrate part, found once per rule; None where its rows were not kept."""
    path = results.get_result_file(search_id, CALIBRATE_PREDICTIONS)
    if not path.is_file():
        return None
    return _find_best(path, path.stat().st_mtime_ns, task, search_id, rule)


@lru_cache(maxsize=64)
def _find_best(path: Path, version: int, task: Task, search_id: str, rule: Rule) -> BestThreshold:
    return find_best_threshold(_build_cuts(path, version, task, search_id, "calibrate"), rule)


def compute_groups(
    search_id: str, task: Task, threshold: float, plan: tuple[dict[str, str], int]
) -> CountAudit | None:
    """Rates of every sensitive group at a threshold, on the test part; None without sensitive columns."""
    path = results.get_result_file(search_id, PREDICTIONS)
    version = path.stat().st_mtime_ns
    references, min_size = plan
    names = _list_columns(path, version, search_id)
    if not names:
        return None
    tables = []
    for name in names:
        groups = _build_group_cuts(path, version, task, search_id, name)
        reference = references.get(name)
        tables.append(
            GroupTables(
                attribute=name,
                names=groups.names,
                tables=[cuts.count_at(threshold) for cuts in groups.cuts],
                reference=reference if reference in groups.names else groups.names[0],
            )
        )
    overall = _build_cuts(path, version, task, search_id, "test").count_at(threshold)
    return compute_count_audit(overall, tables, min_group_size=min_size)


@lru_cache(maxsize=8)
def _list_columns(_path: Path, _version: int, search_id: str) -> tuple[str, ...]:
    return tuple(audits.list_sensitive(_require_rows(search_id, "test")))


@lru_cache(maxsize=6)
def _build_group_cuts(
    _path: Path, _version: int, task: Task, search_id: str, column: str
) -> GroupCuts:
    frame = _require_rows(search_id, "test")
    grouping = build_grouping(column, frame[audits.PREFIX + column])
    is_positive, score = read_scores(task, frame)
    order = np.argsort(-grouping.sizes, kind="stable")
    inside = [grouping.codes == code for code in order]
    return GroupCuts(
        names=tuple(grouping.names[code] for code in order),
        cuts=tuple(build_cuts(is_positive[each], score[each]) for each in inside),
    )


def submit_change(search: Job, request: ThresholdRequest) -> Job:
    """Queue the storing of a threshold; pressed twice it is the same job."""
    request.require_reason()
    spec = {"search": search.id, "request": render_request(request)}
    n_ended = sum(not job.state.is_active for job in _list_changes(search.id))
    key = hashlib.sha256(f"{search.id}/{n_ended}".encode()).hexdigest()[:32]
    return services.submit(
        JobKind.THRESHOLD, search.title, spec, key=f"threshold-{key}", dataset=search.dataset
    )


def find_change(search_id: str) -> Job | None:
    """The newest job that stores a threshold with this model, None where nobody asked yet."""
    return next(iter(_list_changes(search_id)), None)


def _list_changes(search_id: str) -> list[Job]:
    jobs = services.get_store().list_jobs(kinds=(JobKind.THRESHOLD,), limit=MAX_LISTED)
    return [job for job in jobs if job.spec.get("search") == search_id]
