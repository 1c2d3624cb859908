import subprocess
import sys

import pytest

from automl.models.catalog import FAMILIES, get_starts
from automl.models.tabular.buckets import compute_bucket

MLP = FAMILIES["mlp"].default
FREE = [
    {"depth": 1}, {"width": 40}, {"taper": 0.5}, {"norm": "layer"}, {"activation": "mish"},
    {"dropout": 0.0}, {"numeric_embedding.piecewise.bins": 17}, {"categorical_dim": 16},
    {"numeric_embedding.piecewise.dim": 4}, {"optimizer.adamw.lr": 1e-4}, {"schedule": "constant"},
    {"epochs": 9}, {"numeric_view": "robust"}, {"one_hot_limit": 4}, {"class_weights": "sqrt"},
    {"loss": "focal", "loss.focal.gamma": 2.0},
    {"optimizer": "sgd", "optimizer.sgd.lr": 0.1, "optimizer.sgd.weight_decay": 0.0},
]  # fmt: skip
BINDING = [
    {"width": 72}, {"width": 32}, {"residual": True}, {"numeric_embedding": "none"},
    {"numeric_embedding.piecewise.dim": 16},
]  # fmt: skip


@pytest.mark.parametrize("changes", FREE)
def test_what_is_free_inside_a_bucket(changes):
    assert compute_bucket("mlp", MLP | changes) == compute_bucket("mlp", MLP) != ""


@pytest.mark.parametrize("changes", BINDING)
def test_what_makes_another_bucket(changes):
    assert compute_bucket("mlp", MLP | changes) not in (compute_bucket("mlp", MLP), "")


def test_a_wide_inside_counts_for_a_residual_block():
    narrow = FAMILIES["resnet"].default | {"width": 32, "hidden_factor": 1.0}
    assert compute_bucket("resnet", narrow).startswith("resnet·32")
    assert compute_bucket("resnet", narrow | {"hidden_factor": 2.0}).startswith("resnet·64")


@pytest.mark.parametrize(
    ("family", "config"),
    [
        ("linear", {"C": 1.0}),
        ("constant", {}),
        ("mlp", MLP | {"something_new": 1}),
        ("mlp", MLP | {"numeric_embedding": "unheard_of"}),
    ],
)
def test_what_a_pack_does_not_know_trains_alone(family, config):
    assert compute_bucket(family, config) == ""


def test_target_means_train_alone_and_their_absence_changes_nothing():
    assert compute_bucket("mlp", MLP | {"target_encoding": True}) == ""
    assert compute_bucket("mlp", MLP | {"target_encoding": False}) == compute_bucket("mlp", MLP)


@pytest.mark.parametrize("family", ["mlp", "resnet"])
def test_all_starts_may_be_packed(family):
    assert all(
        compute_bucket(family, config) for config in (FAMILIES[family].default, *get_starts(family))
    )


def test_a_bucket_costs_no_torch():
    code = "import sys, automl.models.tabular.buckets; assert 'torch' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)
