import pytest

from automl.data.task import TaskType
from automl.errors import SpecError
from automl.models.catalog import FAMILIES, get_space, get_starts
from automl.models.tabular.buckets import compute_bucket
from automl.models.tabular.loss_config import (
    ClassWeights,
    LossConfig,
    SpaceFacts,
    build_loss_space,
    parse_loss,
    with_plain_loss,
)
from automl.search.turns import build_starts
from automl.space.sampling import iterate_grid, validate_config

RARE, EVEN = (0.95, 0.05), (0.6, 0.4)


def build(task_type, metric, shares=()):
    return build_loss_space(SpaceFacts(task_type=task_type, metric=metric, class_shares=shares))


@pytest.mark.parametrize("metric", ["roc_auc", "log_loss", "brier_score", "ece"])
def test_probabilities_and_ranks_are_not_softened(metric):
    assert "loss" not in build(TaskType.BINARY, metric, EVEN)


def test_other_metrics_may_choose_their_loss():
    space = build(TaskType.BINARY, "f1", EVEN)
    assert tuple(space["loss"].branches) == ("cross_entropy", "smoothed", "focal")
    assert "class_weights" not in space


def test_class_weights_are_for_rare_classes_and_no_metric_of_probabilities():
    assert build(TaskType.BINARY, "roc_auc", RARE)["class_weights"].options == (
        "none", "sqrt", "balanced",
    )  # fmt: skip
    assert build(TaskType.BINARY, "log_loss", RARE) == {}
    even = (0.05,) * 20
    assert "class_weights" not in build(TaskType.MULTICLASS, "accuracy", even)
    assert "class_weights" in build(TaskType.MULTICLASS, "accuracy", (0.5, 0.49, 0.01))


def test_numbers_may_choose_among_robust_losses_where_a_target_lies_far_out():
    facts = SpaceFacts(task_type=TaskType.REGRESSION, metric="rmse", tail=8.0)
    assert tuple(build_loss_space(facts)["loss"].branches) == ("mse", "huber", "log_cosh")
    assert build(TaskType.REGRESSION, "rmse") == {}
    assert "mae" in build(TaskType.REGRESSION, "mae")["loss"].branches


def test_only_networks_for_tables_have_a_loss():
    facts = SpaceFacts(task_type=TaskType.REGRESSION, metric="mae")
    assert "loss" in get_space("resnet", facts=facts)
    assert "loss" not in get_space("resnet")
    assert "loss" not in get_space("boosting", facts=facts)


def test_a_configuration_without_labels_has_the_plain_loss():
    assert parse_loss({}, is_regression=True) == LossConfig(name="mse")
    assert parse_loss({}, is_regression=False) == LossConfig(name="cross_entropy")
    parsed = parse_loss(
        {"loss": "focal", "loss.focal.gamma": 2, "class_weights": "sqrt"}, is_regression=False
    )
    assert parsed == LossConfig(name="focal", gamma=2.0, class_weights=ClassWeights.SQRT)
    with pytest.raises(SpecError, match="'double'"):
        parse_loss({"class_weights": "double"}, is_regression=False)


@pytest.mark.parametrize("metric", ["f1", "mae"])
def test_every_loss_on_offer_may_share_a_pack(metric):
    task_type = TaskType.REGRESSION if metric == "mae" else TaskType.BINARY
    shares = () if task_type is TaskType.REGRESSION else RARE
    space = build(task_type, metric, shares)
    config = FAMILIES["mlp"].default
    for chosen in iterate_grid(space):
        assert compute_bucket("mlp", {**config, **chosen}) == compute_bucket("mlp", config) != ""


def test_starts_take_the_plain_loss_and_lie_in_the_space():
    facts = SpaceFacts(task_type=TaskType.BINARY, metric="f1", class_shares=RARE)
    space = get_space("mlp", facts=facts)
    config = with_plain_loss(FAMILIES["mlp"].default, space)
    validate_config(space, config)
    assert (config["loss"], config["class_weights"]) == ("cross_entropy", "none")
    assert len(build_starts({"mlp": space})) == 1 + len(get_starts("mlp"))
