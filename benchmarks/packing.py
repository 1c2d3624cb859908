"""Trials per minute of packs against the loop of Optuna's documentation, on equal networks, as ratios.

``python -m benchmarks.packing [--widths 32 64 128 256] [--threads 1 0] [--repeats 3] [--out FILE]`` trains the same
configurations on the same rows for the same epochs on three sides, each in a process of its own and in turns
(A-B-C-C-B-A):

- ``loop``: what Optuna's PyTorch example does: ``study.optimize`` over an objective that builds an
  ``nn.Sequential``, reads a shuffled ``DataLoader`` without workers, and reports each epoch to the pruner
- ``alone``: our training, one network after another
- ``pack``: our training, as many networks at once as ``compute_capacity`` says for the width

Threads 0 are as many as torch takes by itself. Printed are medians of CPU seconds per trial (what a shared machine
disturbs least) and wall seconds, and the ratios to ``loop``. The networks are plain: ReLU, dropout, AdamW, two
hidden layers up to width 64, else three; batches of 256 rows of 100 numbers. ``--embedded`` gives our two sides the
piecewise-linear embeddings that a search starts with, where the loop has nothing alike.
"""

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np

from tests.conftest import ROOT

SIDES = ("loop", "alone", "pack")
N_TRIALS = 16
N_EPOCHS = 4
N_TRAIN, N_SELECT, N_COLUMNS = 10_000, 2_000, 100
BATCH_ROWS = 256
GOALS = {32: 4.0, 64: 2.5, 128: 1.3, 256: 1.0}


def build_table(seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Standardised numbers and two classes that depend on some of them."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(N_TRAIN + N_SELECT, N_COLUMNS)).astype(np.float32)
    signal = x[:, 0] * x[:, 1] + np.sin(2 * x[:, 2]) + 0.5 * x[:, 3]
    return x, (signal + 0.5 * rng.normal(size=len(x)) > 0).astype(np.int64)


def list_settings() -> list[dict[str, float]]:
    """Learning rate, decay and dropout of each trial, the same on all sides."""
    rng = np.random.default_rng(1)
    return [
        {
            "lr": float(10 ** rng.uniform(-3.3, -2)),
            "weight_decay": float(10 ** rng.uniform(-6, -2)),
            "dropout": float(rng.uniform(0.05, 0.4)),
        }
        for _ in range(N_TRIALS)
    ]


def count_layers(width: int) -> int:
    return 2 if width <= 64 else 3


def run_loop(width: int) -> dict[str, float]:
    """The loop of the documentation, with the configurations enqueued."""
    import optuna
    import torch
    from torch import nn
    from torch.utils.data import DataLoader, TensorDataset

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    x, y = (torch.from_numpy(part) for part in build_table())
    train = TensorDataset(x[:N_TRAIN], y[:N_TRAIN])
    valid = TensorDataset(x[N_TRAIN:], y[N_TRAIN:])

    def objective(trial: "optuna.Trial") -> float:
        dropout = trial.suggest_float("dropout", 0.0, 0.5)
        layers: list[nn.Module] = []
        n_in = N_COLUMNS
        for _ in range(count_layers(width)):
            layers += [nn.Linear(n_in, width), nn.ReLU(), nn.Dropout(dropout)]
            n_in = width
        model = nn.Sequential(*layers, nn.Linear(n_in, 2))
        optimizer = torch.optim.AdamW(
            model.parameters(),
            lr=trial.suggest_float("lr", 1e-5, 1e-1, log=True),
            weight_decay=trial.suggest_float("weight_decay", 1e-7, 1e-1, log=True),
        )
        train_loader = DataLoader(train, batch_size=BATCH_ROWS, shuffle=True)
        valid_loader = DataLoader(valid, batch_size=BATCH_ROWS)
        accuracy = 0.0
        for epoch in range(N_EPOCHS):
            model.train()
            for data, target in train_loader:
                optimizer.zero_grad()
                loss = nn.functional.cross_entropy(model(data), target)
                loss.backward()
                optimizer.step()
            model.eval()
            correct = 0
            with torch.no_grad():
                for data, target in valid_loader:
                    correct += (model(data).argmax(dim=1) == target).sum().item()
            accuracy = correct / N_SELECT
            trial.report(accuracy, epoch)
            if trial.should_prune():
                raise optuna.TrialPruned
        return accuracy

    study = optuna.create_study(direction="maximize", pruner=optuna.pruners.NopPruner())
    for settings in list_settings():
        study.enqueue_trial(settings)
    return measure(lambda: study.optimize(objective, n_trials=N_TRIALS))


def run_ours(side: str, width: int, *, embedded: bool) -> dict[str, float]:
    """Our training of the same networks, alone or in packs."""
    from automl.training.packs.records import PackRequest
    from automl.training.packs.run import train_pack
    from automl.training.run import train
    from benchmarks.packing_table import build_requests, build_ours

    prepared, task = build_ours(*build_table(), n_train=N_TRAIN)
    requests = build_requests(list_settings(), width=width, depth=count_layers(width), embedded=embedded)

    def act() -> None:
        if side == "alone":
            for request in requests:
                for _ in train(prepared, task, request):
                    pass
            return
        size = find_size(width)
        for start in range(0, N_TRIALS, size):
            members = dict(enumerate(requests[start : start + size]))
            for _ in train_pack(prepared, task, PackRequest(members=members)):
                pass

    return measure(act)
