"""Train a pretrained network: find its weights, put them in, tune it or only a classifier on its features."""

from collections.abc import Generator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from automl.data.task import Task
from automl.data.views import Part, Prepared
from automl.errors import DataError, SpecError
from automl.models.image.backbone_loading import load_weights
from automl.models.image.image_model import ImageModel
from automl.models.image.pretrained import PretrainedNetwork, build_pretrained, parse_pretrained
from automl.models.image.weights import WeightsFile, compute_sha256, read_weights
from automl.models.tabular.config import read
from automl.training.clock import WorkClock
from automl.training.device import compute_peak_memory, derive_seed, get_device
from automl.training.epoch import Epoch, Verb
from automl.training.image.data import open_pictures
from automl.training.image.frozen import FrozenPlan, FrozenRun, load_features
from automl.training.image.soup import MOST, Checkpoints, Soup, State, cook
from automl.training.image.tuned import Steps, TunedRun, parse_tuned
from automl.training.request import Trained, TrainRequest
from automl.training.rows import build_scorer, training_rows
from automl.training.scoring import Scorer

PATIENCE = 10
MANY_CLIPPED = 0.9  # fine-tuning clips at 1 on purpose
Training = Generator[Epoch, Verb | None, Trained]


@dataclass(kw_only=True, slots=True)
class _Trial:
    """What both ways of training share."""

    prepared: Prepared
    task: Task
    request: TrainRequest
    clock: WorkClock
    network: PretrainedNetwork
    file: WeightsFile
    device: torch.device
    scorer: Scorer
    select: NDArray[np.int64]


def train_pretrained(prepared: Prepared, task: Task, request: TrainRequest) -> Training:
    """Train one configuration of the family ``pretrained``; see ``automl.training.run.train``.

    The weights are those that ``record_weights`` pinned beside the prepared folder. A file that is missing
    or was changed since is a ``DataError``.
    """
    clock = WorkClock(request.deadline)
    device = get_device(request.device, request.threads)
    network, file = open_network(prepared, request)
    select = prepared.parts[Part.SELECT][: 0 if request.is_refit else None]
    trial = _Trial(
        prepared=prepared,
        task=task,
        request=request,
        clock=clock,
        network=network.to(device).to(memory_format=torch.channels_last),
        file=file,
        device=device,
        scorer=build_scorer(prepared, task, select),
        select=select,
    )
    mode = read(request.config, "mode", str)
    if mode == "frozen":
        return (yield from _train_frozen(trial))
    if mode == "tuned":
        return (yield from _train_tuned(trial))
    raise SpecError(f"There is no mode {mode!r}.", hint="Choose frozen or tuned.")


def open_network(
    prepared: Prepared, request: TrainRequest
) -> tuple[PretrainedNetwork, WeightsFile]:
    """The network of a configuration with its pretrained weights and a fresh classifier."""
    backbone = parse_pretrained(request.config).backbone
    known = {} if prepared.folder is None else read_weights(prepared.folder.parent)
    file = known.get(backbone.tag)
    if file is None:
        raise DataError(
            f"There are no weights of {backbone.tag} for this search.",
            hint="Point --weights at a folder that has them, or allow timm's hub.",
        )
    path = Path(file.path)
    if not path.is_file() or compute_sha256(path) != file.sha256:
        raise DataError(
            f"The weights {path.name} were moved or changed since the search began.",
            hint="Put the file back, or start a new search.",
        )
    torch.manual_seed(derive_seed(request.seed, 0))
    network = build_pretrained(request.config, prepared.shape)
    load_weights(network, backbone, path)
    return network, file


