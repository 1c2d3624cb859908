"""Searched networks: stem, stages of blocks, head, from one configuration."""

from torch import Tensor, nn

from automl.data.views import ViewShape
from automl.models.image.attention import (
    MAX_GRID,
    MLP_RATIO,
    AttentionBlock,
    ChannelNorm,
    MixerBlock,
)
from automl.models.image.blocks import (
    BottleneckBlock,
    DenseBlock,
    InceptionBlock,
    InvertedBlock,
    LightTransition,
    NormAct,
    PlainBlock,
    ResidualBlock,
    SeparableBlock,
    Transition,
)
from automl.models.image.heads import Classifier
from automl.models.image.layers import ACTIVATIONS, init_identity
from automl.models.image.macro_config import (
    MacroConfig,
    Stage,
    Style,
    compute_reduction,
    parse_macro,
)
from automl.models.image.network import ImageNetwork
from automl.models.image.parts import Part
from automl.models.image.stems import ConvStem, WhitenStem
from automl.space.dimensions import Config

SMALLEST_MAP = 4  # a smaller map is not halved any more
BLOCKS = {
    "plain": PlainBlock,
    "residual": ResidualBlock,
    "bottleneck": BottleneckBlock,
    "separable": SeparableBlock,
    "inverted": InvertedBlock,
    "inception": InceptionBlock,
}
LIGHT_KINDS = ("separable", "inverted")
RAW_KINDS = ("residual", "bottleneck", "inverted", "dense")  # their output still needs a norm


class MacroNetwork(ImageNetwork):
    """A stem, stages and a head.

    Shape: ``(n, C, S, S) → (n, n_outputs)``, S from 8 pixels on
    """

    def __init__(self, config: MacroConfig, shape: ViewShape) -> None:
        super().__init__()
        reduction = compute_reduction(shape.side, config.stages)
        build_stem = WhitenStem if config.stem == "whiten" else ConvStem
        d_stem = max(16, config.stages[0].width // 2)
        self.stem = build_stem(shape.channels, d_stem, reduction, config.style)
        self.stages = nn.Sequential()
        self.parts = [Part(path="stem", stage="Stem", name="Stem", kind=_STEM_WORDS[config.stem])]
        d_in, side = self.stem.d_out, shape.side // reduction
        if config.stem == "whiten" and reduction == 1:
            side -= 1  # 2 × 2 patches without a frame
        for number, stage in enumerate(config.stages, start=1):
            halves = stage.halves and side >= SMALLEST_MAP
            side = side // 2 if halves else side
            built, d_in = _build_stage(d_in, stage, config.style, (halves, side))
            self.stages.add_module(str(number), built)
            self.parts += _list_stage_parts(number, stage, built, config.style)
        self.classifier = Classifier(
            d_in,
            shape.n_outputs,
            pool=config.head_pool,
            dropout=config.head_dropout,
            scale=config.head_scale,
        )
        self.parts.append(
            Part(
                path="classifier",
                stage="Head",
                name="Head",
                kind=f"{config.head_pool} pool, linear",
                detail=self.classifier.extra_repr(),
            )
        )

    def features(self, pictures: Tensor) -> Tensor:
        return self.stages(self.stem(pictures))  # type: ignore[no-any-return]

    def head(self, features: Tensor) -> Tensor:
        return self.classifier(features)  # type: ignore[no-any-return]

    def fit_inputs(self, pictures: Tensor) -> None:
        """Fit the whitening filters, where there are any, to normalised training pictures."""
        if isinstance(self.stem, WhitenStem):
            self.stem.fit_inputs(pictures)


class MacroTransformer(MacroNetwork):
    """A macro network whose last stage attends."""

    def attention_maps(self, pictures: Tensor) -> list[Tensor]:
        """Attention of the last stage, ``(n, heads, h·w, h·w)`` per block, over the positions of ``features``."""
        x = self.stem(pictures)
        *early, last = self.stages.children()
        for stage in early:
            x = stage(x)
        maps = []
        for module in last.children():
            if isinstance(module, AttentionBlock):
                maps.append(module.compute_weights(x))
            x = module(x)
        return maps


def build_macro(config: Config, shape: ViewShape) -> MacroNetwork:
    """A searched network for pictures of this shape; weights drawn from torch's current seed."""
    parsed = parse_macro(config)
    attends = parsed.stages[-1].kind == "attention"
    return (MacroTransformer if attends else MacroNetwork)(parsed, shape)


def _build_stage(
    d_in: int, stage: Stage, style: Style, place: tuple[bool, int]
) -> tuple[nn.Sequential, int]:
    """A stage and its output width; ``place``: whether it halves the map, and the side of its map."""
    halves, side = place
    light = stage.kind in LIGHT_KINDS
    transition = (LightTransition if light else Transition)(d_in, stage.width, style, halves=halves)
    if stage.kind == "plain":
        init_identity(transition[0])  # type: ignore[arg-type]  # a Sequential gives modules
    built, width = nn.Sequential(), stage.width
    built.add_module("transition", transition)
    for number in range(1, stage.n_blocks + 1):
        block = _build_block(width, stage.kind, style, side)
        built.add_module(f"block{number}", block)
        width = block.d_out if isinstance(block, DenseBlock) else width
    if stage.kind in RAW_KINDS:
        built.add_module("norm", NormAct(width, style))
    elif stage.kind in ("attention", "mixer"):
        built.add_module("norm", ChannelNorm(width))
    return built, width


def _build_block(width: int, kind: str, style: Style, side: int) -> nn.Module:
    match kind:
        case "dense":
            return DenseBlock(width, style)
        case "attention":
            return AttentionBlock(width, style.kernel, ACTIVATIONS[style.activation])
        case "mixer":
            grid = min(MAX_GRID, max(1, side))
            hidden = (max(16, MLP_RATIO * grid * grid), MLP_RATIO * width)
            return MixerBlock(width, grid, hidden, ACTIVATIONS[style.activation])
        case _:
            return BLOCKS[kind](width, style)


_STEM_WORDS = {"whiten": "whitened 2×2 patches", "conv3": "conv 3×3"}


def _list_stage_parts(number: int, stage: Stage, built: nn.Sequential, style: Style) -> list[Part]:
    words = {"transition": "conv", "norm": "norm"}
    size = f"{style.kernel}×{style.kernel}"
    pool = (
        f", {style.pool} pool"
        if any("Halve" in type(m).__name__ for m in built[0].children())
        else ""
    )
    details = {"transition": f"{size}{pool}", "norm": "closes the stage"}
    return [
        Part(
            path=f"stages.{number}.{name}",
            stage=f"Stage {number}",
            name=name.capitalize().replace("lock", "lock "),
            kind=words.get(name, stage.kind),
            detail=details.get(name, size if stage.kind != "mixer" else ""),
        )
        for name, _ in built.named_children()
    ]
