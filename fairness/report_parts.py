"""The report's tables and sentences, ready to be laid out: no HTML here."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from fairness.audit import RANKING_REASON, Audit
from fairness.context import NOT_STATED, ReportContext
from fairness.definitions import METRICS
from fairness.estimates import Estimate
from fairness.gap_definitions import GAP_DEFINITIONS
from fairness.gaps import count_rate
from fairness.rates import RATES
from fairness.records import Extreme, Gap, GroupResult, Spread
from fairness.wording import (
    ABSENT,
    NOT_ESTIMABLE,
    compare_to_floor,
    describe_beneficial,
    describe_excluded,
    describe_extreme,
    describe_floor,
    describe_looks,
    format_change,
    format_change_interval,
    format_interval,
    format_p,
    format_ratio,
    format_value,
    get_title,
)

GROUP_TABLES: Sequence[tuple[str, Sequence[str]]] = (
    ("Who is flagged", ("base_rate", "selection_rate", "mean_prediction")),
    ("Error rates", ("true_positive_rate", "false_positive_rate", "true_negative_rate", "false_negative_rate")),
    ("What a flag means", ("precision", "negative_predictive_value", "false_discovery_rate", "false_omission_rate")),
    ("Quality", ("accuracy", "balanced_accuracy", "f1", "roc_auc", "brier_score")),
)  # fmt: skip
HEADLINE_METRICS = ("selection_rate", "true_positive_rate", "false_positive_rate", "precision")
OVERALL_METRICS = (
    "roc_auc", "accuracy", "balanced_accuracy", "f1", "precision", "true_positive_rate",
    "false_positive_rate", "selection_rate", "brier_score", "log_loss",
)  # fmt: skip
GAP_TABLE_METRICS = (
    "base_rate", "selection_rate", "true_positive_rate", "false_positive_rate", "precision",
    "false_omission_rate", "accuracy", "roc_auc", "brier_score", "average_odds_difference",
    "average_absolute_odds_difference",
)  # fmt: skip
SPREAD_METRICS = (
    "demographic_parity_difference", "equal_opportunity_difference", "predictive_equality_difference",
    "equalized_odds_difference", "equalized_odds_difference_mean", "predictive_parity_difference",
    "accuracy", "roc_auc", "brier_score",
)  # fmt: skip
RATIO_METRICS = (
    "demographic_parity_ratio", "impact_ratio", "equal_opportunity_ratio", "predictive_equality_ratio",
    "equalized_odds_ratio",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Cell:
    """A table cell: the main text, a small second line, and whether it is absent or rests on few cases."""

    text: str
    small: str = ""
    is_few: bool = False
    is_absent: bool = False
    note: str = ""


@dataclass(frozen=True, slots=True)
class Table:
    """A table whose first column is the row's heading."""

    caption: str
    header: Sequence[str]
    rows: Sequence[tuple[str, Sequence[Cell]]]
    note: str = ""


def build_cell(metric: str, estimate: Estimate) -> Cell:
    """Value above, interval and counts below; absent numbers say why."""
    if estimate.value is None:
        return Cell(NOT_ESTIMABLE, estimate.reason, is_absent=True)
    small = format_interval(metric, estimate)
    if small == ABSENT:
        small = estimate.reason or ABSENT
    counts = ""
    if estimate.numerator is not None and estimate.denominator is not None:
        counts = f"{estimate.numerator:,}/{estimate.denominator:,}"
    return Cell(
        format_value(metric, estimate.value),
        small,
        is_few="few cases" in estimate.reason,
        note=counts,
    )


