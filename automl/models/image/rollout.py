"""Attention rolled out over the layers of a transformer: what its output tokens could read of each position."""

from collections.abc import Sequence

import torch
from torch import Tensor

MOST_PREFIXES = 8


def roll_out(maps: Sequence[Tensor]) -> Tensor:
    """The product of all layers, ``(n, tokens, tokens)``; rows sum to 1.

    Heads are averaged, the identity is added for the residual path, rows are normalised, and the last layer
    stands leftmost. It tells where information could flow from, not what it was used for, and is the same for every class.
    Source: Abnar & Zuidema 2020, Quantifying Attention Flow in Transformers.
    """
    if not maps:
        raise ValueError("no attention maps to roll out")
    n_tokens = maps[0].shape[-1]
    identity = torch.eye(n_tokens, device=maps[0].device)
    flow = identity.expand(len(maps[0]), -1, -1)
    for layer in maps:
        step = layer.float().mean(dim=1) + identity
        flow = step / step.sum(dim=-1, keepdim=True) @ flow
    return flow


def map_positions(flow: Tensor) -> Tensor:
    """What is read of each position, ``(n, h, w)``: by the class token, or by all positions where there is none.

    Tokens before the positions (class, registers) come first; the positions form a square.
    """
    n_tokens = flow.shape[-1]
    n_prefix = count_prefixes(n_tokens)
    rows = flow[:, 0] if n_prefix else flow.mean(dim=1)
    side = round((n_tokens - n_prefix) ** 0.5)
    return rows[:, n_prefix:].reshape(-1, side, side)


def count_prefixes(n_tokens: int) -> int:
    """Tokens that are no positions: as few as leave a square."""
    for n_prefix in range(MOST_PREFIXES + 1):
        side = round(max(n_tokens - n_prefix, 0) ** 0.5)
        if side and side * side == n_tokens - n_prefix:
            return n_prefix
    raise ValueError(f"{n_tokens} tokens are no square with a few tokens before it")
