"""Who leads, and who cannot be told from the leader: tiers on the select part."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from automl.data.preparing import load_prepared
from automl.data.views import Part, Prepared
from automl.evaluation.comparison import ComparisonInput, Standing, compute_tiers
from automl.evaluation.mixing import mix
from automl.evaluation.outcomes import build_outcomes
from automl.execution.saving import SELECT_PREDICTION
from automl.search.spec import SearchSpec
from automl.training.rows import get_weight
from fairness.definitions import METRICS, compute_metric
from fairness.estimates import Estimate
from fairness.intervals import compute_corrected_t, compute_holm

ENSEMBLE = "ensemble"
MOST_INTERVALS = 12  # an interval may cost a bootstrap


def rank_trials(
    spec: SearchSpec,
    folder: Path,
    trials: Sequence[Mapping[str, Any]],
    ensemble: Sequence[tuple[Mapping[str, Any], float]] = (),
) -> dict[int | None, dict[str, Any]]:
    """Tier, what is lacking to the best, and score interval by trial number; ``trials`` come best first.

    Trials are ``result.json`` rows with their ``folder``. One without select predictions has no tier.
    Intervals are computed for the leading trials and the baselines. The ``ensemble`` (its trials with their weights) is
    ranked under None, with its ``select_score``.
    """
    prepared = load_prepared(folder / "prepared" / "search")
    truth = np.asarray(prepared.target[prepared.judged])
    weight = get_weight(prepared, prepared.judged)
    found = {trial["number"]: _load_prediction(folder, trial, len(truth)) for trial in trials}
    predictions = {str(number): each for number, each in found.items() if each is not None}
    if ensemble:
        members = [_load_prediction(folder, trial, len(truth)) for trial, _ in ensemble]
        known = [each for each in members if each is not None]
        predictions[ENSEMBLE] = mix(known, [weight for _, weight in ensemble])
    if not predictions:
        return {}
    task = spec.task
    standings = compute_tiers(
        ComparisonInput(
            task=task,
            truth=truth,
            predictions=predictions,
            metric=task.metric,
            seed=spec.seed,
            weight=weight,
        )
    )
    scores = {standing.name: standing.score for standing in standings}
    ranked = {standing.name: _describe_standing(standing) for standing in standings}
    for number, p_value in compare_folds(prepared, trials).items():
        if number in ranked:
            ranked[number]["p_folds"] = p_value
    shown = [
        str(trial["number"])
        for index, trial in enumerate(trials)
        if index < MOST_INTERVALS or trial["is_baseline"]
    ]
    for name in (*shown, *([ENSEMBLE] if ensemble else [])):
        if name in predictions:
            outcomes = build_outcomes(task, truth, predictions[name], weight=weight)
            ranked[name] |= _to_scores(task.metric, compute_metric(task.metric, outcomes))
    if ensemble:
        ranked[ENSEMBLE]["select_score"] = scores[ENSEMBLE]
    return {None if name == ENSEMBLE else int(name): each for name, each in ranked.items()}


def compare_folds(prepared: Prepared, trials: Sequence[Mapping[str, Any]]) -> dict[str, float]:
    """By trial number: the p-value of no difference from the best trial over the folds, corrected by Holm; 1 for the best.

    The corrected resampled t-test of Nadeau & Bengio 2003; trials without a score for every fold are left out. Empty
    without folds.
    """
    n_folds = len(prepared.folds)
    whole = [each for each in trials if n_folds and len(each.get("fold_scores") or ()) == n_folds]
    if not whole:
        return {}
    held = np.mean([0 if fold.held is None else len(fold.held) for fold in prepared.folds])
    ratio = float(held / np.mean([len(fold.parts[Part.TRAIN]) for fold in prepared.folds]))
    best, *rivals = (np.array(each["fold_scores"], dtype=np.float64) for each in whole)
    found = compute_holm(
        [compute_corrected_t((best - rival).tolist(), ratio)[1] for rival in rivals]
    )
    return {
        str(trial["number"]): p_value for trial, p_value in zip(whole, (1.0, *found), strict=True)
    }


def _describe_standing(standing: Standing) -> dict[str, Any]:
    """``tier``; ``behind`` the best by so much (0 or more), with its interval; the corrected p-value and its test."""
    gap = standing.difference
    return {
        "tier": standing.tier,
        "behind": None if gap.value is None else 0.0 - gap.value,
        "behind_low": None if gap.high is None else 0.0 - gap.high,
        "behind_high": None if gap.low is None else 0.0 - gap.low,
        "p_holm": standing.p_value,
        "tier_test": standing.test,
    }


def _load_prediction(
    folder: Path, trial: Mapping[str, Any], n_rows: int
) -> NDArray[np.floating] | None:
    path = folder / trial["folder"] / SELECT_PREDICTION
    if not path.is_file():
        return None
    prediction: NDArray[np.floating] = np.load(path, allow_pickle=False)
    return prediction if len(prediction) == n_rows else None


def _to_scores(metric: str, estimate: Estimate) -> dict[str, float | None]:
    """Ends of the interval as scores: higher is better, so those of a loss change sign and place."""
    low, high = estimate.low, estimate.high
    if METRICS[metric].direction == "lower" and low is not None and high is not None:
        low, high = -high, -low
    return {"select_low": low, "select_high": high}
