"""Where the parameters of each member lie in its row of the pack's storage."""

import math
from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field

from torch import Tensor

State = dict[str, Tensor]  # tensors by name, in the shapes of the network alone


@dataclass(frozen=True, kw_only=True, slots=True)
class Slot:
    """One parameter of all members: ``n_members`` of them, the first ones, may have it; ``shape`` is padded."""

    start: int
    shape: tuple[int, ...]
    n_members: int

    @property
    def stop(self) -> int:
        """Where the next one begins."""
        return self.start + math.prod(self.shape)


@dataclass(frozen=True, kw_only=True, slots=True)
class Layout:
    """Slots by name; the first ``n_decayed`` numbers of a row are weights, which decay.

    ``shapes`` are those of each member alone, and ``columns`` say where the columns of a weight lie in its
    padded slot, by name, where that is not at the front. Rows of shallow members end early: ``decayed_stops``
    and ``free_stops`` per member.
    """

    slots: Mapping[str, Slot]
    size: int
    n_decayed: int
    shapes: Sequence[Mapping[str, tuple[int, ...]]]
    columns: Mapping[str, Sequence[Tensor]]
    decayed_stops: tuple[int, ...] = field(default=())
    free_stops: tuple[int, ...] = field(default=())

    def view(self, storage: Tensor, name: str) -> Tensor:
        """A parameter of all members that may have it, ``(n_members, *shape)``, sharing memory."""
        slot = self.slots[name]
        return storage[: slot.n_members, slot.start : slot.stop].view(slot.n_members, *slot.shape)

    def read(self, storage: Tensor, member: int) -> State:
        """Copies of a member's tensors, in the shapes of the network alone."""
        return {
            name: self._find(storage, member, name).clone().contiguous()
            for name in self.shapes[member]
        }

    def write(self, storage: Tensor, member: int, state: State) -> None:
        """Set a member's tensors; what is padding stays as it is."""
        for name, shape in self.shapes[member].items():
            if name in self.columns:
                target = self.view(storage, name)[member]
                target[: shape[0], self.columns[name][member]] = state[name]
            else:
                self._find(storage, member, name).copy_(state[name])

    def _find(self, storage: Tensor, member: int, name: str) -> Tensor:
        padded, shape = self.view(storage, name)[member], self.shapes[member][name]
        if name in self.columns:
            return padded[: shape[0], self.columns[name][member]]
        return padded[tuple(slice(size) for size in shape)]


def build_layout(
    shapes: Sequence[Mapping[str, tuple[int, ...]]],
    *,
    decayed: AbstractSet[str],
    padded: Mapping[str, tuple[int, ...]],
    columns: Mapping[str, Sequence[Tensor]],
) -> Layout:
    """Lay out members whose parameters have these ``shapes``, the deepest member first.

    ``padded`` gives ``(n_members, *shape)`` where a slot must be more than the largest of those that have it.
    """
    counts: dict[str, int] = {}
    largest: dict[str, tuple[int, ...]] = {}
    for index, member in enumerate(shapes):
        for name, shape in member.items():
            counts[name] = index + 1
            before = largest.get(name, shape)
            largest[name] = tuple(max(pair) for pair in zip(before, shape, strict=True))
    for name, size in padded.items():
        counts[name], largest[name] = size[0], size[1:]
    # what all have comes first, so that the row of a shallow member is the front of both parts
    names = sorted(largest, key=lambda name: (name not in decayed, -counts[name]))
    slots: dict[str, Slot] = {}
    start = n_decayed = 0
    for name in names:
        slots[name] = Slot(start=start, shape=largest[name], n_members=counts[name])
        start = slots[name].stop
        n_decayed = start if name in decayed else n_decayed
    return Layout(
        slots=slots,
        size=start,
        n_decayed=n_decayed,
        shapes=shapes,
        columns=columns,
        decayed_stops=_find_stops(slots, decayed, len(shapes), 0),
        free_stops=_find_stops(slots, slots.keys() - decayed, len(shapes), n_decayed),
    )


def _find_stops(
    slots: Mapping[str, Slot], names: AbstractSet[str], n_members: int, start: int
) -> tuple[int, ...]:
    return tuple(
        max(
            (slots[name].stop for name in names if name in slots and slots[name].n_members > index),
            default=start,
        )
        for index in range(n_members)
    )
