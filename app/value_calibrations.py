"""The rows that the calibration of a predicted value is measured on, and its numbers, kept per version of the files."""

from functools import lru_cache
from pathlib import Path

import numpy as np

from app import results
from automl.errors import DataError
from automl.evaluation.value_calibration import (
    ValueCalibration,
    ValueRows,
    compute_value_calibration,
)
from automl.reports.predictions import CALIBRATE_PREDICTIONS


def read_value_rows(search_id: str) -> ValueRows | None:
    """Test and calibrate part of a predicted value; None where the latter was not kept."""
    tested = results.read_predictions(search_id)
    known = results.read_calibrate_predictions(search_id)
    if tested is None or known is None:
        return None
    return ValueRows(
        truth=tested["truth"].to_numpy(dtype=np.float64),
        prediction=tested["prediction"].to_numpy(dtype=np.float64),
        calibrate_truth=known["truth"].to_numpy(dtype=np.float64),
        calibrate_prediction=known["prediction"].to_numpy(dtype=np.float64),
    )


def compute_values(search_id: str) -> ValueCalibration:
    """Once per version of the files."""
    path = results.get_result_file(search_id, CALIBRATE_PREDICTIONS)
    return _compute(path, path.stat().st_mtime_ns, search_id)


@lru_cache(maxsize=4)
def _compute(_path: Path, _version: int, search_id: str) -> ValueCalibration:
    rows = read_value_rows(search_id)
    if rows is None:
        raise DataError("The predictions of this search are gone.", hint="Search again.")
    return compute_value_calibration(rows)
