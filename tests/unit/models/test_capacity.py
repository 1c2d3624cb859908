"""How many networks share a pack: as many as gain from it on the device."""

import pytest

from automl.models.starts import MLP_DEFAULT, RESNET_DEFAULT
from automl.models.tabular.capacity import compute_capacity


@pytest.mark.parametrize(
    ("width", "on_cpu", "on_gpu"),
    [(32, 8, 64), (64, 4, 64), (96, 4, 64), (128, 4, 64), (256, 1, 64), (512, 1, 32), (768, 1, 16)],
)
def test_wide_networks_share_less(width, on_cpu, on_gpu):
    config = {**MLP_DEFAULT, "width": width}
    assert compute_capacity("mlp", config, on_gpu=False) == on_cpu
    assert compute_capacity("mlp", config, on_gpu=True) == on_gpu


def test_the_widest_layer_of_a_block_counts():
    config = {**RESNET_DEFAULT, "width": 32, "hidden_factor": 2.0}
    assert compute_capacity("resnet", config, on_gpu=False) == 4
    assert compute_capacity("resnet", {**config, "hidden_factor": 1.0}, on_gpu=False) == 8


def test_what_was_measured_here_goes_before_what_is_known_of_other_machines():
    gains = {64: 1.2, 128: 2.6, 256: 1.4}
    sizes = [
        compute_capacity("mlp", {**MLP_DEFAULT, "width": width}, on_gpu=False, gains=gains)
        for width in (32, 64, 96, 256, 512)
    ]
    assert sizes == [1, 1, 8, 4, 1]
    narrow = {**MLP_DEFAULT, "width": 32}
    assert compute_capacity("mlp", narrow, on_gpu=False, gains={}) == 8  # nothing was found out
    assert compute_capacity("mlp", narrow, on_gpu=True, gains=gains) == 64
