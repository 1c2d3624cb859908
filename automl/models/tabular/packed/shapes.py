"""How the networks of a pack are laid out: what each has, and how far it is padded."""

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet

from torch import Tensor

from automl.models.tabular.layers import ResidualLayer
from automl.models.tabular.networks import Network
from automl.models.tabular.packed.inputs import TABLE, count_columns, find_columns
from automl.models.tabular.packed.layout import Layout, build_layout

FIRST = {"mlp": "body.layer1.linear", "resnet": "body.first"}
Shapes = dict[str, tuple[int, ...]]
Padded = dict[str, tuple[int, ...]]  # by name: members, then the shape


def lay_out(family: str, networks: Sequence[Network], decayed: AbstractSet[str]) -> Layout:
    """The layout of networks sorted by depth, the deepest first."""
    shapes = [
        {name: tuple(value.shape) for name, value in network.named_parameters()}
        for network in networks
    ]
    inputs = [network.inputs for network in networks]
    first = f"{FIRST[family]}.weight"
    width = max(shape[first][0] for shape in shapes)
    padded: Padded = {first: (len(networks), width, count_columns(inputs))}
    tables = [shape[TABLE] for shape in shapes if TABLE in shape]
    if tables:  # one more row, which stays zero
        n_codes, d_embedding = (max(sizes) for sizes in zip(*tables, strict=True))
        padded[TABLE] = (len(networks), n_codes + 1, d_embedding)
    if family == "mlp":
        is_residual = any(
            isinstance(part, ResidualLayer) for one in networks for part in one.body.children()
        )
        padded |= _pad_mlp(shapes, is_residual=is_residual)
    else:
        padded |= _pad_resnet(shapes)
    columns: dict[str, list[Tensor]] = {first: find_columns(inputs)}
    return build_layout(shapes, decayed=decayed, padded=padded, columns=columns)


def _pad_mlp(shapes: Sequence[Shapes], *, is_residual: bool) -> Padded:
    """Each layer reads what the one before gives, and all that have it lie in front; so do the heads."""
    padded: Padded = {}
    index, before, widest = 1, 0, 0
    while owners := [shape for shape in shapes if f"body.layer{index}.linear.bias" in shape]:
        stem, count = f"body.layer{index}", len(owners)
        width = max(shape[f"{stem}.linear.bias"][0] for shape in owners)
        normed = before if is_residual and index > 1 else width
        padded |= _keep_known(
            owners,
            {
                f"{stem}.norm.weight": (count, normed),
                f"{stem}.norm.bias": (count, normed),
                f"{stem}.shortcut.weight": (count, width, before),
            },
        )
        if index > 1:
            padded[f"{stem}.linear.weight"] = (count, width, before)
        index, before, widest = index + 1, width, max(widest, width)
    padded["body.head.weight"] = (len(shapes), shapes[0]["body.head.bias"][0], widest)
    return padded


def _pad_resnet(shapes: Sequence[Shapes]) -> Padded:
    """All blocks read and write the same units."""
    padded: Padded = {}
    width = max(shape["body.first.bias"][0] for shape in shapes)
    index = 1
    while owners := [shape for shape in shapes if f"body.block{index}.first.bias" in shape]:
        stem, count = f"body.block{index}", len(owners)
        inner = max(shape[f"{stem}.first.bias"][0] for shape in owners)
        norm = {f"{stem}.norm.weight": (count, width), f"{stem}.norm.bias": (count, width)}
        padded |= _keep_known(owners, norm) | {
            f"{stem}.first.weight": (count, inner, width),
            f"{stem}.second.weight": (count, width, inner),
            f"{stem}.second.bias": (count, width),
        }
        index += 1
    norm = {f"body.norm.{suffix}": (len(shapes), width) for suffix in ("weight", "bias")}
    return padded | _keep_known(shapes, norm)


def _keep_known(owners: Sequence[Shapes], padded: Mapping[str, tuple[int, ...]]) -> Padded:
    """Only what at least one member has."""
    known = {name for shape in owners for name in shape}
    return {name: size for name, size in padded.items() if name in known}
