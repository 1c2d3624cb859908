"""Train a pretrained network: find its weights, put them in, tune it or only a classifier on its features."""

from collections.abc import Generator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import torch

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
from automl.training.image.frozen import FrozenPlan, FrozenRun, load_features
from automl.training.image.run import PATIENCE, drive_run
from automl.training.image.soup import Checkpoints
from automl.training.image.tuned import TunedRun
from automl.training.request import Trained, TrainRequest
from automl.training.rows import build_scorer

TIMED_PICTURES = 256  # that tell how long the whole select part would take
Training = Generator[Epoch, Verb | None, Trained]


def train_pretrained(prepared: Prepared, task: Task, request: TrainRequest) -> Training:
    """Train one configuration of the family ``pretrained``; see ``automl.training.run.train``.

    The weights are those that ``record_weights`` pinned beside the prepared folder. A file that is missing
    or was changed since is a ``DataError``.
    """
    clock = WorkClock(request.deadline)
    mode = read(request.config, "mode", str)
    if mode not in ("frozen", "tuned"):
        raise SpecError(f"There is no mode {mode!r}.", hint="Choose frozen or tuned.")
    network, file = open_network(prepared, request)
    if mode == "tuned":
        return (yield from _train_tuned(prepared, task, request, (network, clock)))
    device = get_device(request.device, request.threads)
    network = network.to(device).to(memory_format=torch.channels_last)
    network.set_trainable("head")
    key = f"{file.tag} {network.side} {file.sha256}"
    rows = load_features(prepared, network, key, device, clock)
    plan = FrozenPlan(
        learning_rate=read(request.config, "mode.frozen.lr", float),
        weight_decay=read(request.config, "mode.frozen.weight_decay", float),
        n_epochs=read(request.config, "epochs", int),
    )
    run = FrozenRun(network, rows, plan, request)
    return (yield from _train_frozen(prepared, task, run, clock))


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
            hint="Name a folder that has them, or allow timm's hub.",
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


def _train_tuned(
    prepared: Prepared,
    task: Task,
    request: TrainRequest,
    opened: tuple[PretrainedNetwork, WorkClock],
) -> Training:
    """Tuning on augmented pictures: the loop of every image network with other learners and a soup."""
    network, clock = opened
    run = TunedRun(prepared, task, request, network, clock)
    steps = drive_run(run, prepared, task, clock)
    verb: Verb | None = None
    with closing(steps):
        while True:
            try:
                epoch = steps.send(verb)
            except StopIteration as end:
                trained: Trained = end.value
                break
            verb = yield epoch
            run.is_pruned = verb is Verb.PRUNE
    warnings = (*trained.warnings, *run.warnings, describe_learning(network))
    return replace(trained, warnings=warnings)


def describe_learning(network: PretrainedNetwork) -> str:
    """How much of a network learned last."""
    n_all = sum(parameter.numel() for parameter in network.parameters())
    return f"{network.count_trainable():,} of {n_all:,} parameters were trained."


def _train_frozen(prepared: Prepared, task: Task, run: FrozenRun, clock: WorkClock) -> Training:
    """Epochs of a classifier on kept features; the first one counts the time these took."""
    request, network = run.request, run.network
    select = prepared.parts[Part.SELECT][: 0 if request.is_refit else None]
    scorer = build_scorer(prepared, task, select)
    n_epochs = min(request.max_epochs, run.plan.n_epochs)
    kept = Checkpoints(most=1)
    warnings: list[str] = []
    verb: Verb | None = None
    number, started = 0, 0.0
    for number in range(1, n_epochs + 1):
        loss, rate = run.train_epoch(number)
        score, select_loss = None, None
        if not request.is_refit:
            prediction = run.predict_select()
            score = scorer.compute_score(prediction)
            select_loss = scorer.compute_loss(prediction)
        ranked = float(number) if score is None else score  # a refit keeps the last
        is_best = kept.offer(number, ranked, network.classifier.state_dict())
        clock.pause()
        verb = yield Epoch(
            number=number,
            train_loss=loss,
            select_loss=select_loss,
            score=score,
            learning_rate=rate,
            seconds=clock.seconds - started,
            is_best=is_best,
        )
        clock.resume()
        started = clock.seconds
        has_stalled = not request.is_refit and number - kept.kept[0].epoch >= PATIENCE
        if verb in (Verb.PRUNE, Verb.STOP) or has_stalled:
            break
        if clock.is_over and number < n_epochs:
            warnings.append(f"Time ran out in epoch {number} of {n_epochs}.")
            break
    network.classifier.load_state_dict(kept.kept[0].state)
    prediction = run.predict_select()
    fit_seconds = clock.seconds
    model = _build_model(prepared, run)
    timed = select[:TIMED_PICTURES]
    model.predict(prepared.views.take(timed))
    return Trained(
        score=None if request.is_refit else scorer.compute_score(prediction),
        metrics={} if request.is_refit else scorer.compute_metrics(prediction),
        n_parameters=sum(parameter.numel() for parameter in network.parameters()),
        best_epoch=kept.kept[0].epoch,
        n_epochs=number,
        fit_seconds=fit_seconds,
        predict_seconds=(clock.seconds - fit_seconds) * len(select) / max(1, len(timed)),
        peak_memory_bytes=compute_peak_memory(run.device),
        select_prediction=prediction,
        predictor=model,
        was_pruned=verb is Verb.PRUNE,
        warnings=(*warnings, describe_learning(network)),
    )


def _build_model(prepared: Prepared, run: FrozenRun) -> ImageModel:
    return ImageModel(
        family=run.request.family,
        config=run.request.config,
        shape=prepared.shape,
        tta="none",
        network=run.network.eval(),
        device=run.device,
    )
