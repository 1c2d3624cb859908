"""The weights of a search: found or fetched and pinned before it begins; what cannot be had is left out, aloud."""

from dataclasses import replace
from pathlib import Path

from automl.data.dataset import DataKind, Note
from automl.models.catalog import list_families
from automl.models.image.pretrained_space import narrow_backbones
from automl.models.image.weights import find_available, record_weights
from automl.search.spec import SearchSpec
from automl.search.turns import is_searched
from automl.space.dimensions import Choice

FAMILY = "pretrained"


def prepare_weights(spec: SearchSpec, folder: Path) -> tuple[tuple[str, ...], tuple[Note, ...]]:
    """Pin the weights of every backbone in the spec's space under ``folder``; their tags and what to say.

    Uses the network only where the spec says that the hub is allowed. A search on tables says nothing.
    """
    if FAMILY not in spec.families:
        message = find_available(spec.weights).message
        others = {name for name in list_families(DataKind.IMAGES) if is_searched(name)} - {FAMILY}
        if not message or not others <= set(spec.families):
            return (), ()  # a table, or somebody chose families by name
        return (), (_note(message, "warning"),)
    backbone = spec.spaces[FAMILY]["backbone"]
    wanted = tuple(map(str, backbone.options)) if isinstance(backbone, Choice) else ()
    files, texts = record_weights(spec.weights, wanted, folder)
    remarks = find_available(spec.weights).remarks
    notes = [_note(text, "warning") for text in texts]
    notes += [_note(text, "info") for text in remarks if any(file.tag in text for file in files)]
    return tuple(file.tag for file in files), tuple(notes)


def _note(text: str, level: str) -> Note:
    return Note(code="weights", text=text, level="warning" if level == "warning" else "info")


def narrow_spec(spec: SearchSpec, tags: tuple[str, ...]) -> SearchSpec:
    """The spec with only the backbones whose weights are there; without any the family goes.

    A spec whose only family it was stays as it is: its trials then say what is missing.
    """
    if FAMILY not in spec.families:
        return spec
    if tags:
        space = narrow_backbones(spec.spaces[FAMILY], tags)
        return replace(spec, spaces={**spec.spaces, FAMILY: space})
    families = tuple(name for name in spec.families if name != FAMILY)
    if not families:
        return spec
    return replace(spec, families=families, spaces={name: spec.spaces[name] for name in families})
