"""What every image network is: features, then a head."""

from typing import Protocol

from torch import Tensor, nn


class ImageNetwork(nn.Module):
    """A network over pictures.

    Shape: ``(n, C, S, S) → (n, K)`` logits; the pictures are already normalised, S is at least 8.
    """

    def features(self, pictures: Tensor) -> Tensor:
        """The last feature maps, ``(n, d, h, w)``; Grad-CAM looks at them."""
        raise NotImplementedError

    def head(self, features: Tensor) -> Tensor:
        """Logits ``(n, K)`` of feature maps."""
        raise NotImplementedError

    def forward(self, pictures: Tensor) -> Tensor:
        return self.head(self.features(pictures))

    def fit_inputs(self, pictures: Tensor) -> None:
        """Set what is learnt from normalised training pictures before the first step; mostly nothing."""


class HasAttention(Protocol):
    """Networks whose attention can be rolled out over the picture."""

    def attention_maps(self, pictures: Tensor) -> list[Tensor]:
        """Attention weights per layer, ``(n, heads, tokens, tokens)``."""
        ...
