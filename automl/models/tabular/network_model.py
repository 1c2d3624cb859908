"""A fitted network with its target scale: what predicts, and what is saved."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Self

import numpy as np
import torch
from numpy.typing import NDArray

from automl.data.views import Views, ViewShape
from automl.models.stored import copy_arrays, restore_network, restore_shape
from automl.models.tabular.config import parse_columns
from automl.models.tabular.inputs import Batch, build_batch
from automl.models.tabular.networks import Network
from automl.space.dimensions import Config

CHUNK_ROWS = 8192


@dataclass(frozen=True, kw_only=True, slots=True)
class TargetScale:
    """How a regression target was standardised, and its training range (unused for classes)."""

    is_regression: bool
    mean: float = 0.0
    scale: float = 1.0
    low: float = 0.0
    high: float = 0.0

    def restore(self, output: torch.Tensor) -> NDArray[np.float64]:
        """Network outputs ``(n, K)`` as probabilities, or as clamped values in the uploaded unit.

        Of ``(n, n_copies, K)`` the mean over the copies: of probabilities, never of logits.
        """
        wide = output.double()
        copies = wide if wide.dim() == 3 else wide[:, None]
        if not self.is_regression:
            return np.asarray(copies.softmax(dim=2).mean(dim=1).cpu().numpy())
        values = copies[:, :, 0].mean(dim=1).cpu().numpy() * self.scale + self.mean
        return np.clip(values, self.low, self.high)


@dataclass(frozen=True, kw_only=True, slots=True)
class NetworkModel:
    """A network on its device, ready to predict."""

    family: str
    config: Config
    shape: ViewShape
    target: TargetScale
    network: Network
    device: torch.device

    def predict(self, views: Views) -> NDArray[np.float64]:
        parts = [
            self.predict_batch(self.build_batch(_slice(views, start, start + CHUNK_ROWS)))
            for start in range(0, max(len(views), 1), CHUNK_ROWS)
        ]
        return np.concatenate(parts)

    def build_batch(self, views: Views) -> Batch:
        """Rows as this network reads them, on its device."""
        return build_batch(views, self.shape, parse_columns(self.config)).to(self.device)

    def predict_batch(self, batch: Batch) -> NDArray[np.float64]:
        """The same for rows that are already tensors on the device."""
        return self.target.restore(compute_output(self.network, batch))

    def describe(self) -> Mapping[str, Any]:
        shape = asdict(self.shape) | {"cardinalities": list(self.shape.cardinalities)}
        return {"config": dict(self.config), "shape": shape, "target": asdict(self.target)}

    def to_arrays(self) -> dict[str, NDArray[Any]]:
        return copy_arrays(self.network)

    @classmethod
    def from_arrays(
        cls, record: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]], device: str
    ) -> Self:
        where = torch.device(device)
        return cls(
            family=record["family"],
            config=record["config"],
            shape=restore_shape(record["shape"]),
            target=TargetScale(**record["target"]),
            network=restore_network(record, arrays).to(where).eval(),
            device=where,
        )


def _slice(views: Views, start: int, stop: int) -> Views:
    return Views(
        raw=views.raw[start:stop],
        quantile=views.quantile[start:stop],
        robust=views.robust[start:stop],
        standard=views.standard[start:stop],
        codes=views.codes[start:stop],
    )


@torch.inference_mode()
def compute_output(network: Network, batch: Batch) -> torch.Tensor:
    """Float32 outputs of a network in evaluation mode, in chunks; the mode is left as it was."""
    was_training = network.training
    network.eval()
    chunks = [
        network(batch.slice(start, start + CHUNK_ROWS))
        for start in range(0, max(len(batch), 1), CHUNK_ROWS)
    ]
    network.train(was_training)
    return torch.cat(chunks).float()
