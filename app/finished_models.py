"""Finished models: their list, their bundle as one file, and predictions of a file through a job."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from app import results, services
from automl.deploy.manifest import MANIFEST, parse_manifest
from automl.evaluation.conformal_quantiles import SET
from automl.jobs.records import Job, JobKind

MAX_MODELS = 200
FILE, PROBABILITY = "file", "probability_"


@dataclass(frozen=True, kw_only=True, slots=True)
class FinishedModel:
    """The winner of a finished search, as a list shows it; ``estimate`` is of the primary metric."""

    search: str
    title: str
    model: str
    metric: str
    estimate: Mapping[str, Any]
    finished_at: float | None


@dataclass(frozen=True, kw_only=True, slots=True)
class SingleDecision:
    """What a model decided about one picture; ``probabilities`` by class, the most probable first.

    ``members``: the prediction set, None where none was asked for.
    """

    job: str
    label: str
    probability: float | None
    probabilities: tuple[tuple[str, float], ...]
    members: tuple[str, ...] | None = None


def list_models() -> list[FinishedModel]:
    """Winners of finished searches, newest first."""
    models = []
    for job in services.list_searches(limit=MAX_MODELS):
        result = None if job.state.is_active else results.read_result(job.id)
        if result is not None:
            models.append(_build_model(job, result))
    return models


def prepare_bundle(search_id: str) -> Path | None:
    """The bundle as a ZIP, packed once, and anew after a resumed search; None where there is no bundle."""
    folder = results.get_result_file(search_id, "bundle")
    manifest = folder / MANIFEST
    if not manifest.is_file():
        return None
    target = folder.with_suffix(".zip")
    if not target.is_file() or target.stat().st_mtime < manifest.stat().st_mtime:
        from automl.deploy.bundle import pack_bundle

        pack_bundle(folder, target)
    return target


def list_coverages(search_id: str) -> tuple[float, ...]:
    """The coverages that the bundle has sets or intervals for; none for one made before they were kept."""
    path = results.get_result_file(search_id, "bundle") / MANIFEST
    return _parse_coverages(path, path.stat().st_mtime_ns) if path.is_file() else ()


@lru_cache(maxsize=32)
def _parse_coverages(path: Path, _version: int) -> tuple[float, ...]:
    return tuple(each.level for each in parse_manifest(path.read_bytes()).conformal)


def list_predictions(search_id: str, *, limit: int = 20) -> list[Job]:
    """Prediction jobs of a model, newest first."""
    jobs = services.get_store().list_jobs(kinds=(JobKind.PREDICT,), limit=MAX_MODELS)
    return [job for job in jobs if job.spec.get("search") == search_id][:limit]


def find_output(job: Job) -> Path | None:
    """The predictions of a finished job."""
    name = job.result.get("out")
    if not name:
        return None
    path = services.get_workspace().job(job.id) / Path(str(name)).name
    return path if path.is_file() else None


def read_single(job: Job, path: Path) -> SingleDecision | None:
    """What was decided about one picture; None for several rows, a table, or a picture that was not read."""
    if job.result.get("n_rows") != 1:
        return None
    import pandas as pd

    frame = pd.read_parquet(path) if path.suffix == ".parquet" else pd.read_csv(path, dtype=str)
    if len(frame) != 1 or FILE not in frame or pd.isna(frame["prediction"].iloc[0]):
        return None
    shares = [
        (str(name).removeprefix(PROBABILITY), float(frame[name].iloc[0]))
        for name in frame
        if str(name).startswith(PROBABILITY)
    ]
    label = str(frame["prediction"].iloc[0])
    return SingleDecision(
        job=job.id,
        label=label,
        probability=dict(shares).get(label),
        probabilities=tuple(sorted(shares, key=lambda pair: -pair[1])),
        members=tuple(json.loads(str(frame[SET].iloc[0]))) if SET in frame else None,
    )


def _build_model(job: Job, result: Mapping[str, Any]) -> FinishedModel:
    return FinishedModel(
        search=job.id,
        title=job.title,
        model=str(result["winner"]["name"]),
        metric=str(result["metric"]),
        estimate=(result.get("test") or {}).get(result["metric"]) or {},
        finished_at=job.finished_at,
    )
