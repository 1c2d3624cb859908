"""A greedy soup: the mean of a few good checkpoints, as far as the select part agrees."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field

import torch
from torch import Tensor, nn

State = dict[str, Tensor]
MOST = 3
_NORMS = (nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d)


@dataclass(frozen=True, kw_only=True, slots=True)
class Checkpoint:
    """The weights after an epoch and their score on the select part."""

    epoch: int
    score: float
    state: State


@dataclass(slots=True)
class Checkpoints:
    """The best few so far, on the CPU, the best first; of equals the earlier."""

    most: int = MOST
    kept: list[Checkpoint] = field(default_factory=list)

    def offer(self, epoch: int, score: float, state: State) -> bool:
        """Keep a copy if it is among the best; True when it is the best."""
        if len(self.kept) == self.most and score <= self.kept[-1].score:
            return False
        copied = {name: tensor.detach().to("cpu", copy=True) for name, tensor in state.items()}
        self.kept.append(Checkpoint(epoch=epoch, score=score, state=copied))
        self.kept.sort(key=lambda point: (-point.score, point.epoch))
        del self.kept[self.most :]
        return self.kept[0].epoch == epoch


def average(states: list[State]) -> State:
    """The mean of each real tensor; counters are those of the first."""
    return {
        name: torch.stack([state[name].double() for state in states]).mean(0).to(first.dtype)
        if first.is_floating_point()
        else first
        for name, first in states[0].items()
    }


@dataclass(frozen=True, kw_only=True, slots=True)
class Soup:
    """The weights to keep, the epochs they come from and their score."""

    state: State
    epochs: tuple[int, ...]
    score: float


def cook(checkpoints: list[Checkpoint], evaluate: Callable[[State], tuple[float, State]]) -> Soup:
    """The soup of checkpoints (best first), never worse on the select part than the best of them.

    Going down the list, a checkpoint is stirred in where the score of the mean does not fall. ``evaluate``
    gives the score of a state and the state as it is then (with norms computed anew).
    Source: Wortsman et al. 2022, Model soups, recipe 1.
    """
    best, *others = checkpoints
    chosen = [best]
    soup = Soup(state=best.state, epochs=(best.epoch,), score=best.score)
    for other in others:
        tried = [*chosen, other]
        score, state = evaluate(average([point.state for point in tried]))
        if score >= soup.score:
            chosen = tried
            epochs = tuple(sorted(point.epoch for point in chosen))
            soup = Soup(state=state, epochs=epochs, score=score)
    return soup


@torch.no_grad()
def recompute_norms(network: nn.Module, batches: Iterable[Tensor]) -> int:
    """Compute running statistics of batch norms that learn anew, over normalised training pictures.

    Averaged weights do not fit averaged statistics. Frozen norms keep theirs. Returns how many were redone.
    """
    norms = list(_iterate_learning(network))
    if not norms:
        return 0
    was_training = network.training
    momenta = [norm.momentum for norm in norms]
    network.eval()
    for norm in norms:
        norm.reset_running_stats()
        norm.momentum = None  # a plain mean over the batches
        norm.train()
    for batch in batches:
        network(batch)
    for norm, momentum in zip(norms, momenta, strict=True):
        norm.momentum = momentum
    network.train(was_training)
    return len(norms)


def _iterate_learning(
    network: nn.Module,
) -> Iterator[nn.BatchNorm1d | nn.BatchNorm2d | nn.BatchNorm3d]:
    for module in network.modules():
        if isinstance(module, _NORMS) and module.track_running_stats:
            own = list(module.parameters())
            if own and any(parameter.requires_grad for parameter in own):
                yield module
