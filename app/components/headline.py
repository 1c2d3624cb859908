"""The first thing on Results: the value with its interval, against what, and how often it was looked at."""

from collections.abc import Mapping
from typing import Any

import pandas as pd
import streamlit as st

from app import results
from app.components.numbers import format_count, format_duration, format_estimate, format_pace
from app.wording import say, say_plain
from automl.evaluation.outcomes import THRESHOLD
from automl.evaluation.threshold_change import read_threshold

MAX_NAMES = 3
MAX_OPEN = 4  # more warnings than this are folded


def show_headline(result: Mapping[str, Any], *, is_stopped: bool = False) -> None:
    """Primary metric with interval and n, the difference to the baseline, ties, looks and warnings."""
    metric, winner = result["metric"], result["winner"]["name"]
    estimate = (result.get("test") or {}).get(metric) or {}
    with st.container(key="headline"):
        title = results.get_metric_title(metric)
        value = format_estimate(estimate.get("value"), estimate.get("low"), estimate.get("high"))
        st.header(f"{value} {title}", anchor=False)
        interval = "n_bare" if estimate.get("low") is None else "n"
        facts = [
            say("results.winner", name=winner),
            say("results.lower") if results.is_lower_better(metric) else "",
            say(f"results.{interval}", n=format_count(estimate.get("n"))),
            describe_looks(result),
        ]
        st.markdown(" · ".join(fact for fact in facts if fact))
        compared = (
            describe_accuracy(result),
            describe_comparison(result),
            describe_network(result),
            describe_cost(result),
            describe_ties(result),
            describe_threshold(result),
        )
        for text in (*compared, say("results.stopped") if is_stopped else ""):
            if text:
                st.markdown(text)
    show_warnings(result)


def describe_accuracy(result: Mapping[str, Any]) -> str:
    """The share of right decisions between several classes, where the search was for another measure."""
    accuracy = (result.get("test") or {}).get("accuracy") or {}
    task = result.get("task")
    is_several = isinstance(task, Mapping) and task.get("type") == "multiclass"
    if not is_several or result["metric"] == "accuracy" or accuracy.get("value") is None:
        return ""
    value = format_estimate(accuracy["value"], accuracy.get("low"), accuracy.get("high"))
    return say("results.accuracy", value=value)


def describe_threshold(result: Mapping[str, Any]) -> str:
    """That the winner decides by another threshold than the one at which models are compared."""
    threshold = read_threshold(result)
    if threshold == THRESHOLD:
        return ""
    return say("results.threshold", threshold=f"{threshold:g}")


def show_warnings(result: Mapping[str, Any]) -> None:
    """Everything the search said aloud; few are open, many are folded."""
    warnings = result.get("warnings") or ()
    if not warnings:
        return
    with st.expander(
        say("results.warnings", n=len(warnings)), key="warnings", icon=":material/info:",
        expanded=len(warnings) <= MAX_OPEN,
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
    """The winner against its yardstick, by the paired difference where there is one."""
    board = results.build_leaderboard(result)
    baseline = pick_baseline(result)
    if baseline is None:
        return ""
    if baseline == result["winner"]["name"]:
        if all(row.get("is_baseline") for row in result["leaderboard"]):
            return say("results.only_baselines")
        return say("results.is_baseline", name=baseline)
    comparison = {**(result.get("comparison") or {}), "baseline": baseline}
    if comparison.get("value") is not None:
        return describe_difference(comparison)
    row = board[board["name"] == baseline].iloc[0]
    if row["test"] is None or row["test"] != row["test"]:
        return ""
    shown = format_estimate(float(row["test"]), float(row["test_low"]), float(row["test_high"]))
    return say("results.baseline", name=baseline, value=shown)


def describe_difference(difference: Mapping[str, Any]) -> str:
    """``value, low, high`` of a score minus that of ``baseline``: who is ahead, by how much."""
    value, low, high = (difference.get(key) for key in ("value", "low", "high"))
    if value is None:
        return ""
    is_known = low is not None and high is not None
    key = "ahead" if value >= 0 else "behind"
    if is_known and (low > 0 or high < 0):
        key = "better" if low > 0 else "worse"
    ends = (-high, -low) if is_known and value < 0 else (low, high)
    shown = format_estimate(abs(value), *ends)
    return say(f"results.{key}", name=difference["baseline"], difference=shown)


def describe_network(result: Mapping[str, Any]) -> str:
    """The best network against the baseline, where the winner is no network."""
    gain, network = result.get("gain") or {}, (result.get("best_network") or {}).get("name")
    if not network or network == result["winner"]["name"] or not gain.get("baseline"):
        return ""
    text = describe_difference(gain)
    return f"{say('results.network', name=network)} {text}" if text else ""


def describe_cost(result: Mapping[str, Any]) -> str:
    """What the search took, beside what it gained; of an older result nothing is known."""
    worth = result.get("worth") or {}
    if not worth:
        return ""
    n_trials = int(worth["n_trials"])
    key = "results.cost_one" if n_trials == 1 else "results.cost"
    seconds = format_duration(worth["search_seconds"])
    return say(key, seconds=seconds, n=format_count(n_trials), baseline=worth["baseline"])


def pick_baseline(result: Mapping[str, Any]) -> str | None:
    """The baseline to compare with: the best fixed one; of an older result boosting, the small network or any."""
    compared = (result.get(name) or {} for name in ("comparison", "worth"))
    named = next((each["baseline"] for each in compared if each.get("baseline")), None)
    if named:
        return str(named)
    rows = [row for row in result["leaderboard"] if row.get("is_baseline")]
    order = {"boosting": 0, "small_cnn": 1}
    ordered = sorted(rows, key=lambda row: order.get(row["family"], len(order)))
    return str(ordered[0]["name"]) if ordered else None


def describe_ties(result: Mapping[str, Any]) -> str:
    """Which models cannot be told from the best; of them the highest, the simplest and the fastest."""
    board = results.build_leaderboard(result)
    top = board[board["tier"] == 1]
    others = [name for name in top["name"] if name != result["winner"]["name"]]
    if not others:
        return say("results.tier_one")
    where = say_plain(f"rows.{results.get_rows(result)}")
    text = say("results.tier_many", names=_join_names(others), where=where)
    return f"{text} {describe_suggestions(board)}"


def describe_suggestions(board: pd.DataFrame) -> str:
    """``Of these the highest is A, the simplest B (1,204 parameters), the fastest C (0.8 ms per 1,000 rows)``."""
    found = results.suggest_models(board)
    parts = []
    for role, row in found.items():
        size = format_count(row["parameters"]) if role == "simplest" else ""
        pace = format_pace(row["per_thousand"]) if role == "fastest" else ""
        parts.append(say(f"results.{role}", name=row["name"], parameters=size, pace=pace))
    return say("results.suggested") + " " + ", ".join(parts) + "." if parts else ""


def _join_names(names: list[str]) -> str:
    """``A, B and C``; of more than a few the first, and how many more."""
    if len(names) == 1:
        return names[0]
    if len(names) <= MAX_NAMES:
        return say_plain("results.and", names=", ".join(names[:-1]), last=names[-1])
    shown = ", ".join(names[:MAX_NAMES])
    return say_plain("results.and_more", names=shown, n=len(names) - MAX_NAMES)
