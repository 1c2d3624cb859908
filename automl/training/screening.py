"""What a network for pictures weighs and needs, known before its first epoch.

Counts come from a network without weights (milliseconds); time and gradient from the real one on the trial's
device, with a handful of pictures. None of it says how good the network will be.
"""

import math
import statistics
import time
from collections.abc import Callable, Sequence
from typing import cast

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from automl.data.task import Task
from automl.data.views import Prepared
from automl.errors import SpecError
from automl.models.catalog import resolve_build
from automl.models.image.image_model import Normaliser
from automl.models.image.macs import build_on_meta, count_macs, count_parameters
from automl.models.image.network import ImageNetwork
from automl.training.device import derive_seed, get_device
from automl.training.epoch import Screen
from automl.training.image.recipe import choose_precision, compute_batch_size
from automl.training.request import TrainRequest
from automl.training.rows import draw_positions, training_rows

N_WARM_UPS = 10
N_TIMED = 25
MOST_SECONDS = (
    1.0  # for warming up, and again for timing: a network that slow needs no third decimal
)
LEAST_TIMED = 3
SCREEN_BATCH = 128
SHOWN_SEED = 0
PRETRAINED = "pretrained"  # frozen features, or part of the layers: one whole step says nothing about an epoch


def screen(prepared: Prepared, task: Task, request: TrainRequest) -> Screen:
    """Count, time and probe the network of a request; training that follows is not changed by it.

    Raises ``SpecError`` for data without pictures and whatever building the network raises.
    """
    del task  # a screen is the same for every metric
    shape = prepared.shape
    if prepared.views.images is None:
        raise SpecError(
            "These data have no pictures.", hint="Only networks for pictures are screened."
        )
    device = get_device(request.device, request.threads)
    build: Callable[..., ImageNetwork] = resolve_build(request.family)
    counted = build_on_meta(lambda: build(request.config, shape))
    picture = (shape.channels, shape.side, shape.side)
    parameters, macs = count_parameters(counted), count_macs(counted, picture)
    torch.manual_seed(derive_seed(request.seed, 0))
    network = build(request.config, shape).to(device).to(memory_format=torch.channels_last)
    pictures, target = _take_batch(prepared, request, device)
    if hasattr(network, "fit_inputs"):
        network.fit_inputs(pictures)
    latency = measure_latency(network, pictures[:1])
    proxy, seconds = probe_step(network, pictures, target)
    return Screen(
        parameters=parameters,
        macs=macs,
        latency_ms=1000 * latency,
        proxy=proxy,
        picture_seconds=0.0 if request.family == PRETRAINED else seconds / len(pictures),
    )


def _take_batch(
    prepared: Prepared, request: TrainRequest, device: torch.device
) -> tuple[Tensor, Tensor]:
    """Training pictures of all classes, normalised, and their classes; the same for every network.

    The gradients of two networks can be compared only on the same pictures.
    """
    rows = training_rows(prepared, is_refit=False)
    size = compute_batch_size(request.batch_size, len(rows), on_gpu=device.type == "cuda")
    rows = rows[np.sort(draw_positions(len(rows), min(size, SCREEN_BATCH), SHOWN_SEED))]
    assert prepared.views.images is not None  # noqa: S101 (``screen`` has looked)
    pixels = torch.from_numpy(prepared.views.images.take(rows).load()).to(device)
    pictures = Normaliser(prepared.shape, device).apply(pixels)
    target = torch.tensor(np.asarray(prepared.target[rows]), device=device)
    return pictures.contiguous(memory_format=torch.channels_last), target


@torch.inference_mode()
def measure_latency(network: nn.Module, picture: Tensor) -> float:
    """Median seconds to predict one picture, after up to ten that do not count."""
    network.eval()
    _repeat(lambda: network(picture), N_WARM_UPS, picture.device)
    return statistics.median(_repeat(lambda: network(picture), N_TIMED, picture.device))


def probe_step(network: nn.Module, pictures: Tensor, target: Tensor) -> tuple[float, float]:
    """The norm of the loss's gradient on one batch, and the seconds of one forward and backward pass.

    The norm is 0 where it is not finite. The first pass is not timed: it prepares kernels.
    """
    network.train()
    weights = [weight for weight in network.parameters() if weight.requires_grad]
    is_half = choose_precision(pictures.device) is torch.bfloat16
    norm = _pass(network, pictures, target, weights, is_half=False)
    seconds = _repeat(
        lambda: _pass(network, pictures, target, weights, is_half=is_half), 2, pictures.device
    )
    return norm if math.isfinite(norm) else 0.0, min(seconds)


def _pass(
    network: nn.Module,
    pictures: Tensor,
    target: Tensor,
    weights: Sequence[Tensor],
    *,
    is_half: bool,
) -> float:
    with torch.autocast(pictures.device.type, torch.bfloat16, enabled=is_half):
        logits = network(pictures)
    loss = functional.cross_entropy(logits.float(), target)
    found = torch.autograd.grad(loss, weights, allow_unused=True)
    gradients = cast("tuple[Tensor | None, ...]", found)  # None: a weight this pass did not use
    squares = [gradient.double().square().sum() for gradient in gradients if gradient is not None]
    return float(torch.stack(squares).sum().sqrt()) if squares else 0.0


def _repeat(call: Callable[[], object], times: int, device: torch.device) -> list[float]:
    """Seconds of each call; at most ``MOST_SECONDS`` together, but three calls where so many were asked."""
    took: list[float] = []
    while len(took) < times and (sum(took) < MOST_SECONDS or len(took) < min(times, LEAST_TIMED)):
        started = time.perf_counter()
        call()
        if device.type == "cuda":
            torch.cuda.synchronize(device)
        took.append(time.perf_counter() - started)
    return took
