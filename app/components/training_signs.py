"""Short notes under the learning curves: what the history of a training tells about it."""

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd
import streamlit as st

from app.wording import say
from automl.training.signs import Sign, build_history, find_signs


def show_training_signs(
    epochs: pd.DataFrame, trials: pd.DataFrame, chosen: Sequence[int], names: Mapping[int, str]
) -> None:
    """The signs of the chosen trials, one line each; that there are none is said too."""
    found = {number: list_signs(epochs, trials, number) for number in chosen}
    lines = [
        say("searchview.sign", name=names[number], text=sign.text)
        for number, signs in found.items()
        for sign in signs
    ]
    if not lines:
        st.caption(say("searchview.no_signs"))
        return
    with st.container(key="training_signs", gap="small"):
        for line in lines:
            st.caption(f":orange[▲] {line}")


def list_signs(epochs: pd.DataFrame, trials: pd.DataFrame, number: int) -> tuple[Sign, ...]:
    """The signs of one trial; those about its length need the epochs it was planned for."""
    rows = epochs[epochs["trial"] == number].drop_duplicates("epoch", keep="last")
    trial = trials[trials["number"] == number].iloc[0]
    constant = trials[(trials["family"] == "constant") & trials["score"].notna()]
    prior = None if constant.empty else float(constant["score"].iloc[0])
    records: list[dict[str, Any]] = [
        {str(name): value for name, value in row.items()} for row in rows.to_dict("records")
    ]
    return find_signs(build_history(records, _find_horizon(trial.get("config")), prior))


def _find_horizon(config: object) -> int | None:
    horizon = config.get("epochs") if isinstance(config, Mapping) else None
    return horizon if isinstance(horizon, int) else None
