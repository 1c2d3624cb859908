"""The ensemble on the Model tab: its models with their weights, and by which rows it was chosen."""

from collections.abc import Mapping
from typing import Any

import pandas as pd
import streamlit as st

from app import results
from app.components.figure import show_figure
from app.components.numbers import ABSENT, format_count
from app.wording import say, say_plain
from automl.figures.ensemble import describe_ensemble_weights, plot_ensemble


def show_ensemble(winner: Mapping[str, Any], choice: Mapping[str, Any] | None) -> None:
    """Bars and table of the members; ``choice`` is the ``ensemble`` of ``result.json``."""
    members = build_members(winner)
    st.markdown(f"#### {say('model.winner', name=winner['name'])}")
    st.markdown(say("model.ensemble"))
    left, right = st.columns([2, 3], gap="medium")
    with left:
        show_figure(
            plot_ensemble(members), key="ensemble", alt=say_plain("model.ensemble_alt"),
            sentence=describe_ensemble_weights(members), frame=members,
        )  # fmt: skip
    with right:
        st.dataframe(
            build_shown(members), key="ensemble_members", hide_index=True, placeholder=ABSENT,
            height="content", alt=say_plain("model.ensemble_alt"),
            column_config={
                say_plain("model.col_weight"): st.column_config.NumberColumn(format="percent"),
                say_plain("model.col_parameters"): st.column_config.NumberColumn(format="localized"),
            },
        )  # fmt: skip
        if text := describe_choice(choice):
            st.caption(text)


def build_members(winner: Mapping[str, Any]) -> pd.DataFrame:
    """``name, family, weight, seeds, rows, parameters, architecture``, the heaviest first."""
    rows = [
        {
            "name": each["name"],
            "family": results.get_family_title(each["family"]),
            "weight": each["weight"],
            "seeds": each["seeds"],
            "rows": say_plain("model.rows_all" if each["is_refit"] else "model.rows_train"),
            "parameters": each["parameters"],
            "architecture": each["architecture"],
        }
        for each in winner["ensemble"]
    ]
    return pd.DataFrame(rows)


def build_shown(members: pd.DataFrame) -> pd.DataFrame:
    """The members under the names a person reads."""
    names = ("name", "weight", "architecture", "seeds", "rows", "parameters")
    return members[list(names)].rename(
        columns={name: say_plain(f"model.col_{name}") for name in names}
    )


def describe_choice(choice: Mapping[str, Any] | None) -> str:
    """How many candidates there were, and what the rows said that nobody was picked by; nothing where they were too few."""
    if not choice or choice.get("guard_score") is None:
        return ""
    key = "choice" if choice["is_winner"] else "refused"
    n_members = len(choice["members"])
    return say(
        f"model.ensemble_{key if n_members > 1 else 'none'}",
        n=format_count(n_members),
        candidates=format_count(choice["n_candidates"]),
        rows=format_count(choice["n_rows"]),
        guard=format_count(choice["n_guard"]),
        measure=results.get_metric_title(choice["measure"]),
        picked_by=results.get_metric_title(choice.get("picked_by", choice["measure"])),
        together=_say_value(choice, "guard_score"),
        alone=_say_value(choice, "guard_single"),
        error=_say_error(choice.get("guard_error")),
    )


def _say_error(error: float | None) -> str:
    """Nothing for a search that was made before the error was kept."""
    return "" if error is None else say("model.ensemble_error", error=f"{error:.2g}")


def _say_value(choice: Mapping[str, Any], key: str) -> str:
    """A score as a value of its metric."""
    sign = -1 if results.is_lower_better(choice["measure"]) else 1
    return f"{sign * float(choice[key]):.4g}"
