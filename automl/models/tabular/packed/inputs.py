"""Rows for many networks at once: gathered from tensors that stay on the device, then embedded."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.func import functional_call

from automl.models.tabular.embeddings import PiecewiseLinear
from automl.models.tabular.inputs import Batch, TabularInput
from automl.models.tabular.packed.operations import Pair
from automl.models.tabular.periodic import PBLD, Periodic

TABLE = "inputs.categorical.table.weight"


@dataclass(frozen=True, kw_only=True, slots=True)
class Bins:
    """The bin of each number, int16 ``(n, F)``, and how far into it, float32; beyond 0..1 in outer bins."""

    index: Tensor
    fraction: Tensor


class PackRows:
    """Rows as members with one view and one-hot limit read them, on the device.

    ``dense``: float32 ``(n, F + S)``, numbers, then what is not embedded; ``codes``: int64 ``(n, E)``, rows of the
    one table of all categories.
    """

    def __init__(self, batch: Batch, inputs: TabularInput) -> None:
        self.dense = torch.cat([batch.numeric, batch.flags.to(batch.numeric.dtype)], dim=1)
        self.n_numeric = inputs.n_numeric
        self.codes = batch.codes.long()
        if inputs.categorical is not None:
            self.codes = self.codes + inputs.categorical.offsets.to(self.codes)
        self._bins: dict[int, Bins] = {}

    def __len__(self) -> int:
        return len(self.dense)

    def find_bins(self, layer: PiecewiseLinear) -> Bins:
        """The bins of all rows, kept for all members with as many bins: edges come from the rows alone."""
        n_bins = layer.left.shape[1]
        if n_bins not in self._bins:
            self._bins[n_bins] = compute_bins(self.dense[:, : self.n_numeric], layer)
        return self._bins[n_bins]


@torch.no_grad()
def compute_bins(numeric: Tensor, layer: PiecewiseLinear) -> Bins:
    """Bins of ``(n, F)`` numbers; a constant feature is at the start of its first bin, always."""
    index = torch.zeros_like(numeric, dtype=torch.int16)
    fraction = torch.zeros_like(numeric)
    for feature in range(numeric.shape[1]):
        n_used = int((layer.high[feature] > 0).sum())
        if not n_used:
            continue
        column = numeric[:, feature].contiguous()
        left, width = layer.left[feature].to(column), layer.width[feature].to(column)
        found = torch.searchsorted(left[1:n_used].contiguous(), column, right=True)
        index[:, feature] = found.to(torch.int16)
        fraction[:, feature] = (column - left[found]) / width[found]
    return Bins(index=index, fraction=fraction)


class PiecewiseInput:
    """Piecewise-linear embeddings of all members by bin: a sum over the bins below, and a part of one.

    The same function as ``PiecewiseLinear``, which multiplies by all bins of a row; here a row costs one look
    into a table of running sums per number, whatever the number of bins.
    """

    def __init__(
        self, layers: Sequence[PiecewiseLinear], *, linear: Pair, bias: Pair, weight: Pair
    ) -> None:
        self.layers, self.linear, self.bias, self.weight = tuple(layers), linear, bias, weight
        n_members, n_features, n_bins = weight.value.shape[:3]
        device = weight.value.device
        member = torch.arange(n_members, device=device)[:, None] * n_features
        feature = torch.arange(n_features, device=device)[None]
        self._offset = ((member + feature) * n_bins)[:, None]  # (K, 1, F)
        self._saved: tuple[Tensor, ...] = ()

    @property
    def d_embedding(self) -> int:
        """Values per number of the widest member."""
        return self.weight.value.shape[3]

    def forward(
        self, x: Tensor, sources: Sequence[PackRows], rows: Tensor, *, training: bool
    ) -> Tensor:
        """``x`` ``(K, B, F)``, the numbers of ``rows`` ``(K, B)`` → ``(K, B, F, d)``."""
        picked = [
            (source.find_bins(layer), chosen)
            for source, layer, chosen in zip(sources, self.layers, rows, strict=True)
        ]
        index = torch.stack([bins.index.index_select(0, chosen) for bins, chosen in picked])
        part = torch.stack([bins.fraction.index_select(0, chosen) for bins, chosen in picked])
        part = part[..., None]
        place = (index + self._offset).flatten()
        weight = self.weight.value
        below = torch.zeros_like(weight)
        torch.cumsum(weight[:, :, :-1], dim=2, out=below[:, :, 1:])
        d = weight.shape[3]
        table = torch.cat([below, weight], dim=3).view(-1, 2 * d)
        found = table.index_select(0, place).view(*x.shape, 2 * d)
        self._saved = (x, part, place) if training else ()
        out = torch.addcmul(self.bias.value[:, None], x[..., None], self.linear.value[:, None])
        return out.add_(found[..., :d]).addcmul_(part, found[..., d:])

    def backward(self, grad: Tensor) -> None:
        """Gradients of the parameters from ``(K, B, F, d)``."""
        x, part, place = self._saved
        self._saved = ()
        torch.sum(grad, dim=1, out=self.bias.grad)
        torch.sum(grad * x[..., None], dim=1, out=self.linear.grad)
        k, n_features, n_bins, d = self.weight.value.shape
        sums = grad.new_zeros(k * n_features * n_bins, 2 * d)
        sums.index_add_(0, place, torch.cat([grad, grad * part], dim=3).view(-1, 2 * d))
        whole, partial = sums.view(k, n_features, n_bins, 2 * d).split_with_sizes([d, d], dim=3)
        # bins above: summed from the top, never as a difference, so that what no row reached stays exactly 0
        above = whole[:, :, 1:].flip(2).cumsum(2).flip(2)
        self.weight.grad.copy_(partial)
        self.weight.grad[:, :, :-1] += above


class ModuleInput:
    """Embeddings that every member computes by its own module, with automatic differentiation.

    What is learned lies in the pack's storage like all else; the modules lend their formula.
    """

    def __init__(self, layers: Sequence[Periodic | PBLD], pairs: Mapping[str, Pair]) -> None:
        self.layers = tuple(layers)
        self._values = [_find_own(layer, member, pairs) for member, layer in enumerate(layers)]
        self._saved: list[Tensor] = []

    @property
    def d_embedding(self) -> int:
        """Values per number of the widest member."""
        return max(layer.d_embedding for layer in self.layers)

    def forward(
        self, x: Tensor, sources: Sequence[PackRows], rows: Tensor, *, training: bool
    ) -> Tensor:
        """``x`` ``(K, B, F)`` → ``(K, B, F, d)``."""
        del sources, rows  # numbers say all
        out = x.new_zeros(*x.shape, self.d_embedding)
        self._saved = []
        for member, (layer, own) in enumerate(zip(self.layers, self._values, strict=True)):
            with torch.set_grad_enabled(training):
                values = {name: pair.value for name, pair in own.items()}
                found = functional_call(layer, values, (x[member],))
            out[member, ..., : found.shape[2]] = found.detach()
            if training:
                self._saved.append(found)
        return out

    def backward(self, grad: Tensor) -> None:
        """Gradients of the parameters from ``(K, B, F, d)``."""
        for member, (found, own) in enumerate(zip(self._saved, self._values, strict=True)):
            leaves = [pair.value for pair in own.values()]
            upper = grad[member, ..., : found.shape[2]]
            for pair, slope in zip(
                own.values(), torch.autograd.grad(found, leaves, upper), strict=True
            ):
                pair.grad.copy_(slope)
        self._saved = []


def _find_own(layer: nn.Module, member: int, pairs: Mapping[str, Pair]) -> dict[str, Pair]:
    """A member's share of the storage in the shapes of its module, by name; values may be differentiated by."""
    own = {}
    for name, parameter in layer.named_parameters():
        pair, inside = pairs[f"inputs.numeric.{name}"], tuple(map(slice, parameter.shape))
        value = pair.value[member][inside].detach().requires_grad_()
        own[name] = Pair(value=value, grad=pair.grad[member][inside])
    return own


