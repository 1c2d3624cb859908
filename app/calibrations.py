"""The versions of a winner's test probabilities, as the model gave them and mended, with their numbers.

Numbers are computed once per version of the files and kept.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from app import results
from automl.data.task import Task, TaskType
from automl.errors import DataError
from automl.evaluation.calibration_numbers import compute_calibration_numbers
from automl.evaluation.calibrator_choice import Choice, parse_choice
from automl.evaluation.calibrator_table import RAW, compute_calibrator_table
from automl.evaluation.class_calibration import (
    compute_class_calibration,
    compute_class_curves,
    compute_confidence_gap,
)
from automl.evaluation.curves import compute_score_histogram
from automl.evaluation.evaluate import compute_calibration_pair
from automl.evaluation.outcomes import build_outcomes
from automl.reports.predictions import SENSITIVE, UNCALIBRATED
from fairness.corp import compute_band
from fairness.estimates import Estimate
from fairness.group_reliability import compute_group_curves, compute_group_reliability
from fairness.groups import build_grouping
from fairness.reliability import Slope, compute_bins, compute_reliability, compute_slope

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True, kw_only=True, slots=True)
class Versions:
    """Test rows of a classification: class indices ``(n,)``, probabilities by version, the sensitive columns."""

    task: Task
    truth: Ints
    probability: Mapping[str, Floats]
    choice: Choice
    sensitive: pd.DataFrame

    def compute_pair(self, version: str) -> tuple[Ints, Floats]:
        """Label and score of the positive class, or whether the decision was right and its probability."""
        return compute_calibration_pair(
            build_outcomes(self.task, self.truth, self.probability[version])
        )

    def name_outcomes(self, hit: Ints) -> NDArray[np.object_]:
        """What happened to each row, in words: its class, or whether the decision was right."""
        if self.task.type is TaskType.BINARY:
            return np.asarray(self.task.classes, dtype=object)[self.truth]
        return np.where(hit == 1, "right", "wrong").astype(object)


@dataclass(frozen=True, kw_only=True, slots=True)
class Outline:
    """The reliability curve of one version, its bins, and its slope where there is one."""

    bins: pd.DataFrame
    curve: pd.DataFrame
    slope: Slope | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Detail:
    """What else stands beside the curve of one version: band, histogram of the scores, every number."""

    band: pd.DataFrame
    histogram: pd.DataFrame
    numbers: pd.DataFrame


@dataclass(frozen=True, kw_only=True, slots=True)
class ClassView:
    """Every class against the rest, and how far the mean confidence is from the accuracy."""

    table: pd.DataFrame
    curves: pd.DataFrame
    gap: Estimate


def find_version(search_id: str) -> tuple[Path, int] | None:
    """The file of uncalibrated probabilities and its time; None where it was not kept."""
    path = results.get_result_file(search_id, UNCALIBRATED)
    return (path, path.stat().st_mtime_ns) if path.is_file() else None


def read_versions(search_id: str) -> Versions | None:
    """None for a regression and for a search that was finished before these files were kept."""
    found, result = find_version(search_id), results.read_result(search_id)
    chosen = ((result or {}).get("calibration") or {}).get("choice")
    return _read(*found, search_id) if found is not None and chosen else None


def compute_table(search_id: str) -> pd.DataFrame:
    """``compute_calibrator_table`` of all versions."""
    return _compute_table(*_require(search_id), search_id)


def compute_outline(search_id: str, version: str) -> Outline:
    """Bins, curve and slope of one version."""
    return _compute_outline(*_require(search_id), search_id, version)


def compute_detail(search_id: str, version: str) -> Detail:
    """Band, histogram and numbers of one version."""
    return _compute_detail(*_require(search_id), search_id, version)


def compute_classes(search_id: str, version: str) -> ClassView:
    """Of more than two classes."""
    return _compute_classes(*_require(search_id), search_id, version)


def compute_groups(search_id: str, version: str, column: str) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Table and curves of the groups of a sensitive column."""
    return _compute_groups(*_require(search_id), search_id, version, column)


def _require(search_id: str) -> tuple[Path, int]:
    found = find_version(search_id)
    if found is None:
        raise DataError("The predictions of this search are gone.", hint="Search again.")
    return found


def _require_versions(search_id: str) -> Versions:
    versions = read_versions(search_id)
    if versions is None:
        raise DataError("The predictions of this search are gone.", hint="Search again.")
    return versions


def _build_task(result: Mapping[str, Any]) -> Task:
    task = result["task"]
    return Task(
        target=str(task["target"]), type=TaskType(task["type"]), metric=str(result["metric"]),
        classes=tuple(task["classes"]), positive=task.get("positive"),
    )  # fmt: skip


@lru_cache(maxsize=2)
def _read(path: Path, _version: int, search_id: str) -> Versions:
    result, predictions = results.read_result(search_id), results.read_predictions(search_id)
    if result is None or predictions is None:
        raise DataError("The predictions of this search are gone.", hint="Search again.")
    task = _build_task(result)
    names = [f"probability_{name}" for name in task.classes]
    raw = pd.read_parquet(path)[names].to_numpy(dtype=np.float64)
    choice = parse_choice(result["calibration"]["choice"])
    places = {name: place for place, name in enumerate(task.classes)}
    mended = {str(method): each.apply(raw) for method, each in choice.fitted.items()}
    named = [name for name in predictions if str(name).startswith(SENSITIVE)]
    return Versions(
        task=task,
        truth=predictions["truth"].astype(str).map(places).to_numpy(dtype=np.int64),
        probability={RAW: raw, **mended},
        choice=choice,
        sensitive=predictions[named].rename(columns=lambda name: name.removeprefix(SENSITIVE)),
    )


@lru_cache(maxsize=4)
def _compute_table(_path: Path, _version: int, search_id: str) -> pd.DataFrame:
    given = _require_versions(search_id)
    return compute_calibrator_table(given.task, given.truth, given.probability)


@lru_cache(maxsize=12)
def _compute_outline(_path: Path, _version: int, search_id: str, version: str) -> Outline:
    pair = _require_versions(search_id).compute_pair(version)
    return Outline(
        bins=compute_bins(*pair), curve=compute_reliability(*pair), slope=compute_slope(*pair)
    )


@lru_cache(maxsize=12)
def _compute_detail(_path: Path, _version: int, search_id: str, version: str) -> Detail:
    given = _require_versions(search_id)
    pair = given.compute_pair(version)
    return Detail(
        band=compute_band(*pair),
        histogram=compute_score_histogram(given.name_outcomes(pair[0]), pair[1]),
        numbers=compute_calibration_numbers(*pair),
    )


@lru_cache(maxsize=12)
def _compute_classes(_path: Path, _version: int, search_id: str, version: str) -> ClassView:
    given = _require_versions(search_id)
    probability = given.probability[version]
    return ClassView(
        table=compute_class_calibration(given.task, given.truth, probability),
        curves=compute_class_curves(given.task, given.truth, probability),
        gap=compute_confidence_gap(*given.compute_pair(version)),
    )


@lru_cache(maxsize=24)
def _compute_groups(
    _path: Path, _version: int, search_id: str, version: str, column: str
) -> tuple[pd.DataFrame, pd.DataFrame]:
    given = _require_versions(search_id)
    pair = given.compute_pair(version)
    grouping = build_grouping(column, given.sensitive[column])
    return compute_group_reliability(*pair, grouping), compute_group_curves(*pair, grouping)
