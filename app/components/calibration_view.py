"""The Calibration tab: reliability of the winner, and what calibration changed."""

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd
import streamlit as st

from app import calibrations, results
from app.components.calibrator_view import pick_version, show_choice, show_curve, show_table
from app.components.class_calibration_view import show_classes, show_groups
from app.components.figure import show_figure
from app.components.numbers import format_count, format_estimate, format_number
from app.components.value_calibration_view import show_value_calibration
from app.results import Opened
from app.wording import say, say_plain
from automl.figures.reliability import describe_reliability, plot_reliability

SERIES = {"before": "calibration.before", "after": "calibration.after"}
SAME = 0.005  # a temperature this close to 1 changes nothing that could be seen


def show_calibration(search_id: str, opened: Sequence[Opened], result: Mapping[str, Any]) -> None:
    """The calibrator, the table before and after, the curve with its numbers, classes and groups."""
    if (result.get("protocol") or {}).get("weight"):
        st.info(say("calibration.weighted"))
    if opened and opened[0].evaluation.task_type == "regression":
        show_value_calibration(search_id)
        return
    fitted = result.get("calibration") or {}
    if not opened or "temperature" not in fitted:
        st.info(say("calibration.absent"))
        return
    versions = calibrations.read_versions(search_id)
    if versions is not None:
        show_choice(versions.choice)
        show_table(search_id, versions)
        version = pick_version(versions)
        show_curve(search_id, versions, version)
        show_classes(search_id, versions, version)
        show_groups(search_id, versions, version)
        return
    _show_temperature(opened[0], fitted)


def _show_temperature(model: Opened, fitted: Mapping[str, Any]) -> None:
    """What can be said of a search that kept no probabilities from before the calibration."""
    edge = f" {say('calibration.bound')}" if fitted.get("is_at_bound") else ""
    st.markdown(describe_temperature(float(fitted["temperature"])) + edge)
    st.info(say("calibration.only_this_search"))
    _show_table(model, fitted)
    _show_reliability(model)


def describe_temperature(value: float) -> str:
    """What the temperature does to the probabilities, in words."""
    effect = "softer" if value > 1 + SAME else "sharper" if value < 1 - SAME else "same"
    return say(
        "calibration.temperature",
        value=format_number(value),
        effect=say_plain(f"calibration.{effect}"),
    )


def build_calibration_table(fitted: Mapping[str, Any]) -> pd.DataFrame:
    """``metric, before, after`` as text with intervals."""
    before, after = fitted.get("before") or {}, fitted.get("after") or {}
    rows = [
        {
            "metric": results.get_metric_title(name),
            "before": _render(before[name]),
            "after": _render(after.get(name)),
        }
        for name in before
    ]
    return pd.DataFrame(rows, columns=["metric", "before", "after"])


def _show_reliability(model: Opened) -> None:
    curves = model.evaluation.curves
    names = {series: say_plain(words) for series, words in SERIES.items()}
    bins = curves["reliability_bins"].replace({"series": names})
    curve = curves["reliability"].replace({"series": names})
    show_figure(
        plot_reliability(bins, curve, curves.get("score_histogram")), key="reliability",
        title=say_plain("calibration.reliability"), sentence=describe_reliability(bins), frame=bins,
        alt=say_plain("calibration.reliability_alt"),
    )  # fmt: skip


def _show_table(model: Opened, fitted: Mapping[str, Any]) -> None:
    st.markdown(f"#### {say('calibration.table')}")
    st.dataframe(
        build_calibration_table(fitted),
        key="calibration_table",
        hide_index=True,
        column_config={
            "metric": say_plain("audit.metric"),
            "before": say_plain("calibration.before"),
            "after": say_plain("calibration.after"),
        },
    )
    null = model.evaluation.facts.get("ece_null_mean")
    if null is not None:
        st.caption(
            say("calibration.null", n=format_count(model.evaluation.n), value=format_number(null))
        )


def _render(estimate: Mapping[str, Any] | None) -> str:
    if not estimate or estimate.get("value") is None:
        return say_plain("audit.not_estimable")
    return format_estimate(estimate["value"], estimate.get("low"), estimate.get("high"))
