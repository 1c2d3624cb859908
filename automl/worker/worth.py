"""Was it worth it: what the final model and the best network gain over the best fixed baseline, and what that cost.

Fixed is what needs no search: constant, linear, boosted trees with default settings, the small network for pictures.
The best of them is chosen on the select part, like everything else, and is often not boosting.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from automl.data.views import Part
from automl.evaluation.comparison import ComparisonInput, compute_difference
from automl.search.ledger import BASELINE
from automl.worker.finish import Finish
from automl.worker.opening import Opened, Opener
from fairness.definitions import METRICS
from fairness.estimates import Estimate

MODEL = "model"


def find_best_baseline(
    opened: Sequence[Opened], trials: Mapping[int, Mapping[str, Any]]
) -> Opened | None:
    """The opened baseline with the best select score, the earlier of equals."""
    scored = [
        (-float(trials[each.model.trial]["score"]), each.model.trial, each)
        for each in opened
        if BASELINE in each.model.roles
        and each.model.trial is not None
        and trials[each.model.trial]["score"] is not None
    ]
    return min(scored, key=lambda row: row[:2])[2] if scored else None


def compare(finish: Finish, model: Opened, baseline: Opened, opener: Opener) -> dict[str, Any]:
    """A model against a baseline on the test part, as a number and a sentence; nothing against itself."""
    if model is baseline:
        return {}
    task = finish.spec.task
    difference = compute_difference(
        ComparisonInput(
            task=task,
            truth=opener.get_truth(Part.TEST),
            predictions={MODEL: model.prediction, BASELINE: baseline.prediction},
            metric=task.metric,
            seed=finish.spec.seed,
            weight=opener.get_weight(Part.TEST),
        ),
        MODEL,
        BASELINE,
    )
    return {
        **difference.to_json(),
        "model": model.name,
        "baseline": baseline.name,
        "sentence": render_gain(task.metric, model.name, baseline.name, difference),
    }


def build_worth(finish: Finish, opened: Sequence[Opened], opener: Opener) -> dict[str, Any]:
    """``comparison`` of the final model, ``gain`` of the best network, and ``worth``: both with the cost in words."""
    baseline = find_best_baseline(opened, finish.trials)
    if baseline is None:
        return {"comparison": {}, "gain": {}, "worth": {}}
    network = next((each for each in opened if "network" in each.model.roles), None)
    winner = opened[0]
    comparison = compare(finish, winner, baseline, opener)
    gain = {} if network is None else compare(finish, network, baseline, opener)
    cost = finish.search["cost"]
    sentences = [
        comparison.get("sentence") or render_nothing(baseline.name),
        gain.get("sentence", "") if network is not winner else "",
        render_cost(cost),
    ]
    worth = {"baseline": baseline.name, **cost, "sentence": " ".join(filter(None, sentences))}
    return {"comparison": comparison, "gain": gain, "worth": worth}


def render_nothing(baseline: str) -> str:
    """What is said where a baseline is delivered."""
    return f"The search gained nothing: {baseline}, the best fixed baseline, is the final model."


def render_cost(cost: Mapping[str, Any]) -> str:
    """What the search took."""
    n_trials = int(cost["n_trials"])
    trials = "1 trial" if n_trials == 1 else f"{n_trials:,} trials"
    return f"The search took {cost['search_seconds']:,.0f} s and {trials}."


def render_gain(metric: str, name: str, baseline: str, difference: Estimate) -> str:
    """The gain over a baseline with its interval, also when there is none."""
    title = METRICS[metric].title
    if difference.value is None or difference.low is None or difference.high is None:
        return f"Whether {name} gains over {baseline} cannot be estimated: {difference.reason}."
    interval = f"{difference.value:+.4f} [{difference.low:+.4f}, {difference.high:+.4f}]"
    if difference.low > 0:
        verdict = "a measurable gain"
    elif difference.high < 0:
        verdict = "a measurable loss"
    else:
        verdict = "no measurable gain"
    sign = (
        ", lower is better, so the sign is turned" if METRICS[metric].direction == "lower" else ""
    )
    return f"{name} against {baseline}: {interval} ({title}{sign}; {difference.n:,} test rows), {verdict}."
