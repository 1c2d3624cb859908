"""The audit's sentences and tables: pure functions from an audit to text and frames."""

from collections.abc import Mapping

import pandas as pd

from app.components.numbers import format_count
from app.wording import say_plain
from fairness import frames, wording
from fairness.audit import Audit
from fairness.estimates import Estimate
from fairness.gap_definitions import GAP_DEFINITIONS
from fairness.records import Extreme

LEADING = ("selection_rate", "true_positive_rate", "false_positive_rate", "precision")
MAX_NAMED = 3
TABLE_METRICS = (
    "base_rate", "selection_rate", "true_positive_rate", "false_positive_rate",
    "false_negative_rate", "true_negative_rate", "precision", "negative_predictive_value",
    "accuracy", "balanced_accuracy", "f1", "roc_auc", "brier_score", "mean_prediction",
)  # fmt: skip


def collect_sentences(audit: Audit, attribute: str) -> list[tuple[str, str]]:
    """Selection rate, then both error rates: each sentence with what chance would show and who is left out.

    Groups with few cases are left out, unless fewer than two others remain.
    """
    sentences = []
    for metric in LEADING[:3]:
        extreme = audit.find_extreme(attribute, metric)
        is_large = extreme.large_groups.value is not None
        spread = extreme.large_groups if is_large else extreme.all_groups
        left_out = spread.excluded if is_large else extreme.large_groups.excluded
        remark = (wording.describe_floor(spread), describe_excluded(left_out, is_kept=not is_large))
        sentence = wording.describe_extreme(audit, extreme, large=is_large)
        sentences.append((sentence, " ".join(part for part in remark if part)))
    return sentences


def describe_excluded(excluded: Mapping[str, str], *, is_kept: bool) -> str:
    """The first groups that a gap leaves out, or keeps though they have few cases, and how many more."""
    if not excluded:
        return ""
    named = [f"{group} ({reason})" for group, reason in list(excluded.items())[:MAX_NAMED]]
    more = len(excluded) - len(named)
    names = ", ".join(named) + (say_plain("audit.more", n=more) if more else "")
    return say_plain("audit.kept" if is_kept else "audit.excluded", names=names)


def describe_group_rates(audit: Audit, attribute: str, metric: str) -> str:
    """The extremes of a measure in words; for measures without a noise floor, the range."""
    if metric in LEADING:
        extreme = audit.find_extreme(attribute, metric)
        return wording.describe_extreme(
            audit, extreme, large=extreme.large_groups.value is not None
        )
    frame = frames.build_group_frame(audit, attribute, metric).dropna(subset=["value"])
    title = wording.get_title(metric)
    if frame.empty:
        return f"{title} is {wording.NOT_ESTIMABLE} for every group."
    top, bottom = frame.loc[frame["value"].idxmax()], frame.loc[frame["value"].idxmin()]
    return (
        f"{title} lies between {wording.format_value(metric, bottom['value'])} ({bottom['group']}) and "
        f"{wording.format_value(metric, top['value'])} ({top['group']}). {wording.OVERLAP}"
    )


def build_group_table(audit: Audit, attribute: str) -> pd.DataFrame:
    """Groups down, measures across, each as ``value [low, high]`` or not estimable."""
    rows = []
    for group in (*audit.list_groups(attribute), audit.overall):
        marked = f"{group.group} ({say_plain('audit.few')})" if group.is_small else group.group
        row = {say_plain("audit.group"): marked or "all rows", "n": format_count(group.n)}
        for metric in TABLE_METRICS:
            row[wording.get_title(metric)] = wording.format_estimate(metric, group.metrics[metric])
        rows.append(row)
    return pd.DataFrame(rows)


def build_reasons(audit: Audit, attribute: str) -> pd.DataFrame:
    """Why a measure of a group is not estimable or rests on few cases."""
    rows = [
        {
            say_plain("audit.group"): group.group,
            say_plain("audit.metric"): wording.get_title(metric),
            "n": group.n,
            say_plain("audit.reason"): group.metrics[metric].reason,
        }
        for group in audit.list_groups(attribute)
        for metric in TABLE_METRICS
        if group.metrics[metric].reason
    ]
    return pd.DataFrame(rows)


