"""The first thing on Results: the value with its interval, against what, and how often it was looked at."""

from collections.abc import Mapping
from typing import Any

import streamlit as st

from app import results
from app.components.numbers import format_count, format_estimate
from app.wording import say

MAX_NAMES = 3


def show_headline(result: Mapping[str, Any]) -> None:
    """Primary metric with interval and n, the difference to the baseline, ties, looks and warnings."""
    metric, winner = result["metric"], result["winner"]["name"]
    estimate = (result.get("test") or {}).get(metric) or {}
    with st.container(key="headline"):
        title = results.get_metric_title(metric)
        value = format_estimate(estimate.get("value"), estimate.get("low"), estimate.get("high"))
        st.header(f"{value} {title}", anchor=False)
        st.markdown(
            f"{say('results.winner', name=winner)} "
            f"{say('results.n', n=format_count(estimate.get('n')))} · {describe_looks(result)}"
        )
        for text in (describe_comparison(result), describe_ties(result)):
            if text:
                st.markdown(text)
    show_warnings(result)


def show_warnings(result: Mapping[str, Any]) -> None:
    """Everything the search said aloud; few are open, many are folded."""
    warnings = result.get("warnings") or ()
    if not warnings:
        return
    with st.expander(
        say("results.warnings", n=len(warnings)), key="warnings", icon=":material/info:",
        expanded=len(warnings) <= 2,
    ):  # fmt: skip
        for warning in warnings:
            st.text(str(warning), width="stretch")


def describe_looks(result: Mapping[str, Any]) -> str:
    """How often the test part was looked at."""
    looks = int(result.get("looks") or 0)
    if looks == 0:
        return say("results.looks_none")
    return say("results.looks_one") if looks == 1 else say("results.looks", n=looks)


def describe_comparison(result: Mapping[str, Any]) -> str:
    """The winner against the default boosting baseline, by the paired difference where there is one."""
    board = results.build_leaderboard(result)
    baseline = pick_baseline(result)
    if baseline is None:
        return ""
    if baseline == result["winner"]["name"]:
        return say("results.is_baseline", name=baseline)
    comparison = result.get("comparison") or {}
    value, low, high = (comparison.get(key) for key in ("value", "low", "high"))
    if value is not None:
        key = "results.unsure"
        if low is not None and high is not None:
            key = "results.better" if low > 0 else "results.worse" if high < 0 else "results.unsure"
        return say(key, name=baseline, difference=format_estimate(value, low, high))
    row = board[board["name"] == baseline].iloc[0]
    if row["test"] is None or row["test"] != row["test"]:
        return ""
    shown = format_estimate(float(row["test"]), float(row["test_low"]), float(row["test_high"]))
    return say("results.baseline", name=baseline, value=shown)


def pick_baseline(result: Mapping[str, Any]) -> str | None:
    """The baseline to compare with: boosting with scikit-learn's defaults, else the best other one."""
    named = (result.get("comparison") or {}).get("baseline")
    if named:
        return str(named)
    rows = [row for row in result["leaderboard"] if row.get("is_baseline")]
    ordered = sorted(rows, key=lambda row: row["family"] != "boosting")
    return str(ordered[0]["name"]) if ordered else None


def describe_ties(result: Mapping[str, Any]) -> str:
    """Which models cannot be told from the winner, and the smallest of them."""
    board = results.build_leaderboard(result)
    top = board[board["tier"] == 1]
    others = [name for name in top["name"] if name != result["winner"]["name"]]
    if not others:
        return say("results.tier_one")
    names = ", ".join(others[:MAX_NAMES]) + (" …" if len(others) > MAX_NAMES else "")
    text = say("results.tier_many", n=len(others), names=names)
    sized = top.dropna(subset=["parameters"])
    if sized.empty:
        return text
    small = sized.loc[sized["parameters"].astype(float).idxmin()]
    if small["name"] == result["winner"]["name"]:
        return text
    size = format_count(float(small["parameters"]))
    return f"{text} {say('results.simplest', name=small['name'], parameters=size)}"
