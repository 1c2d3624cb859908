"""A declared space with narrower ranges of numbers, by label: what a person may change about it."""

from collections.abc import Mapping
from dataclasses import replace

from automl.errors import SpecError
from automl.space.dimensions import Dimension, Float, Int, Space, Switch
from automl.space.sampling import flatten

Range = tuple[float, float]


def list_ranges(space: Space) -> dict[str, Int | Float]:
    """The numbers of a space that leave a choice, by label, conditional ones included."""
    return {
        flat.label: flat.dimension
        for flat in flatten(space)
        if isinstance(flat.dimension, Int | Float) and flat.dimension.low < flat.dimension.high
    }


def narrow(space: Space, ranges: Mapping[str, Range]) -> Space:
    """The space with ``(low, high)``, both included, in place of the declared ends.

    ``SpecError`` for a label that is no number of the space, and for ends outside of the declared ones, in the wrong
    order, or off the steps.
    """
    known = list_ranges(space)
    for label, ends in ranges.items():
        if label not in known:
            raise SpecError(
                f"{label!r} is no range of numbers here.",
                hint=f"Known ranges: {', '.join(known) or 'none'}.",
            )
        _require_inside(label, known[label], ends)
    return _narrow(space, ranges, "")


def _require_inside(label: str, declared: Int | Float, ends: Range) -> None:
    low, high = ends
    if not declared.low <= low <= high <= declared.high:
        raise SpecError(
            f"{label} from {low:g} to {high:g} is not within {declared.low:g} to {declared.high:g}.",
            hint="A range may be narrowed, not widened.",
        )
    if isinstance(declared, Int) and any(
        each != int(each) or (int(each) - declared.low) % declared.step for each in ends
    ):
        raise SpecError(
            f"{label} from {low:g} to {high:g} leaves the steps of {declared.step} from {declared.low}."
        )


def _narrow(space: Space, ranges: Mapping[str, Range], stem: str) -> Space:
    return {key: _narrow_one(each, ranges, stem + key) for key, each in space.items()}


def _narrow_one(dimension: Dimension, ranges: Mapping[str, Range], label: str) -> Dimension:
    if isinstance(dimension, Switch):
        branches = {
            name: _narrow(below, ranges, f"{label}.{name}.")
            for name, below in dimension.branches.items()
        }
        return replace(dimension, branches=branches)
    if label not in ranges:
        return dimension
    low, high = ranges[label]
    if isinstance(dimension, Int):
        return replace(dimension, low=int(low), high=int(high))
    if isinstance(dimension, Float):
        return replace(dimension, low=float(low), high=float(high))
    return dimension
