"""The fast path: a classifier on frozen features, in seconds; the backbone is read, never changed."""

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from automl.data.views import Part, Prepared
from automl.errors import TrainingDiverged
from automl.models.image.pretrained import PretrainedNetwork
from automl.training.clock import WorkClock
from automl.training.device import derive_seed
from automl.training.image.features import FeatureJob, obtain_features
from automl.training.image.recipe import compute_batch_size
from automl.training.request import TrainRequest
from automl.training.schedules import compute_factor

_ROWS = 4096
_SMALLEST_SCALE = 1e-6


@dataclass(frozen=True, kw_only=True, slots=True)
class FrozenPlan:
    """Rate, decay and length of a classifier's training."""

    learning_rate: float
    weight_decay: float
    n_epochs: int


@dataclass(frozen=True, kw_only=True, slots=True)
class FeatureRows:
    """Features on the device, and the classes of the training rows."""

    train: Tensor
    target: Tensor
    select: Tensor


def load_features(
    prepared: Prepared, network: PretrainedNetwork, key: str, device: torch.device, clock: WorkClock
) -> FeatureRows:
    """Features of train and select rows; mean and scale per feature, of the training rows, go into the network.

    A refit learns from both parts, so search and refit share one file.
    """
    assert prepared.views.images is not None  # noqa: S101 (image families get pictures)
    train, select = prepared.parts[Part.TRAIN], prepared.parts[Part.SELECT]
    rows = np.sort(np.concatenate([train, select])).astype(np.int64)
    job = FeatureJob(
        images=prepared.views.images,
        rows=rows,
        shape=prepared.shape,
        key=key,
        folder=None if prepared.folder is None else prepared.folder.parent / "features",
    )
    features = obtain_features(network, job, device, clock)
    own = _take(features, np.searchsorted(rows, train), device)
    standardise(network, own)
    return FeatureRows(
        train=own,
        target=torch.tensor(prepared.target[train], dtype=torch.int64, device=device),
        select=_take(features, np.searchsorted(rows, select), device),
    )


def _take(features: NDArray[np.float16], rows: NDArray[np.int64], device: torch.device) -> Tensor:
    return torch.from_numpy(np.asarray(features[rows])).to(device)


def standardise(network: PretrainedNetwork, features: Tensor) -> None:
    """Give the network mean and deviation of training features; constant ones keep the scale 1."""
    total = torch.zeros(features.shape[1], dtype=torch.float64, device=features.device)
    squares = torch.zeros_like(total)
    for chunk in torch.split(features, _ROWS):
        total += chunk.double().sum(0)
        squares += chunk.double().square().sum(0)
    mean = total / len(features)
    deviation = (squares / len(features) - mean.square()).clamp_min(0).sqrt()
    network.feature_mean.copy_(mean)
    network.feature_scale.copy_(
        torch.where(deviation > _SMALLEST_SCALE, deviation, torch.ones_like(deviation))
    )


class FrozenRun:
    """A classifier, its optimiser and its features; ``train_epoch`` does one pass."""

    def __init__(
        self, network: PretrainedNetwork, rows: FeatureRows, plan: FrozenPlan, request: TrainRequest
    ) -> None:
        self.network, self.rows, self.plan, self.request = network, rows, plan, request
        self.classifier: nn.Module = network.classifier
        self.device = rows.train.device
        self.optimizer = torch.optim.AdamW(
            self.classifier.parameters(), lr=plan.learning_rate, weight_decay=plan.weight_decay
        )
        on_gpu = self.device.type == "cuda"
        self.batch_size = compute_batch_size(request.batch_size, len(rows.train), on_gpu=on_gpu)

    def train_epoch(self, number: int) -> tuple[float, float]:
        """One pass over the training rows; mean loss and last rate."""
        seed = derive_seed(self.request.seed, number)
        torch.manual_seed(seed)
        order = torch.randperm(len(self.rows.train), generator=torch.Generator().manual_seed(seed))
        chunks = torch.split(order.to(self.device), self.batch_size)
        first, n_steps = (number - 1) * len(chunks), self.plan.n_epochs * len(chunks)
        self.classifier.train()
        losses, rate = [], 0.0
        for index, chunk in enumerate(chunks):
            step = min(first + index, n_steps - 1)
            rate = self.plan.learning_rate * compute_factor("cosine", step, n_steps)
            for group in self.optimizer.param_groups:
                group["lr"] = rate
            output = self.network.classify(self.rows.train[chunk].float())
            loss = functional.cross_entropy(output, self.rows.target[chunk])
            self.optimizer.zero_grad(set_to_none=True)
            loss.backward()  # type: ignore[no-untyped-call]
            self.optimizer.step()
            losses.append(loss.detach() * len(chunk))
        mean = float(torch.stack(losses).sum()) / len(self.rows.train)
        if not np.isfinite(mean):
            raise TrainingDiverged(
                f"The loss was not finite in epoch {number} "
                f"(learning rate {self.plan.learning_rate:.3g}).",
                hint="A lower learning rate may help.",
            )
        return mean, rate

    @torch.inference_mode()
    def predict_select(self) -> NDArray[np.float64]:
        """Probabilities ``(n_select, K)`` from the kept features."""
        self.classifier.eval()
        n_outputs = next(reversed(list(self.classifier.parameters()))).shape[0]
        parts = [
            self.network.classify(chunk.float()).double().softmax(dim=1).cpu().numpy()
            for chunk in torch.split(self.rows.select, _ROWS)
            if len(chunk)
        ]
        return np.concatenate(parts) if parts else np.zeros((0, n_outputs))
