"""Who leads, and who cannot be told from the leader: tiers on the select part."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from automl.data.preparing import load_prepared
from automl.data.views import Part
from automl.evaluation.comparison import ComparisonInput, compute_tiers
from automl.evaluation.outcomes import build_outcomes
from automl.execution.saving import SELECT_PREDICTION
from automl.search.spec import SearchSpec
from automl.training.rows import get_weight
from fairness.definitions import METRICS, compute_metric
from fairness.estimates import Estimate

MOST_INTERVALS = 12  # an interval may cost a bootstrap


def rank_trials(
    spec: SearchSpec, folder: Path, trials: Sequence[Mapping[str, Any]]
) -> dict[int, dict[str, Any]]:
    """Tier and score interval by trial number; ``trials`` come best first.

    Trials are ``result.json`` rows with their ``folder``. One without select predictions has no tier.
    Intervals are computed for the leading trials and the baselines.
    """
    prepared = load_prepared(folder / "prepared" / "search")
    truth = np.asarray(prepared.target[prepared.parts[Part.SELECT]])
    weight = get_weight(prepared, prepared.parts[Part.SELECT])
    predictions = {}
    for trial in trials:
        path = folder / trial["folder"] / SELECT_PREDICTION
        if path.is_file():
            prediction = np.load(path, allow_pickle=False)
            if len(prediction) == len(truth):
                predictions[trial["number"]] = prediction
    if not predictions:
        return {}
    task = spec.task
    standings = compute_tiers(
        ComparisonInput(
            task=task,
            truth=truth,
            predictions={str(number): each for number, each in predictions.items()},
            metric=task.metric,
            seed=spec.seed,
            weight=weight,
        )
    )
    ranked: dict[int, dict[str, Any]] = {
        int(standing.name): {"tier": standing.tier} for standing in standings
    }
    shown = [
        trial
        for index, trial in enumerate(trials)
        if index < MOST_INTERVALS or trial["is_baseline"]
    ]
    for number in (trial["number"] for trial in shown):
        if number in predictions:
            outcomes = build_outcomes(task, truth, predictions[number], weight=weight)
            ranked[number] |= _to_scores(task.metric, compute_metric(task.metric, outcomes))
    return ranked


def _to_scores(metric: str, estimate: Estimate) -> dict[str, float | None]:
    """Ends of the interval as scores: higher is better, so those of a loss change sign and place."""
    low, high = estimate.low, estimate.high
    if METRICS[metric].direction == "lower" and low is not None and high is not None:
        low, high = -high, -low
    return {"select_low": low, "select_high": high}
