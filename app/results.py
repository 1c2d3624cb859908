"""Reading what a finished search left on disk: result, evaluations, audit, predictions, epochs.

Files are read once per version (path and modification time); what is returned is shared and must not
be changed.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow.parquet as pq

from app import services
from app.wording import knows, say_plain
from automl.errors import DataError
from automl.evaluation.evaluation import Evaluation
from automl.files import iterate_jsonl, load_json
from automl.models.catalog import FAMILIES
from automl.reports.predictions import CALIBRATE_PREDICTIONS, PREDICTIONS
from fairness.definitions import METRICS

MAX_EPOCH_ROWS = 200_000
BEHIND = ("behind", "behind_low", "behind_high", "p_holm", "tier_test", "p_folds")
EPOCH_COLUMNS = ("trial", "epoch", "train_loss", "select_loss", "score", "learning_rate", "seconds")


@dataclass(frozen=True, kw_only=True, slots=True)
class Opened:
    """A model whose test results were opened, with its evaluation on the test part."""

    name: str
    family: str
    evaluation: Evaluation


def get_result_file(search_id: str, name: str) -> Path:
    """Where a file of a finished search lies; it may be absent."""
    return services.get_workspace().result(search_id) / name


def read_result(search_id: str) -> Mapping[str, Any] | None:
    """``result.json``, None while there is none."""
    return _read_json(get_result_file(search_id, "result.json"))


def read_audit(search_id: str) -> Mapping[str, Any] | None:
    """``audit.json``, None where nothing was audited."""
    return _read_json(get_result_file(search_id, "audit.json"))


def read_opened(search_id: str) -> tuple[Opened, ...]:
    """The evaluations of the opened models, the winner first."""
    path = get_result_file(search_id, "evaluation.json")
    return _parse_opened(path, path.stat().st_mtime_ns) if path.is_file() else ()


def read_predictions(search_id: str) -> pd.DataFrame | None:
    """``predictions.parquet``: the winner's test rows with truth, outputs and sensitive columns."""
    path = get_result_file(search_id, PREDICTIONS)
    return _parse_predictions(path, path.stat().st_mtime_ns) if path.is_file() else None


def read_calibrate_predictions(search_id: str) -> pd.DataFrame | None:
    """``calibrate_predictions.parquet``: the same columns for the rows of the calibrate part.

    No model learned from these rows, but the calibrator was fitted on them. None for a search that was finished
    before they were kept.
    """
    path = get_result_file(search_id, CALIBRATE_PREDICTIONS)
    return _parse_predictions(path, path.stat().st_mtime_ns) if path.is_file() else None


def list_prediction_columns(search_id: str) -> tuple[str, ...]:
    """Names of the columns of ``predictions.parquet``, whose rows are not read; empty where there is no such file."""
    path = get_result_file(search_id, "predictions.parquet")
    return _read_columns(path, path.stat().st_mtime_ns) if path.is_file() else ()


def read_epochs(search_id: str) -> pd.DataFrame:
    """Every reported epoch: ``trial, epoch, train_loss, select_loss, score, learning_rate, seconds, at``."""
    path = services.get_workspace().job(search_id) / "epochs.jsonl"
    return (
        _parse_epochs(path, path.stat().st_mtime_ns)
        if path.is_file()
        else pd.DataFrame(columns=[*EPOCH_COLUMNS, "at"])
    )


def get_metric_title(name: str) -> str:
    """The name of a metric as people read it."""
    return METRICS[name].title if name in METRICS else name.replace("_", " ")


def get_family_title(name: str) -> str:
    """The name of a family as people read it."""
    if name in FAMILIES:
        return FAMILIES[name].title
    return say_plain(f"family.{name}") if knows(f"family.{name}") else name


def is_lower_better(name: str) -> bool:
    """Whether a smaller value of this metric is the better one."""
    return name in METRICS and METRICS[name].direction == "lower"


def get_direction(name: str) -> str:
    """``higher``, ``lower`` or ``neither``: which values of this metric are better."""
    direction = METRICS[name].direction if name in METRICS else "none"
    return "neither" if direction == "none" else direction


def get_rows(result: Mapping[str, Any]) -> str:
    """By which rows models are compared: ``select``, or ``folds``."""
    return "folds" if result.get("cross_validation") else "select"


def build_leaderboard(result: Mapping[str, Any]) -> pd.DataFrame:
    """One row per ranked model, best first, scores turned into values of the metric.

    Columns ``name, family, tier, value, low, high, behind, behind_low, behind_high, p_holm, tier_test, p_folds,
    test, test_low, test_high, test_n, parameters, fit_seconds, predict_seconds, per_thousand, device, is_network, is_baseline``.
    ``behind``: what is lacking to the best, 0 or more; ``per_thousand``: seconds to predict 1,000 rows.
    """
    metric = result["metric"]
    sign = -1.0 if is_lower_better(metric) else 1.0
    rows = []
    for row in result["leaderboard"]:
        test = (row.get("test") or {}).get(metric) or {}
        ends = sorted(
            sign * end for end in (row.get("select_low"), row.get("select_high")) if end is not None
        )
        score = row.get("select_score")
        rows.append(
            {
                "name": row["name"],
                "family": get_family_title(row["family"]),
                "tier": row.get("tier"),
                "value": None if score is None else sign * score,
                "low": ends[0] if len(ends) == 2 else None,
                "high": ends[1] if len(ends) == 2 else None,
                **{name: row.get(name) for name in BEHIND},
                "test": test.get("value"),
                "test_low": test.get("low"),
                "test_high": test.get("high"),
                "test_n": test.get("n"),
                "parameters": row.get("parameters"),
                "fit_seconds": row.get("fit_seconds"),
                "predict_seconds": row.get("predict_seconds"),
                "per_thousand": _get_pace(result, row),
                "device": row.get("device", ""),
                "is_network": bool(row.get("is_network")),
                "is_baseline": bool(row.get("is_baseline")),
            }
        )
    return pd.DataFrame(rows, columns=_LEADERBOARD_COLUMNS)


