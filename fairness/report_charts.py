"""The report's charts: interactive with scripts, a drawing without, a table and a sentence with each."""

from dataclasses import dataclass

import pandas as pd
import plotly.graph_objects as go
import plotly.io
from markupsafe import Markup

from fairness.audit import Audit
from fairness.figures import MAX_SERIES, plot_gaps, plot_group_rates, plot_group_reliability
from fairness.frames import (
    CHART_METRICS,
    GAP_CHART_METRICS,
    build_gap_frame,
    build_group_frame,
    build_reliability_frame,
)
from fairness.report_parts import Cell, Table
from fairness.static_charts import Line, Mark, render_interval_svg, render_reliability_svg
from fairness.template import CONFIG
from fairness.wording import ABSENT, OVERLAP, format_value, get_title


@dataclass(frozen=True, slots=True)
class Chart:
    """One picture of the report; ``html`` needs scripts, ``svg`` does not (empty where only the table stands in)."""

    title: str
    sentence: str
    html: Markup
    svg: Markup
    table: Table


class ChartWriter:
    """Turns figures into divs with fixed ids; the first one carries the Plotly script."""

    def __init__(self) -> None:
        self._n = 0

    def render(self, figure: go.Figure) -> Markup:
        """The figure as a div; aggregates only, no upload button."""
        self._n += 1
        text = plotly.io.to_html(
            figure,
            config=CONFIG,
            full_html=False,
            include_plotlyjs=self._n == 1,
            div_id=f"chart-{self._n}",
            default_height=f"{figure.layout.height}px",
        )
        return Markup(text)  # noqa: S704 - made by Plotly from escaped labels


def build_rate_charts(audit: Audit, attribute: str, writer: ChartWriter) -> list[Chart]:
    """One chart of group rates for each of the leading metrics."""
    charts = []
    for metric in CHART_METRICS:
        frame = build_group_frame(audit, attribute, metric)
        if frame["value"].isna().all():
            continue
        title = f"{get_title(metric)} by {attribute}"
        charts.append(
            Chart(
                title=title,
                sentence=_describe_rates(frame, metric),
                html=writer.render(plot_group_rates(frame, metric)),
                svg=_draw_rates(frame, metric, title),
                table=_tabulate_rates(frame, metric, title),
            )
        )
    return charts


def _describe_rates(frame: pd.DataFrame, metric: str) -> str:
    known = frame[frame["value"].notna()]
    values = known["value"].astype(float).to_numpy()
    top, bottom = known.iloc[int(values.argmax())], known.iloc[int(values.argmin())]
    text = (
        f"{get_title(metric)} runs from {format_value(metric, bottom['value'])} ({bottom['group']}) to"
        f" {format_value(metric, top['value'])} ({top['group']})."
    )
    if known["few"].any():
        text += " Hollow dots rest on few cases."
    absent = frame[frame["value"].isna()]["group"].tolist()
    if absent:
        text += f" Not estimable: {', '.join(absent)}."
    return text


def _interval_text(row: pd.Series, metric: str) -> str:
    if pd.isna(row["value"]):
        return "not estimable"
    text = format_value(metric, row["value"])
    if pd.notna(row["low"]):
        text += f" [{100 * row['low']:.1f}, {100 * row['high']:.1f}]"
    return text


def _draw_rates(frame: pd.DataFrame, metric: str, title: str) -> Markup:
    marks = [
        Mark(
            str(row["group"]),
            _number(row["value"]),
            _number(row["low"]),
            _number(row["high"]),
            _interval_text(row, metric),
            is_hollow=bool(row["few"]),
        )
        for _, row in frame.iterrows()
    ]
    return Markup(render_interval_svg(marks, title, (0.0, 1.0)))  # noqa: S704 - names are escaped there


def _number(value: object) -> float | None:
    return None if pd.isna(value) else float(value)  # type: ignore[call-overload, arg-type]


