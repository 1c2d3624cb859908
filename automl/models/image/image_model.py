"""A fitted image network: what predicts, and what is saved."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Self

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from automl.data.images.rows import ImageRows
from automl.data.views import Views, ViewShape
from automl.errors import SpecError
from automl.models.image.network import ImageNetwork
from automl.models.image.recipe_space import TTAS
from automl.models.image.test_time import compute_views
from automl.models.stored import copy_arrays, restore_network, restore_shape
from automl.space.dimensions import Config

ACTIVATION_BYTES = 256 * 2**20
MOST_PICTURES = 512
CACHE_BYTES = 2**19
_BYTES_PER_PIXEL = 64 * 4 * 3  # three float maps of 64 channels at full side are alive at once


class Normaliser:
    """Pictures as bytes into what networks read: mean 0, deviation 1 per channel of the training rows.

    Shape: uint8 ``(n, S, S, C)`` → float32 ``(n, C, S, S)`` in channels-last memory.
    """

    def __init__(self, shape: ViewShape, device: torch.device) -> None:
        if shape.side < 1 or len(shape.image_mean) != shape.channels:
            raise SpecError(
                f"These are no pictures: side {shape.side}, {shape.channels} channels, "
                f"{len(shape.image_mean)} means."
            )
        mean = torch.tensor(shape.image_mean, dtype=torch.float32, device=device)
        std = torch.tensor(shape.image_std, dtype=torch.float32, device=device).clamp_min(1e-3)
        # whole rows of pixels at once: three numbers are too few for a vector unit
        self.scale = (1 / (255 * std)).repeat(shape.side)
        self.offset = (-mean / std).repeat(shape.side)

    def apply(self, pictures: Tensor, out: Tensor | None = None) -> Tensor:
        """The conversion, on the device of the pictures.

        ``out`` float32 ``(n, S, S, C)`` is written to: fresh memory costs more than the conversion where a
        batch takes tens of megabytes.
        """
        work = torch.empty_like(pictures, dtype=torch.float32) if out is None else out
        n_block = self._count_block(pictures)
        for start in range(0, len(pictures), n_block):
            block = slice(start, start + n_block)
            rows = work[block].copy_(pictures[block]).flatten(2)  # (n, S, S · C)
            rows.mul_(self.scale).add_(self.offset)
        return work.permute(0, 3, 1, 2)

    def _count_block(self, pictures: Tensor) -> int:
        """Pictures whose floats stay in a core's cache between the three steps; all of them on other devices."""
        if pictures.device.type != "cpu":
            return max(len(pictures), 1)
        return max(1, CACHE_BYTES // (4 * pictures[0].numel() if len(pictures) else 1))


@dataclass(frozen=True, kw_only=True, slots=True)
class ImageModel:
    """A network on its device, ready to predict. ``tta``: views averaged at prediction (none, flip, six)."""

    family: str
    config: Config
    shape: ViewShape
    tta: str
    network: ImageNetwork
    device: torch.device

    def __post_init__(self) -> None:
        if self.tta not in TTAS:
            raise SpecError(f"tta = {self.tta!r} does not exist.", hint=f"Choose {TTAS}.")

    def predict(self, views: Views) -> NDArray[np.float64]:
        """``(n, K)`` probabilities; pictures are read in chunks, in float32 on every device."""
        if views.images is None:
            raise SpecError(
                "This model reads pictures; these rows have none.", hint="Use pictures."
            )
        return self.predict_rows(views.images)

    def predict_rows(self, images: ImageRows) -> NDArray[np.float64]:
        """The same for picture rows alone."""
        n_chunk = compute_chunk(self.shape.side)
        parts = [
            self.predict_pictures(images.load(start, start + n_chunk))
            for start in range(0, max(len(images), 1), n_chunk)
        ]
        return np.concatenate(parts)

    @torch.inference_mode()
    def predict_pictures(self, pictures: NDArray[np.uint8]) -> NDArray[np.float64]:
        """Probabilities of pictures in memory, uint8 ``(n, S, S, C)``; all at once."""
        self.network.eval()
        logits = compute_logits(self.network, self.normalise(pictures), self.tta)
        return np.asarray(logits.double().softmax(dim=1).cpu().numpy())

    def normalise(self, pictures: NDArray[np.uint8]) -> Tensor:
        """Pictures ``(n, S, S, C)`` as the network reads them, on its device; Grad-CAM starts here."""
        return Normaliser(self.shape, self.device).apply(torch.tensor(pictures, device=self.device))

    def describe(self) -> Mapping[str, Any]:
        shape = asdict(self.shape) | {"cardinalities": list(self.shape.cardinalities)}
        return {"config": dict(self.config), "shape": shape, "tta": self.tta}

    def to_arrays(self) -> dict[str, NDArray[Any]]:
        return copy_arrays(self.network)

    @classmethod
    def from_arrays(
        cls, record: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]], device: str
    ) -> Self:
        where = torch.device(device)
        network = restore_network(record, arrays)
        return cls(
            family=record["family"],
            config=record["config"],
            shape=restore_shape(record["shape"]),
            tta=record["tta"],
            network=network.to(where, memory_format=torch.channels_last).eval(),
            device=where,
        )


def compute_chunk(side: int) -> int:
    """Pictures that go through a network at once, for about 256 MB of activations."""
    return max(1, min(MOST_PICTURES, ACTIVATION_BYTES // (side * side * _BYTES_PER_PIXEL)))


def compute_logits(network: ImageNetwork, pictures: Tensor, tta: str) -> Tensor:
    """Float32 logits ``(n, K)``, averaged over the views that ``tta`` names."""
    parts: list[Tensor] = [
        network(view.contiguous(memory_format=torch.channels_last)).float() * weight
        for view, weight in compute_views(pictures, tta)
    ]
    return torch.stack(parts).sum(dim=0)
