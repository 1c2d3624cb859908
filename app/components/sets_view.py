"""Prediction sets and intervals: the stated coverage, what was measured, and how large they are."""

import math
from collections.abc import Mapping
from typing import Any

import pandas as pd
import streamlit as st

from app import uncertainty
from app.components.address import bind_choice
from app.components.figure import show_csv, show_figure
from app.components.numbers import (
    ABSENT,
    format_count,
    format_number,
    format_share,
)
from app.wording import escape, say, say_plain
from automl.evaluation.conformal import DEFAULT_LEVEL, LEVELS, ConformalScore
from automl.evaluation.uncertainty import CLASS, TENTH, CoveragePlan, Uncertainty
from automl.figures.group_shares import describe_coverage, plot_group_shares
from automl.figures.reading import render_percent
from automl.figures.set_sizes import describe_set_sizes, plot_set_sizes
from automl.jobs.records import Job

ALL = ""
NAMES = {CLASS: "uncertainty.by_class", TENTH: "uncertainty.by_tenth"}


def show_sets(job: Job, result: Mapping[str, Any], classes: tuple[str, ...]) -> None:
    """The choices, what was found in sentences, coverage by group, sizes, and the rows."""
    plan = _pick_plan(job.id, classes)
    found = uncertainty.compute_choice(job.id, plan)
    if found is None:
        st.info(say("uncertainty.no_calibrate"))
        return
    target = (job.spec.get("task") or result.get("task") or {}).get("target", "")
    _show_found(found, str(target))
    st.caption(" ".join(_collect_limits(result, plan)))
    for reason in uncertainty.list_left_out(job.id, classes):
        st.caption(escape(reason))
    _show_coverage(found)
    if plan.classes:
        show_figure(
            plot_set_sizes(found.sizes), key="set_sizes", frame=found.sizes,
            title=say_plain("uncertainty.set_sizes"), sentence=describe_set_sizes(found.sizes),
            alt=say_plain("uncertainty.set_sizes_alt"),
        )  # fmt: skip
    with st.container(horizontal=True, vertical_alignment="center", key="set_rows"):
        st.markdown(say("uncertainty.rows"))
        show_csv(lambda: uncertainty.build_set_rows(job.id, found), key="prediction_sets")


def _pick_plan(search_id: str, classes: tuple[str, ...]) -> CoveragePlan:
    levels = {f"{100 * level:g}": level for level in LEVELS}
    scores = [ConformalScore.LAC, ConformalScore.APS] if classes else [ConformalScore.RESIDUAL]
    options = (*([CLASS] if classes else []), *uncertainty.list_columns(search_id, classes))
    with st.container(horizontal=True, vertical_alignment="bottom", key="coverage_choices"):
        level = _pick_segment("coverage", list(levels), f"{100 * DEFAULT_LEVEL:g}", "level")
        score = scores[0].value
        if len(scores) > 1:
            score = _pick_segment("sets", [each.value for each in scores], score, "score")
        by = ALL
        if options:
            keep = bind_choice("bounds", "coverage_by", options, ALL)
            by = st.selectbox(
                say("uncertainty.by"), (ALL, *options), key="coverage_by", on_change=keep,
                format_func=_name_by, help=say("uncertainty.by_help"), width=300,
            )  # fmt: skip
    return CoveragePlan(
        classes=classes, level=levels[level], score=ConformalScore(score), by=by or ALL
    )


def _pick_segment(place: str, options: list[str], default: str, words: str) -> str:
    key = f"coverage_{words}"
    keep = bind_choice(place, key, options, default)
    return str(
        st.segmented_control(
            say(f"uncertainty.{words}"), options, required=True, key=key, on_change=keep,
            format_func=lambda name: f"{name} %" if name.isdecimal() else say_plain(f"uncertainty.score_{name}"),
            help=say(f"uncertainty.{words}_help"),
        )
    )  # fmt: skip


def _name_by(column: str) -> str:
    if not column:
        return say_plain("uncertainty.by_all")
    if column == CLASS:
        return say_plain("uncertainty.by_each_class")
    return say_plain("uncertainty.by_group", column=column)


def _show_found(found: Uncertainty, target: str) -> None:
    """Measured against stated, what chance would leave, the size, and the bound."""
    plan, whole = found.plan, found.coverage.iloc[0]
    level = render_percent(plan.level)
    share = f"{format_share(whole['share'])} [{_render_ends(whole)}]"
    key = "sets" if plan.classes else "intervals"
    lines = [
        say(f"uncertainty.{key}_found", share=share, n=format_count(found.n_test), level=level)
    ]
    if found.band is not None:
        low, high = (format_share(end) for end in found.band)
        lines.append(
            say(
                "uncertainty.band", calibrate=format_count(found.n_calibrate),
                test=format_count(found.n_test), low=low, high=high,
            )
        )  # fmt: skip
    lines.append(_describe_size(found, target))
    st.markdown(" ".join(filter(None, lines)))
    _show_bounds(found)


def _render_ends(row: "pd.Series[Any]") -> str:
    return f"{format_share(row['low'])}, {format_share(row['high'])}"


