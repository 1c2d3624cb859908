"""Integrated gradients of a network for tables, summed to the columns of the table.

The path goes from the mean input of a background to a row, straight through what the network reads: numbers of its view,
flags, and the vectors of embedded levels. Source: Sundararajan, Taly and Yan 2017, arXiv:1703.01365.
"""

import contextlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from automl.data.encoding import Encoder
from automl.data.views import Views
from automl.errors import SpecError
from automl.models.tabular.config import parse_columns
from automl.models.tabular.inputs import Batch, count_level_flags, split_columns
from automl.models.tabular.network_model import NetworkModel, TargetScale
from automl.training.predictor import Predictor
from automl.training.target_encoding import EncodedModel

N_STEPS, MOST_STEPS = 50, 400
LARGEST_GAP = 0.01  # of the largest difference between a row and the start
Floats = NDArray[np.float64]
Inputs = tuple[Tensor, Tensor, Tensor]  # numbers (n, Q), flags (n, H), vectors of levels (n, C, d)


@dataclass(frozen=True, kw_only=True, slots=True)
class Integrated:
    """``values``: ``(n, F, O)``, by the columns of the encoder and the outputs that were asked for.

    ``start`` is the prediction at the mean input ``(O,)``, ``end`` those of the rows ``(n, O)``. What ``values`` miss of
    ``end − start`` is the error of the sum over the steps.
    """

    values: Floats
    start: Floats
    end: Floats
    n_steps: int


def is_network(model: Predictor) -> bool:
    """Whether a model of a table has gradients."""
    return isinstance(model.model if isinstance(model, EncodedModel) else model, NetworkModel)


def integrate_gradients(
    model: Predictor,
    encoder: Encoder,
    views: tuple[Views, Views],
    outputs: Sequence[int],
) -> Integrated:
    """Attributions of the probability of the named classes, or of the value (unclamped), for the first ``views``.

    The second views are the background. The path has 50 steps, twice as many up to 400 while values miss a prediction by more
    than 1 % of the largest difference. A model that is no network is a ``SpecError``.
    """
    network_model, sources = model, list(encoder.view_sources)
    if isinstance(model, EncodedModel):
        encoding = model.encoding
        per_column = encoding.tables.shape[1]
        names = [encoder.categorical_names[index] for index in encoding.columns]
        added = [name for name in names for _ in range(per_column)]
        sources[encoding.position : encoding.position] = added
        views = (
            encoding.widen(views[0], encoding.encode(views[0])),
            encoding.widen(views[1], encoding.encode(views[1])),
        )
        network_model = model.model
    if not isinstance(network_model, NetworkModel):
        raise SpecError(
            f"A model of the family {model.family!r} has no gradients.",
            hint="Use SHAP values, which work for any model.",
        )
    path = _Path(network_model, views, outputs)
    start, end = path.answer(0.0)[0], path.answer(1.0)
    columns = [sources, *_name_levels(network_model, encoder)]
    names = [column.name for column in encoder.columns]
    n_steps = N_STEPS
    while True:
        values = _sum_to_columns(path.integrate(n_steps), columns, names)
        gap = np.abs(start + values.sum(axis=1) - end).max()
        if gap <= LARGEST_GAP * np.abs(end - start).max() or n_steps >= MOST_STEPS:
            return Integrated(values=values, start=start, end=end, n_steps=n_steps)
        n_steps *= 2


def _name_levels(model: NetworkModel, encoder: Encoder) -> tuple[list[str], list[str]]:
    """The column behind each flag, and behind each embedded code."""
    narrow, wide = split_columns(model.shape, parse_columns(model.config))
    names = encoder.categorical_names
    flags = [
        names[index]
        for index in narrow
        for _ in range(count_level_flags(model.shape.cardinalities[index]))
    ]
    return flags, [names[index] for index in wide]


