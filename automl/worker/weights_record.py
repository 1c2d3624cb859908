"""Where the weights of a pretrained model came from: what a result and a bundle say of it."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from automl.models.image.backbones import get_backbone
from automl.models.image.weights import WeightsPlan, read_weights

FAMILY = "pretrained"


def build_weights_record(
    family: str, config: Mapping[str, Any], plan: WeightsPlan, prepared: Path
) -> dict[str, Any]:
    """``tag``, ``source`` (folder or hub), ``sha256`` of the file and ``licence``; empty for a model without.

    ``prepared`` is the folder in which the weights of the search were pinned. No path is named: it would say
    more of a machine than of a model.
    """
    if family != FAMILY:
        return {}
    backbone = get_backbone(str(config["backbone"]))
    file = read_weights(prepared).get(backbone.tag)
    return {
        "tag": backbone.tag,
        "source": str(plan.source),
        "sha256": None if file is None else file.sha256,
        "licence": backbone.licence,
    }