def _describe_size(found: Uncertainty, target: str) -> str:
    size = float(found.coverage["size"].iloc[0])
    if not found.plan.classes:
        if math.isinf(size):
            return ""
        return say("uncertainty.widths", size=format_number(size), target=target)
    text = say("uncertainty.sizes", size=format_number(size, 2))
    empty = found.sizes[found.sizes["size"] == 0]
    if empty.empty:
        return text
    row = empty.iloc[0]
    share, n = format_share(row["share"]), format_count(row["n"])
    return f"{text} {say('uncertainty.empty', share=share, n=n)}"


def _show_bounds(found: Uncertainty) -> None:
    """The one bound in a sentence, those of groups as a table; which rows are too few."""
    bounds = found.quantiles
    few = bounds[bounds["rank"].isna()]
    if len(few):
        groups = ", ".join(
            say_plain("uncertainty.unbounded_group", group=row.group, n=format_count(row.n))
            for row in few.itertuples()
        )
        level = render_percent(found.plan.level)
        st.warning(
            say("uncertainty.unbounded", level=level, groups=groups), icon=":material/warning:"
        )
    if found.plan.by:
        with st.expander(say("uncertainty.bounds"), key="bounds"):
            st.dataframe(_build_bounds(found), key="bounds_table", hide_index=True)
    elif not len(few):
        row = bounds.iloc[0]
        value = _read_bound(found, float(row["quantile"]))
        st.markdown(
            say(
                f"uncertainty.bound_{found.plan.score}", rank=format_count(row["rank"]),
                n=format_count(row["n"]), value=format_number(value),
            )
        )  # fmt: skip


def _build_bounds(found: Uncertainty) -> pd.DataFrame:
    """Every group with its bound: of the smallest sets the least probability of a class."""
    names = ("group", "n", "rank", f"column_{found.plan.score}")
    rows = [
        (
            row.group,
            format_count(row.n),
            ABSENT if pd.isna(row.rank) else format_count(row.rank),
            say_plain("uncertainty.infinite")
            if pd.isna(row.rank)
            else format_number(_read_bound(found, float(row.quantile))),
        )
        for row in found.quantiles.itertuples()
    ]
    return pd.DataFrame(rows, columns=[say_plain(f"uncertainty.{name}") for name in names])


def _read_bound(found: Uncertainty, quantile: float) -> float:
    return 1 - quantile if found.plan.score is ConformalScore.LAC else quantile


def _collect_limits(result: Mapping[str, Any], plan: CoveragePlan) -> list[str]:
    """What the coverage rests on, and what about this search weakens it."""
    protocol = result.get("protocol") or {}
    keys = ["exchangeable"]
    if plan.classes and "temperature" in (result.get("calibration") or {}):
        keys.append("calibrated")
    if protocol.get("time_column"):
        keys.append("time")
    if protocol.get("test") == "given file":
        keys.append("given")
    if protocol.get("weight"):
        keys.append("weight")
    return [say(f"uncertainty.{key}") for key in keys]


def _show_coverage(found: Uncertainty) -> None:
    """The measured coverage of one column's groups as a figure, of all in a table."""
    table = found.coverage
    attributes = list(dict.fromkeys(table["attribute"].iloc[1:]))
    shown = st.segmented_control(
        say("uncertainty.shown"), attributes, default=attributes[0], required=True,
        key="coverage_shown", format_func=_name_attribute,
    )  # fmt: skip
    part = table[table["attribute"] == shown].reset_index(drop=True)
    level = render_percent(found.plan.level)
    show_figure(
        plot_group_shares(
            part, title=say_plain("uncertainty.coverage_axis"),
            reference=(found.plan.level, say_plain("uncertainty.stated", level=level)),
            band=found.wobble,
        ),
        key="coverage", title=say_plain("uncertainty.coverage"), frame=part,
        sentence=describe_coverage(part, found.plan.level, found.wobble),
        alt=say_plain("uncertainty.coverage_alt", by=_name_attribute(shown)),
    )  # fmt: skip
    st.markdown(f"#### {say('uncertainty.all')}")
    st.dataframe(
        build_coverage_table(found), key="coverage_all", hide_index=True,
        alt=say_plain("uncertainty.all"),
    )  # fmt: skip
    show_csv(table, key="coverage_by_group")


def _name_attribute(attribute: str) -> str:
    return say_plain(NAMES[attribute]) if attribute in NAMES else attribute


def build_coverage_table(found: Uncertainty) -> pd.DataFrame:
    """All rows, classes and groups: n, measured coverage with its interval, mean size or width."""
    size = "size" if found.plan.classes else "width"
    names = ("column", "group", "n", "measured", size)
    rows = [
        (
            _name_attribute(row["attribute"]) or ABSENT,
            row["group"],
            row["n"],
            f"{format_share(row['share'])} [{_render_ends(row)}]"
            if row["n"]
            else say_plain("audit.not_estimable"),
            say_plain("uncertainty.infinite")
            if math.isinf(row["size"])
            else format_number(row["size"], 2),
        )
        for _, row in found.coverage.iterrows()
    ]
    return pd.DataFrame(rows, columns=[say_plain(f"uncertainty.{name}") for name in names])
