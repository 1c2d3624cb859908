"""Fine-tuning on augmented pictures: the head, the last stage, everything, or first the head and then everything."""

from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from automl.data.task import Task
from automl.data.views import Part, Prepared
from automl.errors import SpecError
from automl.models.image.image_model import ImageModel
from automl.models.image.pretrained import PretrainedNetwork
from automl.models.image.pretrained_space import strip_mode
from automl.models.image.recipe_space import RecipeConfig, parse_recipe
from automl.models.tabular.config import read
from automl.space.dimensions import Config
from automl.training.clock import WorkClock
from automl.training.device import derive_seed
from automl.training.image.data import Pictures
from automl.training.image.layer_decay import build_groups, set_layer_rates
from automl.training.image.run import ImageRun
from automl.training.image.soup import MOST, Checkpoints, State, cook, recompute_norms
from automl.training.request import TrainRequest
from automl.training.rows import build_scorer, draw_positions

CLIP_NORM = 1.0
HEAD_EPOCHS = 3  # of a gradual tuning
GRADUAL_SHARE = 0.1  # of the learning rate once everything learns
NORM_PICTURES = 4096
DEPTHWISE = (
    "mobilenet",
    "efficientnet",
)  # on CPUs bfloat16 makes their filters half as fast, measured
PARTS = ("head", "last_stage", "full", "gradual")


@dataclass(frozen=True, kw_only=True, slots=True)
class TunedPlan:
    """What may learn and how; ``recipe`` as in every image family, ``layer_decay`` 1 is one rate for all."""

    part: str
    layer_decay: float
    uses_soup: bool
    recipe: RecipeConfig

    @property
    def n_head_epochs(self) -> int:
        """Epochs in which only the head learns, before everything does."""
        if self.part != "gradual":
            return 0
        return min(HEAD_EPOCHS, max(1, self.recipe.n_epochs // 2))


def parse_tuned(config: Config) -> TunedPlan:
    """Read the labels below ``mode.tuned``; foreign values are a ``SpecError``."""
    own = strip_mode(config)
    part = read(own, "part", str)
    if part not in PARTS:
        raise SpecError(f"There is no part {part!r} to tune.", hint=f"Choose {', '.join(PARTS)}.")
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


class LayeredAdamW:
    """AdamW over the tensors that learn, each depth at its own rate; the gradient is cut at norm 1."""

    def __init__(self, network: PretrainedNetwork, plan: TunedPlan, peak: float) -> None:
        groups = build_groups(network, plan.recipe.weight_decay, plan.layer_decay)
        self._peak = peak
        self._learning = [tensor for group in groups for tensor in group["params"]]
        self._optimizer = torch.optim.AdamW(groups, lr=peak, fused=True)

    def step(self, factor: float) -> None:
        """One step at a factor of the peak rate; the gradients are dropped."""
        set_layer_rates(self._optimizer, self._peak * factor)
        torch.nn.utils.clip_grad_norm_(self._learning, CLIP_NORM, foreach=True)
        self._optimizer.step()
        self._optimizer.zero_grad(set_to_none=True)


class TunedRun(ImageRun):
    """A pretrained network that is tuned; the best few checkpoints become a soup at the end."""

    def __init__(
        self,
        prepared: Prepared,
        task: Task,
        request: TrainRequest,
        network: PretrainedNetwork,
        clock: WorkClock,
    ) -> None:
        self.plan = parse_tuned(request.config)
        self.own = network
        self.warnings: list[str] = []
        self.is_pruned = False
        self._clock = clock
        self._scorer = build_scorer(prepared, task, prepared.parts[Part.SELECT])
        self._checkpoints = Checkpoints(most=MOST)
        self._select: Pictures | None = None
        self._n_scored = 0
        super().__init__(prepared, task, request, self.plan.recipe)
        if self.device.type == "cpu" and str(request.config["backbone"]).startswith(DEPTHWISE):
            self.precision = torch.float32

    def build_network(self, prepared: Prepared) -> PretrainedNetwork:  # noqa: ARG002 (ours is given)
        """The given network on the device; only what learns first is open."""
        moved = self.own.to(self.device).to(memory_format=torch.channels_last)
        moved.set_trainable("head" if self.plan.part == "gradual" else self.plan.part)
        return moved.train()

    def build_optimisers(self) -> LayeredAdamW:
        """A new one for what is open now."""
        peak = self.recipe.learning_rate
        return LayeredAdamW(self.own, self.plan, peak)

    def start_epoch(self, number: int) -> None:
        """Thaw everything once the head of a gradual tuning is ready, at a tenth of the rate."""
        self.own.train()
        if self.plan.part == "gradual" and number == self.plan.n_head_epochs + 1:
            self.own.set_trainable("full")
            peak = self.recipe.learning_rate * GRADUAL_SHARE
            self.optimisers = LayeredAdamW(self.own, self.plan, peak)

    def score_part(self, pictures: Pictures) -> NDArray[np.float64]:
        """Predictions as ever; what was scored may go into the soup."""
        prediction = super().score_part(pictures)
        self._n_scored += 1
        if self.plan.uses_soup:
            self._select = pictures
            score = self._scorer.compute_score(prediction)
            self._checkpoints.offer(self._n_scored, score, self.copy_state())
        return prediction

    def finish(self, state: State) -> ImageModel:
        """The soup where there is one and time for it, else the best epoch."""
        kept = self._checkpoints.kept
        if len(kept) > 1 and not self.is_pruned and not self._clock.is_over:
            soup = cook(kept, self._evaluate)
            state = soup.state
            if len(soup.epochs) > 1:
                listed = ", ".join(map(str, soup.epochs))
                self.warnings.append(f"The weights are the mean of those after epochs {listed}.")
        return super().finish(state)

    def _evaluate(self, state: State) -> tuple[float, State]:
        assert self._select is not None  # noqa: S101 (checkpoints come from it)
        self.network.load_state_dict(state)
        recompute_norms(self.network, self._iterate_clean())
        prediction = self.predict_part(self._select)
        return self._scorer.compute_score(prediction), self._copy(self.network.state_dict())

    def _iterate_clean(self) -> Iterator[Tensor]:
        """Training pictures of all classes as they are, at most 4,096 of them."""
        seed = derive_seed(self.request.seed, 4, 4)
        positions = draw_positions(len(self.pictures), NORM_PICTURES, seed)
        batches = np.array_split(positions, max(1, len(positions) // self.batch_size))
        with closing(self.pictures.iterate(batches)) as found:
            for pixels in found:
                yield self.normaliser.apply(pixels)
