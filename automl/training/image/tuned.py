"""Fine-tuning on augmented pictures: the head, the last stage, everything, or first the head and then everything."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from automl.data.views import Prepared
from automl.errors import SpecError, TrainingDiverged
from automl.models.image.image_model import Normaliser
from automl.models.image.pretrained import PretrainedNetwork
from automl.models.image.pretrained_space import strip_mode
from automl.models.image.recipe_space import RecipeConfig, parse_recipe
from automl.models.tabular.config import read
from automl.space.dimensions import Config
from automl.training.clock import WorkClock
from automl.training.device import derive_seed
from automl.training.image.augment import Augmenter, compute_loss
from automl.training.image.data import Pictures
from automl.training.image.layer_decay import build_groups, set_layer_rates
from automl.training.image.soup import State, recompute_norms
from automl.training.request import TrainRequest
from automl.training.schedules import count_warm_up

CLIP_NORM = 1.0
CHECK_STEPS = 4  # steps between two looks at the clock
HEAD_EPOCHS = 3  # of a gradual tuning
GRADUAL_SHARE = 0.1  # of the learning rate once everything learns
NORM_BATCHES = 32
EMA_DECAY = 0.999
MODES = ("head", "last_stage", "full", "gradual")


@dataclass(frozen=True, kw_only=True, slots=True)
class TunedPlan:
    """What may learn and how; ``recipe`` as in every image family, ``layer_decay`` 1 is one rate for all."""

    part: str
    layer_decay: float
    uses_soup: bool
    recipe: RecipeConfig


def parse_tuned(config: Config) -> TunedPlan:
    """Read the labels below ``mode.tuned``; foreign values are a ``SpecError``."""
    own = strip_mode(config)
    part = read(own, "part", str)
    if part not in MODES:
        raise SpecError(f"There is no part {part!r} to tune.", hint=f"Choose {', '.join(MODES)}.")
    decays = part in ("full", "gradual")
    layer_decay = read(own, f"part.{part}.layer_decay", float) if decays else 1.0
    if not 0 < layer_decay <= 1:
        raise SpecError(f"A layer decay of {layer_decay} is not between 0 and 1.")
    recipe = {
        **own,
        "optimizer": "adamw",
        "optimizer.adamw.lr": read(own, "lr", float),
        "optimizer.adamw.weight_decay": read(own, "weight_decay", float),
        "epochs": read(config, "epochs", int),
    }
    return TunedPlan(
        part=part,
        layer_decay=layer_decay,
        uses_soup=read(own, "soup", bool),
        recipe=parse_recipe(recipe),
    )


@dataclass(frozen=True, kw_only=True, slots=True)
class Phase:
    """Some epochs with one set of learning tensors: from ``first`` (from 1) on, ``n_epochs`` long."""

    part: str
    first: int
    n_epochs: int
    learning_rate: float


def list_phases(plan: TunedPlan) -> tuple[Phase, ...]:
    """One phase, or two for a gradual tuning that is long enough for both."""
    n_epochs, rate = plan.recipe.n_epochs, plan.recipe.learning_rate
    if plan.part != "gradual":
        return (Phase(part=plan.part, first=1, n_epochs=n_epochs, learning_rate=rate),)
    n_head = min(HEAD_EPOCHS, max(1, n_epochs // 2))
    head = Phase(part="head", first=1, n_epochs=n_head, learning_rate=rate)
    if n_head >= n_epochs:
        return (head,)
    rest = Phase(
        part="full",
        first=n_head + 1,
        n_epochs=n_epochs - n_head,
        learning_rate=rate * GRADUAL_SHARE,
    )
    return head, rest


@dataclass(frozen=True, kw_only=True, slots=True)
class Steps:
    """What the steps of one epoch gave."""

    loss: float
    clipped: float
    learning_rate: float
    is_cut: bool


class Ema:
    """A moving mean of the weights; norm statistics and counters are those of the moment.

    The decay warms up, min(d, (1 + t) / (10 + t)), so that short runs are not held back by the start.
    """

    def __init__(self, network: PretrainedNetwork, decay: float = EMA_DECAY) -> None:
        self._network = network
        self._decay = decay
        self._n_steps = 0
        self._mean: State = {}

    @torch.no_grad()
    def update(self) -> None:
        """Take in the weights after a step."""
        self._n_steps += 1
        decay = min(self._decay, (1 + self._n_steps) / (10 + self._n_steps))
        for name, parameter in self._network.named_parameters():
            if not parameter.requires_grad:
                continue
            if name not in self._mean:
                self._mean[name] = parameter.detach().clone()
            self._mean[name].lerp_(parameter, 1 - decay)

    def build_state(self) -> State:
        """The network's state with the means in place of the weights."""
        return {**self._network.state_dict(), **self._mean}


