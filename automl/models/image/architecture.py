"""One line that names an image architecture: equal lines, equal architectures. No torch."""

from automl.models.image.backbones import get_backbone
from automl.models.image.macro_config import TOKEN_KINDS, MacroConfig, parse_macro
from automl.models.tabular.config import read
from automl.space.dimensions import Config

NORM_WORDS = {"batch": "batch norm", "group": "group norm"}
POOL_WORDS = {"max": "max pool", "stride": "strided", "blur": "blur pool"}


def render_image_architecture(family: str, config: Config) -> str:
    """The canonical architecture, without what only concerns training.

    ``CNN whiten, 3 stages plain 32-64-128 × 1-1-1, 3×3, batch norm, gelu, max pool``
    """
    match family:
        case "small_cnn":
            return "Small CNN 32-64, dense 128"
        case "cnn":
            return _render_macro(parse_macro(config))
        case "classic":
            from automl.models.image.classic_space import render_classic

            return render_classic(config)
        case _:
            return _render_pretrained(config)


def _render_macro(parsed: MacroConfig) -> str:
    stages, style = parsed.stages, parsed.style
    kind, last = stages[0].kind, stages[-1].kind
    widths = "-".join(str(stage.width) for stage in stages)
    blocks = "-".join(str(stage.n_blocks) for stage in stages)
    parts = [
        f"CNN {parsed.stem}",
        f"{len(stages)} stages {kind}{_render_kind(parsed)} {widths} × {blocks}",
        f"{style.kernel}×{style.kernel}",
        NORM_WORDS[style.norm],
        style.activation,
        POOL_WORDS[style.pool],
    ]
    if last != kind:
        parts.append(f"last stage {last}")
    if not stages[0].halves:
        parts.append("full first map")
    if style.squeeze and kind not in TOKEN_KINDS:
        parts.append(f"squeeze {style.squeeze}")
    if parsed.head_pool == "max":
        parts.append("max head")
    return ", ".join(parts)


def _render_pretrained(config: Config) -> str:
    backbone = get_backbone(read(config, "backbone", str))
    side = backbone.fit_side(read(config, "input_side", int))
    classifier = read(config, "classifier", str)
    if classifier == "mlp":
        classifier = f"MLP {read(config, 'classifier.mlp.width', int)}"
    return f"Pretrained {backbone.tag}, {side} px, {classifier} classifier"


def _render_kind(parsed: MacroConfig) -> str:
    """What only one kind of block has."""
    style = parsed.style
    if style.expansion:
        return f" (expand {style.expansion})"
    if style.growth:
        return f" ({style.n_layers} layers of {style.growth})"
    return ""
