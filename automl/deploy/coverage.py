"""Prediction sets and intervals of a bundle: which coverages it has, what they add, and what they promise."""

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from automl.data.dataset import Note
from automl.data.task import Task, TaskType
from automl.deploy.manifest import Manifest
from automl.errors import BundleError
from automl.evaluation.conformal_quantiles import ConformalQuantile, build_set_columns


def require_coverage(manifest: Manifest, coverage: float | None) -> ConformalQuantile | None:
    """The quantile of that coverage; None where none is asked for, a ``BundleError`` where the bundle has none."""
    if coverage is None:
        return None
    found = next((each for each in manifest.conformal if each.level == coverage), None)
    if found is not None:
        return found
    known = ", ".join(f"{each.level:g}" for each in manifest.conformal)
    raise BundleError(
        f"This bundle has no quantile for a coverage of {coverage:g}.",
        hint=f"It has {known}."
        if known
        else "It was made before quantiles were kept; search again.",
    )


def add_sets(
    output: pd.DataFrame, task: Task, prediction: NDArray[np.floating], asked: ConformalQuantile
) -> pd.DataFrame:
    """The predictions with ``prediction_set`` and ``set_size``, or ``low`` and ``high``, at their end."""
    columns = build_set_columns(task.classes, asked.score, prediction, asked.limit)
    return pd.concat([output, columns.set_axis(output.index)], axis=1)


def describe_coverage(asked: ConformalQuantile | None) -> tuple[Note, ...]:
    """What the coverage promises; a warning where the calibrate rows were too few for it."""
    if asked is None:
        return ()
    percent = f"{100 * asked.level:g} %"
    if asked.value is None:
        text = (
            f"{asked.n:,} calibrate rows are too few for a coverage of {percent}: every class, or every value, is possible "
            "for every row."
        )
        return (Note(code="coverage_unbounded", text=text, level="warning"),)
    text = (
        f"The truth lies inside in about {percent} of the rows, on average over rows that are exchangeable with the "
        f"{asked.n:,} calibrate rows: drawn from the same source. For one row, one class or one group there is no promise."
    )
    return (Note(code="coverage", text=text),)


def render_coverage(manifest: Manifest) -> str:
    """One sentence of the model card of a bundle that has quantiles."""
    levels = ", ".join(f"{each.level:g}" for each in manifest.conformal)
    what = "Intervals" if manifest.task.type is TaskType.REGRESSION else "Prediction sets"
    return (
        f"{what} with a coverage of {levels} are given on request (`coverage=0.9`, or `--coverage 0.9` in the shell), from "
        f"{manifest.conformal[0].n:,} calibrate rows; they hold on average over rows that are exchangeable with those."
    )
