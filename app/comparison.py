"""Finished searches side by side: what each is, whether they can be compared, and the paired difference where they can.

Everything is read from what the searches left. The first search is the one the others are compared with.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from functools import lru_cache
from typing import Any

from app import results, services
from app.wording import say_plain
from automl.data.task import Task, TaskType
from automl.evaluation.paired import (
    McNemar,
    compute_mcnemar_test,
    compute_paired_difference,
    read_outcomes,
)
from automl.jobs.records import Job, JobKind
from fairness.errors import FairloomError
from fairness.estimates import Estimate
from fairness.intervals import compute_holm

MOST = 6  # series that a figure tells apart
OFFERED = 100
LETTERS = "ABCDEF"
_ID = re.compile(r"[0-9A-Za-z_-]{1,80}")


@dataclass(frozen=True, kw_only=True, slots=True)
class Side:
    """One of the searches: its letter in tables and figures, its job and what it left."""

    letter: str
    job: Job
    result: Mapping[str, Any]

    @property
    def name(self) -> str:
        """``A · title``: titles alone may be the same."""
        return f"{self.letter} · {self.job.title}"

    @property
    def metric(self) -> str:
        return str(self.result["metric"])

    @property
    def task(self) -> Task:
        """The task of the search, as its recipe has it."""
        given = self.job.spec.get("task") or {}
        known = {field.name: given[field.name] for field in fields(Task) if field.name in given}
        return Task(
            **{**known, "type": TaskType(known["type"]), "classes": tuple(known["classes"])}
        )

    def get_hash(self, name: str) -> str:
        """A hash that the result names, empty where it names none."""
        return str((self.result.get("hashes") or {}).get(name) or "")


@dataclass(frozen=True, kw_only=True, slots=True)
class Difference:
    """A search against the first one on the same test rows, or the reason why there is no such number.

    ``estimate`` is of scores (higher is better for every metric): the search's minus the first one's. ``mcnemar`` has the
    search's own decisions first; ``p_holm`` corrects its p-value for the number of searches compared.
    """

    side: Side
    metric: str
    estimate: Estimate | None = None
    mcnemar: McNemar | None = None
    p_holm: float | None = None
    reason: str = ""


def parse_ids(text: str) -> tuple[str, ...]:
    """Ids from the address, each once; what cannot be an id is left out."""
    found = dict.fromkeys(part for part in text.split(",") if _ID.fullmatch(part))
    return tuple(found)[:MOST]


def list_comparable(dataset: str | None = None) -> list[Job]:
    """Searches with a result, newest first."""
    jobs = services.list_searches(dataset, limit=OFFERED)
    return [job for job in jobs if not job.state.is_active and services.has_result(job.id)]


def read_sides(ids: Sequence[str]) -> tuple[Side, ...]:
    """The searches of those ids that are there and have a result, in the order given."""
    found = []
    for search_id in ids:
        job = services.read_job(search_id, JobKind.SEARCH)
        result = None if job is None or job.state.is_active else results.read_result(search_id)
        if job is not None and result is not None:
            found.append((job, result))
    return tuple(
        Side(letter=letter, job=job, result=result)
        for letter, (job, result) in zip(LETTERS, found, strict=False)
    )


def describe_comparable(sides: Sequence[Side]) -> str:
    """One sentence: same data, same parts, same target and measure, or which of these differ."""
    kinds = {
        "data": [side.get_hash("data") or side.job.dataset for side in sides],
        "split": [side.get_hash("split") for side in sides],
        "target": [(side.task.target, side.task.type, side.task.positive) for side in sides],
        "metric": [side.metric for side in sides],
    }
    differing = [
        say_plain(f"compare.other_{name}") for name, each in kinds.items() if len(set(each)) > 1
    ]
    if not differing and not all(kinds["split"]):
        differing = [say_plain("compare.unknown_split")]
    if not differing:
        return say_plain("compare.comparable")
    return say_plain("compare.not_comparable", what=", ".join(differing))


def compute_differences(sides: Sequence[Side]) -> tuple[Difference, ...]:
    """Every further search against the first, by the measure of the first one."""
    found = [_compare(side, sides[0]) for side in sides[1:]]
    tested = [each for each in found if each.mcnemar is not None]
    adjusted = compute_holm([each.mcnemar.p_value for each in tested if each.mcnemar])
    corrected = {each.side.letter: p for each, p in zip(tested, adjusted, strict=True)}
    return tuple(
        Difference(
            side=each.side, metric=each.metric, estimate=each.estimate, mcnemar=each.mcnemar,
            p_holm=corrected.get(each.side.letter), reason=each.reason,
        )
        for each in found
    )  # fmt: skip


def _compare(side: Side, first: Side) -> Difference:
    reason = _find_obstacle(side, first)
    if reason:
        return Difference(side=side, metric=first.metric, reason=reason)
    paths = [results.get_result_file(each.job.id, "predictions.parquet") for each in (side, first)]
    versions = tuple(path.stat().st_mtime_ns for path in paths)
    try:
        estimate, mcnemar = _compute(side.job.id, first.job.id, versions, first.task, first.metric)
    except FairloomError as error:
        return Difference(side=side, metric=first.metric, reason=error.message)
    return Difference(side=side, metric=first.metric, estimate=estimate, mcnemar=mcnemar)


def _find_obstacle(side: Side, first: Side) -> str:
    """Why two searches have no paired difference; empty where they have one."""
    mine, other = side.task, first.task
    if (mine.target, mine.type, mine.classes) != (other.target, other.type, other.classes):
        return say_plain("compare.no_pair_target")
    for each in (side, first):
        if results.read_predictions(each.job.id) is None:
            return say_plain("compare.no_pair_gone", name=each.letter)
    hashes = side.get_hash("test_part"), first.get_hash("test_part")
    if hashes[0] != hashes[1] or not hashes[0]:
        return say_plain("compare.no_pair_rows")
    return ""


@lru_cache(maxsize=64)
def _compute(
    side: str, first: str, _versions: tuple[int, ...], task: Task, metric: str
) -> tuple[Estimate, McNemar | None]:
    frames = [results.read_predictions(each) for each in (side, first)]
    mine, other = (read_outcomes(task, frame) for frame in frames if frame is not None)
    is_classes = task.type is not TaskType.REGRESSION
    mcnemar = compute_mcnemar_test(mine, other) if is_classes else None
    return compute_paired_difference(metric, mine, other), mcnemar
