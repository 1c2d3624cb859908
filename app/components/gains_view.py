"""Gain, lift and the distance of the classes, beside the ranking curves."""

from collections.abc import Sequence

import streamlit as st

from app import results
from app.components.figure import show_figure
from app.results import Opened
from app.wording import say, say_plain
from automl.figures.gain import describe_gain, describe_lift, plot_gain, plot_lift
from automl.figures.separation import describe_separation, plot_separation


def show_gains(opened: Sequence[Opened]) -> None:
    """What the rows with the highest scores hold; models overlaid for two classes, classes of one model for more."""
    if opened[0].evaluation.curves.get("gain_table") is None:
        st.caption(say("gains.absent"))
        return
    gain, table = (results.stack_curves(opened, name) for name in ("gain", "gain_table"))
    if gain.empty or table.empty:
        return
    left, right = st.columns(2, gap="medium")
    with left:
        show_figure(
            plot_gain(gain), key="gain", title=say_plain("gains.gain"), frame=table,
            alt=say_plain("gains.gain_alt", n=gain["series"].nunique()), sentence=describe_gain(table),
        )  # fmt: skip
    with right:
        show_figure(
            plot_lift(gain), key="lift", title=say_plain("gains.lift"), frame=gain,
            alt=say_plain("gains.lift_alt", n=gain["series"].nunique()), sentence=describe_lift(table),
        )  # fmt: skip
    _show_separation(opened)


def _show_separation(opened: Sequence[Opened]) -> None:
    table = results.stack_curves(opened, "separation")
    roc = results.stack_curves(opened, "roc")
    if table.empty:
        return
    names = table["series"].tolist()
    st.markdown(f"#### {say('gains.separation')}")
    picked = names[0]
    if len(names) > 1:
        picked = st.selectbox(say("gains.series"), names, key="separation_series", width=320)
    row = table.iloc[names.index(picked)]
    show_figure(
        plot_separation(roc[roc["series"] == picked], row), key="separation", frame=table,
        alt=say_plain("gains.separation_alt", series=picked), sentence=describe_separation(row),
    )  # fmt: skip
