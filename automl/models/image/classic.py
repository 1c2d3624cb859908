"""Classical networks by name, at any side and width."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import Any

from torch import Tensor, nn

from automl.data.views import ViewShape
from automl.models.image.classic_space import CLASSICS, parse_classic
from automl.models.image.macro_config import SMALL_SIDE
from automl.models.image.network import ImageNetwork
from automl.models.image.parts import Part
from automl.space.dimensions import Config


@dataclass(frozen=True, kw_only=True, slots=True)
class Plan:
    """What a classical network is built for: side in pixels, channels, classes; ``width`` multiplies channels."""

    side: int
    channels: int
    n_outputs: int
    width: float = 1.0

    @property
    def is_small(self) -> bool:
        """Below 96 px a stem keeps every pixel: stride 1, no pooling."""
        return self.side < SMALL_SIDE

    def scale(self, n_channels: int, step: int = 8) -> int:
        """Channels times the width, to the nearest multiple of ``step``; as they are at width 1."""
        if self.width == 1:
            return n_channels
        return max(step, round(n_channels * self.width / step) * step)


@dataclass(frozen=True, kw_only=True, slots=True)
class Segment:
    """A piece of the way to the features, one box of the drawing."""

    name: str
    kind: str
    module: nn.Module
    detail: str = ""


class ClassicNetwork(ImageNetwork):
    """Segments one after the other, then a classifier over their feature maps.

    Shape: ``(n, C, S, S) → (n, n_outputs)``
    """

    def __init__(self, segments: Sequence[Segment], classifier: nn.Module) -> None:
        super().__init__()
        self.body = nn.Sequential()
        self.parts = []
        for segment in segments:
            path = segment.name.lower().replace(" ", "")
            self.body.add_module(path, segment.module)
            self.parts.append(
                Part(
                    path=f"body.{path}",
                    stage=segment.name,
                    name=segment.name,
                    kind=segment.kind,
                    detail=segment.detail,
                )
            )
        self.classifier = classifier
        detail = classifier.extra_repr()
        self.parts.append(
            Part(path="classifier", stage="Head", name="Head", kind="classifier", detail=detail)
        )

    def features(self, pictures: Tensor) -> Tensor:
        maps: Tensor = self.body(pictures)
        return maps

    def head(self, features: Tensor) -> Tensor:
        logits: Tensor = self.classifier(features)
        return logits


def build_classic(config: Config, shape: ViewShape) -> ImageNetwork:
    """The named network for pictures of this shape; weights drawn from torch's current seed."""
    parsed = parse_classic(config)
    module, _, function = CLASSICS[parsed.name].build.partition(":")
    build: Callable[[Plan], Any] = getattr(import_module(f"automl.models.image.{module}"), function)
    network: ImageNetwork = build(
        Plan(
            side=shape.side,
            channels=shape.channels,
            n_outputs=shape.n_outputs,
            width=parsed.width,
        )
    )
    return network
