"""Where the model errs: cohorts that a shallow tree found, and the error by any one column."""

import streamlit as st

from app import error_rows
from app.components.figure import show_figure
from app.components.numbers import format_count, format_estimate
from app.error_rows import ErrorRows
from app.wording import escape, say, say_plain
from automl.evaluation.error_slices import ErrorSlices
from automl.figures.error_slices import describe_errors, plot_errors, render_error

MAX_NAMED = 5


def show_slices(found: ErrorRows) -> None:
    """The cohorts with their errors, and the errors by one column."""
    if not found.kinds:
        st.info(say("slices.no_columns"))
        return
    slices = error_rows.read_slices(found)
    st.markdown(f"#### {say('slices.title')}")
    facts = {"grown": slices.n_grown, "measured": slices.n_measured, "least": slices.least}
    st.caption(say("slices.what", **{name: format_count(n) for name, n in facts.items()}))
    if slices.frame.empty:
        st.info(say("slices.none"))
    else:
        _show_found(found, slices)
    if found.left_out:
        more = "…" if len(found.left_out) > MAX_NAMED else ""
        st.caption(say("slices.left_out", names=", ".join(found.left_out[:MAX_NAMED]) + more))
    _show_by_column(found, slices)


def _show_found(found: ErrorRows, slices: ErrorSlices) -> None:
    worse = slices.worse
    key = "found_none" if worse.empty else "found_one" if len(worse) == 1 else "found"
    st.markdown(say(f"slices.{key}", n=len(worse)))
    overall = slices.overall
    show_figure(
        plot_errors(slices.frame, overall.value, name="slice", axis=_name_axis(found)),
        key="error_slices", alt=say_plain("slices.alt"), frame=slices.frame,
        sentence=_describe(found, slices),
    )  # fmt: skip


def _describe(found: ErrorRows, slices: ErrorSlices) -> str:
    worst = slices.frame.iloc[0].to_dict()
    are_shares = not found.is_value
    lift = format_estimate(*(float(worst[name]) for name in ("lift", "lift_low", "lift_high")))
    overall = {name: getattr(slices.overall, name) for name in ("low", "high", "n")}
    parts = [
        say_plain(
            "slices.worst", slice=worst["slice"], lift=lift,
            error=render_error(worst, are_shares=are_shares),
        ),
        say_plain(
            "slices.overall", n=format_count(slices.n_measured),
            error=render_error({"error": slices.overall.value, **overall}, are_shares=are_shares),
        ),
    ]  # fmt: skip
    return " ".join(parts)


def _show_by_column(found: ErrorRows, slices: ErrorSlices) -> None:
    st.markdown(f"#### {say('slices.by_title')}")
    names = list(found.kinds)
    name = st.selectbox(
        say("slices.by"), names, index=names.index(_suggest(found, slices)), key="errors_by", width=420
    )  # fmt: skip
    table = error_rows.compute_by_column(found, str(name))
    overall = float(found.errors.mean())
    named = table.assign(value=f"{name} " + table["value"].astype(str))
    note = say_plain("slices.by_note", n=format_count(len(found.rows)))
    show_figure(
        plot_errors(table, overall, name="value", axis=_name_axis(found)),
        key="error_by", alt=say_plain("slices.by_alt", column=escape(name)), frame=table,
        sentence=f"{describe_errors(named, name='value', are_shares=not found.is_value)} {note}",
    )  # fmt: skip


def _suggest(found: ErrorRows, slices: ErrorSlices) -> str:
    """The column of the tree's first step; of pictures that show no cohort how bright they are."""
    first = slices.paths[0][0].column if slices.paths else "picture_brightness"
    return first if first in found.kinds else next(iter(found.kinds))


def _name_axis(found: ErrorRows) -> str:
    if found.is_value:
        return say_plain("slices.axis_value", target=found.source.target)
    return say_plain("slices.axis_share")
