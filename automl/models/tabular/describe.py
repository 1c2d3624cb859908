"""A network as a list of layers, for its drawing."""

from typing import Any

from torch import nn

from automl.models.tabular.embeddings import PiecewiseLinear
from automl.models.tabular.inputs import TabularInput
from automl.models.tabular.layers import (
    Layer,
    PreActivationBlock,
    ResidualLayer,
    count_parameters,
)
from automl.models.tabular.networks import Network
from automl.models.tabular.ntk import NTKLinear, ParametricActivation, Scale
from automl.models.tabular.periodic import PBLD
from automl.models.tabular.tabm import CopiedHead, CopiedInput
from automl.models.tabular.transformer import Block, Collected, TransformerNetwork


def describe_network(network: Network) -> list[dict[str, Any]]:
    """Layers in order: ``name, kind, output, parameters, detail``; ``output`` is values per row."""
    if isinstance(network, TransformerNetwork):
        tokens = network.tokens
        width = tokens.n_tokens * tokens.d_out
        detail = f"{tokens.n_tokens} of {tokens.d_out} values"
        layers = [_row("Tokens", "embedding", width, tokens, detail)]
    else:
        width, layers = network.inputs.d_out, _describe_inputs(network.inputs)
    for name, part in network.body.named_children():
        kind, width, detail = _describe_part(part, width)
        layers.append(_row(name, kind, width, part, detail))
    return layers


def _describe_inputs(inputs: TabularInput) -> list[dict[str, Any]]:
    layers: list[dict[str, Any]] = []
    if inputs.numeric is not None:
        embedding = inputs.numeric
        kind = "periodic embedding"
        if isinstance(embedding, PiecewiseLinear):
            size, kind = f"{embedding.left.shape[1]} bins", "piecewise embedding"
        else:
            size = f"{embedding.frequency.shape[1]} frequencies"
        if isinstance(embedding, PBLD):
            kind = "PBLD embedding"
        width = inputs.widths[0]
        layers.append(_row("Numbers", kind, inputs.n_numeric * width, embedding,
                           f"{size}, {width} per column"))  # fmt: skip
    if inputs.categorical is not None:
        d_embedding = inputs.categorical.table.embedding_dim
        width = len(inputs.categorical.offsets) * d_embedding
        layers.append(_row("Categories", "embedding", width, inputs.categorical,
                           f"{d_embedding} per column"))  # fmt: skip
    layers.append(_row("Inputs", "concatenation", inputs.d_out, None, ""))
    return layers


def _row(name: str, kind: str, output: int, part: nn.Module | None, detail: str) -> dict[str, Any]:
    count = 0 if part is None else count_parameters(part)
    return {"name": name, "kind": kind, "output": output, "parameters": count, "detail": detail}


def _describe_part(part: nn.Module, width: int) -> tuple[str, int, str]:
    match part:
        case Layer():
            detail = _details(part.norm, part.activation, part.dropout)
            return "linear", part.linear.out_features, detail
        case ResidualLayer():
            detail = _details(part.norm, part.activation, part.dropout)
            return "residual layer", part.linear.out_features, detail
        case PreActivationBlock():
            detail = _details(part.norm, part.activation, part.hidden_dropout)
            return "residual block", width, f"inner width {part.first.out_features}, {detail}"
        case nn.Linear():
            return "linear", part.out_features, ""
        case _:
            return _describe_special(part, width)


def _describe_special(part: nn.Module, width: int) -> tuple[str, int, str]:
    """Parts that only one family has."""
    match part:
        case NTKLinear():
            return "linear", len(part.bias), "neural-tangent parametrisation"
        case Scale():
            return "scaling", width, "a factor per input"
        case ParametricActivation():
            name = type(part.activation).__name__
            return "activation", width, f"{name}, its share is learned"
        case CopiedInput():
            return "scaling", width, f"{len(part.factors)} copies, each with factors of its own"
        case CopiedHead():
            return "linear", part.bias.shape[1], f"one for each of {len(part.bias)} copies"
        case Block():
            return "attention block", width, f"{part.attention.num_heads} heads"
        case Collected():
            return "linear", part.linear.out_features, "of the collecting token"
        case _:
            return type(part).__name__, width, ""


def _details(norm: nn.Module, activation: nn.Module, dropout: nn.Dropout) -> str:
    parts = [] if isinstance(norm, nn.Identity) else [type(norm).__name__]
    parts.append(type(activation).__name__)
    if dropout.p:
        parts.append(f"dropout {dropout.p:.2g}")
    return ", ".join(parts)
