"""What stands in the table of searches side by side, and which of their settings differ."""

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from app import results
from app.comparison import Side
from app.components.model_view import flatten
from app.components.numbers import (
    ABSENT,
    format_count,
    format_duration,
    format_estimate,
    format_number,
    format_when,
)
from app.live import get_sign
from app.wording import say_plain
from fairness.wording import format_value, get_title

SHORT = 12  # digits of a hash: enough to tell them apart
GAP_METRICS = ("selection_rate", "true_positive_rate", "false_positive_rate", "accuracy")
PACKAGES = ("fairloom", "python", "torch", "scikit-learn", "optuna")
HASHES = ("data", "split", "test_part", "spec")


def build_fact_table(sides: Sequence[Side]) -> pd.DataFrame:
    """Facts down, searches across; what is the same everywhere stands there too."""
    columns = {side.name: _list_facts(side) for side in sides}
    labels = list(next(iter(columns.values()))) if columns else []
    table = {say_plain("compare.fact"): labels}
    return pd.DataFrame({**table, **{name: list(each.values()) for name, each in columns.items()}})


def _list_facts(side: Side) -> dict[str, str]:
    result, task = side.result, side.task
    winner, row = result["winner"], find_winner_row(result)
    facts = {
        "data": side.job.spec.get("data_name") or (result.get("task") or {}).get("data"),
        "target": task.target,
        "metric": results.get_metric_title(side.metric),
        "budget": describe_budget(result.get("protocol") or {}),
        "n": format_count((result.get("n_rows") or {}).get("test")),
        "test": _render_test(result, side.metric),
        "select": _render_select(row, side.metric),
        "winner": winner["name"],
        "calibration": _describe_calibration(result),
        "gap": describe_largest_gap(results.read_audit(side.job.id)),
        "fit": format_duration(row.get("fit_seconds")),
        "wall": format_duration(result.get("wall_seconds")),
        "parameters": format_count(row.get("parameters")),
        "trials": format_count(len(result.get("trials") or ())),
        "looks": format_count(result.get("looks")),
        "seed": _say(result.get("seed")),
        "when": format_when(side.job.finished_at),
        "note": side.job.note,
    }
    named = {say_plain(f"compare.fact_{name}"): _say(value) for name, value in facts.items()}
    hashes, versions = result.get("hashes") or {}, result.get("versions") or {}
    named |= {
        say_plain("compare.fact_hash", name=say_plain(f"compare.hash_{name}")): _say(hashes.get(name))[:SHORT]
        for name in HASHES
    }  # fmt: skip
    return named | {
        say_plain("compare.fact_version", name=name): _say(versions.get(name)) for name in PACKAGES
    }


def find_winner_row(result: Mapping[str, Any]) -> Mapping[str, Any]:
    """The line of the leaderboard that the winner has; empty where it has none."""
    name = result["winner"]["name"]
    found = (row for row in result.get("leaderboard") or () if row["name"] == name)
    return next(found, {})


def describe_budget(protocol: Mapping[str, Any]) -> str:
    """``3 min``, ``40 trials``, or both, the first to end."""
    seconds, trials = protocol.get("budget_seconds"), protocol.get("budget_trials")
    parts = [
        format_duration(seconds) if seconds else "",
        say_plain("compare.trials", n=format_count(trials)) if trials else "",
    ]
    return say_plain("compare.or").join(part for part in parts if part) or ABSENT


def _render_test(result: Mapping[str, Any], metric: str) -> str:
    found = (result.get("test") or {}).get(metric) or {}
    return format_estimate(found.get("value"), found.get("low"), found.get("high"))


def _render_select(row: Mapping[str, Any], metric: str) -> str:
    """The score that the winner was chosen by, as a value of the metric."""
    sign = get_sign(metric)
    given = (row.get("select_score"), row.get("select_low"), row.get("select_high"))
    value, *ends = (None if each is None else sign * each for each in given)
    low, high = sorted(ends) if None not in ends else (None, None)
    return format_estimate(value, low, high)


def _describe_calibration(result: Mapping[str, Any]) -> str:
    """Calibration error on the test part with its interval, and the temperature, where there are probabilities."""
    error = (result.get("test") or {}).get("ece") or {}
    temperature = (result.get("calibration") or {}).get("temperature")
    parts = []
    if error.get("value") is not None:
        value = format_estimate(error["value"], error.get("low"), error.get("high"))
        parts.append(say_plain("compare.ece", value=value))
    if temperature is not None:
        parts.append(say_plain("compare.temperature", value=format_number(float(temperature), 2)))
    return ", ".join(parts) or ABSENT


def describe_largest_gap(audit: Mapping[str, Any] | None) -> str:
    """The largest difference between groups with enough cases, by which measure, column and groups; ``–`` without an audit."""
    if audit is None:
        return ABSENT
    best: tuple[float, str] | None = None
    for row in audit.get("extremes") or ():
        if row["kind"] != "difference" or row["metric"] not in GAP_METRICS:
            continue
        large = row.get("large_groups") or {}
        spread = large if large.get("value") is not None else row
        value = spread.get("value")
        if value is not None and (best is None or value > best[0]):
            text = say_plain(
                "compare.gap", value=format_value(row["metric"], value), metric=get_title(row["metric"]),
                attribute=row["attribute"], high=spread["max_group"], low=spread["min_group"],
            )  # fmt: skip
            best = (value, text)
    return ABSENT if best is None else best[1]


def list_changes(sides: Sequence[Side]) -> pd.DataFrame:
    """Settings of the recipes that are not the same in all searches: one row each, searches across."""
    recipes = [_flatten_recipe(side.job.spec) for side in sides]
    names = dict.fromkeys(name for recipe in recipes for name in recipe)
    rows = [
        {
            say_plain("compare.setting"): name.replace("_", " "),
            **{side.name: recipe.get(name, ABSENT) for side, recipe in zip(sides, recipes, strict=True)},
        }
        for name in names
        if len({recipe.get(name, ABSENT) for recipe in recipes}) > 1
    ]  # fmt: skip
    return pd.DataFrame(
        rows, columns=[say_plain("compare.setting"), *(side.name for side in sides)]
    )


def _flatten_recipe(spec: Mapping[str, Any]) -> dict[str, str]:
    """Dotted names to text; a list of named things, such as columns, by their names."""
    plain = {name: _by_name(value) for name, value in spec.items()}
    return {name: _say(value) for name, value in flatten(plain).items()}


def _by_name(value: Any) -> Any:
    is_named = (
        isinstance(value, list)
        and value
        and all(isinstance(each, Mapping) and "name" in each for each in value)
    )
    return {str(each["name"]): {k: v for k, v in each.items() if k != "name"} for each in value} if is_named else value  # fmt: skip


def _say(value: object) -> str:
    if isinstance(value, float):
        return f"{value:g}"
    if isinstance(value, (list, tuple)):
        return ", ".join(map(str, value))
    return ABSENT if value is None or value == "" else str(value)
