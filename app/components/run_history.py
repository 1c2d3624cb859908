"""The history of a data set: every finished search with what it reached, as dots over time and as a table to sort."""

from collections.abc import Sequence
from typing import TYPE_CHECKING
from urllib.parse import urlencode

import streamlit as st

from app.components.numbers import ABSENT, format_estimate
from app.live import get_metric_title, get_sign
from app.wording import say, say_plain
from automl.jobs.records import Job

if TYPE_CHECKING:
    import pandas as pd


def show_run_history(jobs: Sequence[Job]) -> None:
    """Figure and table of finished searches, those of one target and measure at a time."""
    from app.run_history import build_run_history

    frame = build_run_history(jobs)
    pairs = {
        say_plain("history.pair", target=target, metric=get_metric_title(metric)): (target, metric)
        for target, metric in zip(frame["target"], frame["metric"], strict=True)
    }
    st.header(say("history.title"), anchor=False)
    picked = next(iter(pairs))
    if len(pairs) > 1:
        picked = st.selectbox(say("history.measure"), list(pairs), key="history_pair", width=400)
    target, metric = pairs[picked]
    chosen = frame[(frame["target"] == target) & (frame["metric"] == metric)]
    _show_picture(chosen, metric)
    _show_table(chosen, get_metric_title(metric))


def _show_picture(frame: "pd.DataFrame", metric: str) -> None:
    from app.components.figure import show_figure
    from automl.figures.run_history import describe_run_history, plot_run_history

    title = get_metric_title(metric)
    newest = frame["test_part"].iloc[0]
    drawn = frame.assign(is_same_test=frame["test_part"] == newest)
    show_figure(
        plot_run_history(drawn, title), key="run_history", frame=drawn,
        alt=say_plain("history.alt", metric=title),
        sentence=describe_run_history(drawn, title, sign=get_sign(metric)),
    )  # fmt: skip


def build_history_table(frame: "pd.DataFrame", metric: str) -> "pd.DataFrame":
    """The history as a person reads it; numbers stay numbers, so that a heading sorts them, and a link leads to each."""
    plain = frame.astype(object).where(frame.notna(), None)
    ends = zip(plain["value"], plain["low"], plain["high"], strict=True)
    columns = {
        "at": frame["at"],
        "title": frame["title"],
        "value": frame["value"].astype(float),
        "interval": [format_estimate(*each).partition(" ")[2] or ABSENT for each in ends],
        "n": frame["n"],
        "select": frame["select"].astype(float),
        "winner": frame["winner"],
        "seconds": frame["seconds"].astype(float),
        "trials": frame["trials"],
        "looks": frame["looks"],
        "note": frame["note"],
        "link": [f"results?{urlencode({'search': each})}" for each in frame["id"]],
    }
    import pandas as pd

    titles = {name: say_plain(f"history.col_{name}", metric=metric) for name in columns}
    return pd.DataFrame(columns).rename(columns=titles)


def _show_table(frame: "pd.DataFrame", metric: str) -> None:
    from app.components.figure import show_csv

    table = build_history_table(frame, metric)
    column = st.column_config
    st.dataframe(
        table, key="history_table", hide_index=True, placeholder=ABSENT, alt=say_plain("history.table_alt"),
        column_config={
            say_plain("history.col_at"): column.DatetimeColumn(format="YYYY-MM-DD HH:mm"),
            say_plain("history.col_value", metric=metric): column.NumberColumn(format="%.4f"),
            say_plain("history.col_select"): column.NumberColumn(format="%.4f"),
            say_plain("history.col_seconds"): column.NumberColumn(format="%.0f"),
            say_plain("history.col_n"): column.NumberColumn(format="localized"),
            say_plain("history.col_link"): column.LinkColumn(display_text=say_plain("history.link")),
        },
    )  # fmt: skip
    st.caption(say("history.note"))
    show_csv(table, key="history")
