"""Numbers into plain words: formats, sentences, standing notices; and the words that never appear."""

import html
import re
from collections.abc import Mapping
from typing import Any

from fairness.audit import Audit
from fairness.definitions import METRICS
from fairness.estimates import Estimate
from fairness.gap_definitions import GAP_DEFINITIONS
from fairness.gaps import count_rate
from fairness.intervals import compute_newcombe
from fairness.rates import RATES
from fairness.records import TOLERANCE, Extreme, GroupResult, Spread

NOT_ESTIMABLE = "not estimable"
ABSENT = "–"

NOTICE = (
    "These numbers describe this data and this model. They cannot show whether labels are right,"
    " the use is justified, or the law is met."
)
OVERLAP = "Overlapping intervals do not mean equal groups."
TRADE_OFF = (
    "With different base rates and imperfect prediction, equal precision, equal false positive rates and"
    " equal false negative rates cannot all hold at once."
)
FLOOR_HELP = (
    "Groups of limited size differ by chance even if one true rate holds for all. The noise floor is the"
    " largest-minus-smallest gap that chance alone would show at these sizes: on average, and in 95 of 100"
    " samples at most."
)
CANNOT_TELL = (
    "Whether the labels themselves are right: a label can carry the history of how it was made.",
    "Whether the differences are caused by the attribute or by what goes along with it.",
    "Whether the use of the model is justified, lawful or wanted.",
    "How the model does on other data, later, or on groups that are not listed here.",
    "Anything about combinations of attributes: each attribute is shown alone.",
)

_FORBIDDEN = re.compile(
    r"\b(un)?fair\b|\bunfairness\b|\b(un)?biased\b|\bdebias\w*|\bcompliant\b|\bcompl(y|ies)\b|\bpassed\b|\bfailed\b"
    r"|\bsafe\b|\bcertified\b|\bprotected class(es)?\b",
    re.IGNORECASE,
)


def find_forbidden(text: str) -> tuple[str, ...]:
    """Words of judgement in a text; empty if there are none."""
    return tuple(match.group(0) for match in _FORBIDDEN.finditer(text))


def escape_label(text: str, limit: int = 60) -> str:
    """A name for a chart: shortened in its middle, and inert where labels render simple tags."""
    return html.escape(shorten(text, limit), quote=False)


def shorten(text: str, limit: int) -> str:
    """At most ``limit`` characters; names that differ at their end stay apart."""
    if len(text) <= limit:
        return text
    tail = limit // 3
    return f"{text[: limit - tail - 1]}…{text[-tail:]}"


def format_percent(value: float, digits: int = 1) -> str:
    """0.4485 → "44.9 %"."""
    return f"{100 * value:.{digits}f} %"


def _minus(text: str) -> str:
    """A typographic minus instead of a hyphen."""
    return text.replace("-", "−")


def format_points(value: float) -> str:
    """0.2139 → "21.4 points"."""
    return f"{100 * value:.1f} points"


def is_rate(metric: str) -> bool:
    """Whether a metric is a share and is written in per cent."""
    return metric in RATES or metric == "balanced_accuracy"


def format_value(metric: str, value: float) -> str:
    """A value of a metric: per cent for shares, three decimals for the rest."""
    return format_percent(value) if is_rate(metric) else f"{value:.3f}"


def format_interval(metric: str, estimate: Estimate) -> str:
    """Interval like [42.6, 47.2] in the unit of the metric, "–" without an interval."""
    if estimate.low is None or estimate.high is None:
        return ABSENT
    if is_rate(metric):
        return f"[{100 * estimate.low:.1f}, {100 * estimate.high:.1f}]"
    return f"[{estimate.low:.3f}, {estimate.high:.3f}]"


def format_estimate(metric: str, estimate: Estimate) -> str:
    """Value and interval, like 44.8 % [42.6, 47.2], or that it is not estimable."""
    if estimate.value is None:
        return NOT_ESTIMABLE
    return f"{format_value(metric, estimate.value)} {format_interval(metric, estimate)}"


def format_change(metric: str, value: float) -> str:
    """A signed difference: points for shares, three decimals for the rest."""
    sign = "" if metric.startswith("average_absolute") else "+"
    if is_change_in_points(metric):
        return _minus(f"{100 * value:{sign}.1f} points")
    return _minus(f"{value:{sign}.3f}")


def is_change_in_points(metric: str) -> bool:
    """Whether differences of this metric are written in points."""
    return is_rate(metric) or metric in GAP_DEFINITIONS


def format_change_interval(metric: str, estimate: Estimate) -> str:
    """Interval of a signed difference, in the unit of ``format_change``."""
    if estimate.low is None or estimate.high is None:
        return ABSENT
    sign = "" if metric.startswith("average_absolute") else "+"
    if is_change_in_points(metric):
        return _minus(f"[{100 * estimate.low:{sign}.1f}, {100 * estimate.high:{sign}.1f}]")
    return _minus(f"[{estimate.low:{sign}.3f}, {estimate.high:{sign}.3f}]")


def format_ratio(estimate: Estimate) -> str:
    """Ratio and interval, like 1.91 [1.72, 2.12]."""
    if estimate.value is None:
        return NOT_ESTIMABLE
    if estimate.low is None or estimate.high is None:
        return f"{estimate.value:.2f}"
    return f"{estimate.value:.2f} [{estimate.low:.2f}, {estimate.high:.2f}]"


