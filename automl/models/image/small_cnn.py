"""The baseline network: two convolutions and a dense layer."""

import torch
from torch import Tensor, nn
from torch.nn import functional

from automl.data.views import ViewShape
from automl.models.image.network import ImageNetwork
from automl.space.dimensions import Config

WIDTHS = (32, 64)
D_HIDDEN = 128
GRID = 4  # the dense layer reads 4 × 4 cells, whatever the side of the pictures


class SmallCNN(ImageNetwork):
    """Conv 32, pool, conv 64, pool, dense 128.

    Shape: ``(n, C, S, S) → (n, K)``; the maps are averaged to 4 × 4 cells before the dense layer.
    Source: after LeCun et al. 1998, with ReLU and max pooling.
    """

    def __init__(self, n_channels: int, n_outputs: int) -> None:
        if n_channels < 1 or n_outputs < 2:
            raise ValueError(f"{n_channels} channels, {n_outputs} outputs")
        super().__init__()
        self.conv1 = nn.Conv2d(n_channels, WIDTHS[0], 3, padding=1)
        self.conv2 = nn.Conv2d(WIDTHS[0], WIDTHS[1], 3, padding=1)
        self.dense = nn.Linear(WIDTHS[1] * GRID * GRID, D_HIDDEN)
        self.output = nn.Linear(D_HIDDEN, n_outputs)

    def features(self, pictures: Tensor) -> Tensor:
        maps = functional.relu(functional.max_pool2d(self.conv1(pictures), 2))
        return functional.relu(functional.max_pool2d(self.conv2(maps), 2, ceil_mode=True))

    def head(self, features: Tensor) -> Tensor:
        cells = functional.adaptive_avg_pool2d(features, GRID)
        hidden = functional.relu(self.dense(torch.flatten(cells, 1)))
        logits: Tensor = self.output(hidden)
        return logits


def build_small_cnn(config: Config, shape: ViewShape) -> SmallCNN:  # noqa: ARG001 (nothing to choose)
    """The baseline for pictures of this shape."""
    return SmallCNN(shape.channels, shape.n_outputs)