def build_cover(audit: Audit, context: ReportContext) -> list[tuple[str, str]]:
    """The facts of the cover in reading order; blanks say so."""
    threshold = audit.options.threshold
    return [
        ("Model", context.model_name),
        ("Data", context.data_name),
        ("Rows audited", f"{audit.overall.n:,}"),
        ("Rows in the data", NOT_STATED if context.n_rows is None else f"{context.n_rows:,}"),
        ("Made at (UTC)", render_time(context.created_at)),
        ("Made by", context.operator),
        ("Sensitive attributes", ", ".join(audit.attributes) or "none given"),
        ("Positive label", audit.options.positive),
        ("Beneficial outcome", describe_beneficial(audit)),
        ("Decision threshold", NOT_STATED if threshold is None else f"{threshold:g}"),
        ("Test set used", describe_looks(context.looks)),
        ("Intended use", context.intended_use),
        ("Who is affected", context.affected),
        ("A flag helps or burdens", context.flag_effect),
    ]


def render_time(created_at: str) -> str:
    """ISO 8601 in UTC as "2026-01-02 03:04"; other words stay."""
    try:
        return datetime.fromisoformat(created_at).strftime("%Y-%m-%d %H:%M")
    except ValueError:
        return created_at


def build_headlines(audit: Audit, attribute: str) -> list[tuple[str, str]]:
    """Largest gaps over groups with enough cases: the sentence, and how it stands to chance."""
    extremes = [audit.find_extreme(attribute, metric) for metric in HEADLINE_METRICS]
    return [(describe_extreme(audit, e), describe_floor(e.large_groups)) for e in extremes]


def list_left_out(audit: Audit, attribute: str) -> list[str]:
    """Groups that the headline gaps leave out, metric by metric."""
    sentences = []
    for metric in HEADLINE_METRICS:
        text = describe_excluded(audit.find_extreme(attribute, metric).large_groups)
        if text:
            sentences.append(f"Left out of {get_title(metric).lower()}: {text}")
    return sentences


def build_group_tables(audit: Audit, attribute: str) -> list[Table]:
    """Four tables of one attribute: every group and all rows, every metric with its interval."""
    groups = [*audit.list_groups(attribute), audit.overall]
    limit = audit.options.min_group_size
    tables = []
    for caption, names in GROUP_TABLES:
        metrics = [name for name in names if _is_shown(audit, name)]
        header = [attribute, "n", *(get_title(m) for m in metrics)]
        rows = []
        for group in groups:
            share = Cell(f"{group.n:,}", f"{group.n / audit.overall.n:.1%}".replace("%", " %"))
            cells = [build_cell(metric, group.metrics[metric]) for metric in metrics]
            rows.append((_name(group), [share, *cells]))
        note = f"◇ few cases: the number rests on fewer than {limit}."
        shown = any(cell.is_few for _, cells in rows for cell in cells)
        tables.append(Table(f"{caption}, by {attribute}", header, rows, note if shown else ""))
    return tables


def _is_shown(audit: Audit, metric: str) -> bool:
    """Columns that no score of this kind can fill are left out; other absent numbers are shown."""
    return audit.overall.metrics[metric].reason not in ("no scores were given", RANKING_REASON)


def _name(group: GroupResult) -> str:
    return group.group if group.attribute else "All rows"


def build_gap_table(audit: Audit, attribute: str) -> Table:
    """Signed differences and ratios to the reference, with Holm's p-value."""
    rows = []
    for gap in audit.gaps:
        is_listed = gap.metric in GAP_TABLE_METRICS and gap.kind == "difference"
        if gap.attribute == attribute and is_listed:
            rows.append((get_title(gap.metric), _build_gap_cells(audit, gap)))
    order = {get_title(metric): i for i, metric in enumerate(GAP_TABLE_METRICS)}
    rows.sort(key=lambda row: order[row[0]])
    reference = audit.references[attribute]
    return Table(
        f"Gaps to {reference}, by {attribute}",
        ["Metric", "Group", "Difference", "Ratio", "p (Holm)"],
        rows,
        "Difference = group − reference, with its 95 % interval. p-values are corrected for all comparisons"
        " of this attribute (Holm). ◇ few cases.",
    )