def format_p(value: float | None) -> str:
    """A p-value with three decimals, "< 0.001" below."""
    if value is None:
        return ABSENT
    return "< 0.001" if value < 0.001 else f"{value:.3f}"


def format_equal_p(value: float | None) -> str:
    """The same in a sentence: "p = 0.471", "p < 0.001"."""
    text = format_p(value)
    return f"p {text}" if text.startswith("<") else f"p = {text}"


def get_title(metric: str) -> str:
    """The name of a metric or of a gap in words."""
    if metric in METRICS:
        return METRICS[metric].title
    return GAP_DEFINITIONS[metric].title


def describe_extreme(audit: Audit, extreme: Extreme, *, large: bool = True) -> str:
    """The largest and the smallest rate and their distance with its interval."""
    spread = extreme.large_groups if large else extreme.all_groups
    title = get_title(extreme.metric)
    if spread.value is None:
        return f"{title}: {NOT_ESTIMABLE}, because {spread.reason}."
    if spread.max_group == spread.min_group:
        return f"{title} is known for one group only, {spread.max_group}; there is no gap to show."
    top = audit.find_group(extreme.attribute, spread.max_group)
    bottom = audit.find_group(extreme.attribute, spread.min_group)
    first, second = count_rate(top, extreme.metric), count_rate(bottom, extreme.metric)
    gap = compute_newcombe(*first, *second)
    return (
        f"{title} is {format_percent(first[0] / first[1])} for {top.group} ({_fraction(first)}) and"
        f" {format_percent(second[0] / second[1])} for {bottom.group} ({_fraction(second)}):"
        f" {format_points(spread.value)} higher (95 % interval {_bounds(gap)})."
    )


def _fraction(pair: tuple[int, int]) -> str:
    return f"{pair[0]:,}/{pair[1]:,}"


def _bounds(estimate: Estimate) -> str:
    if estimate.low is None or estimate.high is None:
        return NOT_ESTIMABLE
    return _minus(f"{100 * estimate.low:.1f} to {100 * estimate.high:.1f}")


def describe_floor(spread: Spread) -> str:
    """How the gap stands to what chance alone would show at these group sizes."""
    if spread.value is None or spread.floor_mean is None or spread.floor_95 is None:
        return ""
    return (
        "Groups of these sizes with one common true rate would show"
        f" {format_points(spread.floor_mean)} on average, up to {100 * spread.floor_95:.1f} in 95 of 100"
        f" samples. The gap is {compare_to_floor(spread)}."
    )


def compare_to_floor(spread: Spread) -> str:
    """Above or below the noise floor, in words."""
    if spread.value is None or spread.floor_95 is None:
        return ""
    if spread.value > spread.floor_95:
        return "larger than chance alone usually produces"
    return (
        "not distinguishable from chance at these sizes; this does not show that the groups are"
        " treated alike"
    )


def describe_excluded(spread: Spread) -> str:
    """Which groups a gap leaves out, and why: "Asian (few cases: 9 positive labels)."."""
    if not spread.excluded:
        return ""
    parts = ", ".join(f"{group} ({reason})" for group, reason in spread.excluded.items())
    return f"{parts}."


def describe_few(group: GroupResult, metric: str) -> str:
    """How little a rate over few cases says."""
    estimate = group.metrics[metric]
    if estimate.low is None or estimate.high is None or estimate.denominator is None:
        return ""
    cases = estimate.denominator
    return (
        f"{group.group} has {cases} {RATES[metric].pool}; the interval of its {get_title(metric).lower()}"
        f" spans {100 * (estimate.high - estimate.low):.0f} points."
    )


def describe_looks(looks: int | None) -> str:
    """How often the test part was used."""
    if looks is None:
        return "not stated"
    if looks <= 1:
        return "once"
    return f"The test set has been used {looks} times; results are optimistic."


def describe_beneficial(audit: Audit) -> str:
    """Which outcome is good for the person, or that nobody said."""
    options = audit.options
    if options.beneficial is None:
        return "not stated"
    effect = "a flag is the beneficial decision" if audit.is_flag_beneficial else "no flag is the beneficial decision"  # fmt: skip
    return f"{options.beneficial} ({effect})"


def describe_cross_check(check: Mapping[str, Any]) -> str:
    """What computing the numbers again gave, from the ``cross_check`` of the JSON; "" without groups."""
    if not check["n_compared"]:
        return ""
    largest = check["largest_difference"]
    where = f" ({check['where']})" if largest > TOLERANCE else ""
    return (
        f"Recomputed with {check['library']} {check['version']}: {check['n_compared']:,} numbers,"
        f" largest difference {largest:.2g}{where}."
    )


def describe_calibration(numbers: Mapping[str, float | None], n: int) -> str:
    """Calibration error beside what a calibrated model would show at this n."""
    ece, null, high = (numbers.get(key) for key in ("ece", "ece_null_mean", "ece_null_95"))
    if ece is None or null is None or high is None:
        return ""
    return (
        f"The expected calibration error is {ece:.3f}. With {n:,} rows a calibrated model shows about"
        f" {null:.3f}, up to {high:.3f} in 95 of 100 samples."
    )
