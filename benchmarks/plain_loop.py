"""The loop of Optuna's PyTorch example on the rows of one of our searches: same parts, same metric.

``python -m benchmarks.plain_loop FOLDER --task TASK.json --width 128 --out FILE.json`` reads a prepared folder. As in the
example a trial draws the number of layers, dropout, the optimiser and its learning rate, reads a shuffled ``DataLoader``
without workers, reports the select score after each epoch, and may be ended by the median pruner; TPE proposes. Inputs are
standardised numbers, missing indicators and one-hot categories. Preparing them costs the loop nothing: its clock
starts with the first trial. ``benchmarks.reaching`` runs it.
"""

import argparse
import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

from automl.data.preparing import load_prepared
from automl.data.task import Task, TaskType
from automl.data.views import Part, Prepared
from automl.training.rows import build_scorer

BATCH_ROWS = 256

Loss = Callable[[torch.Tensor, torch.Tensor], torch.Tensor]


def build_network(n_in: int, n_out: int, *, width: int, depth: int, dropout: float) -> nn.Module:
    """Linear, ReLU and dropout ``depth`` times, then the outputs."""
    layers: list[nn.Module] = []
    for index in range(depth):
        layers += [nn.Linear(width if index else n_in, width), nn.ReLU(), nn.Dropout(dropout)]
    return nn.Sequential(*layers, nn.Linear(width, n_out))


def train_epoch(
    network: nn.Module, loader: DataLoader[Any], optimizer: torch.optim.Optimizer, loss: Loss
) -> None:
    """One pass over the training rows, batches carried to where the network is."""
    device = next(network.parameters()).device
    network.train()
    for data, target in loader:
        optimizer.zero_grad()
        loss(network(data.to(device)), target.to(device)).backward()
        optimizer.step()


@dataclass(frozen=True, kw_only=True, slots=True)
class LoopPlan:
    """How the loop is run; ``width`` is that of all its layers."""

    width: int
    n_trials: int = 100
    n_epochs: int = 10
    seed: int = 0


def build_inputs(prepared: Prepared) -> torch.Tensor:
    """Standardised numbers, then every category as 0 or 1, of all rows."""
    blocks = [prepared.views.standard]
    for column, levels in enumerate(prepared.shape.cardinalities):
        blocks.append(np.eye(levels, dtype=np.float32)[prepared.views.codes[:, column]])
    return torch.from_numpy(np.concatenate(blocks, axis=1))


class PlainLoop:
    """The objective of the example on prepared rows."""

    def __init__(self, prepared: Prepared, task: Task, plan: LoopPlan) -> None:
        self._plan = plan
        self._is_regression = task.type is TaskType.REGRESSION
        self._scale, self._mean = prepared.target_scale, prepared.target_mean
        self._inputs = build_inputs(prepared)
        self._n_outputs = prepared.shape.n_outputs
        train, select = (np.array(prepared.parts[part]) for part in (Part.TRAIN, Part.SELECT))
        target = torch.from_numpy(self._encode(np.asarray(prepared.target)[train]))
        self._train = TensorDataset(self._inputs[train], target)
        self._select = TensorDataset(self._inputs[select])
        self._scorer = build_scorer(prepared, task, select)
        self.curve: list[tuple[float, float]] = []
        self._started = time.perf_counter()

    def run(self) -> dict[str, Any]:
        """All trials; the final select score, seconds, and the best score over time."""
        import optuna

        optuna.logging.set_verbosity(optuna.logging.WARNING)
        study = optuna.create_study(
            direction="maximize",
            sampler=optuna.samplers.TPESampler(seed=self._plan.seed),
            pruner=optuna.pruners.MedianPruner(),
        )
        torch.manual_seed(self._plan.seed)
        self._started = time.perf_counter()
        study.optimize(self._objective, n_trials=self._plan.n_trials)
        states = [trial.state.name.lower() for trial in study.trials]
        return {
            "width": self._plan.width,
            "seed": self._plan.seed,
            "score": study.best_value,
            "seconds": time.perf_counter() - self._started,
            "seconds_to_best": self.curve[-1][0],
            "trials_per_minute": 60 * len(states) / (time.perf_counter() - self._started),
            "states": {name: states.count(name) for name in dict.fromkeys(states)},
            "score_over_time": [[round(seconds, 2), score] for seconds, score in self.curve],
        }

    def _objective(self, trial: Any) -> float:
        import optuna

        network = build_network(
            self._inputs.shape[1], self._n_outputs, width=self._plan.width,
            depth=trial.suggest_int("n_layers", 1, 3),
            dropout=trial.suggest_float("dropout", 0.2, 0.5),
        )  # fmt: skip
        name = trial.suggest_categorical("optimizer", ["Adam", "RMSprop", "SGD"])
        rate = trial.suggest_float("lr", 1e-5, 1e-1, log=True)
        optimizer = getattr(torch.optim, name)(network.parameters(), lr=rate)
        loader = DataLoader(self._train, batch_size=BATCH_ROWS, shuffle=True)
        score = float("nan")
        for epoch in range(self._plan.n_epochs):
            train_epoch(network, loader, optimizer, self._compute_loss)
            score = self._compute_score(network)
            trial.report(score, epoch)
            if trial.should_prune():
                raise optuna.TrialPruned
        if score > (self.curve[-1][1] if self.curve else float("-inf")):
            self.curve.append((time.perf_counter() - self._started, score))
        return score

    def _compute_loss(self, output: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
        if self._is_regression:
            return nn.functional.mse_loss(output[:, 0], target)
        return nn.functional.cross_entropy(output, target)

    def _compute_score(self, network: nn.Module) -> float:
        """The metric of the search on the select part; NaN where training ran away, which Optuna counts as failed."""
        network.eval()
        with torch.no_grad():
            parts = [network(data) for (data,) in DataLoader(self._select, batch_size=BATCH_ROWS)]
        output = torch.cat(parts).double()
        if not torch.isfinite(output).all():
            return float("nan")
        if self._is_regression:
            return self._scorer.compute_score(output[:, 0].numpy() * self._scale + self._mean)
        return self._scorer.compute_score(output.softmax(dim=1).numpy())

    def _encode(self, target: np.ndarray) -> np.ndarray:
        if self._is_regression:
            return ((target - self._mean) / self._scale).astype(np.float32)
        return target.astype(np.int64)


def main() -> None:
    from pydantic import TypeAdapter

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--task", type=Path, required=True)
    parser.add_argument("--width", type=int, required=True)
    parser.add_argument("--trials", type=int, default=100)
    parser.add_argument("--epochs", type=int, default=10)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    task = TypeAdapter(Task).validate_json(options.task.read_text())
    plan = LoopPlan(
        width=options.width, n_trials=options.trials, n_epochs=options.epochs, seed=options.seed
    )
    found = PlainLoop(load_prepared(options.folder), task, plan).run()
    options.out.write_text(json.dumps(found))


if __name__ == "__main__":
    main()