class TableInput:
    """Categorical embeddings of all members from one long table.

    ``table`` is ``(K, V + 1, d)``: the last row stays zero, for columns that a member does not embed.
    """

    def __init__(self, table: Pair) -> None:
        self.table = table
        k, n_codes, _ = table.value.shape
        self.blank = n_codes - 1
        self._offset = (torch.arange(k, device=table.value.device) * n_codes)[:, None]
        self._saved: tuple[Tensor, ...] = ()

    def forward(self, codes: Tensor, *, training: bool) -> Tensor:
        """``(K, B, E)`` codes → ``(K, B, E * d)``."""
        k, n_rows, _ = codes.shape
        place = (codes.reshape(k, -1) + self._offset).flatten()
        self._saved = (place,) if training else ()
        flat = self.table.value.reshape(-1, self.table.value.shape[2])
        return flat.index_select(0, place).view(k, n_rows, -1)

    def backward(self, grad: Tensor) -> None:
        (place,) = self._saved
        self._saved = ()
        d = self.table.value.shape[2]
        sums = grad.new_zeros(self.table.value.shape[:2].numel(), d)
        sums.index_add_(0, place, grad.reshape(-1, d))
        self.table.grad.copy_(sums.view_as(self.table.grad))


class PackInput:
    """Embed and concatenate for all members: ``(K, B)`` rows → ``(K, B, d_in)``.

    Columns: numbers or their embeddings, what is not embedded, embedded categories; each part as wide as the
    widest member's, zeros behind.
    """

    def __init__(
        self,
        numeric: PiecewiseInput | ModuleInput | None,
        categorical: TableInput | None,
        n_numeric: int,
    ) -> None:
        self.numeric, self.categorical, self.n_numeric = numeric, categorical, n_numeric
        self._sizes: tuple[int, ...] = ()

    @property
    def learns(self) -> bool:
        """Whether anything in here has parameters."""
        return self.numeric is not None or self.categorical is not None

    def forward(self, sources: Sequence[PackRows], rows: Tensor, *, training: bool) -> Tensor:
        """``sources`` are per member."""
        dense = _gather([source.dense for source in sources], rows, fill=0)
        parts = [dense]
        if self.numeric is not None:
            numbers = dense[..., : self.n_numeric]
            embedded = self.numeric.forward(numbers, sources, rows, training=training)
            parts = [embedded.flatten(2), dense[..., self.n_numeric :]]
        if self.categorical is not None:
            tables = [source.codes for source in sources]
            codes = _gather(tables, rows, fill=self.categorical.blank)
            parts.append(self.categorical.forward(codes, training=training))
        self._sizes = tuple(part.shape[2] for part in parts)
        return parts[0] if len(parts) == 1 else torch.cat(parts, dim=2)

    def backward(self, grad: Tensor) -> None:
        parts = grad.split_with_sizes(self._sizes, dim=2)
        if self.numeric is not None:
            d = self.numeric.d_embedding
            self.numeric.backward(parts[0].reshape(*grad.shape[:2], -1, d))
        if self.categorical is not None:
            self.categorical.backward(parts[-1])


