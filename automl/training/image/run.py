"""The training loop of one image network: a generator of epochs, best weights restored on every exit."""

from collections.abc import Generator
from contextlib import closing
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from automl.data.images.rows import ImageRows
from automl.data.task import Task, TaskType
from automl.data.views import Part, Prepared
from automl.errors import DataError, SpecError, TrainingDiverged
from automl.models.catalog import resolve_build
from automl.models.image.image_model import ImageModel, Normaliser, compute_chunk
from automl.models.image.network import ImageNetwork
from automl.models.image.recipe_space import RecipeConfig, parse_recipe
from automl.training.best_epoch import BestEpoch
from automl.training.clock import WorkClock
from automl.training.device import compute_peak_memory, derive_seed, get_device
from automl.training.epoch import Epoch, Verb
from automl.training.image.augment import Augmenter, compute_loss, resize_down
from automl.training.image.averaging import WeightAverage
from automl.training.image.data import Pictures, iterate_in_order, open_pictures
from automl.training.image.optimisers import build_optimisers
from automl.training.image.recipe import choose_precision, compute_batch_size, compute_side
from automl.training.request import Trained, TrainRequest
from automl.training.rows import build_scorer, training_rows
from automl.training.schedules import compute_factor

PATIENCE = 10
FIT_PICTURES = (
    64,
    2000,
)  # that a network may look at before it is trained: few large or many small ones
FIT_PIXELS = 2_000_000


@dataclass(frozen=True, kw_only=True, slots=True)
class Steps:
    """What the steps of one epoch gave."""

    loss: float
    learning_rate: float
    is_cut: bool


