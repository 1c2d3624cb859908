"""Pictures of several searches: residuals over each other, scores over time."""

import pandas as pd

from automl.figures.residual_density import describe_residual_density, plot_residual_density
from automl.figures.run_history import describe_run_history, plot_run_history

RESIDUALS = pd.DataFrame(
    {
        "series": ["A"] * 3 + ["B"] * 2,
        "low": [-2.0, -1.0, 1.0, -4.0, 0.0],
        "high": [-1.0, 1.0, 2.0, 0.0, 4.0],
        "n": [10, 30, 10, 40, 40],
    }
)


def build_runs() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "title": ["first", "second", "third"],
            "at": pd.to_datetime(["2026-01-01", "2026-01-02", "2026-01-03"]),
            "value": [0.9, 0.92, 0.91],
            "low": [0.89, None, 0.90],
            "high": [0.91, None, 0.92],
            "is_same_test": [False, True, True],
        }
    )


def test_densities_of_unequal_bins_have_the_same_area() -> None:
    fig = plot_residual_density(RESIDUALS, "price")
    areas = [
        sum(y * (high - low) for y, (low, high, _) in zip(trace.y, trace.customdata, strict=True))
        for trace in fig.data
    ]
    assert [round(float(area), 9) for area in areas] == [1, 1]
    assert "A: the middle half of the residuals lies between −1.000 and 1.000" in (
        describe_residual_density(RESIDUALS)
    )
    assert describe_residual_density(RESIDUALS.iloc[:0]) == "There are no residuals to draw."


def test_runs_on_other_rows_are_drawn_apart_and_are_not_the_best() -> None:
    runs = build_runs()
    fig = plot_run_history(runs, "ROC AUC")
    assert [(trace.name, len(trace.x)) for trace in fig.data] == [
        ("same test rows as the newest", 2),
        ("other test rows", 1),
    ]
    said = describe_run_history(runs, "ROC AUC")
    assert "The best of 2 on the same test rows is ROC AUC 0.920 (second)" in said
    assert "optimistic" in said
    assert "1 was measured on other rows" in said
    assert "(third)" in describe_run_history(runs, "RMSE", sign=-1)
    assert describe_run_history(runs.iloc[2:], "ROC AUC").startswith("One search: ROC AUC 0.91")
    nothing = runs.assign(value=float("nan"))
    assert describe_run_history(nothing, "x") == "No search has a score on the test part."
