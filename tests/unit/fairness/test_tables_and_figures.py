"""CSV, frames, figures and sentences."""

import csv
import io

import plotly.graph_objects as go
import pytest

from fairness.figures import plot_gaps, plot_group_rates, plot_group_reliability
from fairness.frames import build_gap_frame, build_group_frame, build_reliability_frame
from fairness.static_charts import Mark, render_interval_svg
from fairness.tables import escape_cell, render_counts_csv, render_metrics_csv
from fairness.template import CONFIG, PALETTE, apply_template
from fairness.wording import compare_to_floor, describe_extreme, describe_floor, escape_label


def _read(text):
    return list(csv.DictReader(io.StringIO(text)))


def test_counts_csv_holds_every_group(compas):
    rows = _read(render_counts_csv(compas))
    assert len(rows) == 12
    assert rows[0] == {"attribute": "", "group": "", "n": "7214", "tn": "2681", "fp": "1282", "fn": "1216", "tp": "2035"}  # fmt: skip


def test_metrics_csv_equals_the_audit(inline_empty):
    rows = _read(render_metrics_csv(inline_empty))
    row = next(r for r in rows if r["group"] == "a" and r["metric"] == "true_positive_rate")
    assert (row["value"], row["status"], row["reason"]) == ("", "not_estimable", "no positive labels")  # fmt: skip


@pytest.mark.parametrize(
    ("cell", "shown"),
    [
        ("=1+1", "'=1+1"),
        ("@x", "'@x"),
        ("-a", "'-a"),
        ("  =1", "'  =1"),
        ("\ufeff=1", "'\ufeff=1"),
        ("\u00a0@x", "'\u00a0@x"),
        (-1.5, -1.5),
        (None, ""),
        ("plain", "plain"),
    ],
)
def test_formulas_are_made_inert_but_numbers_stay(cell, shown):
    assert escape_cell(cell) == shown


def test_rates_are_drawn_with_intervals_and_few_cases_hollow(compas):
    frame = build_group_frame(compas, "race", "true_positive_rate")
    figure = plot_group_rates(frame, "true_positive_rate")
    symbols = {trace.marker.symbol for trace in figure.data}
    assert symbols == {"circle", "circle-open"}
    hollow = next(t for t in figure.data if t.marker.symbol == "circle-open")
    names = [figure.layout.yaxis.ticktext[place] for place in hollow.y]
    assert names == ["Asian", "Native American"]
    assert figure.layout.xaxis.range[0] == 0


def test_not_estimable_groups_are_in_the_frame_but_not_drawn(inline_empty):
    frame = build_group_frame(inline_empty, "g", "true_positive_rate")
    assert frame["value"].isna().tolist() == [True, False]
    assert sum(len(trace.x) for trace in plot_group_rates(frame, "true_positive_rate").data) == 1


def test_gap_figure_has_a_panel_per_metric(compas):
    frame = build_gap_frame(compas, "race")
    assert len(plot_gaps(frame).data) == frame["metric"].nunique() == 5
    assert frame["reference"].unique().tolist() == ["Caucasian"]
    first = plot_gaps(frame).data[0]
    row = frame[frame["metric"] == "selection_rate"].iloc[0]
    assert first.x[0] == pytest.approx(100 * row["value"])  # the axis is in points
    assert first.error_x.array[0] == pytest.approx(100 * (row["high"] - row["value"]))


def test_figures_hold_aggregates_only(compas):
    figure = plot_group_reliability(build_reliability_frame(compas, "race"))
    assert len(figure.data) <= 7
    assert all(len(trace.x) <= 15 for trace in figure.data)


@pytest.mark.parametrize("dark", [False, True])
def test_template_sets_the_palette_and_both_themes(dark):
    figure = apply_template(go.Figure(), dark=dark)
    assert figure.layout.template.layout.colorway == PALETTE
    assert CONFIG["showSendToCloud"] is False
    assert CONFIG["displayModeBar"] == "hover"


def test_labels_are_shortened_and_inert():
    assert escape_label("<b>x</b>") == "&lt;b&gt;x&lt;/b&gt;"
    assert escape_label("a" * 50 + "12345", 16) == "a" * 10 + "…12345"


def test_groups_whose_names_begin_alike_keep_their_own_line(audit_rows):
    names = [f"{'x' * 40}{tail}{'y' * 40}" for tail in "ab"]
    audit = audit_rows("0101" * 5, "0110" * 5, (names * 10))
    frame = build_group_frame(audit, "g", "selection_rate")
    figure = plot_group_rates(frame, "selection_rate")
    assert sorted(place for trace in figure.data for place in trace.y) == [0, 1]


def test_drawing_escapes_names():
    svg = render_interval_svg([Mark("<a>", 0.5, 0.4, 0.6, "5 & 6")], "t", (0, 1))
    assert "<a>" not in svg
    assert "&lt;a&gt;" in svg


def test_gap_sentence_has_rates_counts_interval_and_floor(compas):
    extreme = compas.find_extreme("race", "false_positive_rate")
    text = describe_extreme(compas, extreme)
    assert text.startswith(
        "False positive rate is 44.8 % for African-American (805/1,795) and 14.8 % for Other (36/244)"
    )
    assert "30.1 points higher (95 % interval" in text
    assert "larger than chance alone usually produces" in describe_floor(extreme.large_groups)
    assert compare_to_floor(extreme.all_groups).startswith("not distinguishable from chance")
