"""Trials per minute of packs against the loop of Optuna's documentation, on equal networks, as ratios.

``python -m benchmarks.packing [--widths 32 64 128 256] [--threads 1 0] [--repeats 3] [--device cuda --trials 64
--size 64 --rows 50000] [--out FILE.json]`` trains the same
configurations on the same rows for the same epochs on three sides, each in a process of its own and in turns
(A-B-C-C-B-A):

- ``loop``: what Optuna's PyTorch example does: ``study.optimize`` over an objective that builds an
  ``nn.Sequential``, reads a shuffled ``DataLoader`` without workers, and reports each epoch to the pruner
- ``alone``: our training, one network after another
- ``pack``: our training, ``--size`` networks at once (16)

Threads 0 are as many as torch takes by itself. Printed are medians of CPU seconds per trial (what a shared machine
disturbs least) and wall seconds, and the ratios to ``loop``. The networks are plain: ReLU, dropout, AdamW, two
hidden layers up to width 64, else three; batches of 256 rows of 100 numbers. Our sides also cut gradients, measure steps and
keep the best weights. ``--embedded`` compares our two sides with the piecewise-linear embeddings that a search starts
with; the loop has nothing alike. With ``--device cuda`` all sides train on the GPU, to which the loop carries its batches; where
torch sees none the record says "not measured".
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.machine import describe_machine, write_record
from tests.conftest import ROOT

SIDES = ("loop", "alone", "pack")
N_EPOCHS = 4
N_SELECT, N_COLUMNS = 2_000, 100
BATCH_ROWS = 256
GOALS = {32: 4.0, 64: 2.5, 128: 1.3, 256: 1.0}
GPU_GOAL = 20.0  # at most 60,000 rows


def build_table(n_train: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Standardised numbers and two classes that depend on some of them."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n_train + N_SELECT, N_COLUMNS)).astype(np.float32)
    signal = x[:, 0] * x[:, 1] + np.sin(2 * x[:, 2]) + 0.5 * x[:, 3]
    return x, (signal + 0.5 * rng.normal(size=len(x)) > 0).astype(np.int64)


def list_settings(n_trials: int) -> list[dict[str, float]]:
    """Learning rate, decay and dropout of each trial, the same on all sides."""
    rng = np.random.default_rng(1)
    return [
        {
            "lr": float(10 ** rng.uniform(-3.3, -2)),
            "weight_decay": float(10 ** rng.uniform(-6, -2)),
            "dropout": float(rng.uniform(0.05, 0.4)),
        }
        for _ in range(n_trials)
    ]


def count_layers(width: int) -> int:
    return 2 if width <= 64 else 3


def run_loop(width: int, options: argparse.Namespace) -> dict[str, float]:
    """The loop of the documentation, with the configurations enqueued."""
    import optuna
    import torch
    from torch.nn.functional import cross_entropy
    from torch.utils.data import DataLoader, TensorDataset

    from benchmarks.plain_loop import build_network, train_epoch

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    x, y = (torch.from_numpy(part) for part in build_table(options.rows))
    train = TensorDataset(x[: options.rows], y[: options.rows])
    valid = TensorDataset(x[options.rows :], y[options.rows :])
    device = torch.device(options.device)

    def objective(trial: "optuna.Trial") -> float:
        dropout = trial.suggest_float("dropout", 0.0, 0.5)
        model = build_network(
            N_COLUMNS, 2, width=width, depth=count_layers(width), dropout=dropout
        ).to(device)
        optimizer = torch.optim.AdamW(
            model.parameters(),
            lr=trial.suggest_float("lr", 1e-5, 1e-1, log=True),
            weight_decay=trial.suggest_float("weight_decay", 1e-7, 1e-1, log=True),
        )
        train_loader = DataLoader(train, batch_size=BATCH_ROWS, shuffle=True)
        valid_loader = DataLoader(valid, batch_size=BATCH_ROWS)
        accuracy = 0.0
        for epoch in range(N_EPOCHS):
            train_epoch(model, train_loader, optimizer, cross_entropy)
            model.eval()
            correct = 0
            with torch.no_grad():
                for data, target in valid_loader:
                    found = model(data.to(device)).argmax(dim=1)
                    correct += (found == target.to(device)).sum().item()
            accuracy = correct / N_SELECT
            trial.report(accuracy, epoch)
            if trial.should_prune():
                raise optuna.TrialPruned
        return accuracy

    study = optuna.create_study(direction="maximize", pruner=optuna.pruners.NopPruner())
    for settings in list_settings(options.trials):
        study.enqueue_trial(settings)
    return measure(lambda: study.optimize(objective, n_trials=options.trials), options.trials)


def build_ours(n_train: int) -> tuple[Any, Any]:
    """The same table as our training reads it."""
    from automl.data.task import Task, TaskType
    from automl.data.views import Part, Prepared, Views, ViewShape

    x, y = build_table(n_train)
    none = np.zeros((len(x), 0), dtype=np.int32)
    rows = np.arange(len(x))
    prepared = Prepared(
        views=Views(raw=x, quantile=x, robust=x, standard=x, codes=none),
        target=y,
        parts={
            Part.TRAIN: rows[:n_train],
            Part.SELECT: rows[n_train:],
            Part.CALIBRATE: rows[:0],
            Part.TEST: rows[:0],
        },
        shape=ViewShape(
            n_raw=N_COLUMNS,
            n_quantile=N_COLUMNS,
            n_quantile_numeric=N_COLUMNS,
            cardinalities=(),
            n_outputs=2,
        ),
    )
    task = Task(
        target="y",
        type=TaskType.BINARY,
        metric="accuracy",
        classes=("no", "yes"),
        positive="yes",
    )
    return prepared, task


def build_config(width: int, settings: dict[str, float], *, embedded: bool) -> dict[str, Any]:
    """One trial as a configuration of our MLP."""
    inputs: dict[str, Any] = {"numeric_embedding": "none"}
    if embedded:
        inputs = {
            "numeric_embedding": "piecewise",
            "numeric_embedding.piecewise.bins": 96,
            "numeric_embedding.piecewise.dim": 12,
        }
    return inputs | {
        "depth": count_layers(width),
        "width": width,
        "taper": 1.0,
        "residual": False,
        "norm": "none",
        "activation": "relu",
        "dropout": settings["dropout"],
        "categorical_dim": 8,
        "optimizer": "adamw",
        "optimizer.adamw.lr": settings["lr"],
        "optimizer.adamw.weight_decay": settings["weight_decay"],
        "schedule": "constant",
        "epochs": N_EPOCHS,
    }


def run_ours(width: int, options: argparse.Namespace, *, size: int) -> dict[str, float]:
    """Our training of the same networks: ``size`` at once, alone where it is 0."""
    import torch

    from automl.training.packs.records import PackRequest
    from automl.training.packs.run import train_pack
    from automl.training.request import TrainRequest
    from automl.training.run import train

    prepared, task = build_ours(options.rows)
    requests = [
        TrainRequest(
            family="mlp",
            config=build_config(width, settings, embedded=options.embedded),
            seed=index,
            batch_size=BATCH_ROWS,
            max_epochs=N_EPOCHS,
            threads=torch.get_num_threads(),
            device=options.device,
        )
        for index, settings in enumerate(list_settings(options.trials))
    ]

    def act() -> None:
        for request in requests if size == 0 else []:
            for _ in train(prepared, task, request):
                pass
        for start in range(0, options.trials, size) if size else []:
            members = dict(enumerate(requests[start : start + size]))
            for _ in train_pack(prepared, task, PackRequest(members=members)):
                pass

    return measure(act, options.trials)


def measure(act: Callable[[], object], n_trials: int) -> dict[str, float]:
    """CPU and wall seconds per trial."""
    cpu, wall = time.process_time(), time.perf_counter()
    act()
    return {
        "cpu_seconds": (time.process_time() - cpu) / n_trials,
        "wall_seconds": (time.perf_counter() - wall) / n_trials,
    }


def run_side(options: argparse.Namespace) -> dict[str, float]:
    """One side in this process."""
    import torch

    width, threads = options.widths[0], options.threads[0]
    if threads:
        torch.set_num_threads(threads)
    if options.side == "loop":
        return run_loop(width, options)
    size = options.size if options.side == "pack" else 0
    return run_ours(width, options, size=size)


def call_side(side: str, width: int, threads: int, options: argparse.Namespace) -> dict[str, float]:
    """One side in a process of its own."""
    command = [
        sys.executable, "-m", "benchmarks.packing", "--side", side, "--widths", str(width),
        "--threads", str(threads), "--size", str(options.size),
        "--trials", str(options.trials), "--rows", str(options.rows), "--device", options.device,
        *(["--embedded"] if options.embedded else []),
    ]  # fmt: skip
    environment = {**os.environ, **({"OMP_NUM_THREADS": str(threads)} if threads else {})}
    done = subprocess.run(
        command, check=True, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True
    )
    result: dict[str, float] = json.loads(done.stdout)
    return result


def compare(width: int, threads: int, options: argparse.Namespace) -> dict[str, Any]:
    """All sides in turns; medians, and how many trials each does while the loop does one."""
    sides = SIDES[1:] if options.embedded else SIDES
    runs: dict[str, list[dict[str, float]]] = {side: [] for side in sides}
    for repeat in range(options.repeats):
        for side in sides if repeat % 2 == 0 else sides[::-1]:
            runs[side].append(call_side(side, width, threads, options))
    medians = {
        side: {unit: statistics.median(run[unit] for run in done) for unit in done[0]}
        for side, done in runs.items()
    }
    base = medians[sides[0]]
    ratios = {
        f"{side}_over_{sides[0]}": {
            unit.removesuffix("_seconds"): round(base[unit] / medians[side][unit], 2)
            for unit in base
        }
        for side in sides[1:]
    }
    found = {"width": width, "threads": threads or "torch's own", **ratios, "seconds": medians}
    if not options.embedded:
        found["goal"] = GPU_GOAL if options.device == "cuda" else GOALS.get(width)
    print(json.dumps(found), file=sys.stderr, flush=True)
    return found


def has_gpu() -> bool:
    import torch

    return bool(torch.cuda.is_available())


def describe_device(name: str) -> str:
    """The name of the GPU, where it is one that trains and torch sees it."""
    import torch

    return torch.cuda.get_device_name(0) if name == "cuda" and has_gpu() else name


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--widths", type=int, nargs="+", default=list(GOALS))
    parser.add_argument("--threads", type=int, nargs="+", default=[1, 0])
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--size", type=int, default=16, help="networks per pack")
    parser.add_argument("--trials", type=int, default=16)
    parser.add_argument("--rows", type=int, default=10_000, help="training rows")
    parser.add_argument("--device", choices=("cpu", "cuda"), default="cpu")
    parser.add_argument("--embedded", action="store_true")
    parser.add_argument("--out", type=Path)
    parser.add_argument("--side", choices=SIDES, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.side:
        print(json.dumps(run_side(options)))
        return
    before = describe_machine()
    pairs = [(width, threads) for threads in options.threads for width in options.widths]
    is_there = options.device == "cpu" or has_gpu()
    results = [compare(*pair, options) for pair in pairs] if is_there else "not measured: no GPU"
    record = {
        "machine": before,
        "device": describe_device(options.device),
        "trials": options.trials,
        "epochs": N_EPOCHS,
        "rows": options.rows,
        "columns": N_COLUMNS,
        "batch": BATCH_ROWS,
        "pack": options.size,
        "embedded": options.embedded,
        "results": results,
    }
    print(json.dumps(record, indent=2))
    write_record(record, options.out)


if __name__ == "__main__":
    main()
