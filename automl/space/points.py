"""A space as a unit cube: from a share in [0, 1) to a value and back, so that a point or a neighbour can be named.

Every dimension with more than one value is an axis, those behind a switch included; a configuration reads only
the axes that its own choices open.
"""

import math
from collections.abc import Callable

from automl.space.dimensions import Choice, Config, Dimension, Float, Int, Space, Switch, Value
from automl.space.sampling import FlatDimension, flatten

Choose = Callable[[str, Dimension], Value]


def count_values(dimension: Dimension) -> float:
    """How many values a dimension has; infinitely many for a range of real numbers."""
    match dimension:
        case Int():
            return (dimension.high - dimension.low) // dimension.step + 1
        case Float():
            return 1 if dimension.low == dimension.high else math.inf
        case Choice():
            return len(dimension.options)
        case Switch():
            return len(dimension.branches)


def list_axes(space: Space) -> tuple[FlatDimension, ...]:
    """Every dimension that leaves a choice, conditional ones included, in declared order."""
    return tuple(flat for flat in flatten(space) if count_values(flat.dimension) > 1)


def get_value(dimension: Dimension, share: float) -> Value:
    """The value at a share of the dimension: equal shares for options and steps, log-equal for a log range.

    ``share`` is clipped to 0..1.
    """
    share = min(max(share, 0.0), 1.0)
    match dimension:
        case Choice() | Switch():
            return _list_options(dimension)[_find_cell(share, count_values(dimension))]
        case Int() if not dimension.log:
            return dimension.low + dimension.step * _find_cell(share, count_values(dimension))
        case Int():  # cells of equal width on the log scale, each around its number
            low, high = math.log(dimension.low - 0.5), math.log(dimension.high + 0.5)
            number = round(math.exp(low + share * (high - low)))
            return min(max(number, dimension.low), dimension.high)
        case Float():
            if dimension.log:
                value = float(dimension.low * (dimension.high / dimension.low) ** share)
            else:
                value = dimension.low + share * (dimension.high - dimension.low)
            return min(max(value, dimension.low), dimension.high)


def get_share(dimension: Dimension, value: Value) -> float:
    """Where a value lies in its dimension: the middle of its cell, or its place in a range of real numbers."""
    match dimension:
        case Choice() | Switch():
            options = _list_options(dimension)
            return (options.index(value) + 0.5) / len(options)
        case Int() if not dimension.log:
            place = (float(value) - dimension.low) / dimension.step
            return (place + 0.5) / count_values(dimension)
        case Int():
            low, high = math.log(dimension.low - 0.5), math.log(dimension.high + 0.5)
            return (math.log(float(value)) - low) / (high - low)
        case Float():
            if count_values(dimension) == 1:
                return 0.5
            if dimension.log:
                return math.log(float(value) / dimension.low) / math.log(
                    dimension.high / dimension.low
                )
            return (float(value) - dimension.low) / (dimension.high - dimension.low)


def build_config(space: Space, choose: Choose) -> dict[str, Value]:
    """The configuration of what ``choose(label, dimension)`` says for every label that its choices open."""
    config: dict[str, Value] = {}
    _build_into(config, space, choose, "")
    return config


def _build_into(config: dict[str, Value], space: Space, choose: Choose, stem: str) -> None:
    for key, dimension in space.items():
        label = stem + key
        config[label] = value = choose(label, dimension)
        if isinstance(dimension, Switch):
            below = dimension.branches[str(value)]
            _build_into(config, below, choose, f"{label}.{value}.")


def is_whole(space: Space, config: Config) -> bool:
    """Whether a configuration has a value for every label that its own choices open."""
    for key, dimension in space.items():
        if key not in config:
            return False
        if isinstance(dimension, Switch):
            stem = f"{key}.{config[key]}."
            below = {
                label.removeprefix(stem): config[label]
                for label in config
                if label.startswith(stem)
            }
            if not is_whole(dimension.branches[str(config[key])], below):
                return False
    return True


def overlay(space: Space, config: Config, fixed: Config) -> dict[str, Value]:
    """The configuration with the values of ``fixed``; what only these open takes the middle of its range."""

    def choose(label: str, dimension: Dimension) -> Value:
        return fixed.get(label, config.get(label, get_value(dimension, 0.5)))

    return build_config(space, choose)


def get_active(space: Space, config: Config) -> tuple[FlatDimension, ...]:
    """The axes that a configuration reads."""
    return tuple(flat for flat in list_axes(space) if flat.label in config)


def _list_options(dimension: Choice | Switch) -> tuple[Value, ...]:
    return dimension.options if isinstance(dimension, Choice) else tuple(dimension.branches)


def _find_cell(share: float, n_cells: float) -> int:
    return min(int(share * n_cells), int(n_cells) - 1)
