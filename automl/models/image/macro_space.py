"""The macro space of searched networks, as data: no torch.

A network is a stem, two to four stages and a head. Every stage first changes width and halves the map (a
convolution with pooling), then repeats one kind of block. A third stage, and a fourth, exist only behind
their switches, so no configuration holds parameters of a stage that is not there.
"""

from dataclasses import dataclass

from automl.models.spaces import get_limits
from automl.space.dimensions import Choice, Float, Int, Space, Switch

KERNELS = (3, 5)
LAST_KINDS = ("same", "attention", "mixer")


@dataclass(frozen=True, kw_only=True, slots=True)
class MacroLimits:
    """What a preset allows: widths ``(low, high)`` per stage (as many stages), most blocks in one stage.

    ``growth``: most channels that a layer of a dense block adds; ``can_keep_map``: whether stage 1 may leave
    the map as large as the stem gave it.
    """

    widths: tuple[tuple[int, int], ...]
    blocks: int
    kernels: tuple[int, ...] = KERNELS
    growth: int = 16
    can_keep_map: bool = False


# Half of what *quick* draws for a CPU costs 12 M multiply-adds or less at 32 px: some seconds per 7,000 pictures.
LIMITS = {
    ("quick", False): MacroLimits(
        widths=((16, 32), (32, 64), (64, 128)), blocks=2, kernels=KERNELS[:1]
    ),
    ("balanced", False): MacroLimits(widths=((16, 64), (32, 96), (64, 128)), blocks=2),
    ("thorough", False): MacroLimits(widths=((16, 64), (32, 128), (64, 128)), blocks=3),
    ("quick", True): MacroLimits(
        widths=((32, 96), (64, 192), (64, 256), (128, 256)), blocks=2, growth=32, can_keep_map=True
    ),
    ("balanced", True): MacroLimits(
        widths=((32, 128), (64, 256), (64, 384), (128, 512)), blocks=3, growth=32, can_keep_map=True
    ),
    ("thorough", True): MacroLimits(
        widths=((32, 256), (64, 384), (64, 512), (128, 512)), blocks=3, growth=32, can_keep_map=True
    ),
}


def get_macro_limits(preset: str, *, on_gpu: bool) -> MacroLimits:
    """The limits of a preset; a foreign name is a ``SpecError``."""
    get_limits(preset, on_gpu=on_gpu)
    return LIMITS[preset, on_gpu]


def build_macro_space(limits: MacroLimits, *, side: int = 0) -> Space:
    """What can be built within these limits; pictures below 16 px keep kernels of 3.

    ``side`` in pixels; 0 where it is not known yet.
    """
    is_tiny = 0 < side < 16
    return {
        "stem": Choice(options=("whiten", "conv3")),
        "block": _build_blocks(limits),
        "last": Choice(options=LAST_KINDS),
        "kernel": Choice(options=KERNELS[:1] if is_tiny else limits.kernels),
        "norm": Choice(options=("batch", "group")),
        "activation": Choice(options=("relu", "gelu", "silu")),
        "pool": Choice(options=("max", "stride", "blur")),
        "early_pool": Choice(options=(True, False) if limits.can_keep_map else (True,)),
        "squeeze": Choice(options=(0, 8, 16)),
        **_build_stages(limits),
        "head.pool": Choice(options=("avg", "max")),
        "head.dropout": Float(low=0.0, high=0.3),
        "head.scale": Choice(options=(1.0, 0.5, 0.25, 0.125)),
    }


def _build_blocks(limits: MacroLimits) -> Switch:
    """The kinds of blocks, each with what only it has."""
    return Switch(
        branches={
            "plain": {},
            "residual": {},
            "bottleneck": {},
            "separable": {},
            "inverted": {"expansion": Choice(options=(2, 4, 6))},
            "dense": {
                "growth": Int(low=8, high=limits.growth, step=8),
                "layers": Int(low=2, high=3),
            },
            "inception": {},
            "attention": {},
            "mixer": {},
        }
    )


def _build_stages(limits: MacroLimits) -> Space:
    """Labels are the same in every preset; a fourth stage that a preset does not allow is always off."""
    below: Space = {}
    for number in (4, 3):
        allowed = number <= len(limits.widths)
        branches = {"on": {**_build_stage(limits, number), **below}} if allowed else {}
        below = {f"stage{number}": Switch(branches={**branches, "off": {}})}
    first = {
        f"stage{number}.{key}": dimension
        for number in (1, 2)
        for key, dimension in _build_stage(limits, number).items()
    }
    return {**first, **below}


def _build_stage(limits: MacroLimits, number: int) -> dict[str, Int]:
    low, high = limits.widths[number - 1]
    return {
        "width": Int(low=low, high=high, step=16),
        "blocks": Int(low=1, high=limits.blocks),
    }
