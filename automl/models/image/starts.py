"""Start lists of the image families: configurations worth trying before any sampler proposes one.

What stands here was measured on 8,200 pictures of 32 px (ten classes; 1,800 others judged), in seconds of
one core. Twelve epochs of the default take about 60 s and give 82.1 % accuracy (±0.9); others of that length:

- Muon at rate .08: 80.3, .12: 81.2, .24: 79.6, .4: 79.2 (head of maxima); AdamW 78.4, SGD 78.1
- head of means 82.1, of maxima 81.2; with GELU, half logits and label smoothing .2: 82.0 (maxima), 81.8 to
  80.9 (means): no difference that this can tell
- width 64-128-128 at the same seconds (7 epochs) 74.7, with the first filters on every second pixel
  (strided, 20 epochs) 79.3: small maps early cost more than they save
- residual blocks 79.9 in 76 s; twice the epochs 81.6 (at rate .24); lower resolution first 76.4 against
  76.2 in 65 s instead of 57; averaged weights change the end by nothing and the first epochs by 10 points,
  which is what trials are compared by early on
"""

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
    "head.pool": "avg",
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
    "epochs": 16,
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
IMAGE_STARTS: Mapping[str, tuple[Config, ...]] = {
    "cnn": (
        # digits, letters, left and right: what is mirrored means something else
        _cnn(flip="none", tta="none", epochs=12),
        # longer, with more invented: where there is time
        _cnn(translate=0.125, cutout=0.25, epochs=24),
        _cnn(block="residual", **{"stage3.on.blocks": 2}),
        # few multiply-adds: large pictures, slow machines
        _cnn(block="separable", pool="stride", optimizer__muon__lr=0.08),
        # a GPU's size, after airbench94 (64-256-256); not in the spaces of CPUs
        _cnn(**{"stage1.width": 64, "stage2.width": 192, "stage3.on.width": 256,
                "stage3.on.blocks": 2}, translate=0.125, cutout=0.25, epochs=32),
    ),
}  # fmt: skip
