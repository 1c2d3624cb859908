"""Whose turn it is: the start list first, then families by a fixed quota.

Tables: three of four asks go to the networks and one to trees. The networks are what is searched for, trees
keep them honest. MLP and ResNet take a third of the networks' asks each, slower families share the last third;
of two families the first takes two thirds. LightGBM and boosting alternate. The linear family is in the start
list only: a few strengths of its penalty say all there is to say. Pictures: the searched CNN takes most asks,
then networks with given weights, then the classical ones.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from math import lcm

from automl.data.dataset import DataKind
from automl.errors import SpecError
from automl.models.catalog import FAMILIES, get_starts
from automl.models.image.mirroring import unmirror
from automl.models.image.pretrained_space import build_pretrained_starts
from automl.models.tabular.config import without_plain_columns
from automl.models.tabular.loss_config import with_plain_loss
from automl.models.tabular.target_encoding import with_encoding
from automl.space.dimensions import Config, Space
from automl.space.sampling import iterate_grid, validate_config

_TREES = ("lightgbm", "boosting")
_QUICK = ("mlp", "resnet")
_IMAGE_CYCLES = {
    ("cnn", "classic", "pretrained"): ("cnn", "pretrained", "cnn", "classic"),
    ("cnn", "classic"): ("cnn", "cnn", "cnn", "classic"),
    ("cnn", "pretrained"): ("cnn", "pretrained", "cnn"),
    ("classic", "pretrained"): ("pretrained", "classic"),
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Start:
    """One fixed configuration that is tried before anything is sampled."""

    family: str
    config: Config


def is_searched(family: str) -> bool:
    """Whether a family is a network that is searched for; a baseline network is a yardstick only."""
    return FAMILIES[family].is_network and not FAMILIES[family].is_baseline


def build_turns(families: Sequence[str]) -> tuple[str, ...]:
    """The cycle of families that is asked again and again, e.g. ``(mlp, resnet, mlp, lightgbm)``."""
    networks = [name for name in families if is_searched(name)]
    trees = [name for name in _TREES if name in families]
    if not networks:
        return tuple(trees)
    if any(DataKind.IMAGES in FAMILIES[name].data for name in networks):
        known = tuple(name for name in ("cnn", "classic", "pretrained") if name in networks)
        return _IMAGE_CYCLES.get(known, known)
    rounds = _build_rounds(networks)
    cycle: list[str] = []
    for index in range(lcm(len(rounds), len(trees) or 1)):
        cycle += rounds[index % len(rounds)]
        cycle += trees[index % len(trees) :][:1] if trees else []
    return tuple(cycle)


def _build_rounds(networks: Sequence[str]) -> list[tuple[str, ...]]:
    """Rounds of three networks for tables; trees come between the rounds.

    MLP and ResNet are in every round. The others, whose networks take several times as long, are one after
    another in its middle.
    """
    quick = [name for name in networks if name in _QUICK]
    slow = [name for name in networks if name not in _QUICK]
    if not slow or not quick:
        return [(networks[0], name, networks[0]) for name in networks[1:] or networks]
    return [(quick[0], name, quick[-1]) for name in slow]


def build_starts(spaces: Mapping[str, Space]) -> tuple[Start, ...]:
    """The start list of the families, taking turns; the reference network first.

    A configuration outside the declared space is left out: the space was narrowed on purpose. One that only
    mirrors pictures where that is forbidden stays, without mirroring; so does one that only names how columns are
    read, where the space of an older search does not ask for it.
    """
    turns = build_turns(tuple(spaces))
    if any(DataKind.TABLE not in FAMILIES[name].data for name in turns):
        return _interleave(spaces, turns)
    networks = [name for name in spaces if is_searched(name)]
    others = [name for name in (*_TREES, "linear") if name in spaces]
    lists = [_list_starts(name, spaces[name]) for name in (*networks, *others)]
    return tuple(start for row in zip_longest(*lists) for start in row if start is not None)


def _interleave(spaces: Mapping[str, Space], turns: Sequence[str]) -> tuple[Start, ...]:
    """Starts in the order of the turns, each as often as its family comes; the rest behind."""
    lists = {name: _list_starts(name, spaces[name]) for name in dict.fromkeys(turns)}
    starts: list[Start] = []
    while any(lists.values()):
        for name in turns:
            starts += lists[name][:1]
            lists[name] = lists[name][1:]
    return tuple(starts)


def _list_starts(family: str, space: Space) -> list[Start]:
    configs: list[Config] = list(get_starts(family))
    if family == "pretrained":
        configs = list(build_pretrained_starts(space))
    elif is_searched(family):
        configs.insert(0, FAMILIES[family].default)
    configs = [
        with_plain_loss(without_plain_columns(unmirror(config, space), space), space)
        for config in configs
    ]
    # trees gain most of wide categories; of the networks one start tries it, because it cannot join a pack
    configs = [
        with_encoding(config, space, is_on=index == 1 or not is_searched(family))
        for index, config in enumerate(configs)
    ]
    unique = [config for index, config in enumerate(configs) if config not in configs[:index]]
    return [Start(family=family, config=config) for config in unique if _fits(space, config)]


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
