"""Calibration of a predicted value: the errors of the calibrate part as its forecast, measured on the test part."""

import pandas as pd
import streamlit as st

from app import value_calibrations
from app.components.figure import show_csv, show_figure
from app.components.numbers import format_count, format_estimate, format_number, format_share
from app.wording import say, say_plain
from automl.evaluation.value_calibration import LEAST_ROWS, ValueCalibration
from automl.figures.pit import describe_pit, plot_pit
from automl.figures.quantile_coverage import describe_quantile_coverage, plot_quantile_coverage


def show_value_calibration(search_id: str) -> None:
    """What is looked at, the coverage of its quantiles, the PIT, CRPS, and tenths of the prediction."""
    rows = value_calibrations.read_value_rows(search_id)
    if rows is None:
        st.info(say("calibration.value_absent"))
        return
    if len(rows.known) < LEAST_ROWS:
        st.info(say("calibration.value_few", n=format_count(len(rows.known)), least=LEAST_ROWS))
        return
    found = value_calibrations.compute_values(search_id)
    st.markdown(say("calibration.value_what", n=format_count(found.n_calibrate)))
    st.markdown(describe_values(found))
    show_figure(
        plot_quantile_coverage(found.quantiles), key="quantile_coverage",
        title=say_plain("calibration.value_quantiles"),
        sentence=describe_quantile_coverage(found.quantiles), frame=found.quantiles,
        alt=say_plain("calibration.value_quantiles_alt"),
    )  # fmt: skip
    show_figure(
        plot_pit(found.pit), key="pit", title=say_plain("calibration.value_pit"),
        sentence=describe_pit(found.pit), frame=found.pit,
        alt=say_plain("calibration.value_pit_alt"),
    )  # fmt: skip
    _show_tenths(found.tenths)


def describe_values(found: ValueCalibration) -> str:
    """CRPS, its skill, and the 90 % interval with its width, each with n and interval."""
    crps, skill, share = found.crps, found.skill, found.coverage
    coverage = say_plain(
        "calibration.value_share",
        value=format_share(share.value), low=format_share(share.low), high=format_share(share.high),
    )  # fmt: skip
    return say(
        "calibration.value_numbers",
        n=format_count(found.n),
        crps=format_estimate(crps.value, crps.low, crps.high),
        skill=format_estimate(skill.value, skill.low, skill.high),
        width=format_number(found.width),
        coverage=coverage,
    )


def _show_tenths(tenths: pd.DataFrame) -> None:
    st.markdown(f"#### {say('calibration.value_tenths')}")
    st.dataframe(
        build_tenth_table(tenths), key="value_tenths", hide_index=True,
        column_config={
            key: say_plain(f"calibration.tenth_{key}")
            for key in ("tenth", "n", "mean_prediction", "bias", "coverage")
        },
    )  # fmt: skip
    st.caption(say("calibration.value_tenths_note"))
    show_csv(tenths, key="value_tenths_all")


def build_tenth_table(tenths: pd.DataFrame) -> pd.DataFrame:
    """The tenths as text with intervals."""
    return pd.DataFrame(
        {
            "tenth": row.tenth,
            "n": row.n,
            "mean_prediction": format_number(row.mean_prediction),
            "bias": format_estimate(row.bias, row.bias_low, row.bias_high),
            "coverage": say_plain(
                "calibration.value_share",
                value=format_share(row.coverage), low=format_share(row.low), high=format_share(row.high),
            ),
        }
        for row in tenths.itertuples()
    )  # fmt: skip