def _train_frozen(trial: _Trial) -> Training:
    """A classifier on features that are computed once."""
    request, clock, network = trial.request, trial.clock, trial.network
    plan = FrozenPlan(
        learning_rate=read(request.config, "mode.frozen.lr", float),
        weight_decay=read(request.config, "mode.frozen.weight_decay", float),
        n_epochs=read(request.config, "epochs", int),
    )
    network.set_trainable("head")
    key = f"{trial.file.tag} {network.side} {trial.file.sha256}"
    rows = load_features(trial.prepared, network, key, trial.device, clock)
    run = FrozenRun(network, rows, plan, request)
    n_epochs = min(request.max_epochs, plan.n_epochs)
    kept = Checkpoints(most=1)
    warnings: list[str] = []
    verb, number, since = None, 0, clock.seconds
    started = 0.0  # the first epoch counts the features
    for number in range(1, n_epochs + 1):
        loss, rate = run.train_epoch(number)
        score, select_loss = None, None
        if not request.is_refit:
            prediction = run.predict_select()
            score = trial.scorer.compute_score(prediction)
            select_loss = trial.scorer.compute_loss(prediction)
        ranked = float(number) if score is None else score
        is_best = kept.offer(number, ranked, network.classifier.state_dict())
        clock.pause()
        verb = yield Epoch(
            number=number, train_loss=loss, select_loss=select_loss, score=score,
            learning_rate=rate, seconds=clock.seconds - started, is_best=is_best,
        )  # fmt: skip
        clock.resume()
        started = clock.seconds
        if _is_over(verb, number, kept, request):
            break
        if clock.is_over and number < n_epochs:
            warnings.append(f"Time ran out in epoch {number} of {n_epochs}.")
            break
    network.classifier.load_state_dict(kept.kept[0].state)
    seconds = f"{since:.1f} s" if since >= 0.1 else "no time"
    warnings.append(f"The features of {network.side} px pictures took {seconds} (they are kept).")
    prediction = run.predict_select()
    end = _End(number=number, best=kept.kept[0].epoch, verb=verb, warnings=warnings)
    return _build_trained(trial, end, "none", prediction)


def _train_tuned(trial: _Trial) -> Training:
    """Tuning on augmented pictures; the best few checkpoints are kept for the soup."""
    request, clock, network = trial.request, trial.clock, trial.network
    plan = parse_tuned(request.config)
    images = trial.prepared.views.images
    if images is None:
        raise SpecError("This family reads pictures; these rows have none.")
    rows = training_rows(trial.prepared, is_refit=request.is_refit)
    run = TunedRun(
        network, trial.prepared, open_pictures(images.take(rows), trial.device), plan, request
    )
    run.set_target(torch.tensor(trial.prepared.target[rows], dtype=torch.int64))
    model = _build_model(trial, plan.recipe.tta)
    n_epochs = min(request.max_epochs, plan.recipe.n_epochs)
    kept = Checkpoints(most=MOST if plan.uses_soup and not request.is_refit else 1)
    warnings: list[str] = []
    clipped: list[float] = []
    verb, number, started = None, 0, 0.0
    for number in range(1, n_epochs + 1):
        steps = run.train_epoch(number, clock)
        clipped.append(steps.clipped)
        state = run.build_state()
        score, select_loss = None, None
        if not request.is_refit:
            prediction = _predict(trial, model, run, state)
            score = trial.scorer.compute_score(prediction)
            select_loss = trial.scorer.compute_loss(prediction)
        is_best = kept.offer(number, float(number) if score is None else score, state)
        clock.pause()
        verb = yield _build_epoch(
            number, steps, score, select_loss, clock.seconds - started, is_best
        )
        clock.resume()
        started = clock.seconds
        if _is_over(verb, number, kept, request):
            break
        if steps.is_cut or (clock.is_over and number < n_epochs):
            warnings.append(f"Time ran out in epoch {number} of {n_epochs}.")
            break
    soup = _finish_soup(trial, model, run, kept, verb)
    network.load_state_dict(soup.state)
    if len(soup.epochs) > 1:
        listed = ", ".join(map(str, soup.epochs))
        warnings.append(f"The weights are the mean of those after the epochs {listed}.")
    if np.mean(clipped) > MANY_CLIPPED:
        warnings.append(f"{np.mean(clipped):.0%} of the steps had their gradient cut.")
    prediction = model.predict(trial.prepared.views.take(trial.select))
    end = _End(number=number, best=kept.kept[0].epoch, verb=verb, warnings=warnings)
    return _build_trained(trial, end, plan.recipe.tta, prediction)