class TunedRun:
    """A network that is tuned: its pictures, its optimiser, its mean; ``train_epoch`` does one pass."""

    def __init__(
        self,
        network: PretrainedNetwork,
        prepared: Prepared,
        pictures: Pictures,
        plan: TunedPlan,
        request: TrainRequest,
    ) -> None:
        self.network, self.pictures, self.plan, self.request = network, pictures, plan, request
        self.device = next(network.parameters()).device
        self.normaliser = Normaliser(prepared.shape, self.device)
        self.augmenter = Augmenter(plan.recipe, prepared.shape.side)
        self.parity = torch.arange(len(pictures)) % 2
        self.target = torch.zeros(0, dtype=torch.int64)
        self.phases = list_phases(plan)
        self.phase = self.phases[0]
        self.n_steps_done = 0
        self.ema: Ema | None = None
        self._begin(self.phase)

    def set_target(self, target: Tensor) -> None:
        """The classes of the pictures, in their order."""
        self.target = target.to(self.device)

    def _begin(self, phase: Phase) -> None:
        self.phase = phase
        self.network.set_trainable(phase.part)
        layer_decay = self.plan.layer_decay if phase.part == "full" else 1.0
        self.optimizer = torch.optim.AdamW(
            build_groups(self.network, self.plan.recipe.weight_decay, layer_decay),
            lr=phase.learning_rate,
        )
        self.ema = Ema(self.network) if self.plan.recipe.uses_ema else None

    def train_epoch(self, number: int, clock: WorkClock) -> Steps:
        """One pass over the training pictures, or what the deadline leaves of it."""
        for phase in self.phases:
            if phase.first == number and phase is not self.phase:
                self._begin(phase)
        seed = derive_seed(self.request.seed, number)
        torch.manual_seed(seed)
        generator = torch.Generator().manual_seed(seed)
        order = torch.randperm(len(self.pictures), generator=generator)
        chunks = [chunk for chunk in torch.split(order, self.request.batch_size) if len(chunk) > 1]
        first = (number - self.phase.first) * len(chunks)
        n_steps = self.phase.n_epochs * len(chunks)
        self.network.train()
        losses, norms, sizes = [], [], []
        is_cut, rate = False, 0.0
        batches = self.pictures.iterate([chunk.numpy() for chunk in chunks])
        for index, (chunk, pixels) in enumerate(zip(chunks, batches, strict=True)):
            if index and index % CHECK_STEPS == 0 and clock.is_over:
                is_cut = True
                break
            step = min(first + index, n_steps - 1)
            rate = self.phase.learning_rate * self._compute_factor(step, n_steps)
            set_layer_rates(self.optimizer, rate)
            loss, norm = self._step(chunk, pixels, number, generator)
            losses.append(loss * len(chunk))
            norms.append(norm)
            sizes.append(len(chunk))
        batches.close()
        self._check_finite(torch.stack(losses), torch.stack(norms))
        self.n_steps_done += len(losses)
        return Steps(
            loss=float(torch.stack(losses).sum()) / sum(sizes),
            clipped=float((torch.stack(norms) > CLIP_NORM).float().mean()),
            learning_rate=rate,
            is_cut=is_cut,
        )

    def _compute_factor(self, step: int, n_steps: int) -> float:
        """Warm-up over 5 %, then a cosine or a line to 0."""
        warm_up = count_warm_up(n_steps)
        if step < warm_up:
            return (step + 1) / (warm_up + 1)
        progress = (step - warm_up) / (n_steps - warm_up)
        if self.plan.recipe.schedule == "linear":
            return 1 - progress
        return float(0.5 * (1 + np.cos(np.pi * progress)))

    def _step(
        self, chunk: Tensor, pixels: Tensor, epoch: int, generator: torch.Generator
    ) -> tuple[Tensor, Tensor]:
        pixels = self.augmenter.distort(pixels, self.parity[chunk], epoch, generator)
        inputs = self.augmenter.finish(self.normaliser.apply(pixels), generator)
        mixed = self.augmenter.mix(inputs, generator)
        if mixed is not None:
            inputs = mixed.pictures
        inputs = inputs.contiguous(memory_format=torch.channels_last)
        with torch.autocast(self.device.type, torch.bfloat16, enabled=self.device.type == "cuda"):
            logits = self.network(inputs)
        target = self.target[chunk.to(self.device)]
        loss = compute_loss(logits.float(), target, mixed, self.plan.recipe.label_smoothing)
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        learning = [p for p in self.network.parameters() if p.requires_grad]
        norm = torch.nn.utils.clip_grad_norm_(learning, CLIP_NORM)
        self.optimizer.step()
        if self.ema is not None:
            self.ema.update()
        return loss.detach(), norm.detach()

    def _check_finite(self, losses: Tensor, norms: Tensor) -> None:
        bad = ~(torch.isfinite(losses) & torch.isfinite(norms))
        if bool(bad.any()):
            step = self.n_steps_done + int(bad.int().argmax()) + 1
            raise TrainingDiverged(
                f"The loss or its gradient was not finite at step {step} "
                f"(learning rate {self.phase.learning_rate:.3g}).",
                hint="A lower learning rate may help.",
            )

    def build_state(self) -> State:
        """The weights to judge: the moving mean where there is one."""
        return self.network.state_dict() if self.ema is None else self.ema.build_state()

    def recompute_norms(self) -> int:
        """Statistics of batch norms that learn, anew on clean training pictures."""
        return recompute_norms(self.network, self._iterate_clean())

    def _iterate_clean(self) -> Iterator[Tensor]:
        order = np.arange(len(self.pictures), dtype=np.int64)
        size = self.request.batch_size
        starts = range(0, min(len(order), NORM_BATCHES * size), size)
        batches = self.pictures.iterate([order[start : start + size] for start in starts])
        for pixels in batches:
            yield self.normaliser.apply(pixels)
