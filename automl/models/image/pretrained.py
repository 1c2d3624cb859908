"""A timm backbone with a classifier of our own; weights are put in afterwards, so that saved models need none.

timm and torchvision are imported late: where their binaries do not fit torch they fail with a
``RuntimeError``, which then costs this family only.
"""

import re
from dataclasses import dataclass
from typing import Any, Self, cast

import torch
from torch import Tensor, nn
from torch.nn import functional

from automl.data.views import ViewShape
from automl.errors import SpecError
from automl.models.image.backbones import Backbone, get_backbone
from automl.models.image.network import ImageNetwork
from automl.models.image.weights import import_timm
from automl.models.tabular.config import read
from automl.space.dimensions import Config

_CHUNK_BYTES = 1 << 29
_BYTES_PER_PIXEL = 64 * 4 * 3  # of activations alive at once
_LEAST_STD = 1e-3  # as pictures are normalised before they come here
PARTS = ("head", "last_stage", "full")
_STAGE = re.compile(r"^(?:blocks|stages|layers)\.(\d+)\.|^layer(\d+)\.")


@dataclass(frozen=True, kw_only=True, slots=True)
class PretrainedConfig:
    """Which backbone at which resolution (pixels), and the classifier on top: ``width`` 0 is linear."""

    backbone: Backbone
    side: int
    width: int
    dropout: float


def parse_pretrained(config: Config) -> PretrainedConfig:
    """Read the architecture labels; a side that the backbone cannot read is moved to the nearest it can."""
    backbone = get_backbone(read(config, "backbone", str))
    classifier = read(config, "classifier", str)
    if classifier not in ("linear", "mlp"):
        raise SpecError(f"There is no classifier {classifier!r}.", hint="Choose linear or mlp.")
    is_mlp = classifier == "mlp"
    side = read(config, "input_side", int)
    if not 32 <= side <= 512:
        raise SpecError(f"input_side = {side} is out of range.", hint="Between 32 and 512 pixels.")
    return PretrainedConfig(
        backbone=backbone,
        side=backbone.fit_side(side),
        width=read(config, "classifier.mlp.width", int) if is_mlp else 0,
        dropout=read(config, "classifier.mlp.dropout", float) if is_mlp else 0.0,
    )