def describe_gaps(frame: pd.DataFrame, reference: str) -> str:
    """How many differences have an interval that leaves zero out, and the largest of them."""
    known = frame.dropna(subset=["low", "high"])
    apart = known[(known["low"] > 0) | (known["high"] < 0)]
    text = f"{len(apart)} of {len(known)} intervals of a difference to {reference} leave zero out"
    if apart.empty:
        return f"{text}; about {0.05 * len(known):.1f} would by chance."
    far = apart.loc[apart["value"].abs().idxmax()]
    return (
        f"{text} (about {0.05 * len(known):.1f} would by chance); the largest is {far['title']} of "
        f"{far['group']}: {100 * far['value']:+.1f} points [{100 * far['low']:+.1f}, "
        f"{100 * far['high']:+.1f}]."
    )


def build_gap_table(audit: Audit, attribute: str) -> pd.DataFrame:
    """Every signed difference and ratio to the reference, with Holm's p where it was tested."""
    rows = [
        {
            say_plain("audit.group"): gap.group,
            say_plain("audit.metric"): wording.get_title(gap.metric),
            say_plain("audit.kind"): gap.kind,
            "n": format_count(gap.estimate.n),
            say_plain("audit.value"): _render_gap(gap.kind, gap.metric, gap.estimate),
            say_plain("audit.p"): wording.format_p(gap.p_holm),
            say_plain("audit.reason"): gap.estimate.reason,
        }
        for gap in audit.gaps
        if gap.attribute == attribute
    ]
    return pd.DataFrame(rows)


def build_extreme_table(audit: Audit, attribute: str) -> pd.DataFrame:
    """Largest against smallest: all estimable groups, and those with enough cases, with the floor."""
    rows = []
    for extreme in audit.extremes:
        if extreme.attribute != attribute:
            continue
        large, named = extreme.large_groups, GAP_DEFINITIONS.get(extreme.metric)
        title = wording.get_title(extreme.metric)
        rows.append(
            {
                say_plain("audit.metric"): title if named else f"{title}, {extreme.kind}",
                say_plain("audit.all_groups"): _render_spread(extreme.all_groups.value, extreme),
                say_plain("audit.large_groups"): _render_spread(large.value, extreme),
                say_plain("audit.floor"): _render_spread(large.floor_mean, extreme, absent="–"),
                say_plain("audit.floor_95"): _render_spread(large.floor_95, extreme, absent="–"),
                say_plain("audit.pair"): _render_pair(large.max_group, large.min_group),
                say_plain("audit.left_out"): ", ".join(extreme.all_groups.excluded) or "–",
                say_plain("audit.formula"): named.formula if named else "largest − smallest",
            }
        )
    return pd.DataFrame(rows)


def _render_gap(kind: str, metric: str, estimate: Estimate) -> str:
    if kind == "ratio":
        return wording.format_ratio(estimate)
    if estimate.value is None:
        return wording.NOT_ESTIMABLE
    change = wording.format_change(metric, estimate.value)
    return f"{change} {wording.format_change_interval(metric, estimate)}"


def _render_spread(
    value: float | None, extreme: Extreme, absent: str = wording.NOT_ESTIMABLE
) -> str:
    if value is None:
        return absent
    if extreme.kind == "ratio":
        return f"{value:.2f}"
    is_in_points = wording.is_change_in_points(extreme.metric)
    return wording.format_points(value) if is_in_points else f"{value:.3f}"


def _render_pair(first: str, second: str) -> str:
    return f"{first} · {second}" if first and second else "–"


def render_number(value: float | None) -> str:
    return wording.NOT_ESTIMABLE if value is None else f"{value:.3f}"


def render_slope(numbers: Mapping[str, float | None]) -> str:
    """The calibration slope with its interval."""
    slope, low, high = (numbers.get(name) for name in ("slope", "slope_low", "slope_high"))
    if slope is None or low is None or high is None:
        return wording.NOT_ESTIMABLE
    return f"{slope:.2f} [{low:.2f}, {high:.2f}]"
