"""Whose turn it is: baselines, then the start list, then families by a fixed quota.

After the start list three of four asks go to the networks and one to boosting: the networks are what is
searched for, boosting keeps them honest. The first network family takes two of the three.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import zip_longest

from automl.errors import SpecError
from automl.models.catalog import FAMILIES, get_starts
from automl.space.dimensions import Config, Space
from automl.space.sampling import iterate_grid, validate_config

BASELINES = ("constant", "linear", "boosting")


@dataclass(frozen=True, kw_only=True, slots=True)
class Start:
    """One fixed configuration that is tried before anything is sampled."""

    family: str
    config: Config


def build_turns(families: Sequence[str]) -> tuple[str, ...]:
    """The cycle of families that is asked again and again, e.g. ``(mlp, resnet, mlp, boosting)``."""
    networks = [name for name in families if FAMILIES[name].is_network]
    boosting = [name for name in families if name == "boosting"]
    if not networks:
        return tuple(boosting)
    first = networks[0]
    cycle: list[str] = []
    for other in networks[1:] or networks:
        cycle += [first, other, first, *boosting]
    return tuple(cycle)


def build_starts(spaces: Mapping[str, Space]) -> tuple[Start, ...]:
    """The start list of the families, taking turns; the reference network first.

    A configuration outside the declared space is left out: the space was narrowed on purpose.
    """
    networks = [name for name in spaces if FAMILIES[name].is_network]
    others = [name for name in spaces if name == "boosting"]
    lists = [_list_starts(name, spaces[name]) for name in (*networks, *others)]
    return tuple(start for row in zip_longest(*lists) for start in row if start is not None)


def _list_starts(family: str, space: Space) -> list[Start]:
    configs = list(get_starts(family))
    if FAMILIES[family].is_network:
        configs.insert(0, FAMILIES[family].default)
    return [Start(family=family, config=config) for config in configs if _fits(space, config)]


def _fits(space: Space, config: Config) -> bool:
    try:
        validate_config(space, config)
    except SpecError:
        return False
    return True


def iterate_grids(spaces: Mapping[str, Space]) -> Iterator[Start]:
    """The grid points of all searched families, families taking turns."""
    names = list(dict.fromkeys(build_turns(tuple(spaces))))
    grids = [iterate_grid(spaces[name]) for name in names]
    for row in zip_longest(*grids):
        for name, config in zip(names, row, strict=True):
            if config is not None:
                yield Start(family=name, config=config)
