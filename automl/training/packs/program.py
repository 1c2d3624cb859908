"""Several networks as one program: their storage, one step of all, predictions of all."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import torch
from torch import Tensor

from automl.models.tabular.config import CLIP_NORM, PlanConfig
from automl.models.tabular.networks import Network
from automl.models.tabular.packed.inputs import PackRows, build_input
from automl.models.tabular.packed.layout import State
from automl.models.tabular.packed.networks import build_body
from automl.models.tabular.packed.operations import Pair
from automl.models.tabular.packed.shapes import lay_out
from automl.space.dimensions import Config
from automl.training.optimisers import find_decayed
from automl.training.packs.updates import Updates, allocate

CLIP_EPSILON = 1e-6  # as torch.nn.utils.clip_grad_norm_
CHUNK_ROWS = 1024  # rows per member of one pass of predictions
STATISTICS = ("running_mean", "running_var")


@dataclass(frozen=True, kw_only=True, slots=True)
class Snapshot:
    """All that a member takes with it from one program to the next; none of it changes a bit on the way.

    ``weights``, moments ``first`` and ``second`` and ``statistics`` of norms have the shapes of the network alone.
    """

    weights: State
    first: State = field(default_factory=dict)
    second: State = field(default_factory=dict)
    statistics: State = field(default_factory=dict)
    n_updates: int = 0


@dataclass(frozen=True, kw_only=True, slots=True)
class Place:
    """What a program needs of one member: its own network (for shapes and edges), and how it is trained."""

    config: Config
    network: Network
    plan: PlanConfig
    source: PackRows
    snapshot: Snapshot


def take_snapshot(network: Network) -> Snapshot:
    """A network that has not been trained."""
    state = {name: value.detach() for name, value in network.state_dict().items()}
    names = {name for name, _ in network.named_parameters()}
    return Snapshot(
        weights={name: state[name].clone() for name in names},
        statistics={
            name: value.clone() for name, value in state.items() if name.endswith(STATISTICS)
        },
    )


class Program:
    """Networks of one bucket, sorted by depth, the deepest first."""

    def __init__(self, family: str, places: Sequence[Place], device: torch.device) -> None:
        self.places = tuple(places)
        networks = [place.network for place in places]
        decayed = frozenset[str]().union(*(find_decayed(network) for network in networks))
        self.layout = lay_out(family, networks, decayed)
        self.storage = allocate(self.layout, len(places), device)
        self._load([place.snapshot for place in places])
        pairs = {
            name: Pair(
                value=self.layout.view(self.storage.value, name),
                grad=self.layout.view(self.storage.grad, name),
            )
            for name in self.layout.slots
        }
        self.statistics = self._stack_statistics()
        self.inputs = build_input([network.inputs for network in networks], pairs)
        self.body = build_body(family, [place.config for place in places], pairs, self.statistics)
        self.updates = Updates(
            self.layout,
            self.storage,
            [place.plan for place in places],
            [place.snapshot.n_updates for place in places],
        )
        self._sources = [place.source for place in places]
        self._generators: list[np.random.SFC64] = []

    def _load(self, snapshots: Sequence[Snapshot]) -> None:
        for member, snapshot in enumerate(snapshots):
            self.layout.write(self.storage.value, member, snapshot.weights)
            if snapshot.n_updates:
                self.layout.write(self.storage.first, member, snapshot.first)
                self.layout.write(self.storage.second, member, snapshot.second)

    def _stack_statistics(self) -> State:
        """Running statistics of all members, as wide as the norm that keeps them."""
        stacked: State = {}
        for member, place in enumerate(self.places):
            for name, value in place.snapshot.statistics.items():
                if name not in stacked:
                    slot = self.layout.slots[f"{name.rpartition('.')[0]}.weight"]
                    stacked[name] = value.new_zeros(len(self.places), slot.shape[0])
                stacked[name][member, : len(value)] = value
        return stacked

    def take_snapshot(self, member: int) -> Snapshot:
        """A copy of a member as it stands."""
        return Snapshot(
            weights=self.layout.read(self.storage.value, member),
            first=self.layout.read(self.storage.first, member),
            second=self.layout.read(self.storage.second, member),
            statistics=self.copy_statistics(member),
            n_updates=self.updates.n_done[member],
        )

    def copy_weights(self, member: int) -> State:
        """What a member has learned, statistics of norms included."""
        return self.layout.read(self.storage.value, member) | self.copy_statistics(member)

    def copy_statistics(self, member: int) -> State:
        """The running statistics of a member's norms."""
        known = self.places[member].snapshot.statistics
        return {
            name: self.statistics[name][member, : len(value)].clone()
            for name, value in known.items()
        }

    def seed(self, seeds: Sequence[int]) -> None:
        """Start the random numbers of each member's dropout anew."""
        self._generators = [np.random.SFC64(seed) for seed in seeds]

    def _draw(self, member: int, n: int) -> Tensor:
        words = self._generators[member].random_raw(-(-n // 4))
        return torch.from_numpy(words).view(torch.int16)[:n].to(self.storage.value.device)

    def forward(self, rows: Tensor) -> Tensor:
        """Outputs in training ``(members, B, n_outputs)`` of ``rows`` ``(members, B)``."""
        x = self.inputs.forward(self._sources, rows, training=True)
        return self.body.forward(x, self._draw)

    def backward(self, grad: Tensor) -> Tensor:
        """Gradients of all members from that of their outputs; their norms ``(members,)``."""
        upper = self.body.backward(grad, to_input=self.inputs.learns)
        if upper is not None:
            self.inputs.backward(upper)
        norms: Tensor = torch.linalg.vector_norm(self.storage.grad, dim=1)
        return norms

    def update(self, rates: Sequence[float], norms: Tensor, skipped: Sequence[bool]) -> None:
        """Cut the gradients of each member to the norm allowed, then update it."""
        self.updates.step(rates, ((norms + CLIP_EPSILON) / CLIP_NORM).clamp(min=1.0), skipped)

    @torch.inference_mode()
    def predict(self, sources: Sequence[PackRows]) -> Tensor:
        """Outputs ``(members, n, n_outputs)`` of all rows of each member's source, as in evaluation."""
        n_rows = len(sources[0])
        chunks = []
        for start in range(0, n_rows, CHUNK_ROWS):
            span = torch.arange(start, min(start + CHUNK_ROWS, n_rows))
            rows = span.expand(len(self.places), -1).to(self.storage.value.device)
            x = self.inputs.forward(sources, rows, training=False)
            chunks.append(self.body.forward(x, None))
        return torch.cat(chunks, dim=1)
