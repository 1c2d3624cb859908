"""The Search tab of a finished search: history, learning curves, trials by epoch, the trial table."""

from collections.abc import Mapping
from typing import Any

import pandas as pd
import streamlit as st

from app import live, results
from app.components.figure import show_csv, show_figure
from app.components.numbers import ABSENT
from app.components.settings_view import show_settings_views
from app.components.states import render_state
from app.components.training_signs import show_training_signs
from app.wording import knows, say, say_plain
from automl.figures.intermediate_values import (
    describe_intermediate_values,
    plot_intermediate_values,
)
from automl.figures.learning_curve import describe_learning_curves, plot_learning_curves
from automl.figures.search_history import (
    compute_history,
    describe_search_history,
    plot_search_history,
)
from automl.jobs.records import TrialState

SHOWN_FIRST = 3  # learning curves drawn before the person chooses
MAX_SHOWN = 6
MAX_OFFERED = 100
TRIAL_COLUMNS = (
    "number", "family", "architecture", "stage", "state", "score", "n_epochs", "best_epoch",
    "parameters", "fit_seconds", "device", "config", "failure_message",
)  # fmt: skip


def show_search_views(search_id: str, result: Mapping[str, Any]) -> None:
    """Everything that was tried, and how it went."""
    trials, epochs = results.build_trials(result), results.read_epochs(search_id)
    searched = trials[trials["stage"] != "refit"]
    metric, sign = results.get_metric_title(result["metric"]), live.get_sign(result["metric"])
    named = searched.assign(family=searched["family"].map(results.get_family_title))
    history = compute_history(named[["number", "family", "state", "score"]])
    show_figure(
        plot_search_history(history, metric, sign=sign), key="search_history",
        frame=live.in_metric(history, sign),
        title=say_plain("searchview.history"), alt=say_plain("searchview.history_alt"),
        sentence=describe_search_history(history, metric, sign=sign),
    )  # fmt: skip
    if epochs.empty:
        st.caption(say("searchview.no_epochs"))
    else:
        if result.get("cross_validation"):
            st.caption(say("searchview.first_fold"))
        left, right = st.columns(2, gap="medium")
        with left:
            show_learning_curves(epochs, searched)
        with right:
            _show_intermediate(epochs, searched, metric, sign)
    show_settings_views(result)
    st.markdown(f"#### {say('searchview.trials')}")
    table = build_trial_table(trials, metric, sign)
    st.dataframe(
        table, key="trials", hide_index=True, placeholder=ABSENT,
        column_config={
            metric: st.column_config.NumberColumn(format="%.4f"),
            say_plain("trials.parameters"): st.column_config.NumberColumn(format="localized"),
            say_plain("trials.fit_seconds"): st.column_config.NumberColumn(format="%.1f"),
        },
    )  # fmt: skip
    show_csv(table, key="trials")


def show_learning_curves(epochs: pd.DataFrame, trials: pd.DataFrame) -> None:
    """Learning curves of the chosen trials, the best first."""
    names = name_trials(trials)
    n_epochs = epochs.groupby("trial").size()
    drawable = set(n_epochs[n_epochs > 1].index)  # one epoch is no curve
    known = [number for number in names if number in drawable][:MAX_OFFERED]
    if not known:
        st.caption(say("searchview.no_curves"))
        return
    st.markdown(f"#### {say('searchview.learning')}")
    chosen = st.multiselect(
        say("searchview.learning_pick"), known, default=known[:SHOWN_FIRST], max_selections=MAX_SHOWN,
        format_func=lambda number: names[number], key="learning_trials",
    )  # fmt: skip
    rows = epochs[epochs["trial"].isin(chosen)]
    frame = rows.assign(series=rows["trial"].map(names))
    order = pd.Categorical(frame["trial"], categories=chosen, ordered=True)
    frame = frame.assign(_order=order).sort_values(["_order", "epoch"]).drop(columns="_order")
    if frame.empty:
        return
    show_figure(
        plot_learning_curves(frame), key="learning_curves", frame=frame,
        alt=say_plain("searchview.learning_alt"),
        sentence=describe_learning_curves(frame),
    )  # fmt: skip
    show_training_signs(epochs, trials, chosen, names)


def name_trials(trials: pd.DataFrame) -> dict[int, str]:
    """``#12 MLP`` by number, best score first."""
    ordered = trials.sort_values("score", ascending=False, na_position="last", kind="stable")
    return {
        int(row.number): f"#{int(row.number)} {results.get_family_title(str(row.family))}"
        for row in ordered.itertuples(index=False)
    }


def build_trial_table(trials: pd.DataFrame, metric: str, sign: int) -> pd.DataFrame:
    """The trial table in words: values of the metric, state with its shape, settings as text; no empty columns."""
    shown = trials.reindex(columns=TRIAL_COLUMNS).copy()
    shown["family"] = shown["family"].map(results.get_family_title)
    shown["state"] = [render_state(TrialState(state)) for state in shown["state"]]
    shown["config"] = [
        ", ".join(f"{key} = {value}" for key, value in config.items()) if config else ""
        for config in shown["config"]
    ]
    shown["score"] = sign * shown["score"].astype(float)
    shown["stage"] = [
        say_plain(f"stage.{stage}") if knows(f"stage.{stage}") else stage
        for stage in shown["stage"]
    ]
    filled = shown.replace("", None).dropna(axis="columns", how="all")
    titles = {name: say_plain(f"trials.{name}") for name in TRIAL_COLUMNS} | {"score": metric}
    return filled.rename(columns=titles)


def _show_intermediate(epochs: pd.DataFrame, trials: pd.DataFrame, metric: str, sign: int) -> None:
    states = dict(zip(trials["number"], trials["state"], strict=True))
    # a supernet reports epochs without a score: there is nothing to draw of it
    rows = epochs[epochs["trial"].isin(states) & epochs["score"].notna()]
    frame = rows[["trial", "epoch", "score"]]
    several = frame.groupby("trial")["epoch"].transform("size") > 1  # one epoch is no line
    frame = frame[several].assign(state=frame["trial"].map(states))
    if frame.empty:
        return
    show_figure(
        plot_intermediate_values(frame, metric, sign=sign), key="intermediate",
        frame=live.in_metric(frame, sign),
        title=say_plain("searchview.intermediate"), alt=say_plain("searchview.intermediate_alt"),
        sentence=describe_intermediate_values(frame),
    )  # fmt: skip
