"""Which calibrator a model was given and why, what each of them does to the test part, and one of them in full."""

from collections.abc import Mapping
from typing import Any

import pandas as pd
import streamlit as st

from app import calibrations
from app.calibrations import Versions
from app.components.figure import show_csv, show_figure
from app.components.numbers import (
    ABSENT,
    format_count,
    format_estimate,
    format_number,
    format_share,
)
from app.wording import say, say_plain
from automl.evaluation.calibrator_choice import ISOTONIC_ROWS, Choice
from automl.evaluation.calibrator_table import METRICS, RAW
from automl.evaluation.calibrators import Method
from automl.figures.reliability import describe_reliability, plot_reliability
from fairness.reliability import Slope

COUNTS = ("n", "n_clipped")


def show_choice(choice: Choice) -> None:
    """What was chosen, on what evidence, and what to be careful about."""
    n = choice.calibrator.n
    loss = choice.losses[choice.chosen]
    name = say_plain(f"calibration.method_{choice.chosen}")
    st.markdown(say("calibration.chosen", method=name, n=format_count(n)))
    if choice.reason:
        st.caption(say("calibration.only", reason=choice.reason))
    elif choice.chosen is Method.TEMPERATURE:
        st.caption(say("calibration.within", loss=format_number(loss.log_loss, 4)))
    else:
        gain = format_number(loss.gain, 4)
        st.caption(say("calibration.gained", gain=gain, error=format_number(loss.gain_error, 4)))
    if n < ISOTONIC_ROWS and Method.ISOTONIC in choice.fitted:
        st.caption(say("calibration.isotonic_few", n=format_count(n), least=format_count(ISOTONIC_ROWS)))  # fmt: skip


def show_table(search_id: str, versions: Versions) -> None:
    """Before and after, for each calibrator."""
    frame = calibrations.compute_table(search_id)
    st.markdown(f"#### {say('calibration.table')}")
    titles = {name: say_plain(f"calibration.col_{name}") for name in ("version", "cv", *METRICS)}
    st.dataframe(
        build_table(frame, versions), key="calibration_table", hide_index=True, column_config=titles
    )
    st.caption(say("calibration.table_note", n=format_count(len(versions.truth))))
    show_csv(frame, key="calibration_versions")


def build_table(frame: pd.DataFrame, versions: Versions) -> pd.DataFrame:
    """One row per version: its name, cross-validated loss and every metric as text with its interval."""
    choice = versions.choice
    losses = {RAW: choice.raw, **{str(m): each.log_loss for m, each in choice.losses.items()}}
    rows = []
    for version in versions.probability:
        found = frame[frame["version"] == version].set_index("metric")
        cells = {metric: _render(metric, found.loc[metric]) for metric in METRICS}
        rows.append(
            {"version": name_version(version, choice), "cv": format_number(losses[version], 4), **cells}
        )  # fmt: skip
    return pd.DataFrame(rows)


def name_version(version: str, choice: Choice) -> str:
    """``Temperature``, with a word behind the one that is delivered."""
    if version == RAW:
        return say_plain("calibration.raw")
    name = say_plain(f"calibration.method_{version}")
    return say_plain("calibration.delivered", name=name) if version == choice.chosen else name


def _render(metric: str, row: Mapping[str, Any]) -> str:
    value, low, high = (None if pd.isna(row[key]) else float(row[key]) for key in ("value", "low", "high"))  # fmt: skip
    if value is None:
        return say_plain("audit.not_estimable")
    if metric == "changed":
        return f"{format_share(value)} [{format_share(low)}, {format_share(high)}]"
    if metric == "smooth_ece":
        return say_plain("calibration.with_expected", value=format_number(value), expected=format_number(row["expected"]))  # fmt: skip
    return format_estimate(value, low, high)


def pick_version(versions: Versions) -> str:
    """Which version the curve and the numbers below speak of; the delivered one at first."""
    options = list(versions.probability)
    picked = st.segmented_control(
        say_plain("calibration.pick"), options, default=str(versions.choice.chosen),
        key="calibration_version", required=True,
        format_func=lambda version: name_version(version, versions.choice),
    )  # fmt: skip
    return str(picked)


def show_curve(search_id: str, versions: Versions, version: str) -> None:
    """The reliability curve with its band; as the model gave it beside, where another version is picked."""
    shown = [RAW, version] if version != RAW else [RAW]
    found = {each: calibrations.compute_outline(search_id, each) for each in shown}
    detail = calibrations.compute_detail(search_id, version)
    named = {each: name_version(each, versions.choice) for each in shown}
    bins = pd.concat([each.bins.assign(series=named[key]) for key, each in found.items()])
    curve = pd.concat([each.curve.assign(series=named[key]) for key, each in found.items()])
    for each in shown:
        st.markdown(describe_slope(found[each].slope, named[each]))
    show_figure(
        plot_reliability(bins, curve, detail.histogram, detail.band), key="reliability",
        title=say_plain("calibration.reliability"),
        sentence=f"{describe_reliability(bins)} {say_plain('calibration.band')}", frame=bins,
        alt=say_plain("calibration.reliability_alt"),
    )  # fmt: skip
    show_numbers(detail.numbers, named[version])


def describe_slope(slope: Slope | None, name: str) -> str:
    """What slope a version has and what that means, with its interval."""
    if slope is None:
        return say("calibration.slope_none", name=name)
    value = format_estimate(slope.slope, slope.slope_low, slope.slope_high)
    if slope.slope_high < 1:
        means = "calibration.slope_below"
    elif slope.slope_low > 1:
        means = "calibration.slope_above"
    else:
        means = "calibration.slope_one"
    return say("calibration.slope", name=name, value=value, means=say_plain(means))


def show_numbers(numbers: pd.DataFrame, name: str) -> None:
    """Every number with its interval and with what a calibrated model would show."""
    st.markdown(f"#### {say('calibration.numbers', name=name)}")
    st.dataframe(
        build_number_table(numbers), key="calibration_numbers", hide_index=True,
        column_config={
            key: say_plain(f"calibration.number_{key}") for key in ("what", "value", "calibrated")
        },
    )  # fmt: skip
    st.caption(say("calibration.numbers_note"))
    show_csv(numbers, key="calibration_numbers_all")


def build_number_table(numbers: pd.DataFrame) -> pd.DataFrame:
    """``what, value, calibrated`` as text."""
    rows = []
    for row in numbers.itertuples():
        value, low, high = (None if pd.isna(each) else float(each) for each in (row.value, row.low, row.high))  # fmt: skip
        text = format_count(value) if row.name in COUNTS else format_estimate(value, low, high)
        rows.append(
            {
                "what": say_plain(f"calibration.is_{row.name}"),
                "value": say_plain("audit.not_estimable") if value is None else text,
                "calibrated": _render_expected(row),
            }
        )
    return pd.DataFrame(rows)


def _render_expected(row: Any) -> str:
    if not pd.isna(row.expected):
        return say_plain(
            "calibration.expected", mean=format_number(row.expected), high=format_number(row.expected_high)
        )  # fmt: skip
    return ABSENT if pd.isna(row.ideal) else format_number(row.ideal, 0)