def _build_epoch(
    number: int,
    steps: Steps,
    score: float | None,
    loss: float | None,
    seconds: float,
    is_best: bool,  # noqa: FBT001
) -> Epoch:
    return Epoch(
        number=number,
        train_loss=steps.loss,
        select_loss=loss,
        score=score,
        learning_rate=steps.learning_rate,
        seconds=seconds,
        is_best=is_best,
        clipped=steps.clipped,
    )


def _is_over(verb: Verb | None, number: int, kept: Checkpoints, request: TrainRequest) -> bool:
    has_stalled = not request.is_refit and number - kept.kept[0].epoch >= PATIENCE
    return verb in (Verb.PRUNE, Verb.STOP) or has_stalled


def _predict(trial: _Trial, model: ImageModel, run: TunedRun, state: State) -> NDArray[np.float64]:
    """Select predictions of a state; the network's own weights come back afterwards."""
    own = None
    if run.ema is not None:
        own = {name: tensor.clone() for name, tensor in trial.network.state_dict().items()}
        trial.network.load_state_dict(state)
    prediction = model.predict(trial.prepared.views.take(trial.select))
    if own is not None:
        trial.network.load_state_dict(own)
    return prediction


def _finish_soup(
    trial: _Trial, model: ImageModel, run: TunedRun, kept: Checkpoints, verb: Verb | None
) -> Soup:
    """The soup where there is time and reason for one, else the best checkpoint."""

    def evaluate(state: State) -> tuple[float, State]:
        trial.network.load_state_dict(state)
        run.recompute_norms()
        prediction = model.predict(trial.prepared.views.take(trial.select))
        whole = {name: t.clone() for name, t in trial.network.state_dict().items()}
        return trial.scorer.compute_score(prediction), whole

    n_used = 1 if verb is Verb.PRUNE or trial.clock.is_over else len(kept.kept)
    return cook(kept.kept[:n_used], evaluate)


def _build_model(trial: _Trial, tta: str) -> ImageModel:
    return ImageModel(
        family=trial.request.family,
        config=trial.request.config,
        shape=trial.prepared.shape,
        tta=tta,
        network=trial.network,
        device=trial.device,
    )


@dataclass(frozen=True, kw_only=True, slots=True)
class _End:
    """How the epochs ended."""

    number: int
    best: int
    verb: Verb | None
    warnings: list[str]


def _build_trained(trial: _Trial, end: _End, tta: str, prediction: NDArray[np.float64]) -> Trained:
    network, clock = trial.network, trial.clock
    n_all, n_learned = sum(p.numel() for p in network.parameters()), network.count_trainable()
    network.eval()
    model = _build_model(trial, tta)
    fit_seconds = clock.seconds
    first = trial.select[: min(256, len(trial.select))]
    if len(first):
        model.predict(trial.prepared.views.take(first))
    share = len(trial.select) / max(1, len(first))
    is_refit = trial.request.is_refit
    return Trained(
        score=None if is_refit else trial.scorer.compute_score(prediction),
        metrics={} if is_refit else trial.scorer.compute_metrics(prediction),
        n_parameters=n_all,
        best_epoch=end.best,
        n_epochs=end.number,
        fit_seconds=fit_seconds,
        predict_seconds=(clock.seconds - fit_seconds) * share,
        peak_memory_bytes=compute_peak_memory(trial.device),
        select_prediction=prediction,
        predictor=model,
        was_pruned=end.verb is Verb.PRUNE,
        warnings=(*end.warnings, f"{n_learned:,} of {n_all:,} parameters were trained."),
    )
