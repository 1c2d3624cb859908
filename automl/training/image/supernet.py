"""Weight sharing: train one supernet path by path, then look for its best paths by evolution.

What comes out are proposals. A score with shared weights says which path to train on its own first; it is never
a result.
"""

import json
from collections.abc import Generator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path as FilePath
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from automl.data.task import Task
from automl.data.views import Part, Prepared
from automl.files import write_atomic
from automl.models.image.macro import build_macro
from automl.models.image.macs import build_on_meta, count_macs, count_parameters
from automl.models.image.network import ImageNetwork
from automl.models.image.path_space import Path, PathSpace, build_config, parse_path_space
from automl.models.image.recipe_space import parse_recipe
from automl.models.image.supernet import Supernet, build_supernet
from automl.space.dimensions import Config
from automl.training.clock import WorkClock
from automl.training.device import compute_peak_memory, derive_seed
from automl.training.epoch import Epoch, Verb
from automl.training.image.data import Pictures
from automl.training.image.muon import Muon
from automl.training.image.optimisers import (
    MUON_PARTNER_MOMENTUM,
    MUON_PARTNER_RATE,
    Optimisers,
    sort_parameters,
)
from automl.training.image.run import ImageRun, get_images
from automl.training.request import TrainRequest
from automl.training.rows import build_scorer, draw_positions
from automl.training.scoring import Scorer

CANDIDATES = "candidates.json"
TRAIN_SHARE = 0.75  # of the time; the rest looks for paths
SEARCH_PICTURES = 1000  # of the select part that compare paths
RECALIBRATE_BATCHES = 6
POPULATION = 16
MOST_SCORED = 64
MOST_SCORED_LARGE = 24  # above 64 px, so that the silence while paths are scored stays short
LEAST_SCORED = 8
SMALL_SIDE = 64
TOURNAMENT = 4
MUTATED_SHARE = 0.25
MUON_RATE = 0.1


@dataclass(frozen=True, kw_only=True, slots=True)
class Scored:
    """A path and its score with shared weights, higher is better."""

    path: Path
    score: float


@dataclass(frozen=True, kw_only=True, slots=True)
class Proposal:
    """What a supernet leaves: configurations to train on their own, best first. It is no model.

    The fields that a trainer asks of every training are there; there is no score and nothing to predict with.
    """

    candidates: tuple[tuple[Config, float], ...]
    n_parameters: int
    n_epochs: int
    fit_seconds: float
    peak_memory_bytes: int
    warnings: tuple[str, ...] = ()
    score: None = None
    metrics: dict[str, float] = field(default_factory=dict)
    best_epoch: int = 1
    predict_seconds: float = 0.0
    was_pruned: bool = False
    select_prediction: NDArray[np.float64] = field(default_factory=lambda: np.zeros(0))

    def save(self, folder: FilePath) -> None:
        """Write ``candidates.json``: ``config``, ``score`` (of shared weights) and ``rank`` from 1."""
        entries = [
            {"config": dict(config), "score": score, "rank": rank}
            for rank, (config, score) in enumerate(self.candidates, start=1)
        ]
        write_atomic(folder / CANDIDATES, json.dumps(entries, indent=2).encode())


