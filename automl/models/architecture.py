"""One line that names an architecture: equal lines, equal architectures."""

from collections.abc import Callable, Mapping

from automl.models.tabular.config import InputConfig, parse_inputs, parse_mlp, parse_resnet
from automl.models.tabular.realmlp_config import parse_realmlp
from automl.models.tabular.tabm_config import parse_tabm
from automl.models.tabular.target_encoding import is_encoded
from automl.models.tabular.transformer_config import parse_transformer
from automl.space.dimensions import Config

NORM_WORDS: Mapping[str, str] = {
    "none": "no norm",
    "batch": "batch norm",
    "layer": "layer norm",
}


def render_architecture(family: str, config: Config) -> str:
    """The canonical architecture, without what only concerns training.

    ``MLP 3×256 relu, layer norm, residual, piecewise 48×12, categories 8``
    """
    line = _render_family(family, config)
    return f"{line}, target means" if is_encoded(config) else line


def _render_family(family: str, config: Config) -> str:
    match family:
        case "mlp" | "resnet" | "realmlp" | "tabm" | "ft_transformer":
            return _NETWORKS[family](config)
        case "boosting":
            return _render_boosting(config)
        case "lightgbm":
            return f"LightGBM trees of {config.get('num_leaves', 31)} leaves"
        case "small_cnn" | "cnn" | "classic" | "pretrained":
            from automl.models.image.architecture import render_image_architecture

            return render_image_architecture(family, config)
        case _:
            return family.capitalize()


def _render_mlp(config: Config) -> str:
    parsed = parse_mlp(config)
    widths = parsed.widths
    same = len(set(widths)) == 1
    size = f"{len(widths)}×{widths[0]}" if same else "-".join(map(str, widths))
    parts = [f"MLP {size} {parsed.activation}", NORM_WORDS[parsed.norm]]
    if parsed.is_residual and len(widths) > 1:  # the first layer has nothing to skip
        parts.append("residual")
    return ", ".join(parts + _render_inputs(parsed.inputs))


def _render_resnet(config: Config) -> str:
    parsed = parse_resnet(config)
    size = f"{parsed.n_blocks}×({parsed.d_block}→{parsed.d_hidden})"
    parts = [f"ResNet {size} {parsed.activation}", NORM_WORDS[parsed.norm]]
    return ", ".join(parts + _render_inputs(parse_inputs(config)))


def _render_realmlp(config: Config) -> str:
    parsed = parse_realmlp(config)
    size = f"RealMLP {parsed.n_layers}×{parsed.width} {parsed.activation}"
    return ", ".join([size, *_render_inputs(parsed.inputs)])


def _render_tabm(config: Config) -> str:
    parsed = parse_tabm(config)
    size = f"TabM-mini {parsed.n_blocks}×{parsed.width}, {parsed.n_copies} copies"
    return ", ".join([size, *_render_inputs(parsed.inputs)])


def _render_transformer(config: Config) -> str:
    parsed = parse_transformer(config)
    return f"FT-Transformer {parsed.n_blocks}×{parsed.d_token}"


def _render_inputs(inputs: InputConfig) -> list[str]:
    numeric = "plain numbers"
    if inputs.n_bins:
        numeric = f"piecewise {inputs.n_bins}×{inputs.d_numeric}"
    elif inputs.n_frequencies:
        kind = "pbld" if inputs.is_pbld else "periodic"
        numeric = f"{kind} {inputs.n_frequencies}×{inputs.d_numeric}"
    return [numeric, f"categories {inputs.d_categorical}"]


def _render_boosting(config: Config) -> str:
    return f"Trees of {config.get('max_leaf_nodes', 31)} leaves"


_NETWORKS: Mapping[str, Callable[[Config], str]] = {
    "mlp": _render_mlp,
    "resnet": _render_resnet,
    "realmlp": _render_realmlp,
    "tabm": _render_tabm,
    "ft_transformer": _render_transformer,
}
