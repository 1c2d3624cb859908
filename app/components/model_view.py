"""The Model and Protocol tabs: what was found, as a drawing and as settings; how it was found."""

from collections import Counter
from collections.abc import Mapping
from typing import Any

import pandas as pd
import streamlit as st

from app.components.architecture_view import show_stages
from app.components.ensemble_view import describe_choice, show_ensemble
from app.components.figure import show_figure
from app.components.numbers import format_count, format_duration
from app.wording import escape, say, say_plain
from automl.figures.architecture import (
    compute_layers,
    describe_architecture,
    plot_architecture,
)
from automl.figures.stages import has_stages

PARTS = ("train", "select", "calibrate", "test")


def show_model(result: Mapping[str, Any]) -> None:
    """The winner's settings, or its models; the layers of the winner, or of the best network where it is none."""
    winner = result["winner"]
    if winner.get("ensemble"):
        show_ensemble(winner, result.get("ensemble"))
    left, right = st.columns([3, 2], gap="medium")
    network = pick_network(result)
    with left:
        if network is None:
            st.info(say("model.no_drawing"))
        else:
            _show_drawing(network)
    with right:
        if not winner.get("ensemble"):
            _show_summary("model.winner", winner)
            if text := describe_choice(result.get("ensemble")):
                st.caption(text)
        if network is not None and network["name"] != winner["name"]:
            _show_summary("model.network", network)


def pick_network(result: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """The network with layers to draw: the winner if it is one, else the best network."""
    for key in ("winner", "best_network"):
        model = result.get(key) or {}
        if model.get("layers"):
            return dict(model)
    return None


def show_protocol(result: Mapping[str, Any]) -> None:
    """Parts with their rows and uses, the recipe, hashes and versions."""
    rows = result.get("n_rows") or {}
    st.markdown(f"#### {say('protocol.rows')}")
    st.dataframe(
        pd.DataFrame(
            {
                say_plain("protocol.part"): PARTS,
                say_plain("protocol.n_rows"): [format_count(rows.get(part)) for part in PARTS],
                say_plain("protocol.use"): [say_plain(f"protocol.use_{part}") for part in PARTS],
            }
        ),
        key="protocol_rows", hide_index=True,
    )  # fmt: skip
    if compared := result.get("cross_validation"):
        st.caption(escape(compared["sentence"]))
    st.markdown(f"#### {say('protocol.facts')}")
    st.dataframe(
        _build_facts(collect_facts(result)), key="protocol_facts", hide_index=True, height="content"
    )
    st.markdown(f"#### {say('protocol.hashes')}")
    hashes = {**flatten(result.get("hashes") or {}), **flatten(result.get("versions") or {})}
    st.dataframe(_build_facts(hashes), key="protocol_hashes", hide_index=True, height="content")


def collect_facts(result: Mapping[str, Any]) -> dict[str, str]:
    """What decides a search and what it took, as text."""
    task = result.get("task")
    facts: dict[str, object] = {
        **flatten(task if isinstance(task, Mapping) else {"task": task}),
        "metric": result["metric"],
        "time": format_duration(result.get("wall_seconds")),
        **{f"{name} trials": format_count(n) for name, n in _count_stages(result).items()},
        "looks at the test part": result.get("looks"),
        "devices": _say_devices(result.get("devices")),
        **flatten(result.get("protocol") or {}),
        "seed": result.get("seed"),
        **{
            f"seeds of {name}": _say_seeds(each)
            for name, each in (result.get("seeds") or {}).items()
        },
    }
    return {
        name: _say_value(value)
        for name, value in facts.items()
        if value not in (None, "", {}, (), [])
    }


def _count_stages(result: Mapping[str, Any]) -> Counter[str]:
    """Trials by stage: baseline, search, refit."""
    return Counter(str(trial.get("stage", "search")) for trial in result.get("trials") or ())


def _say_devices(devices: object) -> str:
    """``cpu:0 (20 trials), cpu:1 (18 trials)``."""
    if isinstance(devices, Mapping):
        return ", ".join(f"{name} ({count} trials)" for name, count in devices.items())
    return _say_value(devices)


def _say_seeds(seeds: object) -> str:
    """Every seed's value and that of their average, on the part that was looked at."""
    if not isinstance(seeds, Mapping):
        return _say_value(seeds)
    values = ", ".join(_say_value(value) for value in seeds.get("values") or ())
    average = _say_value(seeds.get("average"))
    return f"{values}; averaged {average} ({seeds.get('part')} part)"


def flatten(value: Mapping[str, Any], stem: str = "") -> dict[str, object]:
    """Nested mappings as dotted names."""
    flat: dict[str, object] = {}
    for key, each in value.items():
        name = f"{stem}.{key}" if stem else str(key)
        flat |= flatten(each, name) if isinstance(each, Mapping) else {name: each}
    return flat


def _show_drawing(network: Mapping[str, Any]) -> None:
    name = str(network["name"])
    if has_stages(network["layers"]):
        show_stages(name, network["layers"])
        return
    layers = compute_layers(network["layers"])
    show_figure(
        plot_architecture(layers), key="architecture", title=say_plain("model.drawing", name=name),
        alt=say_plain("model.drawing_alt", name=name), sentence=describe_architecture(layers),
        frame=layers,
    )  # fmt: skip


def _show_summary(words: str, model: Mapping[str, Any]) -> None:
    st.markdown(f"#### {say(words, name=model['name'])}")
    if model.get("architecture"):
        st.markdown(say("model.summary", architecture=model["architecture"]))
    members = int(model.get("members") or 1)
    if members > 1:
        st.markdown(say("model.members", n=members))
    config = model.get("config") or {}
    if config:
        st.dataframe(
            _build_facts(
                {key: _say_value(value) for key, value in config.items()},
                say_plain("model.setting"),
                say_plain("model.value"),
            ),
            key=f"config_{words.removeprefix('model.')}", hide_index=True, height="content",
        )  # fmt: skip


def _build_facts(facts: Mapping[str, object], name: str = "", value: str = "") -> pd.DataFrame:
    return pd.DataFrame(
        {
            name or say_plain("protocol.fact"): [str(key).replace("_", " ") for key in facts],
            value or say_plain("model.value"): [_say_value(each) for each in facts.values()],
        }
    )


def _say_value(value: object) -> str:
    if isinstance(value, float):
        return f"{value:.4g}"
    if isinstance(value, (list, tuple)):
        return ", ".join(map(str, value))
    return "–" if value is None else str(value)
