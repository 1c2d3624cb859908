"""Which of the families are tried, and between which numbers: closed until somebody wants it."""

from collections.abc import Mapping

import pandas as pd
import streamlit as st

from app.wording import escape, say, say_plain
from automl.models.catalog import FAMILIES
from automl.space.dimensions import Float, Int, Space
from automl.space.narrowing import Range, list_ranges

Ranges = Mapping[str, Mapping[str, Range]]
HEIGHT = 320
FAMILY, LABEL, LOW, HIGH, DECLARED = "family", "label", "low", "high", "declared"


def pick_fewer_families(families: tuple[str, ...], absent: Mapping[str, str]) -> tuple[str, ...]:
    """Some of the families that are not absent, all at first; nothing chosen is all of them.

    Other families are another question (``key``): one that was not offered before begins as chosen.
    """
    offered = tuple(name for name in families if name not in absent)
    chosen = st.multiselect(
        say("space.families"), offered, default=offered, key=f"narrow_families_{'_'.join(offered)}",
        format_func=lambda name: FAMILIES[name].title, help=say("space.families_help"),
    )  # fmt: skip
    parts = [f"{FAMILIES[name].title} ({absent[name]})" for name in families if name in absent]
    if parts:
        st.caption(escape(say_plain("new.not_offered", parts="; ".join(parts))))
    return tuple(name for name in offered if name in chosen) or offered


def pick_ranges(spaces: Mapping[str, Space]) -> Ranges:
    """The ranges that were changed, by family and label, as typed; whether they can be is judged elsewhere."""
    frame = build_frame(spaces)
    if frame.empty:
        return {}
    ends = {"format": "%g", "required": True}
    edited = st.data_editor(
        frame.assign(**{FAMILY: frame[FAMILY].map(lambda name: FAMILIES[name].title)}),
        key=f"ranges_{'_'.join(spaces)}", hide_index=True, height=HEIGHT,
        disabled=[FAMILY, LABEL, DECLARED], alt=say_plain("space.alt"),
        column_config={
            FAMILY: st.column_config.TextColumn(say_plain("space.family")),
            LABEL: st.column_config.TextColumn(say_plain("space.label")),
            LOW: st.column_config.NumberColumn(say_plain("space.low"), **ends),
            HIGH: st.column_config.NumberColumn(say_plain("space.high"), **ends),
            DECLARED: st.column_config.TextColumn(say_plain("space.declared")),
        },
    )  # fmt: skip
    st.caption(say("space.note"))
    return read_changes(frame, edited)


def build_frame(spaces: Mapping[str, Space]) -> pd.DataFrame:
    """One row per range of numbers: ``family, label, low, high, declared``."""
    rows = [
        (family, label, float(each.low), float(each.high), _describe(each))
        for family, space in spaces.items()
        for label, each in list_ranges(space).items()
    ]
    return pd.DataFrame(rows, columns=[FAMILY, LABEL, LOW, HIGH, DECLARED])


def _describe(dimension: Int | Float) -> str:
    text = f"{dimension.low:g} – {dimension.high:g}"
    if isinstance(dimension, Int) and dimension.step > 1:
        text += say_plain("space.step", step=dimension.step)
    return text + (say_plain("space.log") if dimension.log else "")


def read_changes(frame: pd.DataFrame, edited: pd.DataFrame) -> dict[str, dict[str, Range]]:
    """The rows whose ends are others than before, by family and label."""
    changes: dict[str, dict[str, Range]] = {}
    for before, after in zip(frame.to_dict("records"), edited.to_dict("records"), strict=True):
        ends = (float(after[LOW]), float(after[HIGH]))
        if ends != (before[LOW], before[HIGH]):
            changes.setdefault(before[FAMILY], {})[before[LABEL]] = ends
    return changes
