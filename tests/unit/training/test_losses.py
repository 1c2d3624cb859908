import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch.nn import functional

from automl.data.views import Part
from automl.errors import SpecError
from automl.models.tabular.loss_config import ClassWeights, LossConfig
from automl.training.losses import (
    check_loss,
    compute_loss,
    compute_row_losses,
    compute_row_weights,
)
from automl.training.network import NetworkRun
from automl.training.run import train
from tests.unit.training.tables import (
    SMALL_MLP,
    TaskType,
    build_prepared,
    build_request,
    build_task,
    drive,
)

LOGITS = torch.randn(50, 3, generator=torch.Generator().manual_seed(0)) * 3
CLASSES = torch.randint(0, 3, (50,), generator=torch.Generator().manual_seed(1))
VALUES = torch.linspace(-4, 4, 50)
TARGETS = VALUES.flip(0) * 0.7


def of_classes(name, **numbers):
    return compute_row_losses(LossConfig(name=name, **numbers), LOGITS, CLASSES)


def of_numbers(name, **numbers):
    return compute_row_losses(LossConfig(name=name, **numbers), VALUES[:, None], TARGETS)


def test_smoothing_puts_its_mass_on_all_classes():
    log_p = LOGITS.log_softmax(1)
    by_hand = 0.9 * -log_p[torch.arange(50), CLASSES] + 0.1 * -log_p.mean(1)  # eps/K each
    assert torch.allclose(of_classes("smoothed", smoothing=0.1), by_hand, atol=1e-6)


def test_focal_without_gamma_is_cross_entropy():
    plain = functional.cross_entropy(LOGITS, CLASSES, reduction="none")
    assert torch.allclose(of_classes("cross_entropy"), plain)
    assert torch.allclose(of_classes("focal", gamma=0.0), plain)


def test_focal_by_hand():
    p = LOGITS.softmax(1)[torch.arange(50), CLASSES]
    by_hand = (1 - p) ** 2 * -p.log()
    assert torch.allclose(of_classes("focal", gamma=2.0), by_hand, atol=1e-6)


@pytest.mark.parametrize("gamma", [0.5, 2.0])
def test_focal_has_a_finite_slope_where_the_model_is_certain(gamma):
    output = torch.tensor([[60.0, -60.0], [-200.0, 200.0]], requires_grad=True)
    loss = compute_loss(LossConfig(name="focal", gamma=gamma), output, torch.tensor([0, 0]))
    loss.backward()
    assert torch.isfinite(loss)
    assert torch.isfinite(output.grad).all()


def test_numbers_equal_the_losses_of_torch():
    each = {"reduction": "none"}
    assert torch.allclose(of_numbers("mse"), functional.mse_loss(VALUES, TARGETS, **each))
    assert torch.allclose(of_numbers("mae"), functional.l1_loss(VALUES, TARGETS, **each))
    for delta in (0.5, 1.0):
        wanted = functional.huber_loss(VALUES, TARGETS, delta=delta, **each)
        assert torch.allclose(of_numbers("huber", delta=delta), wanted)


def test_log_cosh_is_stable_and_equals_its_definition():
    assert torch.allclose(of_numbers("log_cosh"), (VALUES - TARGETS).cosh().log(), atol=1e-5)
    far = torch.tensor([[1e4], [-1e4], [0.0]], requires_grad=True)
    losses = compute_row_losses(LossConfig(name="log_cosh"), far, torch.zeros(3))
    losses.sum().backward()
    assert losses.tolist() == pytest.approx([1e4 - math.log(2)] * 2 + [0.0], abs=1e-3)
    assert far.grad.flatten().tolist() == pytest.approx([1.0, -1.0, 0.0], abs=1e-6)


@pytest.mark.parametrize("tau", [0.1, 0.5, 0.9])
def test_pinball_is_least_at_the_quantile(tau):
    values = torch.linspace(0, 1, 1001)
    config = LossConfig(name="pinball", tau=tau)
    guesses = torch.linspace(0, 1, 101)
    losses = [float(compute_loss(config, guess.expand(1001, 1), values)) for guess in guesses]
    assert float(guesses[int(np.argmin(losses))]) == pytest.approx(tau, abs=0.011)
    if tau == 0.5:
        half = of_numbers("mae") / 2
        assert torch.allclose(of_numbers("pinball", tau=tau), half)


def test_a_weight_counts_like_so_many_rows():
    config, times = LossConfig(name="cross_entropy"), torch.arange(50) % 4
    repeated = compute_loss(
        config, LOGITS.repeat_interleave(times, 0), CLASSES.repeat_interleave(times)
    )
    weight = times / times.float().mean()
    assert float(compute_loss(config, LOGITS, CLASSES, weight)) == pytest.approx(
        float(repeated), rel=1e-5
    )


def test_class_weights_have_mean_one_and_lift_rare_classes():
    target = np.repeat([0, 1], [90, 10])
    for kind, ratio in ((ClassWeights.BALANCED, 9), (ClassWeights.SQRT, 3)):
        config = LossConfig(name="cross_entropy", class_weights=kind)
        weight = compute_row_weights(config, target)
        assert weight.mean() == pytest.approx(1)
        assert weight[-1] / weight[0] == pytest.approx(ratio)
    assert compute_row_weights(LossConfig(name="cross_entropy"), target) is None


