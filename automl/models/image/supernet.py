"""One network that holds many: blocks of every kind side by side, of which a path uses one chain."""

import torch
from torch import Tensor, nn

from automl.data.views import ViewShape
from automl.models.image.blocks import (
    InvertedBlock,
    LightTransition,
    NormAct,
    PlainBlock,
    ResidualBlock,
    SeparableBlock,
    Transition,
)
from automl.models.image.heads import Classifier
from automl.models.image.macro_config import Style, compute_reduction, parse_macro
from automl.models.image.network import ImageNetwork
from automl.models.image.path_space import EXPANSION, Path, PathSpace
from automl.models.image.starts import CNN_DEFAULT
from automl.models.image.stems import WhitenStem

BLOCKS = {
    "plain": PlainBlock,
    "residual": ResidualBlock,
    "separable": SeparableBlock,
    "inverted": InvertedBlock,
}
LIGHT = ("separable", "inverted")
RAW = ("residual", "inverted")  # their sum still needs a norm
SMALLEST_MAP = 4


class Supernet(ImageNetwork):
    """All paths of a path space with one set of weights.

    Every stage holds, per kind of block and kernel, a transition, the most blocks a path may have and a closing
    norm, all at the widest width. A path runs one chain of them; narrower widths are channel masks, so that
    width costs no weights of its own.

    Shape: ``(n, C, S, S) → (n, n_outputs)``
    Source: Guo et al. 2020, "Single Path One-Shot Neural Architecture Search with Uniform Sampling"; masks of
    Wan et al. 2020, "FBNetV2".
    """

    def __init__(self, paths: PathSpace, shape: ViewShape) -> None:
        super().__init__()
        self.paths = paths
        self.path = next(paths.iterate())
        base = parse_macro(CNN_DEFAULT)
        reduction = compute_reduction(shape.side, base.stages)
        self.stem = WhitenStem(
            shape.channels, max(16, paths.widths[0][0] // 2), reduction, base.style
        )
        d_in, side = self.stem.d_out, max(1, shape.side // reduction)
        self.stages = nn.ModuleList()
        for widths in paths.widths:
            halves = side >= SMALLEST_MAP
            side = side // 2 if halves else side
            self.stages.append(
                nn.ModuleDict(
                    {
                        _name(kind, kernel): _Chain(
                            d_in, widths[-1], paths.blocks, _build_style(base.style, kind, kernel),
                            kind=kind, halves=halves,
                        )
                        for kind in paths.kinds
                        for kernel in paths.kernels
                    }
                )
            )  # fmt: skip
            d_in = widths[-1]
        self.classifier = Classifier(
            d_in, shape.n_outputs, pool=base.head_pool, scale=base.head_scale
        )

    def features(self, pictures: Tensor) -> Tensor:
        x = self.stem(pictures)
        for stage, width, n_blocks in zip(
            self.stages, self.path.widths, self.path.blocks, strict=True
        ):
            chain = stage[_name(self.path.kind, self.path.kernel)]  # type: ignore[index]  # a ModuleDict
            x = chain(x, width, n_blocks)
        return x  # type: ignore[no-any-return]

    def head(self, features: Tensor) -> Tensor:
        return self.classifier(features)  # type: ignore[no-any-return]

    def fit_inputs(self, pictures: Tensor) -> None:
        """Fit the whitening filters to normalised training pictures."""
        self.stem.fit_inputs(pictures)

    def choose(self, path: Path) -> None:
        """The path that the next passes take."""
        self.path = path


class _Chain(nn.Module):
    """Transition, blocks and closing norm of one kind and kernel at full width."""

    def __init__(
        self, d_in: int, width: int, n_blocks: int, style: Style, *, kind: str, halves: bool
    ) -> None:
        super().__init__()
        build = LightTransition if kind in LIGHT else Transition
        self.transition = build(d_in, width, style, halves=halves)
        self.blocks = nn.ModuleList(BLOCKS[kind](width, style) for _ in range(n_blocks))
        self.closing = NormAct(width, style) if kind in RAW else nn.Identity()

    def forward(self, x: Tensor, width: int, n_blocks: int) -> Tensor:
        x = _mask(self.transition(x), width)
        for block in self.blocks[:n_blocks]:
            x = _mask(block(x), width)
        return _mask(self.closing(x), width)


def _mask(x: Tensor, width: int) -> Tensor:
    """The first ``width`` channels; the others become 0."""
    if width >= x.shape[1]:
        return x
    kept = torch.arange(x.shape[1], device=x.device) < width
    return x * kept.to(x.dtype)[None, :, None, None]


def _name(kind: str, kernel: int) -> str:
    return f"{kind}{kernel}"


def _build_style(style: Style, kind: str, kernel: int) -> Style:
    return Style(
        kernel=kernel,
        norm="batch",
        activation=style.activation,
        pool=style.pool,
        squeeze=0,
        expansion=EXPANSION if kind == "inverted" else 0,
    )


def build_supernet(paths: PathSpace, shape: ViewShape) -> Supernet:
    """The supernet of a path space; weights drawn from torch's current seed."""
    return Supernet(paths, shape)
