"""Test-time augmentation: the views of a picture whose logits are averaged."""

from collections.abc import Iterator

from torch import Tensor
from torch.nn import functional


def compute_views(pictures: Tensor, tta: str) -> Iterator[tuple[Tensor, float]]:
    """Views ``(n, C, S, S)`` and their weights, which add up to 1.

    ``flip`` adds the mirror image; ``six`` adds two diagonal shifts by one pixel, each with its mirror image,
    which together count as much as the unshifted pair (Jordan 2024, airbench).
    """
    if tta == "none":
        yield pictures, 1.0
        return
    weight = 0.5 if tta == "flip" else 0.25
    yield pictures, weight
    yield pictures.flip(3), weight
    if tta == "flip":
        return
    side = pictures.shape[3]
    padded = functional.pad(pictures, (1, 1, 1, 1), mode="reflect")
    for start in (0, 2):
        shifted = padded[:, :, start : start + side, start : start + side]
        yield shifted, 0.125
        yield shifted.flip(3), 0.125
