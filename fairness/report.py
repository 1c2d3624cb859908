"""The report as one self-contained HTML file, and the tables that leave the product."""

from dataclasses import dataclass
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from fairness import report_parts as parts
from fairness.audit import SCHEMA_VERSION, Audit
from fairness.context import NOT_STATED, ModelRow, ReportContext
from fairness.notices import count_comparisons
from fairness.report_charts import (
    Chart,
    ChartWriter,
    build_gap_chart,
    build_rate_charts,
    build_reliability_chart,
)
from fairness.tables import render_counts_csv, render_metrics_csv
from fairness.wording import (
    CANNOT_TELL,
    FLOOR_HELP,
    NOTICE,
    TRADE_OFF,
    describe_calibration,
    describe_cross_check,
    describe_few,
)

__all__ = [
    "NOT_STATED",
    "ModelRow",
    "ReportContext",
    "render_counts_csv",
    "render_metrics_csv",
    "render_report",
]

MAX_FEW = 8
_TEMPLATES = Path(__file__).parent / "templates"


@dataclass(frozen=True, slots=True)
class Section:
    """Everything the report shows about one sensitive attribute."""

    attribute: str
    reference: str
    grouping: str
    headlines: list[tuple[str, str]]
    left_out: list[str]
    few: list[str]
    group_tables: list[parts.Table]
    rate_charts: list[Chart]
    gap_chart: Chart | None
    gap_table: parts.Table
    spread_table: parts.Table
    ratio_table: parts.Table
    reliability: Chart | None


def render_report(audit: Audit, context: ReportContext) -> str:
    """The whole report as HTML text: opens offline, makes no request, readable without scripts."""
    writer = ChartWriter()
    # Charts are made in reading order, because the first one carries the script for all.
    sections = [_build_section(audit, attribute, writer) for attribute in audit.attributes]
    reliability = build_reliability_chart(audit, "", writer)
    environment = Environment(
        loader=FileSystemLoader(_TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    first = audit.calibration[0] if audit.calibration else None
    return environment.get_template("report.html").render(
        audit=audit,
        context=context,
        cover=parts.build_cover(audit, context),
        notice=NOTICE,
        trade_off=TRADE_OFF,
        floor_help=FLOOR_HELP,
        cannot_tell=CANNOT_TELL,
        not_stated=NOT_STATED,
        sections=sections,
        overall=parts.build_overall_table(audit, context),
        reliability=reliability,
        calibration=parts.build_calibration_table(audit) if first else None,
        calibration_sentence=describe_calibration(first.numbers, first.n) if first else "",
        counts=parts.build_counts_table(audit),
        definitions=parts.build_definitions(audit),
        protocol=_build_protocol(audit, context),
        cross_check=describe_cross_check(context.cross_check.to_json())
        if context.cross_check
        else "",
        n_comparisons=count_comparisons(audit.gaps),
        schema_version=SCHEMA_VERSION,
    )


def _build_section(audit: Audit, attribute: str, writer: ChartWriter) -> Section:
    few = [
        describe_few(group, metric)
        for group in audit.list_groups(attribute)
        for metric in ("true_positive_rate", "false_positive_rate")
        if "few cases" in group.metrics[metric].reason
    ]
    return Section(
        attribute=attribute,
        reference=audit.references[attribute],
        grouping=audit.groupings[attribute],
        headlines=parts.build_headlines(audit, attribute),
        left_out=parts.list_left_out(audit, attribute),
        few=_shorten_list([sentence for sentence in dict.fromkeys(few) if sentence]),
        group_tables=parts.build_group_tables(audit, attribute),
        rate_charts=build_rate_charts(audit, attribute, writer),
        gap_chart=build_gap_chart(audit, attribute, writer),
        gap_table=parts.build_gap_table(audit, attribute),
        spread_table=parts.build_spread_table(audit, attribute),
        ratio_table=parts.build_ratio_table(audit, attribute),
        reliability=build_reliability_chart(audit, attribute, writer),
    )


def _shorten_list(sentences: list[str]) -> list[str]:
    more = len(sentences) - MAX_FEW
    return sentences if more <= 0 else [*sentences[:MAX_FEW], f"{more} more are marked ◇ below."]


def _build_protocol(audit: Audit, context: ReportContext) -> list[tuple[str, str]]:
    references = ", ".join(f"{a}: {g}" for a, g in audit.references.items())
    seed = audit.options.seed if context.seed is None else context.seed
    return [
        *context.protocol.items(),
        ("Reference groups", references or "none"),
        ("Minimum group size", str(audit.options.min_group_size)),
        ("Seed", str(seed)),
        ("Intervals", "95 %; rates: Wilson; differences: Newcombe; ratios: Katz; AUC: DeLong; others: bootstrap"),
        ("Noise floor", "10,000 random assignments of outcomes to groups of these sizes"),
    ]  # fmt: skip
