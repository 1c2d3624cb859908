"""Start lists of the image families: configurations worth trying before any sampler proposes one."""

from collections.abc import Mapping

from automl.space.dimensions import Config

CNN_DEFAULT: Config = {}
CLASSIC_DEFAULT: Config = {}
PRETRAINED_DEFAULT: Config = {}
IMAGE_STARTS: Mapping[str, tuple[Config, ...]] = {}
