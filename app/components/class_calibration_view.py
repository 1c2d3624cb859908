"""Calibration by class and by group: tables, and small curves on common axes."""

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
from automl.data.task import TaskType
from automl.evaluation.curves import MAX_CLASSES
from automl.figures.reliability_panels import (
    MOST_PANELS,
    describe_reliability_panels,
    plot_reliability_panels,
)


def show_classes(search_id: str, versions: Versions, version: str) -> None:
    """Of more than two classes: mean confidence against accuracy, every class against the rest."""
    if versions.task.type is not TaskType.MULTICLASS:
        return
    view = calibrations.compute_classes(search_id, version)
    st.markdown(f"#### {say('calibration.classes')}")
    gap = format_estimate(view.gap.value, view.gap.low, view.gap.high)
    st.markdown(say("calibration.confidence", gap=gap, n=format_count(view.gap.n)))
    st.dataframe(
        build_class_table(view.table), key="calibration_classes", hide_index=True,
        column_config={
            key: say_plain(f"calibration.class_{key}")
            for key in ("class", "n", "observed", "mean_score", "slope", "ece", "smooth_ece")
        },
    )  # fmt: skip
    show_csv(view.table, key="calibration_classes_all")
    n_classes = len(versions.task.classes)
    more = say_plain("calibration.most_classes", n=MAX_CLASSES) if n_classes > MAX_CLASSES else ""
    show_figure(
        plot_reliability_panels(view.curves), key="class_reliability",
        title=say_plain("calibration.class_curves"),
        sentence=f"{describe_reliability_panels(view.curves)} {more}".strip(), frame=view.curves,
        alt=say_plain("calibration.class_curves_alt"),
    )  # fmt: skip


def build_class_table(table: pd.DataFrame) -> pd.DataFrame:
    """The table of ``compute_class_calibration`` as text with intervals."""
    return pd.DataFrame(
        {
            "class": row["class"],
            "n": row["n"],
            "observed": f"{format_share(row['observed'])} [{format_share(row['low'])}, {format_share(row['high'])}]",
            "mean_score": format_share(row["mean_score"]),
            "slope": _render(row, "slope", "slope_low", "slope_high"),
            "ece": say_plain("calibration.with_expected", value=format_number(row["ece"]), expected=format_number(row["ece_expected"])),
            "smooth_ece": format_number(row["smooth_ece"]),
        }
        for _, row in table.iterrows()
    )  # fmt: skip


def show_groups(search_id: str, versions: Versions, version: str) -> None:
    """One sensitive column at a time; without any, one sentence."""
    st.markdown(f"#### {say('calibration.groups')}")
    columns = list(versions.sensitive.columns)
    if not columns:
        st.caption(say("calibration.no_groups"))
        return
    column = st.selectbox(say_plain("calibration.group_column"), columns, key="calibration_group")
    table, curves = calibrations.compute_groups(search_id, version, str(column))
    st.dataframe(
        build_group_table(table), key="calibration_groups", hide_index=True,
        column_config={
            key: say_plain(f"calibration.group_{key}")
            for key in ("group", "n", "events", "oe", "slope", "intercept", "slope_gap", "miscalibration", "smooth_ece")
        },
    )  # fmt: skip
    st.caption(say("calibration.groups_note", group=str(table["group"].iloc[0])))
    show_csv(table, key="calibration_groups_all")
    if curves.empty:
        st.caption(say("calibration.no_group_curves"))
        return
    left_out = table.loc[~table["has_curve"], "group"].tolist()
    n_more = curves["series"].nunique() - MOST_PANELS
    said = [
        describe_reliability_panels(curves),
        say_plain("calibration.few", groups=", ".join(map(str, left_out))) if left_out else "",
        say_plain("calibration.more_groups", n=n_more) if n_more > 0 else "",
    ]
    show_figure(
        plot_reliability_panels(curves), key="group_reliability",
        title=say_plain("calibration.group_curves", column=column),
        sentence=" ".join(part for part in said if part), frame=curves,
        alt=say_plain("calibration.group_curves_alt", column=column),
    )  # fmt: skip


def build_group_table(table: pd.DataFrame) -> pd.DataFrame:
    """The table of ``compute_group_reliability`` as text with intervals."""
    return pd.DataFrame(
        {
            "group": row["group"],
            "n": row["n"],
            "events": row["events"],
            "oe": _render(row, "oe", "oe_low", "oe_high"),
            "slope": _render(row, "slope", "slope_low", "slope_high"),
            "intercept": ABSENT if pd.isna(row["intercept"]) else format_number(row["intercept"]),
            "slope_gap": _render(row, "slope_gap", "slope_gap_low", "slope_gap_high"),
            "miscalibration": _render(row, "miscalibration", "miscalibration_low", "miscalibration_high"),
            "smooth_ece": format_number(row["smooth_ece"]),
        }
        for _, row in table.iterrows()
    )  # fmt: skip


def _render(row: "pd.Series[object]", *names: str) -> str:
    value, low, high = (None if pd.isna(row[name]) else float(row[name]) for name in names)
    return format_estimate(value, low, high)
