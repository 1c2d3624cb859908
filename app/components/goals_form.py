"""What a model may cost at most, and what is weighed against the score: for pictures and for tables."""

from dataclasses import dataclass

import streamlit as st

from app.wording import say, say_plain
from automl.data.dataset import DataKind
from automl.search.goals import ModelLimits, Objective

MOST_FURTHER = 2  # objectives beside the score
FACTORS = {
    DataKind.IMAGES: 1e6,
    DataKind.TABLE: 1e3,
}  # parameters are asked for in millions or thousands
TABLE_OBJECTIVES = (Objective.LATENCY, Objective.PARAMETERS)
PICTURE_OBJECTIVES = (*TABLE_OBJECTIVES, Objective.MACS)


@dataclass(frozen=True, kw_only=True, slots=True)
class Goals:
    """What a model may cost at most, and what is weighed against the score."""

    limits: ModelLimits
    objectives: tuple[Objective, ...]


def pick_goals(kind: DataKind) -> Goals:
    """Limits and further objectives, for the advanced part of the form."""
    of_pictures = kind is DataKind.IMAGES
    words = "pictures" if of_pictures else "table"
    st.markdown(f"**{say(f'{words}.limits')}**", help=say(f"{words}.limits_help"))
    places = st.columns(3 if of_pictures else 2, gap="medium")
    with places[0]:
        parameters = _ask("parameters", words, least=0.001, step=0.1 if of_pictures else 10.0)
    with places[-1]:
        latency = _ask("latency", words, least=0.01)
    macs = None
    if of_pictures:
        with places[1]:
            macs = _ask("macs", words, least=0.001)
    chosen = st.multiselect(
        say("new.objectives"), PICTURE_OBJECTIVES if of_pictures else TABLE_OBJECTIVES,
        key="objectives", max_selections=MOST_FURTHER,
        format_func=lambda value: say_plain(f"objective.{words}_{value}"),
        placeholder=say_plain("new.objectives_none"), help=say("new.objectives_help"),
    )  # fmt: skip
    return Goals(
        limits=ModelLimits(
            parameters=round(parameters * FACTORS[kind]) if parameters else None,
            macs=round(macs * 1e6) if macs else None,
            latency_ms=latency,
        ),
        objectives=(Objective.SCORE, *chosen),
    )


def _ask(name: str, words: str, *, least: float, step: float = 1.0) -> float | None:
    """A limit; empty is none."""
    value = st.number_input(
        say(f"{words}.limit_{name}"), min_value=least, value=None, step=step, format="%g",
        key=f"limit_{name}", placeholder=say_plain("new.no_limit"),
    )  # fmt: skip
    return float(value) if value else None