def _get_pace(result: Mapping[str, Any], row: Mapping[str, Any]) -> float | None:
    """Seconds to predict 1,000 rows; opened models were timed on the test part, the others where they are compared."""
    sizes, seconds = result.get("n_rows") or {}, row.get("predict_seconds")
    compared = (result.get("cross_validation") or {}).get("n") or sizes.get("select")
    n_rows = sizes.get("test") if row.get("test") else compared
    return 1_000 * float(seconds) / n_rows if seconds is not None and n_rows else None


def suggest_models(board: pd.DataFrame) -> dict[str, pd.Series]:
    """Of tier 1 the rows of the ``highest`` score, the ``simplest`` (parameters) and the ``fastest`` (prediction).

    One that cannot be told, because nothing is known of the models, is left out; of equals the higher score comes first.
    """
    top = board[board["tier"] == 1]
    if top.empty:
        return {}
    found = {"highest": top.iloc[0]}
    for role, column in (("simplest", "parameters"), ("fastest", "per_thousand")):
        known = top.dropna(subset=[column])
        if len(known):
            found[role] = known.iloc[int(known[column].astype(float).argmin())]
    return found


def build_trials(result: Mapping[str, Any]) -> pd.DataFrame:
    """The trials as a frame: ``number, family, stage, state, score, n_epochs, …``."""
    frame = pd.DataFrame(list(result.get("trials") or ()))
    for column in ("number", "family", "stage", "state", "score", "architecture"):
        if column not in frame:
            frame[column] = None
    return frame.assign(score=pd.to_numeric(frame["score"]))


def build_metric_table(opened: Sequence[Opened]) -> pd.DataFrame:
    """Every metric of every opened model: ``metric, better, name, value, low, high, n, method, reason``."""
    rows = [
        {
            "metric": get_metric_title(name),
            "better": say_plain(f"metrics.{get_direction(name)}"),
            "name": model.name,
            "value": estimate.value,
            "low": estimate.low,
            "high": estimate.high,
            "n": estimate.n,
            "method": estimate.method,
            "reason": estimate.reason,
        }
        for model in opened
        for name, estimate in model.evaluation.metrics.items()
    ]
    columns = ["metric", "better", "name", "value", "low", "high", "n", "method", "reason"]
    return pd.DataFrame(rows, columns=columns)


def stack_curves(opened: Sequence[Opened], name: str) -> pd.DataFrame:
    """The curve of that name: models overlaid for two classes, the first one's classes for more.

    A constant has no curve: it is the reference line.
    """
    if opened[0].evaluation.task_type == "multiclass":
        return opened[0].evaluation.curves.get(name, pd.DataFrame())
    frames = [
        model.evaluation.curves[name].assign(series=model.name)
        for model in opened
        if model.family != "constant" and len(model.evaluation.curves.get(name, ()))
    ]
    return pd.concat(frames, ignore_index=True) if frames else pd.DataFrame()


_LEADERBOARD_COLUMNS = [
    "name", "family", "tier", "value", "low", "high", *BEHIND, "test", "test_low", "test_high", "test_n",
    "parameters", "fit_seconds", "predict_seconds", "per_thousand", "device", "is_network", "is_baseline",
]  # fmt: skip


def _read_json(path: Path) -> Mapping[str, Any] | None:
    return _parse_json(path, path.stat().st_mtime_ns) if path.is_file() else None


@lru_cache(maxsize=32)
def _parse_json(path: Path, _version: int) -> Mapping[str, Any]:
    value = load_json(path)
    if not isinstance(value, dict):
        raise DataError(f"{path.name} of this search is not a JSON object.", hint="Search again.")
    return value


@lru_cache(maxsize=8)
def _parse_opened(path: Path, version: int) -> tuple[Opened, ...]:
    value = _parse_json(path, version)
    return tuple(
        Opened(
            name=model["name"],
            family=model["family"],
            evaluation=Evaluation.from_json(model["evaluation"]),
        )
        for model in value["models"]
    )


@lru_cache(maxsize=4)
def _parse_predictions(path: Path, _version: int) -> pd.DataFrame:
    return pd.read_parquet(path)


@lru_cache(maxsize=64)
def _read_columns(path: Path, _version: int) -> tuple[str, ...]:
    return tuple(pq.read_schema(path).names)


@lru_cache(maxsize=4)
def _parse_epochs(path: Path, _version: int) -> pd.DataFrame:
    rows = list(iterate_jsonl(path))[:MAX_EPOCH_ROWS]
    return pd.DataFrame(rows) if rows else pd.DataFrame(columns=[*EPOCH_COLUMNS, "at"])
