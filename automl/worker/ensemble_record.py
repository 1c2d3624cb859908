"""What a result says of a final model that is several trials together."""

from collections.abc import Mapping, Sequence
from typing import Any

from automl.search.ensembling import FAMILY
from automl.search.opened_model import Member, OpenedModel

Trials = Mapping[int, Mapping[str, Any]]


def describe_ensemble(name: str, model: OpenedModel, trials: Trials) -> dict[str, Any]:
    """The ``winner`` of ``result.json``: the keys of any winner, and ``ensemble``, its trials with their weights.

    ``members`` counts saved models, seeds among them; ``architecture`` names the trials.
    """
    ensemble = [
        _describe_member(trials[members[0].trial], members) for members in _group_members(model)
    ]
    shares = (f"{each['name']} {each['weight']:.0%}" for each in ensemble)
    return {
        "name": name,
        "family": FAMILY,
        "trial": None,
        "architecture": ", ".join(shares),
        "config": {},
        "is_network": all(each["is_network"] for each in ensemble),
        "is_refit": model.is_refit,
        "epochs": None,
        "members": len(model.members),
        "layers": [],
        "ensemble": ensemble,
    }


def _group_members(model: OpenedModel) -> list[list[Member]]:
    """The saved models by trial, the heaviest trial first."""
    groups: dict[int, list[Member]] = {}
    for member in model.members:
        groups.setdefault(member.trial, []).append(member)
    return list(groups.values())


def _describe_member(trial: Mapping[str, Any], members: Sequence[Member]) -> dict[str, Any]:
    names = ("name", "family", "architecture", "is_network", "is_baseline", "parameters")
    return {
        "trial": trial["number"],
        **{name: trial[name] for name in names},
        "config": dict(trial["config"]),
        "weight": sum(member.weight for member in members),
        "seeds": len(members),
        "is_refit": all(member.is_refit for member in members),
    }


def build_ensemble_row(
    winner: Mapping[str, Any], standing: Mapping[str, Any], device: str = ""
) -> dict[str, Any]:
    """Its line in the leaderboard; ``standing`` has its select score with interval and its tier."""
    sizes = [each["parameters"] for each in winner["ensemble"]]
    seeds = [each["seeds"] for each in winner["ensemble"]]
    known = None not in sizes
    return {
        "name": winner["name"],
        "family": FAMILY,
        "trial": None,
        "architecture": winner["architecture"],
        "is_network": winner["is_network"],
        "is_baseline": False,
        "select_score": None,
        "select_low": None,
        "select_high": None,
        "tier": None,
        "parameters": sum(n * size for n, size in zip(seeds, sizes, strict=True))
        if known
        else None,
        "macs": None,
        "latency_ms": None,
        "device": device,
        **standing,
    }