def _tabulate_rates(frame: pd.DataFrame, metric: str, title: str) -> Table:
    rows = []
    for _, row in frame.iterrows():
        counts = ABSENT if pd.isna(row["numerator"]) else f"{int(row['numerator'] or 0):,}/{int(row['denominator']):,}"  # fmt: skip
        rows.append((str(row["group"]), [Cell(_interval_text(row, metric)), Cell(counts)]))
    return Table(title, ["Group", get_title(metric), "Cases"], rows)


def build_gap_chart(audit: Audit, attribute: str, writer: ChartWriter) -> Chart | None:
    """Signed differences to the reference group; None with a single group."""
    frame = build_gap_frame(audit, attribute)
    known = frame[frame["value"].notna()]
    if known.empty:
        return None
    crossing = ((known["low"] <= 0) & (known["high"] >= 0)).sum()
    reference = audit.references[attribute]
    title = f"Differences to {reference}, by {attribute}"
    marks = [
        Mark(
            f"{row['title']}: {row['group']}",
            _number(row["value"]),
            _number(row["low"]),
            _number(row["high"]),
            _change_text(row),
            is_hollow=bool(row["few"]),
        )
        for _, row in frame.sort_values("metric", key=_order_metrics, kind="stable").iterrows()
    ]
    reach = float(known[["low", "high", "value"]].abs().max().max()) or 1.0
    rows = [
        (str(row["title"]), [Cell(str(row["group"])), Cell(_change_text(row))])
        for _, row in frame.iterrows()
    ]
    return Chart(
        title=title,
        sentence=(
            f"Each mark is group − {reference} with its 95 % interval; {crossing} of {len(known)} intervals"
            f" include zero. {OVERLAP}"
        ),
        html=writer.render(plot_gaps(frame)),
        svg=Markup(render_interval_svg(marks, title, (-reach, reach))),  # noqa: S704
        table=Table(title, ["Metric", "Group", "Difference"], rows),
    )


def _order_metrics(names: pd.Series) -> pd.Series:
    return names.map(GAP_CHART_METRICS.index)


def _list_lines(frame: pd.DataFrame) -> list[Line]:
    columns = ["mean_score", "observed", "low", "high"]
    groups = list(dict.fromkeys(frame["group"]))[:MAX_SERIES]
    return [
        Line(
            str(group),
            [tuple(row) for row in frame.loc[frame["group"] == group, columns].to_numpy()],
        )
        for group in groups
    ]


def _change_text(row: pd.Series) -> str:
    if pd.isna(row["value"]):
        return "not estimable"
    text = f"{100 * row['value']:+.1f} points"
    if pd.notna(row["low"]):
        text += f" [{100 * row['low']:+.1f}, {100 * row['high']:+.1f}]"
    return text.replace("-", "−")


def build_reliability_chart(audit: Audit, attribute: str, writer: ChartWriter) -> Chart | None:
    """Observed rate against score; empty attribute: all rows. None where no group has enough rows."""
    frame = build_reliability_frame(audit, attribute)
    if frame.empty:
        return None
    title = f"Reliability by {attribute}" if attribute else "Reliability, all rows"
    groups = list(dict.fromkeys(frame["group"]))
    sentence = (
        "On the dashed line the observed share of positives equals the mean score; above it scores are too low,"
        " below it too high. Groups with fewer than 100 rows or 10 events have numbers only."
    )
    if len(groups) > MAX_SERIES:
        sentence += (
            f" The chart shows the first {MAX_SERIES} of {len(groups)} groups; the table shows all."
        )
    rows = [
        (
            str(row["group"]),
            [
                Cell(f"{row['mean_score']:.3f}"),
                Cell(f"{row['observed']:.3f} [{row['low']:.3f}, {row['high']:.3f}]"),
                Cell(f"{int(row['n']):,}"),
            ],
        )
        for _, row in frame.iterrows()
    ]
    return Chart(
        title=title,
        sentence=sentence,
        html=writer.render(plot_group_reliability(frame)),
        svg=Markup(render_reliability_svg(_list_lines(frame), title)),  # noqa: S704
        table=Table(title, ["Group", "Mean score", "Observed share", "n"], rows),
    )
