"""Who proposes trials and who ends them: one list each, what the choice does, and why others are not on it."""

from collections.abc import Mapping
from typing import TypeVar

import streamlit as st

from app.wording import escape, say, say_plain
from automl.search.offers import PRUNERS, SAMPLERS, Offer, Pruner, Sampler, Situation, list_refused

_Name = TypeVar("_Name", Sampler, Pruner)


def pick_sampler(situation: Situation) -> Sampler:
    """Who proposes the next configuration."""
    return _pick("sampler", SAMPLERS, situation)


def pick_pruner(situation: Situation) -> Pruner:
    """Who ends a weak trial early."""
    return _pick("pruner", PRUNERS, situation)


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
