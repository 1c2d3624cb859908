"""Shapes of picture sets and configurations for the tests of image networks."""

import random

import torch

from automl.data.views import ViewShape
from automl.models.image.macro_space import build_macro_space, get_macro_limits
from automl.models.image.starts import CNN_DEFAULT
from automl.space.sampling import sample


def build_shape(side=32, channels=3, n_outputs=10):
    return ViewShape(
        n_raw=0, n_quantile=0, n_quantile_numeric=0, cardinalities=(), n_outputs=n_outputs, side=side,
        channels=channels, image_mean=(0.5,) * channels, image_std=(0.25,) * channels,
    )  # fmt: skip


class Dice:
    """Uniform proposals."""

    def __init__(self, seed):
        self.random = random.Random(seed)

    def suggest_int(self, name, low, high, *, step=1, log=False):  # noqa: ARG002
        return self.random.randrange(low, high + 1, step)

    def suggest_float(self, name, low, high, *, log=False):  # noqa: ARG002
        return self.random.uniform(low, high)

    def suggest_categorical(self, name, choices):  # noqa: ARG002
        return self.random.choice(list(choices))


def draw_macro(seed, preset="balanced", *, on_gpu=False, side=32):
    space = build_macro_space(get_macro_limits(preset, on_gpu=on_gpu), side=side)
    return sample(space, Dice(seed))


BELOW = {
    "inverted": {"block.inverted.expansion": 2},
    "dense": {"block.dense.growth": 8, "block.dense.layers": 2},
}


def build_config(block="plain", **changes):
    """A small macro configuration; ``__`` in a keyword stands for a dot."""
    small = {"stage1.width": 16, "stage2.width": 32, "stage3.on.width": 32, "head.scale": 1.0,
             "activation": "gelu", "head.pool": "avg"}  # fmt: skip
    dotted = {label.replace("__", "."): value for label, value in changes.items()}
    config = {**CNN_DEFAULT, **small, "block": block, **BELOW.get(block, {}), **dotted}
    if config["stage3"] == "off":
        config = {k: v for k, v in config.items() if not k.startswith("stage3.")}
    return config


def draw_pictures(n=8, side=32, channels=3, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(n, channels, side, side, generator=generator)


def wake(network):
    """Scales and filters that start at zero become ordinary numbers, as after the first steps."""
    for parameter in network.parameters():
        if parameter.detach().abs().max() == 0:
            torch.nn.init.normal_(parameter, std=0.5)


def list_unreached(network, pictures):
    """Names of parameters whose gradient is zero or missing."""
    network.train()
    weights = torch.linspace(-1, 1, 10)
    (network(pictures) * weights).square().sum().backward()
    return [
        name
        for name, p in network.named_parameters()
        if p.grad is None or not p.grad.abs().sum() > 0
    ]
