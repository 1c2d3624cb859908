import numpy as np
import pytest
import torch

from automl.data.task import TaskType
from automl.models.catalog import FAMILIES, resolve_build
from automl.models.tabular.inputs import build_batch
from automl.models.tabular.loss_config import LossConfig
from automl.models.tabular.network_model import TargetScale
from automl.models.tabular.tabm import CopiedHead, CopiedInput
from automl.training.losses import compute_loss
from automl.training.network import spread_copies
from tests.unit.training.tables import build_prepared


def test_with_embeddings_a_column_has_one_factor_for_all_its_values():
    copies = CopiedInput(n_copies=4, widths=(3, 1, 2), has_embeddings=True).factors
    assert torch.equal(copies[:, 0], copies[:, 2])
    assert torch.equal(copies[:, 4], copies[:, 5])
    assert not torch.equal(copies[:, 0], copies[:, 3])


def test_without_embeddings_factors_are_signs():
    factors = CopiedInput(n_copies=8, widths=(1,) * 20, has_embeddings=False).factors
    assert set(factors.detach().unique().tolist()) == {-1.0, 1.0}


def test_every_copy_has_a_head_of_its_own():
    head = CopiedHead(n_copies=3, d_in=4, n_outputs=2)
    x = torch.randn(5, 3, 4)
    out = head(x)
    for copy in range(3):
        assert torch.allclose(
            out[:, copy], x[:, copy] @ head.weight[copy] + head.bias[copy], atol=1e-6
        )


def test_copies_give_an_output_each():
    prepared = build_prepared(TaskType.MULTICLASS)
    config = FAMILIES["tabm"].default
    network = resolve_build("tabm")(config, prepared.shape)
    out = network(build_batch(prepared.views, prepared.shape))
    assert out.shape == (len(prepared.views), config["copies"], 3)


def test_the_loss_is_the_mean_of_the_copies_losses():
    output, target = torch.randn(6, 4, 3), torch.randint(3, (6,))
    weight = torch.rand(6)
    config = LossConfig(name="cross_entropy")
    together = compute_loss(config, *spread_copies(output, target, weight))
    each = [compute_loss(config, output[:, copy], target, weight) for copy in range(4)]
    assert float(together) == pytest.approx(float(torch.stack(each).mean()), rel=1e-5)
    mean = compute_loss(config, output.mean(dim=1), target, weight)
    assert abs(float(together) - float(mean)) > 1e-3


def test_predictions_are_means_of_probabilities_and_of_values():
    output = torch.randn(5, 4, 3)
    scale = TargetScale(is_regression=False)
    expected = output.double().softmax(dim=2).mean(dim=1).numpy()
    assert np.allclose(scale.restore(output), expected)
    value = TargetScale(is_regression=True, mean=10.0, scale=2.0, low=-99.0, high=99.0)
    assert np.allclose(
        value.restore(output[:, :, :1]), output[:, :, 0].mean(1).numpy() * 2 + 10, atol=1e-5
    )
