"""What a search set aside, traded off, and how it found its networks: plain beside weight sharing."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd
import streamlit as st

from app import live, results
from app.components.figure import show_figure
from app.components.numbers import ABSENT, format_count, format_duration, format_estimate
from app.wording import escape, say, say_plain
from automl.figures.methods import (
    PLAIN,
    WEIGHT_SHARING,
    compute_method_history,
    describe_methods,
    plot_methods,
)
from automl.figures.trade_off import (
    build_front,
    compute_trade_off,
    describe_trade_off,
    plot_trade_off,
)


def show_methods(
    result: Mapping[str, Any], limits: Mapping[str, Any] | None = None, *, is_table: bool = False
) -> None:
    """Only what there is: many a search has none of it. ``limits`` are those of the spec."""
    screening = describe_screening(result)
    if screening:
        st.markdown(f"#### {say('methods.screening')}")
        st.markdown(escape(screening))
    if result.get("limits"):
        st.markdown(f"#### {say('methods.limits')}")
        st.markdown(escape(describe_limits(result["limits"])))
    metric = results.get_metric_title(result["metric"])
    is_limited = any(value is not None for value in (limits or {}).values())
    if result.get("pareto") is not None:
        _show_trade_off(result, result["pareto"], metric, is_table=is_table)
    elif is_limited:
        front = build_front(result.get("trials") or (), limits or {}, is_table=is_table)
        _show_trade_off(result, front, metric, is_table=is_table)
    if result.get("methods"):
        _show_methods(result, metric)


def describe_screening(result: Mapping[str, Any]) -> str:
    """``31 of 120 networks were set aside before training: 9 over a limit (…), 20 in the worst part …``."""
    record = result.get("screening") or {}
    seen = int(record.get("seen") or 0)
    if not seen:
        return ""
    counts = {name: int(record.get(name) or 0) for name in ("over_limit", "discarded", "no_time")}
    total = sum(counts.values())
    if not total:
        key = "methods.none_screened_one" if seen == 1 else "methods.none_screened"
        return say_plain(key, seen=format_count(seen))
    parts = [say_plain(f"methods.{name}", n=format_count(n)) for name, n in counts.items() if n]
    text = say_plain(
        "methods.screened", n=format_count(total), seen=format_count(seen), parts=", ".join(parts)
    )
    reasons = Counter(
        str(row.get("reason"))
        for row in record.get("reasons") or ()
        if row.get("kind") == "over_limit" and row.get("reason")
    )
    if reasons:
        first = next(iter(reasons))
        text = f"{text} {say_plain('methods.example', reason=first)}"
    return text


def describe_limits(record: Mapping[str, Any]) -> str:
    """``9 of 40 models are over a limit and cannot win, for example: 2.1 M parameters; the limit is 1 M.``."""
    over, seen = int(record.get("over_limit") or 0), int(record.get("seen") or 0)
    if not over:
        return say_plain("methods.within_limits", seen=format_count(seen))
    reasons = [str(row["reason"]) for row in record.get("reasons") or () if row.get("reason")]
    text = say_plain("methods.over_limits", n=format_count(over), seen=format_count(seen))
    return f"{text} {say_plain('methods.example', reason=reasons[0])}" if reasons else text


def _show_trade_off(
    result: Mapping[str, Any],
    front: Sequence[Mapping[str, Any]],
    metric: str,
    *,
    is_table: bool,
) -> None:
    frame, sign = compute_trade_off(front), live.get_sign(result["metric"])
    if frame.empty:
        st.info(say("methods.no_front"))
        return
    show_figure(
        plot_trade_off(frame, metric, sign=sign, is_table=is_table), key="trade_off", title=say_plain("methods.trade_off"),
        alt=say_plain("methods.trade_off_alt"), sentence=describe_trade_off(frame, metric, sign=sign, is_table=is_table),
        frame=frame.assign(score=sign * frame["score"]),
    )  # fmt: skip
    if result.get("pareto_note"):
        st.caption(escape(result["pareto_note"]))


def _show_methods(result: Mapping[str, Any], metric: str) -> None:
    methods, sign = result["methods"], live.get_sign(result["metric"])
    seconds = float((methods.get(WEIGHT_SHARING) or {}).get("supernet_seconds") or 0.0)
    history = compute_method_history(result.get("trials") or (), seconds)
    st.markdown(f"#### {say('methods.title')}")
    table = build_method_table(result, metric)
    st.dataframe(table, key="method_table", hide_index=True, placeholder=ABSENT)
    st.caption(say("methods.note", n=format_count((result.get("n_rows") or {}).get("select"))))
    failure = (methods.get(WEIGHT_SHARING) or {}).get("failure")
    if failure:
        st.warning(say("methods.failure", reason=failure), icon=":material/warning:")
    if len(history):
        show_figure(
            plot_methods(history, metric, sign=sign), key="methods", frame=live.in_metric(history, sign),
            alt=say_plain("methods.alt"), sentence=describe_methods(history, metric, sign=sign),
        )  # fmt: skip


def build_method_table(result: Mapping[str, Any], metric: str) -> pd.DataFrame:
    """One row per method: its best network that was trained alone, with its interval, and what it took."""
    board = {row.get("trial"): row for row in result.get("leaderboard") or ()}
    sign = live.get_sign(result["metric"])
    rows = []
    for name in (PLAIN, WEIGHT_SHARING):
        method = result["methods"].get(name)
        if method is None:
            continue
        best = method.get("best") or {}
        line = board.get(best.get("trial")) or {}
        known = (best.get("score"), line.get("select_low"), line.get("select_high"))
        value, *ends = (None if each is None else sign * each for each in known)
        ends.sort(key=lambda end: (end is None, end))
        supernet = method.get("supernet_seconds")
        rows.append(
            {
                say_plain("methods.method"): say_plain(f"methods.{name}"),
                say_plain("methods.best"): best.get("name") or say_plain("methods.none"),
                say_plain("leaderboard.select", metric=metric): format_estimate(value, *ends),
                say_plain("methods.trained"): format_count(method.get("n_trained")),
                say_plain("methods.trials"): format_count(method.get("n_trials")),
                say_plain("methods.seconds"): format_duration(method.get("seconds")),
                say_plain("methods.supernet"): ABSENT
                if supernet is None
                else format_duration(supernet),
            }
        )
    return pd.DataFrame(rows)
