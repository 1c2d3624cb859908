"""Rows of the test part that models have met before: how many, which, and how the error is without them."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
import streamlit as st

from app.components.figure import MAX_TABLE_ROWS, show_csv
from app.components.numbers import format_count
from app.error_rows import ErrorRows
from app.picture_results import FILE
from app.wording import say, say_plain
from automl.evaluation.error_slices import measure_errors
from automl.figures.error_slices import render_error


def show_repeats(found: ErrorRows, result: Mapping[str, Any]) -> None:
    """A table's repeated rows; of pictures the Data page shows the copies themselves."""
    st.markdown(f"#### {say('repeats.title')}")
    if FILE in found.rows:
        st.caption(say("repeats.pictures"))
        return
    repeats = result.get("repeats")
    if not repeats:
        st.caption(say("repeats.unknown"))
        return
    if found.dataset is None:
        st.caption(say("repeats.gone", n=format_count(repeats["n"])))
        return
    if not repeats["n"]:
        key = "repeats.none" if found.source.is_given_test else "repeats.together"
        st.caption(say(key))
        return
    table = build_table(found, repeats["pairs"])
    counts = {"n": format_count(repeats["n"]), "of": format_count(len(found.rows))}
    if repeats["n"] > len(table):
        st.markdown(say("repeats.many", **counts, known=format_count(len(table))))
    else:
        is_met = found.rows["row"].isin(table["row"]).to_numpy()
        shares = {"met": _render(found, is_met), "others": _render(found, ~is_met)}
        st.markdown(say("repeats.found", **counts, **shares))
    with st.expander(say("repeats.table"), key="repeats_expander"):
        shown = table.drop(columns="row")
        st.dataframe(
            shown.head(MAX_TABLE_ROWS), key="repeats_table", hide_index=True,
            column_config={
                "test_row": st.column_config.NumberColumn(say_plain("repeats.test_row"), format="%d"),
                "main_row": st.column_config.NumberColumn(say_plain("repeats.main_row"), format="%d"),
            },
        )  # fmt: skip
        show_csv(shown, key="repeats")


def build_table(found: ErrorRows, pairs: list[list[int]]) -> pd.DataFrame:
    """``row`` (of the data set), ``test_row`` and ``main_row`` (of their files, from 0), and what was decided."""
    numbers = pd.DataFrame(
        np.array(pairs, dtype=np.int64).reshape(-1, 2), columns=["row", "main_row"]
    )
    own = found.rows[["row", "row_id", "truth", "prediction"]].rename(
        columns={"row_id": "test_row"}
    )
    joined = numbers.merge(own, on="row", how="inner")
    return joined[["row", "test_row", "main_row", "truth", "prediction"]]


def _render(found: ErrorRows, marks: np.ndarray) -> str:
    estimate = measure_errors(found.errors[marks], are_shares=not found.is_value)
    if estimate.value is None:
        return say_plain("audit.not_estimable")
    values = {"error": estimate.value, "low": estimate.low, "high": estimate.high, "n": estimate.n}
    return render_error(values, are_shares=not found.is_value)
