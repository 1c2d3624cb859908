"""A network for pictures as a drawing, with its stages and layers as tables beside it."""

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd
import streamlit as st

from app.components.figure import show_figure
from app.components.numbers import format_count, format_share
from app.wording import say, say_plain
from automl.figures.reading import render_count
from automl.figures.stages import compute_boxes, compute_stages, describe_stages, plot_stages


def show_stages(name: str, layers: Sequence[Mapping[str, Any]]) -> None:
    """The drawing with every layer in its table, then shapes, parameters and multiply-adds per stage."""
    frame = compute_boxes(layers)
    show_figure(
        plot_stages(frame), key="architecture", title=say_plain("model.drawing", name=name),
        alt=say_plain("model.stages_alt", name=name), sentence=describe_stages(frame), frame=frame,
    )  # fmt: skip
    st.markdown(f"#### {say('model.stages')}")
    st.dataframe(build_stage_table(frame), key="stage_table", hide_index=True, height="content")
    st.caption(say("model.macs_help"))


def build_stage_table(frame: pd.DataFrame) -> pd.DataFrame:
    """Stages as people read them; the last line is the whole network."""
    stages = compute_stages(frame)
    rows = [
        (
            stage["stage"], format_count(stage["n_layers"]), stage["output"] or "–",
            f"{stage['parameters']:,} ({format_share(stage['share_of_parameters'])})",
            f"{render_count(stage['macs'])} ({format_share(stage['share_of_macs'])})",
        )
        for stage in stages.to_dict("records")
    ]  # fmt: skip
    total = [int(stages[key].sum()) for key in ("n_layers", "parameters", "macs")]
    last = stages["output"].iloc[-1] if len(stages) else ""
    rows.append(
        (
            say_plain("model.whole"), format_count(total[0]), last or "–", format_count(total[1]),
            render_count(total[2]),
        )
    )  # fmt: skip
    keys = ("stage", "n_layers", "output", "parameters", "macs")
    return pd.DataFrame(rows, columns=[say_plain(f"model.col_{key}") for key in keys])