class SupernetRun(ImageRun):
    """A supernet on the training pictures; every step trains one path, drawn uniformly."""

    network: Supernet

    def build_network(self, prepared: Prepared) -> ImageNetwork:
        paths = parse_path_space(self.request.config)
        network = build_supernet(paths, prepared.shape).to(self.device)
        return network.to(memory_format=torch.channels_last).train()

    def build_optimisers(self) -> Optimisers:
        """Muon and SGD, one tensor at a time: a path gives no gradient to most of them, which fused ones refuse."""
        roles = sort_parameters(self.network)
        rate = self.recipe.learning_rate if self.recipe.optimizer == "muon" else MUON_RATE
        partner = torch.optim.SGD(
            [*roles.decayed, *roles.free],
            lr=MUON_PARTNER_RATE,
            momentum=MUON_PARTNER_MOMENTUM,
            nesterov=True,
            foreach=False,
        )
        return Optimisers([Muon(roles.hidden, lr=rate, precision=self.precision), partner])

    def _step(
        self, pictures: Tensor, target: Tensor, factor: float, draws: torch.Generator
    ) -> Tensor:
        self.network.choose(draw_path(self.network.paths, draws))
        return super()._step(pictures, target, factor, draws)

    def score_path(self, path: Path, shown: Pictures, scorer: Scorer) -> float:
        """The primary metric of a path with shared weights, norms counted anew for it."""
        self.network.choose(path)
        self._recalibrate()
        return scorer.compute_score(self.predict_part(shown))

    @torch.inference_mode()
    def _recalibrate(self) -> None:
        """Means and deviations of batch norm belong to a path, not to the mixture that was trained."""
        norms = [each for each in self.network.modules() if isinstance(each, nn.BatchNorm2d)]
        before = [norm.momentum for norm in norms]
        for norm in norms:
            norm.reset_running_stats()
            norm.momentum = None  # the plain mean of all batches
        self.network.train()
        size = min(self.batch_size, len(self.pictures))
        seed = derive_seed(self.request.seed, 4, 4)  # every path sees the same pictures
        positions = draw_positions(len(self.pictures), RECALIBRATE_BATCHES * size, seed)
        batches = np.array_split(positions, max(1, len(positions) // size))
        for pixels in self.pictures.iterate(batches):
            self._pass(self.normaliser.apply(pixels))
        for norm, momentum in zip(norms, before, strict=True):
            norm.momentum = momentum


def draw_path(paths: PathSpace, draws: torch.Generator) -> Path:
    """A path, every choice uniform."""

    def pick(options: Sequence[Any]) -> Any:
        return options[int(torch.randint(len(options), (1,), generator=draws))]

    return Path(
        kind=pick(paths.kinds),
        kernel=pick(paths.kernels),
        widths=tuple(pick(widths) for widths in paths.widths),
        blocks=tuple(pick(range(1, paths.blocks + 1)) for _ in paths.widths),
    )


def mutate_path(path: Path, paths: PathSpace, draws: torch.Generator) -> Path:
    """Every choice is drawn anew with a chance of a quarter; at least one is."""
    fresh = draw_path(paths, draws)
    n_stages = len(paths.widths)
    changes = torch.rand(2 + 2 * n_stages, generator=draws) < MUTATED_SHARE
    changes[int(torch.randint(len(changes), (1,), generator=draws))] = True
    flags = changes.tolist()
    return Path(
        kind=fresh.kind if flags[0] else path.kind,
        kernel=fresh.kernel if flags[1] else path.kernel,
        widths=_mix(path.widths, fresh.widths, flags[2 : 2 + n_stages]),
        blocks=_mix(path.blocks, fresh.blocks, flags[2 + n_stages :]),
    )


def _mix(old: tuple[int, ...], new: tuple[int, ...], flags: list[bool]) -> tuple[int, ...]:
    return tuple(n if flag else o for o, n, flag in zip(old, new, flags, strict=True))


def train_supernet(
    prepared: Prepared, task: Task, request: TrainRequest
) -> Generator[Epoch, Verb | None, Proposal]:
    """Train and search; see ``automl.training.run.train``. The epochs have a loss and no score."""
    clock = WorkClock(request.deadline)
    recipe = parse_recipe(request.config)
    n_epochs = max(1, min(request.max_epochs, recipe.n_epochs * len(_list_chains(request.config))))
    recipe = replace(recipe, n_epochs=n_epochs, uses_ema=False, is_progressive=False)
    run = SupernetRun(prepared, task, request, recipe)
    train_until = TRAIN_SHARE * clock.remaining
    number, verb = 0, None
    for number in range(1, n_epochs + 1):
        started = clock.seconds
        steps = run.train_epoch(number, clock)
        clock.pause()
        verb = yield Epoch(
            number=number,
            train_loss=steps.loss,
            select_loss=None,
            score=None,
            learning_rate=steps.learning_rate,
            seconds=clock.seconds - started,
            is_best=True,
        )
        clock.resume()
        per_epoch = clock.seconds / number
        if verb in (Verb.PRUNE, Verb.STOP) or clock.seconds + per_epoch > train_until:
            break
        if (
            number == 1 and train_until < n_epochs * per_epoch
        ):  # the schedule ends when the time does
            run.recipe = replace(recipe, n_epochs=max(1, int(train_until / per_epoch)))
    rows = _draw_select(prepared, request.seed)
    scorer = build_scorer(prepared, task, rows)
    shown = run.open_part(get_images(prepared).take(rows))
    scored = _evolve(run, shown, scorer, clock)
    wanted = int(request.config.get("candidates", LEAST_SCORED))
    return Proposal(
        candidates=tuple((build_config(each.path, _list_base(request.config)), each.score)
                         for each in scored[:wanted]),
        n_parameters=count_parameters(run.network),
        n_epochs=number,
        best_epoch=number,
        fit_seconds=clock.seconds,
        peak_memory_bytes=compute_peak_memory(run.device),
        warnings=() if scored else ("No path of the supernet lies within the limits.",),
    )  # fmt: skip


def _draw_select(prepared: Prepared, seed: int) -> NDArray[np.int64]:
    """Rows of the select part, of all its classes, that compare paths."""
    select = prepared.parts[Part.SELECT]
    chosen = draw_positions(len(select), SEARCH_PICTURES, derive_seed(seed, 5, 5))
    return np.asarray(select[np.sort(chosen)])


def _list_chains(config: Config) -> list[tuple[str, int]]:
    paths = parse_path_space(config)
    return [(kind, kernel) for kind in paths.kinds for kernel in paths.kernels]


def _list_base(config: Config) -> Config:
    """The configuration without what only the supernet is told."""
    own = ("candidates", "max_parameters", "max_macs")
    return {label: value for label, value in config.items() if label not in own}


def _evolve(run: SupernetRun, shown: Pictures, scorer: Scorer, clock: WorkClock) -> list[Scored]:
    """Random paths first, then mutations of tournament winners; best first, every path once.

    Without a clock 64 paths are scored (24 of large pictures); with one as many as fit, but at least 8.
    """
    draws = torch.Generator().manual_seed(derive_seed(run.request.seed, 3, 3))
    paths = run.network.paths
    within = _Limits(run)
    scored: list[Scored] = []
    known: set[Path] = set()
    most = MOST_SCORED if run.shape.side <= SMALL_SIDE else MOST_SCORED_LARGE
    most = min(most, paths.count())
    for _ in range(50 * most):
        if len(scored) >= most or (clock.is_over and len(scored) >= LEAST_SCORED):
            break
        path = _propose(scored, paths, draws)
        if path in known:
            continue
        known.add(path)
        if within.allow(path):
            scored.append(Scored(path=path, score=run.score_path(path, shown, scorer)))
    return sorted(scored, key=lambda each: -each.score)


def _propose(scored: list[Scored], paths: PathSpace, draws: torch.Generator) -> Path:
    if len(scored) < POPULATION:
        return draw_path(paths, draws)
    chosen = torch.randint(len(scored), (TOURNAMENT,), generator=draws).tolist()
    parent = max((scored[index] for index in chosen), key=lambda each: each.score)
    return mutate_path(parent.path, paths, draws)


class _Limits:
    """Whether a path, trained on its own, would lie within the limits on parameters and multiply-adds."""

    def __init__(self, run: SupernetRun) -> None:
        self._config, self._shape = run.request.config, run.shape
        self._most = {
            name: float(self._config[f"max_{name}"])
            for name in ("parameters", "macs")
            if f"max_{name}" in self._config
        }

    def allow(self, path: Path) -> bool:
        if not self._most:
            return True
        config = build_config(path, _list_base(self._config))
        network = build_on_meta(lambda: build_macro(config, self._shape))
        side, channels = self._shape.side, self._shape.channels
        costs = {
            "parameters": count_parameters(network),
            "macs": count_macs(network, (channels, side, side)),
        }
        return all(costs[name] <= most for name, most in self._most.items())
