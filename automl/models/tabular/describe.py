"""A network as a list of layers, for its drawing."""

from typing import Any

from torch import nn

from automl.models.tabular.layers import (
    Layer,
    PreActivationBlock,
    ResidualLayer,
    count_parameters,
)
from automl.models.tabular.networks import Network


def describe_network(network: Network) -> list[dict[str, Any]]:
    """Layers in order: ``name, kind, output, parameters, detail``; ``output`` is values per row."""
    inputs = network.inputs
    layers: list[dict[str, Any]] = []
    if inputs.numeric is not None:
        n_features, d_embedding = inputs.numeric.linear_weight.shape
        n_bins = inputs.numeric.left.shape[1]
        layers.append(_row("Numbers", "piecewise embedding", n_features * d_embedding,
                           inputs.numeric, f"{n_bins} bins, {d_embedding} per column"))  # fmt: skip
    if inputs.categorical is not None:
        d_embedding = inputs.categorical.table.embedding_dim
        width = len(inputs.categorical.offsets) * d_embedding
        layers.append(_row("Categories", "embedding", width, inputs.categorical,
                           f"{d_embedding} per column"))  # fmt: skip
    layers.append(_row("Inputs", "concatenation", inputs.d_out, None, ""))
    width = inputs.d_out
    for name, part in network.body.named_children():
        kind, width, detail = _describe_part(part, width)
        layers.append(_row(name, kind, width, part, detail))
    return layers


def _row(name: str, kind: str, output: int, part: nn.Module | None, detail: str) -> dict[str, Any]:
    count = 0 if part is None else count_parameters(part)
    return {"name": name, "kind": kind, "output": output, "parameters": count, "detail": detail}


def _describe_part(part: nn.Module, width: int) -> tuple[str, int, str]:
    match part:
        case Layer():
            return (
                "linear",
                part.linear.out_features,
                _details(part.norm, part.activation, part.dropout),
            )
        case ResidualLayer():
            detail = _details(part.norm, part.activation, part.dropout)
            return "residual layer", part.linear.out_features, detail
        case PreActivationBlock():
            detail = _details(part.norm, part.activation, part.hidden_dropout)
            return "residual block", width, f"inner width {part.first.out_features}, {detail}"
        case nn.Linear():
            return "linear", part.out_features, ""
        case _:
            return type(part).__name__, width, ""


def _details(norm: nn.Module, activation: nn.Module, dropout: nn.Dropout) -> str:
    parts = [] if isinstance(norm, nn.Identity) else [type(norm).__name__]
    parts.append(type(activation).__name__)
    if dropout.p:
        parts.append(f"dropout {dropout.p:.2g}")
    return ", ".join(parts)
