"""One network at 32 rates: equal to the network alone, repeatable, and never over a tenth of what diverges."""

import json
from dataclasses import asdict, replace

import numpy as np
import pytest

from automl.data.views import Part
from automl.errors import DataError, SpecError
from automl.training.learning_rates import N_RATES, N_STEPS, SAFETY, RateTest
from automl.training.packs.sweep import sweep_rates
from automl.training.run import train
from tests.unit.training.packs.drive import NO_DROPOUT, SGD
from tests.unit.training.tables import (
    FAMILIES,
    SMALL_MLP,
    TaskType,
    build_prepared,
    build_request,
    build_task,
    drive,
)

BINARY, TASK = build_prepared(TaskType.BINARY), build_task(TaskType.BINARY)
TINY = {
    "mlp": SMALL_MLP | NO_DROPOUT["mlp"] | {"depth": 1, "width": 16},
    "resnet": FAMILIES["resnet"].default
    | {"blocks": 1, "width": 16, "hidden_factor": 1.0, "numeric_embedding.piecewise.bins": 8},
}


def sweep(prepared, task, request) -> tuple[RateTest, list[float]]:
    steps, shares = sweep_rates(prepared, task, request, "MLP 7"), []
    try:
        while True:
            shares.append(next(steps))
    except StopIteration as end:
        return end.value, shares


@pytest.fixture(scope="module")
def found():
    return sweep(BINARY, TASK, build_request("mlp", TINY["mlp"]))


def test_each_rate_trains_as_the_network_alone_would(found):
    n_rows = len(BINARY.parts[Part.TRAIN])
    sizes = [64] * (n_rows // 64) + [n_rows % 64]
    for place in (6, 18):
        rate = {"schedule": "steady", "optimizer.adamw.lr": found[0].rates[place]}
        request = build_request("mlp", TINY["mlp"] | rate, max_epochs=3)
        for number, epoch in enumerate(drive(train(BINARY, TASK, request))[1]):
            losses = found[0].losses[place][number * len(sizes) : (number + 1) * len(sizes)]
            assert np.average(losses, weights=sizes) == pytest.approx(epoch.train_loss, rel=2e-3)


def test_the_record_says_what_was_done_and_is_repeatable(found):
    record, shares = found
    assert record == sweep(BINARY, TASK, build_request("mlp", TINY["mlp"]))[0]
    assert len(record.rates) == N_RATES
    assert record.n_steps == N_STEPS
    assert shares == sorted(shares)
    assert shares[-1] == pytest.approx(1)
    assert (record.network, record.optimizer, record.chosen) == ("MLP 7", "adamw", 5e-3)
    assert (record.n_rows, record.batch_size, record.seed) == (240, 64, 0)
    firsts = [row[0] for row in record.losses]
    assert firsts == pytest.approx([firsts[0]] * N_RATES, rel=1e-4)  # same weights, same batch


def test_the_suggestion_learns_and_lies_far_from_what_diverges(found):
    task_type = TaskType.REGRESSION
    request = build_request("resnet", TINY["resnet"])
    other, _ = sweep(build_prepared(task_type), build_task(task_type), request)
    for record in (found[0], other):
        assert 1e-4 < record.suggested < 0.2
        if record.first_diverging is not None:
            assert record.suggested <= record.first_diverging / SAFETY
        ends = dict(zip(record.rates, (row[-1] for row in record.smoothed), strict=True))
        nearest = min(ends, key=lambda rate: abs(np.log(rate / record.suggested)))
        assert ends[nearest] < 0.8 * record.smoothed[0][-1]


def test_losses_that_are_no_number_are_kept_as_none_and_few_rows_are_read():
    huge = np.copysign(np.float32(3e38), BINARY.views.quantile)
    wild = replace(BINARY, views=replace(BINARY.views, quantile=huge))
    sgd = {
        key: value for key, value in TINY["mlp"].items() if "adamw" not in key and "." not in key
    }
    config = {**sgd, **SGD, "numeric_embedding": "none"}
    record, _ = sweep(wild, TASK, build_request("mlp", config, batch_size=2))
    assert record.optimizer == "sgd"
    assert record.n_rows == N_STEPS * 2  # as many as the steps need
    assert record.suggested is None
    assert record.first_diverging == record.rates[0]
    assert any(loss is None for row in record.losses for loss in row)
    assert json.loads(json.dumps(asdict(record), allow_nan=False))["suggested"] is None


def test_what_cannot_be_tested_is_refused_with_the_reason():
    with pytest.raises(SpecError, match="RealMLP trains alone"):
        sweep(BINARY, TASK, build_request("realmlp"))
    nobody = replace(BINARY, parts={**BINARY.parts, Part.TRAIN: np.zeros(0, dtype=np.int64)})
    with pytest.raises(DataError, match="no rows"):
        sweep(nobody, TASK, build_request("mlp", SMALL_MLP))
