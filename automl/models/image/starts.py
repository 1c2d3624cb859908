"""Start lists of the image families: configurations worth trying before any sampler proposes one."""

from collections.abc import Mapping

from automl.space.dimensions import Config, Value


def _cnn(**changes: Value) -> dict[str, Value]:
    """The default of ``cnn`` with changes; ``__`` in a keyword stands for a dot."""
    return {
        **CNN_DEFAULT,
        **{label.replace("__", "."): value for label, value in changes.items()},
    }


_SHARED_RECIPE = ("schedule", "label_smoothing", "flip", "translate", "cutout", "mix", "policy",
                  "resolution", "ema", "tta", "epochs")  # fmt: skip
CNN_DEFAULT: Config = {
    "stem": "whiten",
    "block": "plain",
    "last": "same",
    "kernel": 3,
    "norm": "batch",
    "activation": "silu",
    "pool": "max",
    "early_pool": True,
    "squeeze": 0,
    "stage1.width": 32,
    "stage1.blocks": 1,
    "stage2.width": 64,
    "stage2.blocks": 1,
    "stage3": "on",
    "stage3.on.width": 128,
    "stage3.on.blocks": 1,
    "stage3.on.stage4": "off",
    "head.pool": "max",
    "head.dropout": 0.0,
    "head.scale": 1.0,
    "optimizer": "muon",
    "optimizer.muon.lr": 0.12,
    "optimizer.muon.weight_decay": 5e-4,
    "schedule": "linear",
    "label_smoothing": 0.1,
    "flip": "alternating",
    "translate": 0.0625,
    "cutout": 0.0,
    "mix": "none",
    "policy": "none",
    "resolution": "full",
    "ema": True,
    "tta": "flip",
    "epochs": 12,
}
CLASSIC_DEFAULT: Config = {
    "name": "resnet18",
    "width": 0.25,
    "optimizer": "muon",
    "optimizer.muon.lr": 0.1,
    "optimizer.muon.weight_decay": 5e-4,
    **{label: CNN_DEFAULT[label] for label in _SHARED_RECIPE},
}
PRETRAINED_DEFAULT: Config = {}
IMAGE_STARTS: Mapping[str, tuple[Config, ...]] = {"cnn": (_cnn(flip="none", tta="none"),)}