class ImageRun:
    """A network, its optimiser and its pictures; ``train_epoch`` does one pass.

    Another way to train overrides ``build_network``, ``build_optimisers`` or ``start_epoch``.
    """

    def __init__(
        self, prepared: Prepared, task: Task, request: TrainRequest, recipe: RecipeConfig
    ) -> None:
        if task.type is TaskType.REGRESSION:
            raise SpecError("Image networks learn classes, not numbers.", hint="Choose a class.")
        self.request = request
        self.recipe = recipe
        self.shape = prepared.shape
        self.device = get_device(request.device, request.threads)
        self.precision = choose_precision(self.device)
        self.normaliser = Normaliser(prepared.shape, self.device)
        self.augmenter = Augmenter(recipe, prepared.shape.side)
        rows = training_rows(prepared, is_refit=request.is_refit)
        images = get_images(prepared)
        self.pictures = self.open_part(images.take(rows))
        self.target = torch.tensor(np.asarray(prepared.target[rows]), device=self.device)
        self.batch_size = compute_batch_size(
            request.batch_size, len(rows), on_gpu=self.device.type == "cuda"
        )
        if len(rows) < 2:
            raise DataError(f"Two training pictures are needed, there is {len(rows)}.")
        self.parity = torch.randint(
            2,
            (len(rows),),
            generator=torch.Generator().manual_seed(derive_seed(request.seed, 1, 1)),
        )
        torch.manual_seed(derive_seed(request.seed, 0))
        self.network = self.build_network(prepared)
        self._fit_inputs()
        self.optimisers = self.build_optimisers()
        self.average = WeightAverage(self.network) if recipe.uses_ema else None
        self.n_steps_done = 0
        self._work: Tensor | None = None  # memory that every training batch uses again

    def open_part(self, images: ImageRows) -> Pictures:
        """The pictures of a part, on the device or streamed."""
        return open_pictures(images, self.device)

    def build_network(self, prepared: Prepared) -> ImageNetwork:
        """The network of the request on the device, in training mode."""
        network = resolve_build(self.request.family)(self.request.config, prepared.shape)
        moved: ImageNetwork = network.to(self.device, memory_format=torch.channels_last)
        return moved.train()

    def build_optimisers(self) -> Any:
        """Anything with ``step(factor)`` that also drops the gradients."""
        return build_optimisers(self.network, self.recipe, self.precision)

    def start_epoch(self, number: int) -> None:
        """Called before epoch ``number`` (from 1); the place to thaw layers."""

    def _fit_inputs(self) -> None:
        """Show some training pictures to a network that wants them (whitening)."""
        if not hasattr(self.network, "fit_inputs"):
            return
        fewest, most = FIT_PICTURES
        n_shown = min(max(fewest, FIT_PIXELS // self.shape.side**2), most, len(self.pictures))
        seed = derive_seed(self.request.seed, 2, 2)
        chosen = np.sort(np.random.default_rng(seed).permutation(len(self.pictures))[:n_shown])
        with closing(self.pictures.iterate([chosen])) as found:
            self.network.fit_inputs(self.normaliser.apply(next(found)))

    def train_epoch(self, number: int, clock: WorkClock) -> Steps:
        """One pass over the training pictures, or what the deadline leaves of it."""
        self.start_epoch(number)
        seed = derive_seed(self.request.seed, number)
        torch.manual_seed(seed)  # dropout, whatever else drew numbers in between
        draws = torch.Generator().manual_seed(seed)
        batches = self._draw_batches(draws)
        first, n_steps = (number - 1) * len(batches), self.recipe.n_epochs * len(batches)
        side = compute_side(self.recipe, number, self.shape.side)
        losses: list[Tensor] = []
        factor, is_cut = 0.0, False
        with closing(self.pictures.iterate(batches)) as found:
            for index, (positions, pixels) in enumerate(zip(batches, found, strict=True)):
                if index and clock.is_over:  # a look costs nothing, a step may cost seconds
                    is_cut = True
                    break
                factor = compute_factor(
                    self.recipe.schedule, min(first + index, n_steps - 1), n_steps
                )
                rows = torch.from_numpy(positions)
                ready = self._prepare(pixels, rows, (number, side), draws)
                losses.append(self._step(ready, self.target[rows.to(self.device)], factor, draws))
        loss = self._check_finite(torch.stack(losses))
        self.n_steps_done += len(losses)
        return Steps(loss=loss, learning_rate=factor * self.recipe.learning_rate, is_cut=is_cut)

    def _draw_batches(self, draws: torch.Generator) -> list[NDArray[np.int64]]:
        """A new order cut into whole batches; what is left over (less than a batch) waits for another epoch.

        Fewer pictures than a batch are one batch.
        """
        order = torch.randperm(len(self.pictures), generator=draws).numpy()
        n_batches = max(1, len(order) // self.batch_size)
        size = min(self.batch_size, len(order))
        return [order[index * size : (index + 1) * size] for index in range(n_batches)]

    def _prepare(
        self, pixels: Tensor, rows: Tensor, place: tuple[int, int], draws: torch.Generator
    ) -> Tensor:
        """Bytes as augmented, normalised pictures; ``place`` is the epoch and the side it trains at."""
        epoch, side = place
        distorted = self.augmenter.distort(pixels, self.parity[rows], epoch, draws)
        if self._work is None or self._work.shape != distorted.shape:
            self._work = torch.empty_like(distorted, dtype=torch.float32)
        ready = self.augmenter.finish(self.normaliser.apply(distorted, self._work), draws)
        return resize_down(ready, side)

    def _step(
        self, pictures: Tensor, target: Tensor, factor: float, draws: torch.Generator
    ) -> Tensor:
        mixed = self.augmenter.mix(pictures, draws)
        shown = pictures if mixed is None else mixed.pictures
        logits = self._pass(shown)
        loss = compute_loss(logits, target, mixed, self.recipe.label_smoothing)
        loss.backward()  # type: ignore[no-untyped-call]
        self.optimisers.step(factor)
        if self.average is not None:
            self.average.update(self.network)
        return loss.detach()

    def _pass(self, pictures: Tensor) -> Tensor:
        is_half = self.precision is torch.bfloat16
        with torch.autocast(self.device.type, torch.bfloat16, enabled=is_half):
            logits: Tensor = self.network(pictures.contiguous(memory_format=torch.channels_last))
        return logits.float()

    def _check_finite(self, losses: Tensor) -> float:
        bad = ~torch.isfinite(losses)
        if bool(bad.any()):
            step = self.n_steps_done + int(bad.int().argmax()) + 1
            raise TrainingDiverged(
                f"The loss was not finite at step {step} "
                f"(learning rate {self.recipe.learning_rate:.3g}).",
                hint="A lower learning rate may help.",
            )
        return float(losses.mean())

    @torch.inference_mode()
    def predict_part(self, pictures: Pictures) -> NDArray[np.float64]:
        """Probabilities ``(n, K)`` as the run stands, one view per picture, in the precision of training."""
        self.network.eval()
        parts = [
            self._pass(self.normaliser.apply(pixels)).double().softmax(dim=1).cpu().numpy()
            for pixels in iterate_in_order(pictures, compute_chunk(self.shape.side))
        ]
        self.network.train()
        return np.concatenate(parts) if parts else np.zeros((0, self.shape.n_outputs))

    def score_part(self, pictures: Pictures) -> NDArray[np.float64]:
        """``predict_part`` with the weights that would be kept: the averaged ones, where there are any."""
        if self.average is None:
            return self.predict_part(pictures)
        own = self._copy(self.network.state_dict())
        self.network.load_state_dict(self.average.state)
        prediction = self.predict_part(pictures)
        self.network.load_state_dict(own)
        return prediction

    def copy_state(self) -> dict[str, Tensor]:
        """The weights that would be kept, copied."""
        return self._copy(self.network.state_dict() if self.average is None else self.average.state)

    @staticmethod
    def _copy(state: dict[str, Tensor]) -> dict[str, Tensor]:
        return {name: tensor.detach().clone() for name, tensor in state.items()}

    def finish(self, state: dict[str, Tensor]) -> ImageModel:
        """Put the kept weights back; the model that predicts."""
        broken = [name for name, tensor in state.items() if not bool(torch.isfinite(tensor).all())]
        if broken:
            raise TrainingDiverged(
                f"The weights of {broken[0]!r} are not finite.",
                hint="A lower learning rate may help.",
            )
        self.network.load_state_dict(state)
        return ImageModel(
            family=self.request.family,
            config=self.request.config,
            shape=self.shape,
            tta=self.recipe.tta,
            network=self.network.eval(),
            device=self.device,
        )


def get_images(prepared: Prepared) -> ImageRows:
    """The pictures of a prepared data set; a table is a ``SpecError``."""
    if prepared.views.images is None:
        raise SpecError("These data have no pictures.", hint="Choose a family for tables.")
    return prepared.views.images


def train_image(
    prepared: Prepared, task: Task, request: TrainRequest
) -> Generator[Epoch, Verb | None, Trained]:
    """Train one image network; see ``automl.training.run.train``."""
    clock = WorkClock(request.deadline)
    run = ImageRun(prepared, task, request, parse_recipe(request.config))
    return (yield from drive_run(run, prepared, task, clock))


def drive_run(
    run: ImageRun, prepared: Prepared, task: Task, clock: WorkClock
) -> Generator[Epoch, Verb | None, Trained]:
    """Epoch after epoch of a run until it is done, told to end, or out of time.

    Epochs are scored with one view per picture; ``Trained`` is scored as the model predicts, with all views
    of its test-time augmentation.
    """
    request = run.request
    select = prepared.parts[Part.SELECT][: 0 if request.is_refit else None]
    scorer = build_scorer(prepared, task, select)
    shown = run.open_part(get_images(prepared).take(select))
    n_epochs = min(request.max_epochs, run.recipe.n_epochs)
    best = BestEpoch()
    verb: Verb | None = None
    number, n_whole = 0, 0
    warnings: list[str] = []
    for number in range(1, n_epochs + 1):
        started = clock.seconds
        steps = run.train_epoch(number, clock)
        n_whole += not steps.is_cut
        score, loss = None, None
        if not request.is_refit:
            prediction = run.score_part(shown)
            score, loss = scorer.compute_score(prediction), scorer.compute_loss(prediction)
        is_best = best.offer(number, score, run)
        clock.pause()
        verb = yield Epoch(
            number=number,
            train_loss=steps.loss,
            select_loss=loss,
            score=score,
            learning_rate=steps.learning_rate,
            seconds=clock.seconds - started,
            is_best=is_best,
        )
        clock.resume()
        if verb in (Verb.PRUNE, Verb.STOP) or (
            not request.is_refit and number - best.epoch >= PATIENCE
        ):
            break
        if steps.is_cut or (clock.is_over and number < n_epochs):
            warnings.append(f"Time ran out in epoch {number} of {n_epochs}.")
            break
    if run.precision is torch.bfloat16:
        warnings.append("Trained in bfloat16, in which this device multiplies faster.")
    model = run.finish(best.state)
    fit_seconds = clock.seconds
    prediction = model.predict(prepared.views.take(select))
    return Trained(
        score=None if request.is_refit else scorer.compute_score(prediction),
        metrics={} if request.is_refit else scorer.compute_metrics(prediction),
        n_parameters=sum(p.numel() for p in run.network.parameters()),
        best_epoch=best.epoch,
        n_epochs=n_whole if request.is_refit else number,  # half an epoch is no final training
        fit_seconds=fit_seconds,
        predict_seconds=clock.seconds - fit_seconds,
        peak_memory_bytes=compute_peak_memory(run.device),
        select_prediction=prediction,
        predictor=model,
        was_pruned=verb is Verb.PRUNE,
        warnings=tuple(warnings),
    )
