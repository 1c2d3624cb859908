"""Draw, check, enumerate and list the configurations of a search space.

A configuration is flat: dotted labels to values. A ``Switch`` gives its label the name of the branch and
opens labels below it (``optimizer`` = ``adamw`` opens ``optimizer.adamw.lr``).
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any, Protocol

from automl.errors import SpecError
from automl.space.dimensions import Choice, Config, Dimension, Float, Int, Space, Switch, Value


class Suggest(Protocol):
    """Whoever proposes values; an Optuna trial fits as it is."""

    def suggest_int(
        self, name: str, low: int, high: int, *, step: int = 1, log: bool = False
    ) -> int: ...

    def suggest_float(self, name: str, low: float, high: float, *, log: bool = False) -> float: ...

    def suggest_categorical(self, name: str, choices: Sequence[Any]) -> Any: ...


@dataclass(frozen=True, kw_only=True, slots=True)
class FlatDimension:
    """One line of a space: its label, the dimension, and when it exists.

    ``parent`` and ``branch`` name the switch that opens it; both are empty at the top.
    """

    label: str
    dimension: Dimension
    parent: str = ""
    branch: str = ""


def sample(
    space: Space, suggest: Suggest, *, prefix: str = "", is_open: bool = False
) -> dict[str, Value]:
    """Draw one configuration.

    ``prefix`` (``"mlp."``) stands before every name given to ``suggest``, never in the result, so that two
    families do not share a parameter. With ``is_open`` the branches that were not chosen are drawn too and
    thrown away: whoever proposes then always sees the same names.
    """
    config: dict[str, Value] = {}
    _sample_into(config, space, suggest, ("", prefix), is_open=is_open)
    return config


def _sample_into(
    config: dict[str, Value],
    space: Space,
    suggest: Suggest,
    stems: tuple[str, str],
    *,
    is_open: bool,
) -> None:
    stem, prefix = stems
    for key, dimension in space.items():
        label = stem + key
        name = prefix + label
        if isinstance(dimension, Int):
            if dimension.log:
                config[label] = suggest.suggest_int(name, dimension.low, dimension.high, log=True)
            else:
                config[label] = suggest.suggest_int(
                    name, dimension.low, dimension.high, step=dimension.step
                )
        elif isinstance(dimension, Float):
            config[label] = suggest.suggest_float(
                name, dimension.low, dimension.high, log=dimension.log
            )
        elif isinstance(dimension, Choice):
            config[label] = suggest.suggest_categorical(name, dimension.options)
        else:
            branch = suggest.suggest_categorical(name, tuple(dimension.branches))
            config[label] = branch
            for other, inner in dimension.branches.items():
                below = (f"{label}.{other}.", prefix)
                if other == branch:
                    _sample_into(config, inner, suggest, below, is_open=is_open)
                elif is_open:
                    _sample_into({}, inner, suggest, below, is_open=True)


def validate_config(space: Space, config: Config) -> None:
    """Raise ``SpecError`` unless ``config`` has exactly the labels of ``space`` and values inside it."""
    known: set[str] = set()
    for label, dimension in _walk_chosen(space, config, ""):
        known.add(label)
        if label not in config:
            raise SpecError(
                f"The configuration has no value for {label!r}.", hint=f"It needs {dimension}."
            )
        if not contains(dimension, config[label]):
            raise SpecError(f"{label} = {config[label]!r} is outside of {dimension}.")
    unknown = sorted(set(config) - known)
    if unknown:
        raise SpecError(
            f"The configuration sets {unknown[0]!r}, which does not exist for these choices.",
            hint=f"Known here: {', '.join(sorted(known)) or 'nothing'}.",
        )


def _walk_chosen(space: Space, config: Config, stem: str) -> Iterator[tuple[str, Dimension]]:
    for key, dimension in space.items():
        label = stem + key
        yield label, dimension
        if isinstance(dimension, Switch):
            branch = config.get(label)
            if isinstance(branch, str) and branch in dimension.branches:
                yield from _walk_chosen(dimension.branches[branch], config, f"{label}.{branch}.")


def contains(dimension: Dimension, value: Value) -> bool:
    """Whether a value lies in a dimension; numbers and truth values are never confused."""
    if isinstance(dimension, Int):
        if isinstance(value, bool) or not isinstance(value, int):
            return False
        return (
            dimension.low <= value <= dimension.high
            and (value - dimension.low) % dimension.step == 0
        )
    if isinstance(dimension, Float):
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            return False
        return dimension.low <= value <= dimension.high
    if isinstance(dimension, Choice):
        return any(type(value) is type(option) and value == option for option in dimension.options)
    return isinstance(value, str) and value in dimension.branches


def flatten(space: Space) -> tuple[FlatDimension, ...]:
    """Every dimension of a space, conditional ones after the switch that opens them."""
    return tuple(_flatten(space, "", "", ""))


def _flatten(space: Space, stem: str, parent: str, branch: str) -> Iterator[FlatDimension]:
    for key, dimension in space.items():
        label = stem + key
        yield FlatDimension(label=label, dimension=dimension, parent=parent, branch=branch)
        if isinstance(dimension, Switch):
            for name, below in dimension.branches.items():
                yield from _flatten(below, f"{label}.{name}.", label, name)


def iterate_grid(space: Space, *, points: int = 3) -> Iterator[dict[str, Value]]:
    """Every configuration of the grid with at most ``points`` values per number, in a fixed order."""
    yield from _grid(space, points, "")


def _grid(space: Space, points: int, stem: str) -> Iterator[dict[str, Value]]:
    axes = [_axis(dimension, points, stem + key) for key, dimension in space.items()]
    for parts in product(*axes):
        merged: dict[str, Value] = {}
        for part in parts:
            merged.update(part)
        yield merged


def _axis(dimension: Dimension, points: int, label: str) -> list[dict[str, Value]]:
    if not isinstance(dimension, Switch):
        return [{label: value} for value in compute_points(dimension, points)]
    return [
        {label: branch, **below}
        for branch, space in dimension.branches.items()
        for below in _grid(space, points, f"{label}.{branch}.")
    ]


def count_grid(space: Space, *, points: int = 3) -> int:
    """How many configurations ``iterate_grid`` gives, without making them."""
    return math.prod(
        sum(count_grid(below, points=points) for below in dimension.branches.values())
        if isinstance(dimension, Switch)
        else len(compute_points(dimension, points))
        for dimension in space.values()
    )


def compute_points(dimension: Int | Float | Choice, points: int) -> tuple[Value, ...]:
    """At most ``points`` distinct values of a number, evenly or log-evenly spaced; all of a choice."""
    if points < 1:
        raise SpecError(f"A grid needs at least one point per number, got {points}.")
    if isinstance(dimension, Choice):
        return dimension.options
    shares = [index / (points - 1) for index in range(points)] if points > 1 else [0.5]
    values = [_value_at(dimension, share) for share in shares]
    return tuple(dict.fromkeys(values))


def _value_at(dimension: Int | Float, share: float) -> Value:
    low, high = dimension.low, dimension.high
    value = low * (high / low) ** share if dimension.log else low + (high - low) * share
    if isinstance(dimension, Float):
        return min(max(value, low), high)
    steps = round((value - low) / dimension.step)
    return low + min(steps, (high - low) // dimension.step) * dimension.step
