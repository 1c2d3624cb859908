"""How many rows of a stratum each part of a split gets, and which clusters of rows."""

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]


def apportion(total: int, shares: NDArray[np.float64], carry: NDArray[np.float64]) -> Ints:
    """Whole numbers that add up to ``total``, each within one of its exact share.

    Who is rounded up is settled by ``carry``, except in strata too small for every part: there the
    largest shares, train first, come before the balance.
    """
    exact = total * shares
    counts = np.floor(exact + 1e-9).astype(np.int64)
    rest = exact - counts
    claim = np.where(rest > 1e-9, rest + carry, -np.inf) if total > len(shares) else rest
    order = np.argsort(-claim, kind="stable")
    counts[order[: total - int(counts.sum())]] += 1
    return counts


def deal(sizes: Ints, wanted: Ints) -> Ints:
    """Give clusters (largest first) to the part that still wants most; single rows fill up exactly."""
    left = wanted.copy()
    n_large = int((sizes > 1).sum())
    parts = np.empty(len(sizes), dtype=np.int64)
    for index in range(n_large):
        parts[index] = int(np.argmax(left))
        left[parts[index]] -= sizes[index]
    left = np.maximum(left, 0)
    n_single = len(sizes) - n_large
    while int(left.sum()) > n_single:  # large clusters overshot a part: others give way
        left[int(np.argmax(left))] -= 1
    parts[n_large:] = np.repeat(np.arange(len(left)), left)
    return parts
