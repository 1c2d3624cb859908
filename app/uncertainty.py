"""Sets, intervals and the review queue of a finished search, from its stored calibrate and test predictions.

Computed once per version of the files and choice; what is returned is shared and must not be changed.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from app import results, services
from automl.errors import DataError
from automl.evaluation.review import compute_confidence
from automl.evaluation.uncertainty import (
    CoveragePlan,
    PredictedPart,
    Uncertainty,
    compute_uncertainty,
    group_parts,
)
from automl.jobs.records import Job
from automl.reports.predictions import CALIBRATE_PREDICTIONS, PREDICTIONS, SENSITIVE
from fairness.errors import AuditError
from fairness.groups import Grouping

PROBABILITY = "probability_"
ROLES = ("feature", "sensitive")  # of the columns that are shown to a person beside a prediction

Version = tuple[int, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Decisions:
    """How sure the model is of each row of a part, and whether its decision is right; groups of the sensitive columns."""

    confidence: NDArray[np.float64]
    is_right: NDArray[np.bool_]
    part: PredictedPart


@dataclass(frozen=True, kw_only=True, slots=True)
class _Parts:
    """The calibrate part (None where it was not kept), the test part, and why columns have no groups."""

    calibrate: PredictedPart | None
    test: PredictedPart
    left_out: tuple[str, ...]


def compute_choice(search_id: str, plan: CoveragePlan) -> Uncertainty | None:
    """Sets or intervals of that plan on the test part; None where the calibrate part was not kept."""
    return _compute_choice(search_id, _find_version(search_id), plan)


def list_columns(search_id: str, classes: tuple[str, ...]) -> tuple[str, ...]:
    """The sensitive columns that have groups, in the order of the data."""
    parts = _read_parts(search_id, _find_version(search_id), classes)
    return tuple(each.attribute for each in parts.test.groupings)


def list_left_out(search_id: str, classes: tuple[str, ...]) -> tuple[str, ...]:
    """Why sensitive columns have no groups here: too many different values, for instance."""
    return _read_parts(search_id, _find_version(search_id), classes).left_out


def read_decisions(search_id: str, classes: tuple[str, ...], part: str) -> Decisions | None:
    """Confidence and right or wrong of the ``calibrate`` or ``test`` part; None where it was not kept."""
    return _read_decisions(search_id, _find_version(search_id), classes, part)


def build_set_rows(search_id: str, found: Uncertainty) -> pd.DataFrame:
    """The stored test predictions with the set or interval of every row."""
    predictions = _require_test(search_id)
    parts = _read_parts(search_id, _find_version(search_id), found.plan.classes)
    rows = found.build_rows(parts.test.prediction)
    return pd.concat([predictions, rows.set_axis(predictions.index)], axis=1)


def build_queue(search_id: str, decisions: Decisions, limit: float) -> pd.DataFrame:
    """Predictions of the rows below the limit, the least sure first, with their ``confidence`` after ``row_id``.

    The index are positions in the test part.
    """
    below = np.flatnonzero(decisions.confidence < limit)
    order = below[np.argsort(decisions.confidence[below], kind="stable")]
    queue = _require_test(search_id).reset_index(drop=True).iloc[order]
    queue = queue.drop(columns=[name for name in queue if str(name).startswith(SENSITIVE)])
    queue.insert(1, "confidence", decisions.confidence[order])
    return queue


def read_inputs(job: Job, rows: pd.Series) -> pd.DataFrame | None:
    """The inputs and sensitive columns of test rows by their ``row_id``; None once the data set was deleted."""
    try:
        dataset = services.read_dataset(str(job.spec.get("data") or job.dataset))
    except DataError:
        return None
    wanted = tuple(
        str(column["name"])
        for column in job.spec.get("columns") or ()
        if column.get("role") in ROLES and column.get("kind") != "image"
    )
    if not wanted:
        return pd.DataFrame(index=rows.index)
    is_own_file = bool((job.spec.get("split") or {}).get("test_given"))
    first = dataset.n_train_rows if is_own_file else 0
    frame = _read_frame(str(services.get_workspace().root), dataset.id, wanted)
    return frame.iloc[rows.to_numpy(dtype=np.int64) + first].set_axis(rows.index)


def add_inputs(queue: pd.DataFrame, inputs: pd.DataFrame | None) -> pd.DataFrame:
    """Predictions first, then inputs; an input named as a column of the predictions is called ``input <name>``."""
    if inputs is None:
        return queue
    return pd.concat([queue, inputs.rename(columns=lambda name: f"input {name}" if name in queue else name)], axis=1)  # fmt: skip


def find_doubts(result: Mapping[str, Any]) -> tuple[tuple[str, dict[str, float]], ...]:
    """Why the confidence may be off: keys of words with their numbers; none for a calibrated model."""
    fitted = result.get("calibration") or {}
    if "temperature" not in fitted:
        return (("review.uncalibrated", {}),)
    doubts: list[tuple[str, dict[str, float]]] = []
    is_scaled = (fitted.get("choice") or {}).get("chosen", "temperature") == "temperature"
    if fitted.get("is_at_bound") and is_scaled:
        doubts.append(("review.bound", {}))
    ece = ((fitted.get("after") or {}).get("ece") or {}).get("value")
    null = ((fitted.get("ece_null") or {}).get("after") or {}).get("high")
    if ece is not None and null is not None and ece > null:
        doubts.append(("review.miscalibrated", {"ece": ece, "null": null}))
    return tuple(doubts)


def _find_version(search_id: str) -> Version:
    paths = (results.get_result_file(search_id, name) for name in (PREDICTIONS, CALIBRATE_PREDICTIONS))  # fmt: skip
    return tuple(path.stat().st_mtime_ns if path.is_file() else 0 for path in paths)


def _require_test(search_id: str) -> pd.DataFrame:
    predictions = results.read_predictions(search_id)
    if predictions is None:
        raise DataError("The predictions of this search are gone.", hint="Search again.")
    return predictions


@lru_cache(maxsize=12)
def _compute_choice(search_id: str, version: Version, plan: CoveragePlan) -> Uncertainty | None:
    parts = _read_parts(search_id, version, plan.classes)
    return None if parts.calibrate is None else compute_uncertainty(parts.calibrate, parts.test, plan)  # fmt: skip


@lru_cache(maxsize=4)
def _read_decisions(
    search_id: str, version: Version, classes: tuple[str, ...], part: str
) -> Decisions | None:
    parts = _read_parts(search_id, version, classes)
    found = parts.calibrate if part == "calibrate" else parts.test
    frame = results.read_calibrate_predictions(search_id) if part == "calibrate" else _require_test(search_id)  # fmt: skip
    if found is None or frame is None:
        return None
    return Decisions(
        confidence=compute_confidence(found.prediction),
        is_right=(frame["prediction"].astype(str) == frame["truth"].astype(str)).to_numpy(),
        part=found,
    )


@lru_cache(maxsize=2)
def _read_parts(search_id: str, _version: Version, classes: tuple[str, ...]) -> _Parts:
    """Both parts, with groups that mean the same in either; a column that is no groups is left out."""
    test, calibrate = _require_test(search_id), results.read_calibrate_predictions(search_id)
    first = test.iloc[:0] if calibrate is None else calibrate
    groups: list[tuple[Grouping, Grouping]] = []
    left_out: list[str] = []
    for name in [str(each) for each in test if str(each).startswith(SENSITIVE)]:
        columns = (
            part[[name]].set_axis([name.removeprefix(SENSITIVE)], axis=1) for part in (first, test)
        )
        try:
            ((own,), (other,)) = group_parts(*columns)
        except AuditError as error:
            left_out.append(str(error))
            continue
        groups.append((own, other))
    return _Parts(
        calibrate=None if calibrate is None else _build_part(calibrate, classes, tuple(own for own, _ in groups)),
        test=_build_part(test, classes, tuple(other for _, other in groups)),
        left_out=tuple(left_out),
    )  # fmt: skip


def _build_part(
    frame: pd.DataFrame, classes: tuple[str, ...], groupings: tuple[Grouping, ...]
) -> PredictedPart:
    if not classes:
        return PredictedPart(
            truth=frame["truth"].to_numpy(dtype=np.float64),
            prediction=frame["prediction"].to_numpy(dtype=np.float64),
            groupings=groupings,
        )
    places = pd.Index(classes).get_indexer(frame["truth"].astype(str))
    return PredictedPart(
        truth=places.astype(np.int64),
        prediction=frame[[f"{PROBABILITY}{name}" for name in classes]].to_numpy(dtype=np.float64),
        groupings=groupings,
    )


@lru_cache(maxsize=2)
def _read_frame(_root: str, dataset_id: str, columns: tuple[str, ...]) -> pd.DataFrame:
    return services.read_frame(dataset_id, columns)
