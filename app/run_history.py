"""The searches of a data set as rows: when, what was predicted, what was reached, what it took."""

from collections.abc import Sequence
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import Any

import pandas as pd

from app import results
from app.comparison_facts import find_winner_row
from automl.files import load_json
from automl.jobs.records import Job

COLUMNS = (
    "id", "title", "at", "target", "metric", "value", "low", "high", "n", "select", "winner", "seconds", "trials", "looks",
    "test_part", "note",
)  # fmt: skip


def build_run_history(jobs: Sequence[Job]) -> pd.DataFrame:
    """One row per finished search, newest first, with the columns of ``COLUMNS``; values are those of its own metric."""
    rows = []
    for job in jobs:
        path = results.get_result_file(job.id, "result.json")
        ended = datetime.fromtimestamp(job.finished_at or job.created_at, tz=UTC).astimezone()
        about = {
            "id": job.id,
            "title": job.title,
            "at": ended.replace(tzinfo=None),
            "note": job.note,
        }
        rows.append(about | _summarise(path, path.stat().st_mtime_ns))
    return pd.DataFrame(rows, columns=list(COLUMNS))


@lru_cache(maxsize=512)
def _summarise(path: Path, _version: int) -> dict[str, Any]:
    """The few numbers that a list shows; the file itself may hold thousands of trials and is not kept."""
    result = load_json(path)
    metric = result["metric"]
    sign = -1.0 if results.is_lower_better(metric) else 1.0
    test, row = (result.get("test") or {}).get(metric) or {}, find_winner_row(result)
    select = row.get("select_score")
    task = result.get("task")
    return {
        "target": str(task.get("target", "")) if isinstance(task, dict) else "",
        "metric": metric,
        "value": test.get("value"),
        "low": test.get("low"),
        "high": test.get("high"),
        "n": test.get("n"),
        "select": None if select is None else sign * select,
        "winner": result["winner"]["name"],
        "seconds": result.get("wall_seconds"),
        "trials": len(result.get("trials") or ()),
        "looks": result.get("looks"),
        "test_part": (result.get("hashes") or {}).get("test_part") or "",
    }
