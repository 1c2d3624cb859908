"""How often something holds, by group: a share with Wilson's interval for all rows and for every group."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from fairness.groups import Grouping
from fairness.intervals import compute_wilson

ALL = "all rows"
COLUMNS = ("attribute", "group", "n", "k", "share", "low", "high")


def compute_group_shares(
    holds: NDArray[np.bool_], groupings: Sequence[Grouping], among: NDArray[np.bool_] | None = None
) -> pd.DataFrame:
    """``attribute, group, n, k, share, low, high``: all rows first (attribute ""), then the groups of every column.

    ``holds`` ``(n,)``: the rows that are counted in ``k``; ``among``: the rows that count at all (default: every one). A
    group without rows has no share.
    """
    among = np.ones(len(holds), dtype=bool) if among is None else among
    rows = [("", ALL, int(among.sum()), int((holds & among).sum()))]
    for each in groupings:
        n = np.bincount(each.codes[among], minlength=len(each.names))
        k = np.bincount(each.codes[holds & among], minlength=len(each.names))
        rows += [
            (each.attribute, name, int(total), int(count))
            for name, total, count in zip(each.names, n, k, strict=True)
        ]
    return pd.DataFrame([_build_row(*row) for row in rows], columns=list(COLUMNS))


def _build_row(attribute: str, group: str, n: int, k: int) -> tuple[object, ...]:
    share = compute_wilson(k, n)
    ends = (share.value, share.low, share.high)
    return attribute, group, n, k, *(np.nan if end is None else end for end in ends)
