import math
import subprocess
import sys

import numpy as np
import pytest

from automl.training.run import train
from automl.training.signs import History, Step, build_history, find_signs
from tests.unit.training.tables import (
    SMALL_MLP,
    TaskType,
    build_prepared,
    build_request,
    build_task,
    drive,
)

N = 20


def build(horizon=N, prior=0.5, n=N, **columns):
    """A calm training of ``n`` epochs, but for what is given."""
    calm = {
        "train_loss": np.linspace(0.6, 0.4, n),
        "select_loss": 0.5 + 0.1 / (1 + np.arange(n)) ** 2,
        "score": np.linspace(0.6, 0.8, n),
        "clipped": np.zeros(n),
        "gradient_norm": np.full(n, 0.3),
        "gradient_norm_max": np.full(n, 2.0),
        "update_ratio": np.full(n, 3e-3),
    }
    table = {**calm, **{name: np.broadcast_to(value, n) for name, value in columns.items()}}
    rows = [
        {"epoch": index + 1, **{name: float(values[index]) for name, values in table.items()}}
        for index in range(n)
    ]
    return build_history(rows, horizon, prior)


def list_codes(history):
    return [sign.code for sign in find_signs(history)]


def test_a_calm_training_shows_nothing():
    assert list_codes(build()) == []
    assert find_signs(History(steps=(), horizon=5)) == ()


RISING = np.concatenate([np.linspace(0.6, 0.45, 10), np.linspace(0.46, 0.6, 10)])


@pytest.mark.parametrize(
    ("columns", "code", "number"),
    [
        (
            {"gradient_norm_max": np.where(np.arange(N) == 6, 4e4, 2.0)},
            "exploding",
            "4e+04 in epoch 7",
        ),
        ({"gradient_norm": 1e-9, "gradient_norm_max": 1e-8}, "vanishing", "1e-09"),
        ({"score": 0.49}, "stuck", "20 of 20 epochs"),
        ({"update_ratio": 0.034}, "rate_high", "3.4%"),
        ({"update_ratio": 2e-5}, "rate_low", "2e-05"),
        ({"clipped": 0.42}, "clipped", "42%"),
        ({"select_loss": RISING}, "overfitting", "0.45 to 0.6"),
        ({"select_loss": np.linspace(0.9, 0.5, N)}, "underfitting", "last 4 of 20 epochs"),
    ],
)
def test_each_history_shows_exactly_its_sign_with_its_numbers(columns, code, number):
    (sign,) = find_signs(build(**columns))
    assert sign.code == code
    assert number in sign.text


def test_four_worse_epochs_are_no_sign():
    losses = 0.5 + 0.1 / (1 + np.arange(N)) ** 2
    losses[10:15] = [0.51, 0.52, 0.53, 0.54, 0.5]
    assert list_codes(build(select_loss=losses)) == []


def test_a_training_that_was_cut_is_not_blamed_for_its_length():
    falling = np.linspace(0.9, 0.7, 8)
    assert list_codes(build(n=8, horizon=20, select_loss=falling)) == []
    assert list_codes(build(n=3, horizon=20, score=0.4)) == []  # too early to be stuck


def test_a_rate_that_falls_to_nothing_is_not_too_low():
    ratios = np.concatenate([np.full(5, 2e-3), np.full(15, 1e-6)])
    assert list_codes(build(update_ratio=ratios)) == []


def test_rows_of_older_files_and_of_trees_have_fewer_numbers():
    rows = [{"epoch": n, "train_loss": 0.5, "select_loss": None, "score": math.nan} for n in (2, 1)]
    history = build_history(rows, 2)
    assert history.steps[0] == Step(number=1, train_loss=0.5)
    assert find_signs(history) == ()


@pytest.mark.parametrize(("rate", "code"), [(1e-7, "rate_low"), (0.5, "rate_high")])
def test_real_trainings_show_wrong_rates(rate, code):
    config = SMALL_MLP | {"optimizer.adamw.lr": rate, "schedule": "constant", "dropout": 0.0}
    prepared, task = build_prepared(TaskType.BINARY), build_task(TaskType.BINARY)
    _, epochs = drive(train(prepared, task, build_request("mlp", config, max_epochs=4)))
    steps = tuple(Step(number=epoch.number, update_ratio=epoch.update_ratio) for epoch in epochs)
    assert list_codes(History(steps=steps, horizon=20)) == [code]


def test_it_costs_no_torch():
    code = "import sys, automl.training.signs; print('torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
