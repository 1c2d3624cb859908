"""An image network as a list of boxes, for its drawing: shapes, parameters and multiply-adds."""

from collections.abc import Iterable
from typing import Any

from torch import nn

from automl.data.views import ViewShape
from automl.models.catalog import resolve_build
from automl.models.image.macs import Costs, build_on_meta, compute_costs, count_parameters
from automl.models.image.parts import Part
from automl.space.dimensions import Config

UNFOLDED_SHARE = 0.5  # a module with more of the parameters than this is shown by its children


def describe_image_network(family: str, config: Config, shape: ViewShape) -> list[dict[str, Any]]:
    """Boxes in order: ``stage, name, kind, output, parameters, macs, detail``.

    ``output`` is ``channels×height×width`` at the side of the pictures. Parameters and multiply-adds of all
    boxes add up to the totals. No weights are made.
    """
    network = build_on_meta(lambda: resolve_build(family)(config, shape))
    return describe_parts(network, shape)


def describe_parts(network: nn.Module, shape: ViewShape) -> list[dict[str, Any]]:
    """The same for a network that is built already."""
    costs = compute_costs(network, (shape.channels, shape.side, shape.side))
    parts = list(getattr(network, "parts", ())) or list(_list_children(network, ""))
    rows = [_describe(part, network, costs) for part in parts]
    return [*rows, *_describe_rest(network, costs, rows)]


def _describe(part: Part, network: nn.Module, costs: Costs) -> dict[str, Any]:
    return {
        "stage": part.stage,
        "name": part.name,
        "kind": part.kind,
        "output": _render_shape(costs.outputs.get(part.path, ())),
        "parameters": count_parameters(network.get_submodule(part.path)),
        "macs": costs.macs.get(part.path, 0),
        "detail": part.detail,
    }


def _describe_rest(
    network: nn.Module, costs: Costs, rows: list[dict[str, Any]]
) -> list[dict[str, Any]]:
    """What lies in no box (position embeddings, say), so that the columns add up."""
    parameters = count_parameters(network) - sum(row["parameters"] for row in rows)
    macs = costs.macs[""] - sum(row["macs"] for row in rows)
    if not parameters and not macs:
        return []
    return [
        {"stage": "", "name": "Between the parts", "kind": "embeddings and sums", "output": "",
         "parameters": parameters, "macs": macs, "detail": ""}
    ]  # fmt: skip


def _render_shape(shape: Iterable[int]) -> str:
    return "×".join(map(str, shape))


def _list_children(network: nn.Module, path: str) -> Iterable[Part]:
    """Boxes of a network that does not say what they are: its children, large ones by theirs."""
    total = count_parameters(network)
    for name, child in network.get_submodule(path).named_children():
        below = f"{path}.{name}" if path else name
        if any(True for _ in child.children()) and count_parameters(child) > UNFOLDED_SHARE * total:
            yield from _list_children(network, below)
        elif any(True for _ in child.parameters()):
            yield Part(path=below, stage="", name=below, kind=type(child).__name__)
