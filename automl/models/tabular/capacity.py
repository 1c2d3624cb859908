"""How many networks of a bucket train at once on a kind of device. Costs no torch."""

from collections.abc import Mapping

from automl.models.tabular.config import parse_mlp, parse_resnet
from automl.space.dimensions import Config

MOST_ON_CPU = 8
MOST_ON_GPU = 64
# (widest layer, members): on a core wide layers keep it busy alone, on a GPU memory decides
_ON_CPU = ((32, MOST_ON_CPU), (128, 4))
_ON_GPU = ((384, MOST_ON_GPU), (512, 32))
_WIDER_ON_GPU = 16
_BY_GAIN = ((2.5, MOST_ON_CPU), (1.3, 4))  # more members make each of them late


def compute_capacity(
    family: str, config: Config, *, on_gpu: bool, gains: Mapping[int, float] | None = None
) -> int:
    """Members of the largest pack for a network like this; 1 where a pack gains nothing.

    ``gains`` were measured on this machine's CPU: how many times quicker a network is in a pack than alone, by
    width. Without them goes what was measured elsewhere, on a core with batch 256, milliseconds per step and network alone and among 16: 0.50 and 0.18 at two
    layers of 32, 0.67 and 0.32 at 64, 1.61 and 1.36 at three layers of 128, 3.97 and 3.88 at 256.
    """
    width = _find_widest(family, config)
    if gains and not on_gpu and width <= max(gains):
        gain = next(gains[limit] for limit in sorted(gains) if width <= limit)
        return next((members for least, members in _BY_GAIN if gain >= least), 1)
    limits = _ON_GPU if on_gpu else _ON_CPU
    wider = _WIDER_ON_GPU if on_gpu else 1
    return next((members for limit, members in limits if width <= limit), wider)


def _find_widest(family: str, config: Config) -> int:
    if family == "resnet":
        parsed = parse_resnet(config)
        return max(parsed.d_block, parsed.d_hidden)
    return max(parse_mlp(config).widths)
