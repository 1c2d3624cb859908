"""The smaller space in which weights are shared: paths of one supernet, each a configuration of ``cnn``. No torch.

A path chooses the kind of block and the kernel for the whole network, and width and number of blocks for each
of three stages. Everything else, the recipe included, is the default of ``cnn``.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product

from automl.errors import SpecError
from automl.models.image.starts import CNN_DEFAULT
from automl.space.dimensions import Choice, Config, Int, Space, Switch, Value

KINDS = (
    "plain",
    "residual",
    "separable",
    "inverted",
)  # blocks that keep their width and need one layout
EXPANSION = 2
STAGES = ("stage1.", "stage2.", "stage3.on.")
N_WIDTHS = 3
PREFIX = "paths."  # of the labels that only a supernet has


@dataclass(frozen=True, kw_only=True, slots=True)
class Path:
    """One network inside the supernet: ``widths`` and ``blocks`` have one entry per stage."""

    kind: str
    kernel: int
    widths: tuple[int, ...]
    blocks: tuple[int, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class PathSpace:
    """What a path may choose; ``widths`` are ascending per stage, ``blocks`` the most of any stage."""

    kinds: tuple[str, ...]
    kernels: tuple[int, ...]
    widths: tuple[tuple[int, ...], ...]
    blocks: int

    def __post_init__(self) -> None:
        if not (self.kinds and self.kernels and all(self.widths)) or self.blocks < 1:
            raise SpecError(
                "The space leaves nothing for a supernet to choose from.",
                hint="Widen the space of the searched CNN, or search without weight sharing.",
            )

    def count(self) -> int:
        """How many paths there are."""
        n_shapes = 1
        for widths in self.widths:
            n_shapes *= len(widths) * self.blocks
        return len(self.kinds) * len(self.kernels) * n_shapes

    def iterate(self) -> Iterator[Path]:
        """All paths, in a fixed order."""
        shapes = [tuple(product(widths, range(1, self.blocks + 1))) for widths in self.widths]
        for kind, kernel in product(self.kinds, self.kernels):
            for stages in product(*shapes):
                yield Path(
                    kind=kind,
                    kernel=kernel,
                    widths=tuple(width for width, _ in stages),
                    blocks=tuple(n_blocks for _, n_blocks in stages),
                )


def build_path_space(space: Space) -> PathSpace:
    """The paths that lie inside a declared space of ``cnn``; ``SpecError`` where there are none."""
    block, third = space.get("block"), space.get("stage3")
    if not isinstance(block, Switch) or not isinstance(third, Switch) or "on" not in third.branches:
        raise SpecError("A supernet needs blocks to choose from and three stages.")
    deepest = third.branches["on"]
    widths = [space["stage1.width"], space["stage2.width"], deepest["width"]]
    blocks = [space["stage1.blocks"], space["stage2.blocks"], deepest["blocks"]]
    return PathSpace(
        kinds=tuple(kind for kind in KINDS if kind in block.branches),
        kernels=tuple(int(each) for each in _list_options(space["kernel"])),
        widths=tuple(_pick_widths(dimension) for dimension in widths),
        blocks=min(_read_high(dimension) for dimension in blocks),
    )


def _list_options(dimension: object) -> tuple[Value, ...]:
    return dimension.options if isinstance(dimension, Choice) else ()


def _read_high(dimension: object) -> int:
    return dimension.high if isinstance(dimension, Int) else 1


def _pick_widths(dimension: object) -> tuple[int, ...]:
    """Narrowest, widest and what lies halfway, on the grid of the declared range."""
    if not isinstance(dimension, Int):
        return ()
    low, high, step = dimension.low, dimension.high, dimension.step
    n_steps = (high - low) // step
    picked = {low + step * round(n_steps * share / (N_WIDTHS - 1)) for share in range(N_WIDTHS)}
    return tuple(sorted(picked))


def build_base(space: Space) -> dict[str, Value]:
    """What all paths have in common: the default of ``cnn``, moved inside the declared space."""
    base = {label: _fit(label, value, space) for label, value in CNN_DEFAULT.items()}
    third = space.get("stage3")
    if isinstance(third, Switch) and "stage4" in third.branches["on"]:
        base["stage3.on.stage4"] = "off"
    return base


def build_config(path: Path, base: Config) -> dict[str, Value]:
    """The configuration of ``cnn`` that trains this path on its own."""
    config: dict[str, Value] = {
        **{label: value for label, value in base.items() if not label.startswith(PREFIX)},
        "block": path.kind,
        "kernel": path.kernel,
    }
    if path.kind == "inverted":
        config["block.inverted.expansion"] = EXPANSION
    for stem, width, n_blocks in zip(STAGES, path.widths, path.blocks, strict=True):
        config[f"{stem}width"], config[f"{stem}blocks"] = width, n_blocks
    return config


def _fit(label: str, value: Value, space: Space) -> Value:
    """A default that the space was narrowed away from becomes the nearest value it still has."""
    dimension = space.get(label)
    if isinstance(dimension, Choice) and value not in dimension.options:
        return dimension.options[0]
    if isinstance(dimension, Int):
        return min(max(int(value), dimension.low), dimension.high)
    return value


def render_path_space(paths: PathSpace) -> dict[str, Value]:
    """The space as values of a configuration, the way a trainer is told of it."""
    return {
        f"{PREFIX}kinds": ",".join(paths.kinds),
        f"{PREFIX}kernels": ",".join(map(str, paths.kernels)),
        f"{PREFIX}widths": ";".join(",".join(map(str, widths)) for widths in paths.widths),
        f"{PREFIX}blocks": paths.blocks,
    }


def parse_path_space(config: Config) -> PathSpace:
    """Read what ``render_path_space`` wrote; ``SpecError`` where it is not there or not whole."""
    try:
        stages = str(config[f"{PREFIX}widths"]).split(";")
        return PathSpace(
            kinds=tuple(str(config[f"{PREFIX}kinds"]).split(",")),
            kernels=tuple(int(each) for each in str(config[f"{PREFIX}kernels"]).split(",")),
            widths=tuple(tuple(int(each) for each in stage.split(",")) for stage in stages),
            blocks=int(config[f"{PREFIX}blocks"]),
        )
    except (KeyError, ValueError) as error:
        raise SpecError(f"The paths of a supernet cannot be read: {error}.") from error
