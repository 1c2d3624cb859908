"""A moving average of the weights, which is what is scored and kept when the recipe asks for it."""

import torch
from torch import Tensor, nn

DECAY = 0.999


class WeightAverage:
    """Exponential moving average over steps; early on it forgets faster: decay min(d, (1 + t) / (10 + t)).

    Running statistics of norms are averaged with the weights, over the same steps; counters are copied.
    """

    def __init__(self, network: nn.Module, decay: float = DECAY) -> None:
        if not 0 < decay < 1:
            raise ValueError(f"decay {decay}")
        self.decay = decay
        self.n_updates = 0
        self.state = {name: t.detach().clone() for name, t in network.state_dict().items()}

    @torch.no_grad()
    def update(self, network: nn.Module) -> None:
        """Take in the weights after a step."""
        self.n_updates += 1
        kept = min(self.decay, (1 + self.n_updates) / (10 + self.n_updates))
        averages: list[Tensor] = []
        current: list[Tensor] = []
        for name, tensor in network.state_dict().items():
            if tensor.is_floating_point():
                averages.append(self.state[name])
                current.append(tensor)
            else:
                self.state[name].copy_(tensor)
        torch._foreach_lerp_(averages, current, 1 - kept)
