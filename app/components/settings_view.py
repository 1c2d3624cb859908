"""Which settings mattered: importance, one setting against the score, several together."""

from collections.abc import Mapping
from typing import Any

import pandas as pd
import streamlit as st

from app import live, results
from app.components.figure import show_figure
from app.wording import say, say_plain
from automl.figures.importance import describe_importance, plot_importance
from automl.figures.parallel import (
    MOST_AXES,
    compute_settings,
    describe_parallel,
    list_settings,
    plot_parallel,
    select_complete,
)
from automl.figures.slices import describe_slice, plot_slice

LEAST_TRIALS = 3
SHOWN_FIRST = 4  # axes before the person chooses; as many have room on a phone


def show_settings_views(result: Mapping[str, Any]) -> None:
    """One family at a time: settings of different families cannot be compared."""
    st.markdown(f"#### {say('searchview.settings')}")
    trials = list(result.get("trials") or ())
    frames = {
        family: compute_settings(trials, family)
        for family in dict.fromkeys(row["family"] for row in trials if row["stage"] == "search")
    }
    usable = {
        family: frame
        for family, frame in frames.items()
        if len(frame) >= LEAST_TRIALS and list_settings(frame)
    }
    if not usable:
        st.caption(say("searchview.settings_none"))
        return
    family = st.segmented_control(
        say("searchview.family"), list(usable), required=True, key="settings_family",
        default=max(usable, key=lambda name: len(usable[name])), format_func=results.get_family_title,
    )  # fmt: skip
    frame = usable[family]
    rows = [row for row in result.get("importance") or () if row["family"] == family]
    importance = pd.DataFrame(rows, columns=["family", "label", "share", "low", "high", "n"])
    metric, sign = results.get_metric_title(result["metric"]), live.get_sign(result["metric"])
    ordered = order_settings(list_settings(frame), importance)
    if importance.empty:
        n_complete = int((frame["state"] == "complete").sum())
        st.caption(say("searchview.importance_few", n=n_complete))
        _show_slice(frame, ordered, metric, sign)
    else:
        left, right = st.columns(2, gap="medium")
        with left:
            _show_importance(importance)
        with right:
            _show_slice(frame, ordered, metric, sign)
    _show_parallel(frame, family, ordered, metric, sign)


def order_settings(settings: list[str], importance: pd.DataFrame) -> list[str]:
    """The most important first; those without a number keep their order behind."""
    ranks = {name: place for place, name in enumerate(importance["label"])}
    return sorted(settings, key=lambda name: ranks.get(name, len(ranks)))


def _show_importance(importance: pd.DataFrame) -> None:
    show_figure(
        plot_importance(importance), key="importance", frame=importance,
        title=say_plain("searchview.importance"), alt=say_plain("searchview.importance_alt"),
        sentence=describe_importance(importance),
    )  # fmt: skip


def _show_slice(frame: pd.DataFrame, settings: list[str], metric: str, sign: int) -> None:
    st.markdown(f"#### {say('searchview.slice')}")
    name = st.selectbox(say("searchview.slice_pick"), settings, key="slice_setting")
    shown = frame[["number", "state", "score", name]]
    show_figure(
        plot_slice(shown, name, metric, sign=sign), key="slice", frame=live.in_metric(shown, sign),
        alt=say_plain("searchview.slice_alt"), sentence=describe_slice(shown, name, metric, sign=sign),
    )  # fmt: skip


def _show_parallel(
    frame: pd.DataFrame, family: str, settings: list[str], metric: str, sign: int
) -> None:
    everywhere = [name for name in settings if frame[name].notna().all()]
    st.markdown(f"#### {say('searchview.parallel')}")
    chosen = st.multiselect(
        say("searchview.parallel_pick", n=MOST_AXES), settings, default=everywhere[:SHOWN_FIRST],
        max_selections=MOST_AXES, key=f"parallel_settings_{family}",
    )  # fmt: skip
    if not chosen:
        st.caption(say("searchview.parallel_choose"))
        return
    shown = select_complete(frame, chosen)
    if shown.empty:
        st.caption(describe_parallel(frame, chosen))
        return
    show_figure(
        plot_parallel(frame, chosen, metric, sign=sign), key="parallel",
        frame=live.in_metric(shown[["number", "score", *chosen]], sign),
        alt=say_plain("searchview.parallel_alt"), sentence=describe_parallel(frame, chosen),
    )  # fmt: skip