def test_balanced_loss_at_chance_is_log_k():
    target = np.repeat([0, 1, 2], [95, 4, 1])
    config = LossConfig(name="cross_entropy", class_weights=ClassWeights.BALANCED)
    weight = torch.from_numpy(compute_row_weights(config, target))
    loss = compute_loss(config, torch.zeros(100, 3), torch.from_numpy(target), weight)
    assert float(loss) == pytest.approx(math.log(3), rel=1e-5)


def test_given_weights_are_part_of_the_class_counts():
    target, given = np.array([0, 0, 1]), np.array([1.0, 3.0, 2.0])
    config = LossConfig(name="cross_entropy", class_weights=ClassWeights.BALANCED)
    weight = compute_row_weights(config, target, given)
    assert weight.mean() == pytest.approx(1)
    assert weight[:2].sum() == pytest.approx(weight[2])  # both classes weigh the same
    assert weight[1] == pytest.approx(3 * weight[0])
    only = compute_row_weights(LossConfig(name="mse"), np.zeros(3), given)
    assert only.tolist() == pytest.approx([0.5, 1.5, 1.0])


def test_a_loss_that_does_not_fit_is_refused():
    binary, number = build_task(TaskType.BINARY), build_task(TaskType.REGRESSION)
    with pytest.raises(SpecError, match="'huber'"):
        check_loss(LossConfig(name="huber"), binary)
    with pytest.raises(SpecError, match="'focal'"):
        check_loss(LossConfig(name="focal"), number)
    with pytest.raises(SpecError, match="no classes"):
        check_loss(LossConfig(name="mse", class_weights=ClassWeights.SQRT), number)
    with pytest.raises(SpecError, match="'hinge'"):
        compute_row_losses(LossConfig(name="hinge"), VALUES[:, None], TARGETS)
    with pytest.raises(SpecError, match="tau"):
        LossConfig(name="pinball", tau=1.0)


@pytest.mark.parametrize(
    ("task_type", "loss"),
    [
        (TaskType.BINARY, {"loss": "smoothed", "loss.smoothed.smoothing": 0.1}),
        (TaskType.BINARY, {"loss": "focal", "loss.focal.gamma": 2.0, "class_weights": "balanced"}),
        (TaskType.REGRESSION, {"loss": "huber"}),
        (TaskType.REGRESSION, {"loss": "pinball", "loss.pinball.tau": 0.9}),
    ],
)
def test_a_network_learns_with_it(task_type, loss):
    prepared, task = build_prepared(task_type), build_task(task_type)
    request = build_request("mlp", {**SMALL_MLP, **loss}, max_epochs=10)
    trained, epochs = drive(train(prepared, task, request))
    assert epochs[-1].train_loss < 0.85 * epochs[0].train_loss
    floor, _ = drive(train(prepared, task, build_request("constant")))
    assert trained.score > floor.score or loss["loss"] == "pinball"
    if loss["loss"] == "pinball":
        truth = prepared.target[prepared.parts[Part.SELECT]]
        assert (truth < trained.select_prediction).mean() > 0.7


def test_class_weights_reach_the_steps():
    target = (np.arange(400) % 20 == 0).astype(np.int64)
    prepared = replace(build_prepared(TaskType.BINARY), target=target)
    request = build_request("mlp", SMALL_MLP | {"class_weights": "balanced"})
    run = NetworkRun(prepared, build_task(TaskType.BINARY), request)
    assert float(run.rows.weight.mean()) == pytest.approx(1, rel=1e-5)
    rare = run.rows.weight[run.rows.target == 1]
    assert float(rare.min()) > 5


def test_huber_beats_mse_on_clean_rows_when_targets_are_spoilt():
    """House values of a region: five features, 5 % of the training targets 20 times too large."""
    rng = np.random.default_rng(0)
    prepared = build_prepared(TaskType.REGRESSION, n_rows=1500)
    signal = prepared.views.quantile[:, :3] @ np.array([1.0, 2.0, -1.0])
    clean = np.exp(0.3 * signal) + 1 + 0.1 * rng.normal(size=1500)
    spoilt = clean.copy()
    rows = rng.choice(prepared.parts[Part.TRAIN], 45, replace=False)
    spoilt[rows] *= 20
    known = spoilt[prepared.parts[Part.TRAIN]]
    prepared = replace(
        prepared, target=spoilt, target_mean=float(known.mean()), target_scale=float(known.std())
    )
    test = prepared.parts[Part.TEST]
    errors = {}
    for loss in ("mse", "huber"):
        request = build_request("mlp", SMALL_MLP | {"loss": loss, "dropout": 0.0}, max_epochs=12)
        trained, _ = drive(train(prepared, build_task(TaskType.REGRESSION), request))
        predicted = trained.predictor.predict(prepared.views.take(test))
        errors[loss] = math.sqrt(np.mean((predicted - clean[test]) ** 2))
    assert errors["huber"] < 0.8 * errors["mse"]