class PretrainedNetwork(ImageNetwork):
    """A timm backbone that reads pictures of any size, then pooled features, then a classifier.

    Shape: ``(n, C, S, S) → (n, K)``. The pictures come normalised with the statistics of the data; they are
    resized to the side of the backbone and normalised with **its** statistics here, so that no caller can
    mix the two up. Frozen parts stay in evaluation mode whatever ``train`` says.
    """

    data_mean: Tensor
    data_std: Tensor
    mean: Tensor
    std: Tensor
    feature_mean: Tensor
    feature_scale: Tensor

    def __init__(self, parsed: PretrainedConfig, shape: ViewShape, backbone: nn.Module) -> None:
        super().__init__()
        self.side = parsed.side
        self.backbone = backbone
        self.d_features = self._count_features()
        self.classifier = _build_classifier(parsed, self.d_features, shape.n_outputs)
        for name, values in (
            ("data_mean", shape.image_mean),
            ("data_std", shape.image_std),
            ("mean", parsed.backbone.mean),
            ("std", parsed.backbone.std),
        ):
            column = torch.tensor(values, dtype=torch.float32).reshape(-1, 1, 1)
            if name == "data_std":
                column = column.clamp_min(_LEAST_STD)
            self.register_buffer(name, column, persistent=False)
        self.register_buffer("feature_mean", torch.zeros(self.d_features))
        self.register_buffer("feature_scale", torch.ones(self.d_features))

    def _count_features(self) -> int:
        return int(cast("Any", self.backbone).head_hidden_size)

    def adapt(self, pictures: Tensor) -> Tensor:
        """The pictures as the backbone wants them: three channels, its side, its statistics."""
        pixels = pictures * self.data_std + self.data_mean
        if pixels.shape[1] == 1:
            pixels = pixels.expand(-1, 3, -1, -1)
        if pixels.shape[-1] != self.side:
            pixels = functional.interpolate(
                pixels, size=(self.side, self.side), mode="bilinear", antialias=True
            )
        return (pixels - self.mean) / self.std

    def features(self, pictures: Tensor) -> Tensor:
        n_chunk = self._count_chunk(pictures)
        if torch.is_grad_enabled() or len(pictures) <= n_chunk:
            return self._extract(pictures)
        return torch.cat([self._extract(chunk) for chunk in torch.split(pictures, n_chunk)])

    def _extract(self, pictures: Tensor) -> Tensor:
        """The last maps as the backbone gives them."""
        return cast("Tensor", cast("Any", self.backbone).forward_features(self.adapt(pictures)))

    def _count_chunk(self, pictures: Tensor) -> int:
        """Callers know the side of the data, not ours: at prediction larger pictures go through in pieces."""
        spare = _CHUNK_BYTES * (8 if pictures.is_cuda else 1)
        return max(1, spare // (self.side * self.side * _BYTES_PER_PIXEL))

    def pool(self, features: Tensor) -> Tensor:
        """One vector per picture, ``(n, d_features)``: what frozen features are."""
        return cast("Tensor", cast("Any", self.backbone).forward_head(features, pre_logits=True))

    def classify(self, pooled: Tensor) -> Tensor:
        """Logits ``(n, K)`` of pooled features."""
        return cast("Tensor", self.classifier((pooled - self.feature_mean) / self.feature_scale))

    def head(self, features: Tensor) -> Tensor:
        return self.classify(self.pool(features))

    def set_trainable(self, part: str) -> None:
        """Let ``head``, ``last_stage`` (and what follows it) or everything (``full``) learn; freeze the rest."""
        if part not in PARTS:
            raise SpecError(
                f"There is no part {part!r} to train.", hint=f"Choose {', '.join(PARTS)}."
            )
        stages, n_stages = number_stages(self.backbone)
        n_open = max(
            1, round(n_stages / 4)
        )  # one stage of four, three of a transformer's twelve blocks
        first = {"head": n_stages + 2, "last_stage": n_stages - n_open + 1, "full": 0}[part]
        for name, parameter in self.backbone.named_parameters():
            parameter.requires_grad_(stages[name] >= first)
        self.train(self.training)

    def train(self, mode: bool = True) -> Self:  # noqa: FBT001, FBT002 (torch's signature)
        super().train(mode)
        for module in self.backbone.modules():
            own = list(module.parameters())
            if own and not any(parameter.requires_grad for parameter in own):
                module.eval()
        return self

    def count_trainable(self) -> int:
        """How many parameters learn."""
        return sum(p.numel() for p in self.parameters() if p.requires_grad)


class PretrainedMaps(PretrainedNetwork):
    """A backbone whose last maps come with channels last (Swin)."""

    def _extract(self, pictures: Tensor) -> Tensor:
        return super()._extract(pictures).permute(0, 3, 1, 2)

    def pool(self, features: Tensor) -> Tensor:
        return super().pool(features.permute(0, 2, 3, 1))


class PretrainedTransformer(PretrainedNetwork):
    """A vision transformer; its maps are the patch tokens, with the class token beside each of them.

    Shape: features ``(n, 2d, h, w)``; pooled ``(n, 2d)``: mean of the patch tokens, class token. Both together
    are what linear probes of transformers read (Oquab et al. 2023, DINOv2).
    """

    def _count_features(self) -> int:
        return 2 * super()._count_features()

    def _extract(self, pictures: Tensor) -> Tensor:
        tokens = super()._extract(pictures)  # (n, 1 + hw, d)
        n_prefix = int(cast("Any", self.backbone).num_prefix_tokens)
        patches, first = tokens[:, n_prefix:], tokens[:, :1]
        grid = round(patches.shape[1] ** 0.5)
        both = torch.cat([patches, first.expand_as(patches)], dim=2)
        return both.transpose(1, 2).reshape(len(tokens), -1, grid, grid)

    def pool(self, features: Tensor) -> Tensor:
        return features.mean(dim=(2, 3))

    def attention_maps(self, pictures: Tensor) -> list[Tensor]:
        """Attention weights per layer, ``(n, heads, 1 + hw, 1 + hw)``; the class token comes first."""
        network = cast("Any", self.backbone)
        tokens = network.patch_embed(self.adapt(pictures))
        tokens = network.norm_pre(network.patch_drop(network._pos_embed(tokens)))  # noqa: SLF001
        maps = []
        for block in network.blocks:
            maps.append(_compute_attention(block.attn, block.norm1(tokens)))
            tokens = block(tokens)
        return maps


def _compute_attention(attention: Any, tokens: Tensor) -> Tensor:
    n, t, _ = tokens.shape
    shape = (n, t, 3, attention.num_heads, attention.head_dim)
    query, key, _ = attention.qkv(tokens).reshape(shape).permute(2, 0, 3, 1, 4)
    query, key = attention.q_norm(query) * attention.scale, attention.k_norm(key)
    return cast("Tensor", (query @ key.transpose(-2, -1)).softmax(dim=-1))


def build_pretrained(config: Config, shape: ViewShape) -> PretrainedNetwork:
    """The network of a configuration with random weights; nothing is fetched, ever.

    ``SpecError`` for foreign values, ``DataError`` where timm cannot be imported. Built on the CPU even inside
    another default device: some of timm's buffers are computed, not stored, and must be real.
    """
    parsed = parse_pretrained(config)
    if not shape.image_mean or shape.channels not in (1, 3):
        raise SpecError(
            f"Pretrained networks read pictures of 1 or 3 channels, got {shape.channels}."
        )
    timm = import_timm()
    with torch.device("cpu"):
        backbone = timm.create_model(
            parsed.backbone.tag, pretrained=False, num_classes=0, **_list_sizes(parsed)
        )
        kind: type[PretrainedNetwork] = PretrainedNetwork
        if isinstance(backbone, timm.models.VisionTransformer):
            kind = PretrainedTransformer
        elif getattr(backbone, "output_fmt", "") == "NHWC":
            kind = PretrainedMaps
        return kind(parsed, shape, backbone)


def _list_sizes(parsed: PretrainedConfig) -> dict[str, int]:
    """Networks with positions or windows are built for one side; the others read any."""
    is_fixed = parsed.backbone.name.startswith(("vit_", "swin_"))
    return {"img_size": parsed.side} if is_fixed else {}


def _build_classifier(parsed: PretrainedConfig, d_in: int, n_outputs: int) -> nn.Module:
    if parsed.width == 0:
        return nn.Linear(d_in, n_outputs)
    return nn.Sequential(
        nn.Linear(d_in, parsed.width),
        nn.GELU(),
        nn.Dropout(parsed.dropout),
        nn.Linear(parsed.width, n_outputs),
    )


def number_stages(backbone: nn.Module) -> tuple[dict[str, int], int]:
    """The depth of every parameter, and the number of stages or blocks n.

    0 is the stem, 1 to n are the stages, n + 1 is what follows them.
    """
    numbers: dict[str, int] = {}
    highest = 0
    for name, _ in backbone.named_parameters():
        match = _STAGE.match(name)
        if match:
            block, layer = match.groups()
            numbers[name] = int(layer) if block is None else int(block) + 1
            highest = max(highest, numbers[name])
        else:
            numbers[name] = 0 if highest == 0 else -1
    return {n: highest + 1 if depth < 0 else depth for n, depth in numbers.items()}, highest