def _sum_to_columns(
    parts: Sequence[Floats], sources: Sequence[Sequence[str]], names: Sequence[str]
) -> Floats:
    """Shares of inputs ``(n, I, O)`` as shares of the columns they came from ``(n, F, O)``."""
    n, _, outputs = parts[0].shape
    values = np.zeros((n, len(names), outputs))
    for part, origins in zip(parts, sources, strict=True):
        for place, origin in enumerate(origins):
            values[:, names.index(origin)] += part[:, place]
    return values


class _Path:
    """From the mean input of the background to each row."""

    def __init__(
        self, model: NetworkModel, views: tuple[Views, Views], outputs: Sequence[int]
    ) -> None:
        self._network, self._target = model.network.eval(), model.target
        self._outputs = list(outputs)
        batch, usual = model.build_batch(views[0]), model.build_batch(views[1])
        self._codes = batch.codes
        self._ends = self._read(batch)
        self._starts = tuple(
            part.mean(dim=0, keepdim=True).expand_as(end)
            for part, end in zip(self._read(usual), self._ends, strict=True)
        )

    def _read(self, batch: Batch) -> Inputs:
        """What the network reads of some rows, as numbers that may be moved."""
        vectors: list[Tensor] = []
        with torch.no_grad(), self._watch(vectors.append):
            self._network(batch)
        empty = batch.numeric.new_zeros(len(batch), 0, 1)
        return batch.numeric, batch.flags.to(batch.numeric.dtype), vectors[0] if vectors else empty

    @contextlib.contextmanager
    def _watch(self, look: Callable[[Tensor], Tensor | None]) -> Iterator[None]:
        """See, or replace, the vectors of embedded levels; nothing stays hooked in."""
        hooks = [
            module.register_forward_hook(lambda _module, _args, out: look(out))
            for module in self._network.modules()
            if isinstance(module, nn.Embedding)
        ]
        try:
            yield
        finally:
            for hook in hooks:
                hook.remove()

    def _run(self, inputs: Inputs) -> Tensor:
        numeric, flags, vectors = inputs
        with self._watch(lambda _out: vectors):
            out = self._network(Batch(numeric=numeric, flags=flags, codes=self._codes))
        return _restore(self._target, out)

    def answer(self, share: float) -> Floats:
        """Predictions at a share of the way. Shape: (n, O)"""
        with torch.no_grad():
            out = self._run(self._stand(share))
        return np.asarray(out[:, self._outputs].double().cpu().numpy())

    def _stand(self, share: float) -> Inputs:
        numeric, flags, vectors = (
            torch.lerp(start, end, share)
            for start, end in zip(self._starts, self._ends, strict=True)
        )
        return numeric, flags, vectors

    def integrate(self, n_steps: int) -> tuple[Floats, Floats, Floats]:
        """Gradients in the middles of equal steps, times the way, for numbers, flags and levels ``(n, I, O)``."""
        sums = [[torch.zeros_like(end) for end in self._ends] for _ in self._outputs]
        for step in range(n_steps):
            inputs = self._stand((step + 0.5) / n_steps)
            for part in inputs:
                part.requires_grad_()
            with torch.enable_grad():
                out = self._run(inputs)
            for place, output in enumerate(self._outputs):
                gradients = torch.autograd.grad(
                    out[:, output].sum(), inputs, retain_graph=True, materialize_grads=True
                )
                for total, gradient in zip(sums[place], gradients, strict=True):
                    total.add_(gradient, alpha=1 / n_steps)
        numbers, flags, levels = (
            torch.stack(
                [each[kind] * (self._ends[kind] - self._starts[kind]) for each in sums], dim=-1
            )
            for kind in range(3)
        )
        return _to_numpy(numbers), _to_numpy(flags), _to_numpy(levels.sum(dim=2))


def _to_numpy(tensor: Tensor) -> Floats:
    return np.asarray(tensor.detach().double().cpu().numpy())


def _restore(target: TargetScale, output: Tensor) -> Tensor:
    """As ``TargetScale.restore``, without its clamp, so that there are gradients. Shape: (n, …, K) → (n, K)"""
    copies = output if output.dim() == 3 else output[:, None]
    if target.is_regression:
        return copies.mean(dim=1) * target.scale + target.mean
    return copies.softmax(dim=2).mean(dim=1)
