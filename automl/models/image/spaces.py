"""The declared spaces of the image families: architecture and training recipe together. No torch."""

from automl.errors import SpecError
from automl.models.image.macro_space import build_macro_space, get_macro_limits
from automl.space.dimensions import Space


def get_image_space(family: str, preset: str, *, on_gpu: bool, side: int) -> Space:
    """The space of an image family; empty where there is nothing to search. ``side`` in pixels."""
    from automl.models.image.recipe_space import build_recipe_space

    match family:
        case "small_cnn":
            return {}
        case "cnn":
            architecture = build_macro_space(get_macro_limits(preset, on_gpu=on_gpu), side=side)
        case "classic":
            from automl.models.image.classic_space import build_classic_space

            architecture = build_classic_space(on_gpu=on_gpu)
        case "pretrained":
            from automl.models.image.pretrained_space import build_pretrained_space

            return build_pretrained_space(preset, on_gpu=on_gpu, side=side)
        case _:
            raise SpecError(f"{family!r} is no family of image networks.")
    return {**architecture, **build_recipe_space(preset, on_gpu=on_gpu)}