def _gather(tables: Sequence[Tensor], rows: Tensor, *, fill: int) -> Tensor:
    """Rows ``(K, B)`` of each member's table as one tensor; narrow tables are filled up."""
    k, n_rows = rows.shape
    if all(table is tables[0] for table in tables):
        return tables[0].index_select(0, rows.flatten()).view(k, n_rows, -1)
    width = max(table.shape[1] for table in tables)
    out = tables[0].new_full((k, n_rows, width), fill)
    for member, table in enumerate(tables):
        out[member, :, : table.shape[1]] = table.index_select(0, rows[member])
    return out


def build_input(inputs: Sequence[TabularInput], pairs: Mapping[str, Pair]) -> PackInput:
    """The inputs of all members, whose own ones hold the edges of the bins."""
    categorical = TableInput(pairs[TABLE]) if TABLE in pairs else None
    return PackInput(_build_numeric(inputs, pairs), categorical, inputs[0].n_numeric)


def _build_numeric(
    inputs: Sequence[TabularInput], pairs: Mapping[str, Pair]
) -> PiecewiseInput | ModuleInput | None:
    """Members of a pack have one kind of embedding."""
    layers = [one.numeric for one in inputs]
    waves = [layer for layer in layers if isinstance(layer, (Periodic, PBLD))]
    piecewise = [layer for layer in layers if isinstance(layer, PiecewiseLinear)]
    if waves:
        return ModuleInput(waves, pairs)
    if not piecewise:
        return None
    return PiecewiseInput(
        piecewise,
        linear=pairs["inputs.numeric.linear_weight"],
        bias=pairs["inputs.numeric.linear_bias"],
        weight=pairs["inputs.numeric.weight"],
    )


def find_columns(inputs: Sequence[TabularInput]) -> list[Tensor]:
    """Where the columns of each member's input lie in that of the pack, ``(d_out,)`` each."""
    members = [_measure_parts(one) for one in inputs]
    counts = [max(part[0] for part in column) for column in zip(*members, strict=True)]
    sizes = [max(part[1] for part in column) for column in zip(*members, strict=True)]
    starts = [0, counts[0] * sizes[0], counts[0] * sizes[0] + counts[1] * sizes[1]]
    return [
        torch.cat(
            [
                (start + torch.arange(count)[:, None] * stride + torch.arange(size)).flatten()
                for (count, size), start, stride in zip(parts, starts, sizes, strict=True)
            ]
        )
        for parts in members
    ]


def count_columns(inputs: Sequence[TabularInput]) -> int:
    """The width of the pack's input."""
    members = [_measure_parts(one) for one in inputs]
    return sum(
        max(part[0] for part in column) * max(part[1] for part in column)
        for column in zip(*members, strict=True)
    )


def _measure_parts(one: TabularInput) -> list[tuple[int, int]]:
    """Columns and values per column: numbers, what is not embedded, categories."""
    d_numeric = one.widths[0] if one.n_numeric else 1
    wide, d_wide = 0, 0
    if one.categorical is not None:
        wide, d_wide = len(one.categorical.offsets), one.categorical.table.embedding_dim
    n_dense = one.d_out - one.n_numeric * d_numeric - wide * d_wide
    return [(one.n_numeric, d_numeric), (n_dense, 1), (wide, d_wide)]
