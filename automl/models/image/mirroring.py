"""Whether a mirrored picture keeps its class: a guess from the data, and the space without mirroring; no torch."""

from collections.abc import Iterable
from dataclasses import dataclass

from automl.space.dimensions import Choice, Space

NO_MIRROR = ("none",)
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
    narrowed = dict(space)
    for label in ("flip", "tta"):
        dimension = narrowed.get(label)
        if isinstance(dimension, Choice) and "none" in dimension.options:
            narrowed[label] = Choice(options=NO_MIRROR)
    return narrowed