def _build_gap_cells(audit: Audit, gap: Gap) -> list[Cell]:
    estimate = gap.estimate
    if estimate.value is None:
        change = Cell(NOT_ESTIMABLE, estimate.reason, is_absent=True)
    else:
        few = "few cases" in estimate.reason
        interval = format_change_interval(gap.metric, estimate)
        change = Cell(format_change(gap.metric, estimate.value), interval, is_few=few)
    ratios = [
        other
        for other in audit.gaps
        if other.kind == "ratio"
        and (other.attribute, other.metric, other.group) == (gap.attribute, gap.metric, gap.group)
    ]
    ratio = Cell(format_ratio(ratios[0].estimate)) if ratios else Cell(ABSENT)
    return [Cell(gap.group, _count_both(audit, gap)), change, ratio, Cell(format_p(gap.p_holm))]


def _count_both(audit: Audit, gap: Gap) -> str:
    """What a gap rests on: the cases of the group against those of the reference."""
    pair = [audit.find_group(gap.attribute, name) for name in (gap.group, gap.reference)]
    if gap.metric not in RATES:
        return f"n {pair[0].n:,} against {pair[1].n:,}"
    counts = [count_rate(group, gap.metric) for group in pair]
    return " against ".join(f"{numerator:,}/{n:,}" for numerator, n in counts)


def build_spread_table(audit: Audit, attribute: str) -> Table:
    """Largest minus smallest beside its noise floor, over all groups and over those with enough cases."""
    rows: list[tuple[str, Sequence[Cell]]] = []
    for metric in SPREAD_METRICS:
        extreme = _find(audit, attribute, metric)
        if extreme is None:
            continue
        name = f"{get_title(metric)}{' gap' if metric in METRICS else ''}"
        spreads = (extreme.all_groups, extreme.large_groups)
        rows.append((name, [c for spread in spreads for c in _build_spread_cells(metric, spread)]))
    return Table(
        f"Largest minus smallest, by {attribute}",
        ["Metric", "All estimable groups", "By chance alone", "Groups with enough cases", "By chance alone"],
        rows,
        "A gap max − min is never below zero, so compare it with what chance alone would show at these sizes.",
    )  # fmt: skip


def _find(audit: Audit, attribute: str, metric: str) -> Extreme | None:
    for extreme in audit.extremes:
        if (extreme.attribute, extreme.metric) == (attribute, metric):
            return extreme
    return None


def _build_spread_cells(metric: str, spread: Spread) -> list[Cell]:
    """The gap with its two groups, and the chance gap with the reading."""
    if spread.value is None:
        return [Cell(NOT_ESTIMABLE, spread.reason, is_absent=True), Cell(ABSENT)]
    in_points = metric not in ("roc_auc", "brier_score")
    scale, digits, unit = (100, 1, " points") if in_points else (1, 3, "")
    pair = f"{spread.max_group} – {spread.min_group}"
    gap = Cell(f"{scale * spread.value:.{digits}f}{unit}", pair)
    if spread.floor_mean is None or spread.floor_95 is None:
        return [gap, Cell(ABSENT, "no floor for this metric")]
    chance = (
        f"{scale * spread.floor_mean:.{digits}f}, 95 %: {scale * spread.floor_95:.{digits}f}{unit}"
    )
    return [gap, Cell(chance, compare_to_floor(spread).split(";")[0])]


def build_ratio_table(audit: Audit, attribute: str) -> Table:
    """Smallest over largest, over all groups and over those with enough cases."""
    rows: list[tuple[str, Sequence[Cell]]] = []
    for metric in RATIO_METRICS:
        extreme = audit.find_extreme(attribute, metric)
        cells = []
        for spread in (extreme.all_groups, extreme.large_groups):
            if spread.value is None:
                cells.append(Cell(NOT_ESTIMABLE, spread.reason, is_absent=True))
            else:
                cells.append(
                    Cell(f"{spread.value:.2f}", f"{spread.min_group} / {spread.max_group}")
                )
        rows.append((get_title(metric), cells))
    return Table(
        f"Smallest over largest, by {attribute}",
        ["Ratio", "All estimable groups", "Groups with enough cases"],
        rows,
        "1.00 means equal rates. Ratios of small rates move easily.",
    )


