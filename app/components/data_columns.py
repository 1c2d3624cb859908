"""The table of columns: kind and role can be changed in place."""

from typing import Any

import pandas as pd
import streamlit as st

from app import session
from app.choices import get_kind, get_role, with_kind, with_role
from app.components.setup_edit import change_setup
from app.wording import say, say_plain
from automl.data.dataset import Column, Dataset, Kind, Role
from automl.data.profile import ColumnProfile, Profile
from automl.data.setup import Setup

_KINDS = {say_plain(f"kind.{kind}"): kind for kind in Kind}
_ROLES = {say_plain(f"role.{role}"): role for role in Role}
MAX_BARS = 20
ROW_HEIGHT, HEADER_HEIGHT, MOST_HEIGHT = 35, 37, 600  # px; a longer table scrolls inside
ROLES_OF_TABLES = (Role.FEATURE, Role.TIME, Role.WEIGHT)


def edit_columns(dataset: Dataset, profile: Profile, setup: Setup) -> None:
    """Draw the table; a change is kept at once."""
    of_pictures = dataset.images is not None
    st.caption(say("set.columns_note_pictures" if of_pictures else "set.columns_note"))
    shown = list_columns(dataset)
    kinds = [word for word, kind in _KINDS.items() if kind is not Kind.IMAGE]
    roles = [
        word for word, role in _ROLES.items() if not of_pictures or role not in ROLES_OF_TABLES
    ]
    column = st.column_config
    st.data_editor(
        build_table(dataset, profile, setup),
        key="columns",
        hide_index=True,
        num_rows="fixed",
        disabled=("name", "missing", "distinct", "shape", "reason"),
        on_change=_keep_edits,
        args=(dataset,),
        row_height=ROW_HEIGHT,
        height=min(HEADER_HEIGHT + ROW_HEIGHT * len(shown), MOST_HEIGHT),
        column_config={
            "name": column.TextColumn(say("set.col_name"), pinned=True),
            "kind": column.SelectboxColumn(say("set.col_kind"), options=kinds, required=True),
            "role": column.SelectboxColumn(say("set.col_role"), options=roles, required=True),
            "missing": column.NumberColumn(say("set.col_missing"), format="%.1f %%"),
            "distinct": column.NumberColumn(say("set.col_distinct"), format="localized"),
            "shape": column.BarChartColumn(say("set.col_shape"), y_min=0),
            "reason": column.TextColumn(say("set.col_reason"), width="large"),
        },
    )


def list_columns(dataset: Dataset) -> list[Column]:
    """The columns a person may change: all but the pictures themselves."""
    return [column for column in dataset.columns if column.kind is not Kind.IMAGE]


def build_table(dataset: Dataset, profile: Profile, setup: Setup) -> pd.DataFrame:
    """One row per column: name, kind and role as words, counts, and the bars of its shape."""
    rows = []
    for column in list_columns(dataset):
        found = profile.column(column.name)
        rows.append(
            {
                "name": column.name,
                "kind": say_plain(f"kind.{get_kind(setup, column)}"),
                "role": say_plain(f"role.{get_role(setup, column)}"),
                "missing": 100 * column.n_missing / max(dataset.n_rows, 1),
                "distinct": column.n_distinct,
                "shape": build_shape(found),
                "reason": "; ".join(
                    dict.fromkeys(filter(None, (column.reason, column.role_reason)))
                ),
            }
        )
    return pd.DataFrame(rows)


def build_shape(found: ColumnProfile | None) -> list[int]:
    """Heights of the bars: the histogram, else the most frequent values."""
    if found is None:
        return []
    if found.histogram:
        return [bar.count for bar in found.histogram]
    return [value.count for value in found.values[:MAX_BARS]]


def _keep_edits(dataset: Dataset) -> None:
    edits: dict[Any, dict[str, str]] = (session.recall("columns") or {}).get("edited_rows", {})

    def change(setup: Setup) -> Setup:
        for row, values in edits.items():
            name = list_columns(dataset)[int(row)].name
            if "kind" in values:
                setup = with_kind(setup, name, _KINDS[values["kind"]])
            if "role" in values:
                setup = with_role(setup, name, _ROLES[values["role"]])
        return setup

    change_setup(dataset.id, change)
