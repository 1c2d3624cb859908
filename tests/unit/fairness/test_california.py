"""California housing, 20,640 rows, one rule for all: the reference table of values by group."""

import numpy as np
import pandas as pd
import pytest

from fairness.definitions import Outcomes, compute_score

METRICS = ("mean_residual", "mae", "rmse", "r2")
REFERENCE = {  # n, then the metrics
    "": (20_640, 712.37, 62_739.41, 83_737.52, 0.473398),
    "NEAR BAY": (2_290, -38_951.15, 73_495.35, 102_946.39, 0.297115),
    "<1H OCEAN": (9_136, -17_395.64, 55_829.04, 80_715.40, 0.421464),
    "INLAND": (6_551, 54_972.46, 65_251.54, 75_210.09, -0.154315),
    "NEAR OCEAN": (2_658, -36_191.02, 70_737.09, 94_236.92, 0.407763),
    "ISLAND": (5, -220_174.36, 220_174.36, 235_043.25, -9.640729),
}


@pytest.fixture(scope="module")
def houses(data_folder):
    columns = ["median_income", "median_house_value", "ocean_proximity"]
    return pd.read_csv(data_folder / "california_housing.csv", usecols=columns)


@pytest.mark.parametrize("group", REFERENCE)
def test_the_table_of_values(houses, group):
    rows = houses if not group else houses[houses["ocean_proximity"] == group]
    outcomes = Outcomes(
        "regression",
        rows["median_house_value"].to_numpy(float),
        45_000 + 42_000 * rows["median_income"].to_numpy(float),
    )
    n, *values = REFERENCE[group]
    assert outcomes.n == n
    for name, expected in zip(METRICS, values, strict=True):
        sign = -1 if name in ("mae", "rmse") else 1
        digits = 5e-7 if name == "r2" else 5e-3
        assert sign * compute_score(name, outcomes) == pytest.approx(expected, abs=digits), name
    assert np.isfinite(compute_score("d2_absolute_error", outcomes))
