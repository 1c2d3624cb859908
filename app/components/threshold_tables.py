"""The tables and sentences of the Threshold tab: pure functions from counts to text."""

from collections.abc import Mapping

import pandas as pd

from app.components.numbers import format_count, format_estimate
from app.wording import say, say_plain
from automl.data.task import Task
from automl.evaluation.costs import Costs
from automl.evaluation.cuts import Cuts
from automl.evaluation.operating_point import SHOWN, compute_at
from automl.evaluation.threshold_change import describe_measure, describe_rule
from automl.evaluation.thresholds import BestThreshold
from fairness import wording
from fairness.count_audit import COUNT_METRICS, CountAudit
from fairness.estimates import Estimate
from fairness.records import GroupResult


def build_measures(
    cuts: Mapping[str, Cuts | None], threshold: float, costs: Costs
) -> dict[str, dict[str, Estimate]]:
    """Every measure at a threshold: part → name → estimate; a part without rows is left out."""
    tables = {part: each.count_at(threshold) for part, each in cuts.items() if each is not None}
    return {
        part: {name: compute_at(name, table, costs) for name in SHOWN}
        for part, table in tables.items()
    }


def build_measure_table(measures: Mapping[str, Mapping[str, Estimate]]) -> pd.DataFrame:
    """Measures down, parts across, each as ``value [low, high]``; of rates the test cases behind them."""
    sizes = {part: next(iter(each.values())).n for part, each in measures.items()}
    rows = []
    for name in SHOWN:
        row = {say_plain("threshold.measure"): describe_measure(name)}
        for part, found in measures.items():
            row[say_plain(f"threshold.{part}", n=format_count(sizes[part]))] = _render(found[name])
        row[say_plain("threshold.cases")] = _render_cases(measures["test"][name])
        rows.append(row)
    return pd.DataFrame(rows)


def build_confusion(task: Task, cuts: Cuts, threshold: float) -> pd.DataFrame:
    """``truth, predicted, n`` at a threshold, in the order of the classes."""
    tn, fp, fn, tp = (int(count) for count in cuts.count_at(threshold))
    positive, negative = str(task.positive), get_negative(task)
    counts = {
        (positive, positive): tp, (positive, negative): fn,
        (negative, positive): fp, (negative, negative): tn,
    }  # fmt: skip
    pairs = [(truth, predicted) for truth in task.classes for predicted in task.classes]
    return pd.DataFrame(
        [(*pair, counts[pair]) for pair in pairs], columns=["truth", "predicted", "n"]
    )


def get_negative(task: Task) -> str:
    """The class that is not the positive one."""
    return task.classes[1 - task.positive_index]


def describe_best(best: BestThreshold) -> str:
    """What the rule found on the calibrate part, how good it is there, and what decides the same."""
    rule, n = describe_rule(best.rule), format_count(best.n)
    if best.threshold is None or best.estimate is None:
        return say("threshold.not_found", rule=rule, n=n, reason=best.reason)
    parts = [
        say(
            "threshold.found", rule=rule, n=n, threshold=f"{best.threshold:g}",
            title=describe_measure(best.rule.measure), value=_render(best.estimate),
            tried=format_count(best.n_tried),
        ),
        say("threshold.alike", above=f"{best.above:.4g}", up_to=f"{best.up_to:.4g}"),
    ]  # fmt: skip
    if best.n_tied:
        key = "threshold.tied_one" if best.n_tied == 1 else "threshold.tied"
        parts.append(say(key, n=format_count(best.n_tied)))
    return " ".join(parts)


def build_group_table(audit: CountAudit, attribute: str) -> pd.DataFrame:
    """Groups down; every rate with its interval, and beside it the signed difference to the reference."""
    gaps = {
        (gap.group, gap.metric): gap.estimate for gap in audit.gaps if gap.attribute == attribute
    }
    rows = []
    for group in (*audit.list_groups(attribute), audit.overall):
        row = {say_plain("audit.group"): _name_group(group), "n": format_count(group.n)}
        for metric in COUNT_METRICS:
            title = wording.get_title(metric)
            row[title] = _render_rate(metric, group.metrics[metric])
            gap = gaps.get((group.group, metric))
            is_reference = group.group == audit.references[attribute] and group is not audit.overall
            absent = say_plain("threshold.reference") if is_reference else wording.ABSENT
            row[say_plain("threshold.gap", metric=title)] = (
                absent if gap is None else _render_gap(metric, gap)
            )
        rows.append(row)
    return pd.DataFrame(rows)


def _name_group(group: GroupResult) -> str:
    if not group.attribute:
        return say_plain("classaudit.all")
    return f"{group.group} ({say_plain('audit.few')})" if group.is_small else group.group


def _render_rate(metric: str, estimate: Estimate) -> str:
    text = wording.format_estimate(metric, estimate)
    if estimate.value is None:
        return text
    return f"{text}, {say_plain('threshold.of', k=format_count(estimate.numerator), n=format_count(estimate.denominator))}"


def _render_gap(metric: str, estimate: Estimate) -> str:
    if estimate.value is None:
        return wording.NOT_ESTIMABLE
    change = wording.format_change(metric, estimate.value)
    return f"{change} {wording.format_change_interval(metric, estimate)}"


def _render(estimate: Estimate) -> str:
    if estimate.value is None:
        return say_plain("audit.not_estimable")
    return format_estimate(estimate.value, estimate.low, estimate.high)


def _render_cases(estimate: Estimate) -> str:
    if estimate.numerator is None:
        return format_count(estimate.n)
    return say_plain(
        "threshold.of", k=format_count(estimate.numerator), n=format_count(estimate.denominator)
    )