def build_overall_table(audit: Audit, context: ReportContext) -> Table:
    """The model and the baselines on the same rows."""
    if context.models:
        names = [m for m in METRICS if any(m in model.metrics for model in context.models)]
        names = [m for m in OVERALL_METRICS if m in names] or names
        models = [f"{m.name} (baseline)" if m.is_baseline else m.name for m in context.models]
        rows = [
            (
                get_title(name),
                [
                    build_cell(name, model.metrics[name]) if name in model.metrics else Cell(ABSENT)
                    for model in context.models
                ],
            )
            for name in names
        ]
        caption = f"Models on the test set, {audit.overall.n:,} rows"
        return Table(caption, ["Metric", *models], rows)
    names = [name for name in OVERALL_METRICS if _is_shown(audit, name)]
    listed = [(get_title(n), _spread_out(n, audit.overall.metrics[n])) for n in names]
    return Table("All rows", ["Metric", "Value", "95 % interval", "Cases"], listed)


def _spread_out(metric: str, estimate: Estimate) -> list[Cell]:
    """The three lines of a cell as three cells; without counts the number of rows."""
    cell = build_cell(metric, estimate)
    value = Cell(cell.text, is_few=cell.is_few, is_absent=cell.is_absent)
    return [value, Cell(cell.small or ABSENT), Cell(cell.note or f"{estimate.n:,}")]


def build_calibration_table(audit: Audit) -> Table:
    """Calibration of all rows and every group: numbers only."""
    rows: list[tuple[str, Sequence[Cell]]] = []
    for entry in audit.calibration:
        name = f"{entry.attribute}: {entry.group}" if entry.attribute else "All rows"
        n = entry.numbers
        slope = Cell(NOT_ESTIMABLE, is_absent=True)
        if n["slope"] is not None:
            slope = Cell(f"{n['slope']:.2f}", f"[{n['slope_low']:.2f}, {n['slope_high']:.2f}]")
        ratio = n["observed_over_expected"]
        rows.append(
            (
                name,
                [
                    Cell(f"{entry.n:,}"),
                    Cell(ABSENT if ratio is None else f"{ratio:.2f}"),
                    slope,
                    Cell(f"{n['brier_score']:.3f}"),
                    Cell(f"{n['miscalibration']:.4f}"),
                    Cell(f"{n['ece']:.3f}", f"null {n['ece_null_mean']:.3f}, 95 %: {n['ece_null_95']:.3f}"),
                ],
            )
        )  # fmt: skip
    return Table(
        "Calibration by group",
        ["Group", "n", "Observed / expected", "Slope", "Brier score", "Miscalibration", "ECE"],
        rows,
        "Calibrated scores have observed/expected 1, slope 1 and an ECE near its null value. Miscalibration is"
        " the part of the Brier score that recalibration could remove.",
    )


def build_counts_table(audit: Audit) -> Table:
    """The count table that every number of the report derives from."""
    rows = []
    for group in [audit.overall, *audit.by_group]:
        name = f"{group.attribute}: {group.group}" if group.attribute else "All rows"
        c = group.counts
        cells = [Cell(f"{value:,}") for value in (group.n, c.tn, c.fp, c.fn, c.tp)]
        rows.append((name, cells))
    return Table(
        "Counts",
        ["Group", "n", "True negatives", "False positives", "False negatives", "True positives"],
        rows,
        "Private copy: small counts are not hidden. Share it with care.",
    )


def build_definitions(audit: Audit) -> Table:
    """Our formula for every name used."""
    names = [name for name in audit.overall.metrics if _is_shown(audit, name)]
    rows = [
        (METRICS[name].title, [Cell(METRICS[name].formula), Cell(METRICS[name].help)])
        for name in names
    ]
    rows += [
        (row.title, [Cell(row.formula), Cell(f"neutral {row.neutral:g}; {row.reference}")])
        for row in GAP_DEFINITIONS.values()
    ]
    return Table("Definitions", ["Name", "Formula", "Remark"], rows)
