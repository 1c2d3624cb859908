"""Whether a mirrored picture keeps its class: a guess from the data, and the space without mirroring; no torch."""

from collections.abc import Iterable
from dataclasses import dataclass

from automl.space.dimensions import Choice, Config, Dimension, Space, Switch

NO_MIRROR = ("none",)
_LABELS = ("flip", "tta")  # while a network learns, and while it predicts
_SIDED = frozenset(("left", "right", "clockwise", "counterclockwise", "anticlockwise"))
_MAX_SIGN = 2  # letters: classes this short are signs, as digits and letters are


@dataclass(frozen=True, kw_only=True, slots=True)
class Mirroring:
    """May pictures be mirrored while a network learns, and why that is suggested."""

    is_safe: bool
    reason: str


def suggest_mirroring(classes: Iterable[str]) -> Mirroring:
    """Not where classes are digits, letters or name a side; else mirroring is taken as safe."""
    names = [name.strip() for name in classes]
    if names and all(len(name) <= _MAX_SIGN or name.isdigit() for name in names):
        return Mirroring(
            is_safe=False,
            reason="the classes look like digits or letters, and a mirrored 2 is no 2",
        )
    sided = [name for name in names if _SIDED & set(name.lower().replace("_", " ").split())]
    if sided:
        return Mirroring(is_safe=False, reason=f"the class {sided[0]!r} names a side")
    return Mirroring(is_safe=True, reason="no class name speaks against it")


def without_mirroring(space: Space) -> Space:
    """The space in which no picture is mirrored, neither while training nor while predicting."""
    return {label: _narrow(label, dimension) for label, dimension in space.items()}


def _narrow(label: str, dimension: Dimension) -> Dimension:
    if isinstance(dimension, Switch):
        branches = {name: without_mirroring(below) for name, below in dimension.branches.items()}
        return Switch(branches=branches)
    if label in _LABELS and isinstance(dimension, Choice) and "none" in dimension.options:
        return Choice(options=NO_MIRROR)
    return dimension


def may_mirror(space: Space) -> bool:
    """Whether any configuration of the space mirrors pictures."""
    return without_mirroring(space) != space


def unmirror(config: Config, space: Space) -> Config:
    """The configuration without what mirrors, where the space forbids it; else the same."""
    forbidden = {
        label: NO_MIRROR[0]
        for label in _LABELS
        if label in config and space.get(label) == Choice(options=NO_MIRROR)
    }
    return {**config, **forbidden}
