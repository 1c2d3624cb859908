"""The typed form of a macro configuration; one place knows the labels. No torch."""

from dataclasses import dataclass

from automl.models.tabular.config import read
from automl.space.dimensions import Config

TOKEN_KINDS = ("attention", "mixer")
SMALL_SIDE = 96  # below, the stem keeps every pixel
TOKEN_SIDE = 16  # attention and mixing see at most 16 × 16 positions


@dataclass(frozen=True, kw_only=True, slots=True)
class Stage:
    """``n_blocks`` blocks of one kind and width; ``halves``: whether the map is pooled before them."""

    kind: str
    width: int
    n_blocks: int
    halves: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class Style:
    """What the blocks of a network have in common; ``squeeze`` is 0 without squeeze-excitation.

    ``expansion``, ``growth`` and ``n_layers`` concern inverted and dense blocks only and are 0 elsewhere.
    """

    kernel: int
    norm: str
    activation: str
    pool: str
    squeeze: int
    expansion: int = 0
    growth: int = 0
    n_layers: int = 0


@dataclass(frozen=True, kw_only=True, slots=True)
class MacroConfig:
    """A stem, stages and a head."""

    stem: str
    stages: tuple[Stage, ...]
    style: Style
    head_pool: str
    head_dropout: float
    head_scale: float


def parse_macro(config: Config) -> MacroConfig:
    """Read a configuration of the macro space."""
    block = read(config, "block", str)
    return MacroConfig(
        stem=read(config, "stem", str),
        stages=_parse_stages(config, block),
        style=_parse_style(config, block),
        head_pool=read(config, "head.pool", str),
        head_dropout=read(config, "head.dropout", float),
        head_scale=read(config, "head.scale", float),
    )


def _parse_style(config: Config, block: str) -> Style:
    return Style(
        kernel=read(config, "kernel", int),
        norm=read(config, "norm", str),
        activation=read(config, "activation", str),
        pool=read(config, "pool", str),
        squeeze=read(config, "squeeze", int),
        expansion=read(config, "block.inverted.expansion", int) if block == "inverted" else 0,
        growth=read(config, "block.dense.growth", int) if block == "dense" else 0,
        n_layers=read(config, "block.dense.layers", int) if block == "dense" else 0,
    )


def _parse_stages(config: Config, block: str) -> tuple[Stage, ...]:
    stems = ["stage1.", "stage2."]
    for number in (3, 4):
        label = f"stage{number}" if number == 3 else f"stage3.on.stage{number}"
        if label not in config or read(config, label, str) == "off":
            break
        stems.append(f"{label}.on.")
    last = read(config, "last", str)
    return tuple(
        Stage(
            kind=last if stem == stems[-1] and last != "same" else block,
            width=read(config, stem + "width", int),
            n_blocks=read(config, stem + "blocks", int),
            halves=stem != stems[0] or read(config, "early_pool", bool),
        )
        for stem in stems
    )


def compute_reduction(side: int, stages: tuple[Stage, ...]) -> int:
    """How often the stem shrinks the side: 1 below 96 px, so that a stage works on at most about 48 px.

    Networks of tokens from the first stage on see at most 16 × 16 of them, whatever the side.
    """
    reduction = 1 if side < SMALL_SIDE else 2 if side < 2 * SMALL_SIDE else 4
    if stages[0].kind in TOKEN_KINDS:
        while side // reduction // (2 if stages[0].halves else 1) > TOKEN_SIDE:
            reduction *= 2
    return reduction
