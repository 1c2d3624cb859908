"""ViT, CCT and MLP-Mixer: networks over tokens, for any side."""

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from automl.models.image.attention import (
    ChannelNorm,
    EncoderBlock,
    MixerBlock,
    count_heads,
    to_map,
    to_tokens,
)
from automl.models.image.classic import ClassicNetwork, Plan, Segment
from automl.models.image.classic_early import Pool
from automl.models.image.heads import Classifier
from automl.models.image.layers import build_conv
from automl.models.image.network import ImageNetwork
from automl.models.image.parts import Part

SMALLEST_GRID = 7


@dataclass(frozen=True, kw_only=True, slots=True)
class Tokens:
    """Sizes of a transformer; ``hidden`` are the units of its MLPs."""

    width: int
    n_layers: int
    n_heads: int
    hidden: int


def choose_patch(side: int) -> int:
    """The largest of 1, 2, 4, 8, 16 that leaves at least 7 × 7 patches; 1 for the smallest pictures."""
    return max((size for size in (1, 2, 4, 8, 16) if side // size >= SMALLEST_GRID), default=1)


class Patches(nn.Conv2d):
    """One linear layer per patch; pictures smaller than a patch are enlarged to one.

    Shape: ``(n, C, S, S) → (n, d, S / patch, S / patch)``
    """

    def __init__(self, channels: int, width: int, size: int) -> None:
        super().__init__(channels, width, size, stride=size)
        nn.init.trunc_normal_(self.weight, std=(channels * size * size) ** -0.5)
        nn.init.zeros_(self.bias)  # type: ignore[arg-type]  # built with a bias
        self.size = size

    def forward(self, pictures: Tensor) -> Tensor:
        if pictures.shape[-1] < self.size:
            pictures = functional.interpolate(pictures, size=(self.size, self.size))
        return super().forward(pictures)


class Transformer(ImageNetwork):
    """A tokenizer, learnt positions, encoder blocks, a norm; positions are interpolated to other grids.

    Shape: ``(n, C, S, S) → (n, n_outputs)``
    Source: Dosovitskiy et al. 2021; the features are a map, so there is no class token.
    """

    def __init__(
        self, tokenizer: nn.Module, tokens: Tokens, grid: int, classifier: nn.Module
    ) -> None:
        super().__init__()
        self.tokenizer = tokenizer
        self.position = nn.Parameter(torch.zeros(1, tokens.width, grid, grid))
        nn.init.trunc_normal_(self.position, std=0.02)
        self.blocks = nn.ModuleList(
            EncoderBlock(tokens.width, tokens.n_heads, tokens.hidden)
            for _ in range(tokens.n_layers)
        )
        self.norm = nn.LayerNorm(tokens.width)
        self.classifier = classifier
        heads = f"{tokens.n_heads} heads" if tokens.n_heads > 1 else "1 head"
        self.parts = [
            Part(path="tokenizer", stage="Tokens", name="Tokens", kind="patches or convolutions"),
            *(
                Part(
                    path=f"blocks.{index}",
                    stage="Encoder",
                    name=f"Block {index + 1}",
                    kind="attention, MLP",
                    detail=f"{heads}, {tokens.hidden} units",
                )
                for index in range(tokens.n_layers)
            ),
            Part(path="norm", stage="Encoder", name="Norm", kind="layer norm"),
            Part(path="classifier", stage="Head", name="Head", kind="classifier"),
        ]

    def features(self, pictures: Tensor) -> Tensor:
        tokens, size = self._embed(pictures)
        for block in self.blocks:
            tokens = block(tokens)
        return to_map(self.norm(tokens), size)

    def head(self, features: Tensor) -> Tensor:
        logits: Tensor = self.classifier(features)
        return logits

    def attention_maps(self, pictures: Tensor) -> list[Tensor]:
        """Attention of every block over the positions of ``features``, ``(n, heads, h·w, h·w)``."""
        tokens, _ = self._embed(pictures)
        maps = []
        for block in self.blocks:
            assert isinstance(block, EncoderBlock)  # noqa: S101  # built above
            maps.append(block.compute_weights(tokens))
            tokens = block(tokens)
        return maps

    def _embed(self, pictures: Tensor) -> tuple[Tensor, tuple[int, int]]:
        x = self.tokenizer(pictures)
        size = (x.shape[2], x.shape[3])
        position: Tensor = self.position
        if size != tuple(position.shape[2:]):
            position = functional.interpolate(
                position, size=size, mode="bilinear", align_corners=False
            )
        return to_tokens(x + position), size


class SequencePool(nn.Module):
    """A weighted mean of the tokens, with learnt weights, then one linear layer.

    Shape: ``(n, d, h, w) → (n, n_outputs)``
    Source: Hassani et al. 2021, "Escaping the Big Data Paradigm", 3.3 (SeqPool).
    """

    def __init__(self, width: int, n_outputs: int) -> None:
        super().__init__()
        self.score = nn.Linear(width, 1)
        self.linear = nn.Linear(width, n_outputs)

    def forward(self, features: Tensor) -> Tensor:
        tokens = to_tokens(features)
        weights = self.score(tokens).softmax(dim=1)  # (n, tokens, 1)
        logits: Tensor = self.linear((weights * tokens).sum(dim=1))
        return logits


def build_vit_tiny(plan: Plan) -> Transformer:
    """A ViT of 6 layers and width 192; patches of an eighth of the side or so."""
    width = plan.scale(192, 32)
    return build_vit(
        plan, Tokens(width=width, n_layers=6, n_heads=count_heads(width), hidden=4 * width)
    )


def build_vit(plan: Plan, tokens: Tokens) -> Transformer:
    """A ViT of these sizes."""
    patch = choose_patch(plan.side)
    return Transformer(
        Patches(plan.channels, tokens.width, patch),
        tokens,
        plan.side // patch,
        Classifier(tokens.width, plan.n_outputs),
    )


def build_cct7(plan: Plan) -> Transformer:
    """CCT-7/3×1: 7 layers of width 256, a convolution with pooling as tokenizer, sequence pooling.

    From 96 px on more such convolutions shrink the picture to a token grid of 16 × 16 or so.
    """
    width = plan.scale(256, 64)
    layers: list[nn.Module] = []
    d_in, side = plan.channels, plan.side
    while True:
        d_out = width if side <= 32 else max(32, width // 4)
        layers += [build_conv(d_in, d_out, 3), nn.ReLU(), Pool(3, padding=1)]
        d_in, side = d_out, (side + 1) // 2
        if d_in == width:
            break
    tokens = Tokens(width=width, n_layers=7, n_heads=width // 64, hidden=2 * width)
    return Transformer(nn.Sequential(*layers), tokens, side, SequencePool(width, plan.n_outputs))


def build_mixer_tiny(plan: Plan) -> ClassicNetwork:
    """An MLP-Mixer of 8 layers and width 256, MLPs of 128 and 512 units."""
    width = plan.scale(256)
    return build_mixer(plan, width, 8, (plan.scale(128), plan.scale(512)))


def build_mixer(plan: Plan, width: int, n_layers: int, hidden: tuple[int, int]) -> ClassicNetwork:
    """A Mixer of these sizes; ``hidden`` are the units that mix positions, then channels."""
    patch = choose_patch(plan.side)
    grid = plan.side // patch
    return ClassicNetwork(
        [
            Segment(
                name="Patches",
                kind=f"patches {patch}×{patch}",
                module=Patches(plan.channels, width, patch),
            ),
            *(
                Segment(
                    name=f"Block {number}",
                    kind="mixer",
                    module=MixerBlock(width, grid, hidden),
                    detail=f"{hidden[0]} and {hidden[1]} units",
                )
                for number in range(1, n_layers + 1)
            ),
            Segment(name="Norm", kind="layer norm", module=ChannelNorm(width)),
        ],
        Classifier(width, plan.n_outputs),
    )
