"""Who proposes trials, who ends them, on which rows models are compared: a list each, and what is not on it."""

from collections.abc import Mapping
from typing import TypeVar

import streamlit as st

from app.search_choices import SearchChoice, explain_folds
from app.wording import escape, say, say_plain
from automl.data.dataset import Dataset
from automl.search.cross_validation import CHOICES
from automl.search.offers import PRUNERS, SAMPLERS, Offer, Pruner, Sampler, Situation, list_refused
from fairness.errors import FairloomError

AUTOMATIC = "auto"

_Name = TypeVar("_Name", Sampler, Pruner)


def pick_sampler(situation: Situation) -> Sampler:
    """Who proposes the next configuration."""
    return _pick("sampler", SAMPLERS, situation)


def pick_pruner(situation: Situation) -> Pruner:
    """Who ends a weak trial early."""
    return _pick("pruner", PRUNERS, situation)


def pick_folds(dataset: Dataset, choice: SearchChoice) -> int | None:
    """Into how many folds a table is divided; None: automatic, and what that comes to here stands below."""
    chosen = st.selectbox(
        say("new.folds"), (AUTOMATIC, *CHOICES), key="folds", help=say("new.folds_help"),
        format_func=_name_folds,
    )  # fmt: skip
    if chosen != AUTOMATIC:
        return int(chosen)
    try:
        n_folds, reason = explain_folds(dataset, choice)
    except FairloomError:
        return None  # what is wrong with the data stands below the form
    st.caption(say("folds.here", what=_name_folds(n_folds), reason=reason))
    return None


def _name_folds(value: int | str) -> str:
    if value == AUTOMATIC:
        return say_plain("folds.auto")
    return say_plain("folds.n", n=value) if value else say_plain("folds.none")


def _pick(key: str, offers: Mapping[_Name, Offer], situation: Situation) -> _Name:
    """One list of what is offered; the first is the default."""
    refused = list_refused(offers, situation)
    offered = [name for name in offers if name not in refused]
    chosen = st.selectbox(
        say(f"new.{key}"), offered, key=key, help=say(f"new.{key}_help"),
        format_func=lambda name: offers[name].title,
    )  # fmt: skip
    name = chosen if chosen in offered else offered[0]
    st.caption(escape(f"{offers[name].summary} {offers[name].find_caution(situation)}".strip()))
    if refused:
        st.caption(escape(describe_refused(offers, refused)))
    return name


def describe_refused(offers: Mapping[_Name, Offer], refused: Mapping[str, str]) -> str:
    """One sentence for each reason, with all that share it: ``Not offered here: Hyperband, median (…)``."""
    by_reason: dict[str, list[str]] = {}
    for name, offer in offers.items():
        if name in refused:
            by_reason.setdefault(refused[name], []).append(offer.title)
    parts = [f"{', '.join(titles)} ({reason})" for reason, titles in by_reason.items()]
    return say_plain("new.not_offered", parts="; ".join(parts))
