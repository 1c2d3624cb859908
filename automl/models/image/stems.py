"""How pictures enter a searched network: a convolution, or fixed filters that whiten 2 × 2 patches."""

import math
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional

from automl.models.image.blocks import ConvUnit
from automl.models.image.layers import build_activation
from automl.models.image.macro_config import Style

PATCH = 2
MAX_PATCHES = 500_000


class Whiten(nn.Module):
    """Filters along the principal patches of the training pictures, each with its negative, scaled to deviation 1.

    The filters are a frozen buffer; only the bias is trained. Before ``fit_inputs`` they are the pixels of a
    patch.

    Shape: ``(n, C, S, S) → (n, 8 C, S − 1, S − 1)``, or half the side with stride 2
    Source: Jordan 2024, "94% on CIFAR-10 in 3.29 Seconds on a Single GPU", 3.2.
    """

    weight: Tensor

    def __init__(self, channels: int, *, stride: int = 1) -> None:
        super().__init__()
        d_patch = channels * PATCH * PATCH
        self.stride = stride
        self.d_out = 2 * d_patch
        self.bias = nn.Parameter(torch.zeros(self.d_out))
        self.register_buffer("weight", self._pair(torch.eye(d_patch)))

    @staticmethod
    def _pair(filters: Tensor) -> Tensor:
        """Filters ``(d, d)`` of flat patches as ``(2 d, C, 2, 2)``, positive and negative."""
        signed = torch.cat([filters, -filters])
        return signed.reshape(len(signed), -1, PATCH, PATCH)

    def forward(self, pictures: Tensor) -> Tensor:
        return functional.conv2d(
            pictures, self.weight.to(pictures.dtype), self.bias, stride=self.stride
        )

    @torch.no_grad()
    def fit_inputs(self, pictures: Tensor, *, epsilon: float = 5e-4) -> None:
        """Set the filters from normalised training pictures ``(n, C, S, S)``; some thousand are enough."""
        per_picture = (pictures.shape[-2] - 1) * (pictures.shape[-1] - 1)
        kept = pictures[: max(1, MAX_PATCHES // per_picture)].float()
        patches = (
            functional.unfold(kept, PATCH).transpose(1, 2).flatten(0, 1).double()
        )  # (m, C · 4)
        covariance = patches.T @ patches / len(patches)
        values, vectors = torch.linalg.eigh(covariance)
        # The most telling patch first; a direction without any spread is not blown up.
        filters = (vectors / (values.clamp_min(0.0) + epsilon).sqrt()).flip(1).T
        self.weight.copy_(self._pair(filters))


class WhitenStem(nn.Sequential):
    """Whitened patches, activation, then strided convolutions for large pictures.

    Shape: ``(n, C, S, S) → (n, d_out, S / reduction, S / reduction)``, one pixel less where that is 1
    """

    def __init__(self, channels: int, d_out: int, reduction: int, style: Style) -> None:
        whiten = Whiten(channels, stride=min(reduction, 2))
        n_more = max(0, int(math.log2(reduction)) - 1)
        widths = [whiten.d_out, *([d_out] * n_more)]
        super().__init__(whiten, build_activation(style.activation), *_shrink(widths, style))
        self.d_out = widths[-1]

    def fit_inputs(self, pictures: Tensor) -> None:
        """Fit the whitening filters to normalised training pictures ``(n, C, S, S)``."""
        whiten = self[0]
        assert isinstance(whiten, Whiten)  # noqa: S101  # built above
        whiten.fit_inputs(pictures)


class ConvStem(nn.Sequential):
    """A 3 × 3 convolution with norm and activation; several strided ones for large pictures.

    Shape: ``(n, C, S, S) → (n, d_out, S / reduction, S / reduction)``
    """

    def __init__(self, channels: int, d_out: int, reduction: int, style: Style) -> None:
        n_strided = int(math.log2(reduction))
        if n_strided:
            super().__init__(*_shrink([channels, *([d_out] * n_strided)], style))
        else:
            super().__init__(ConvUnit(channels, d_out, 3, style))
        self.d_out = d_out


def _shrink(widths: list[int], style: Style) -> list[nn.Module]:
    """Convolutions of stride 2 along the widths."""
    return [ConvUnit(d_in, d_out, 3, style, stride=2) for d_in, d_out in pairwise(widths)]
