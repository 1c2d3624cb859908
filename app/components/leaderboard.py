"""The leaderboard: a table with intervals and tiers, and the same as dots."""

from collections.abc import Mapping
from typing import Any

import pandas as pd
import streamlit as st

from app import results
from app.components.figure import show_csv, show_figure
from app.components.numbers import ABSENT, format_count, format_estimate
from app.wording import escape, say, say_plain
from automl.figures.leaderboard import describe_leaderboard, plot_leaderboard

NAME_WIDTH = 165  # an ensemble and the baselines have longer names than trials


def show_leaderboard(result: Mapping[str, Any]) -> None:
    """Table, note and picture; the CSV holds what the page shows, unrounded."""
    board = results.build_leaderboard(result)
    metric = results.get_metric_title(result["metric"])
    label = _get_label(result)
    where = say_plain(f"rows.{results.get_rows(result)}")
    st.subheader(say("leaderboard.title"), anchor=False)
    st.dataframe(
        build_shown(board, metric, say_plain(label, metric=metric)),
        key="leaderboard",
        hide_index=True,
        placeholder=ABSENT,
        column_config={
            say_plain("leaderboard.model"): st.column_config.TextColumn(width=NAME_WIDTH),
            say_plain("leaderboard.tier"): st.column_config.NumberColumn(
                help=say("leaderboard.tier_help", where=where)
            ),
            say_plain("leaderboard.behind"): st.column_config.TextColumn(
                help=say("leaderboard.behind_help", where=where)
            ),
            say_plain("leaderboard.pace"): st.column_config.NumberColumn(
                help=say("leaderboard.predict_help"), format="%.2f"
            ),
            say_plain("leaderboard.fit"): st.column_config.NumberColumn(format="%.1f"),
            say_plain("leaderboard.parameters"): st.column_config.NumberColumn(
                help=say("leaderboard.parameters_help"), format="localized"
            ),
        },
        alt=say_plain("leaderboard.title"),
    )
    n_trials = sum(trial.get("stage") != "refit" for trial in result.get("trials") or ())
    st.caption(say("leaderboard.note", n=format_count(n_trials), where=where))
    if tested := describe_tests(board):
        st.caption(tested)
    if compared := result.get("cross_validation"):
        st.caption(escape(compared["sentence"]))
    show_csv(board, key="leaderboard")


def describe_tests(board: pd.DataFrame) -> str:
    """How many models were compared with the best, and by which test; empty of an older result."""
    tests = board["tier_test"].dropna()
    if len(tests) < 2:
        return ""
    test = say_plain(f"test.{tests.iloc[0].replace(' ', '_')}")
    return say("leaderboard.tested", n=format_count(len(tests) - 1), test=test)


def show_leaderboard_figure(result: Mapping[str, Any]) -> None:
    """The leaderboard as dots with intervals."""
    board = results.build_leaderboard(result)
    metric = say_plain(_get_label(result), metric=results.get_metric_title(result["metric"]))
    frame = board[["name", "family", "tier", "value", "low", "high"]].dropna(subset=["value"])
    sentence = describe_leaderboard(frame, metric)
    show_figure(
        plot_leaderboard(frame, metric), key="leaderboard_dots", alt=sentence, sentence=sentence,
        frame=frame, title=say_plain("leaderboard.picture"),
    )  # fmt: skip


def _get_label(result: Mapping[str, Any]) -> str:
    """The word for the column that models are ranked by."""
    return f"leaderboard.{results.get_rows(result)}"


def build_shown(board: pd.DataFrame, metric: str, label: str) -> pd.DataFrame:
    """The leaderboard as a person reads it: values with the digits their intervals deserve; ``label`` names the ranking."""
    return pd.DataFrame(
        {
            say_plain("leaderboard.model"): board["name"],
            say_plain("leaderboard.tier"): board["tier"],
            label: _join(board, "value", "low", "high"),
            say_plain("leaderboard.behind"): _join(board, "behind", "behind_low", "behind_high"),
            say_plain("leaderboard.test", metric=metric): _join(
                board, "test", "test_low", "test_high", absent=say_plain("results.no_test")
            ),
            say_plain("leaderboard.parameters"): board["parameters"],
            say_plain("leaderboard.fit"): board["fit_seconds"],
            say_plain("leaderboard.pace"): 1_000 * board["per_thousand"].astype(float),
            say_plain("leaderboard.family"): board["family"],
            say_plain("leaderboard.device"): board["device"],
        }
    )


def _join(board: pd.DataFrame, *columns: str, absent: str = ABSENT) -> list[str]:
    plain = board[list(columns)].astype(object).where(board[list(columns)].notna(), None)
    return [
        absent if row[0] is None else format_estimate(*row) for row in plain.itertuples(index=False)
    ]
