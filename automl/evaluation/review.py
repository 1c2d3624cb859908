"""Which rows a person should look at: those whose most likely class is not likely enough.

The confidence of a row is the largest of its (calibrated) probabilities. Rows below a limit go to a queue; the others are
decided by the model. Source: selective classification, El-Yaniv & Wiener 2010 (JMLR 11).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from automl.evaluation.thinning import thin_curve
from fairness.estimates import Estimate
from fairness.group_shares import compute_group_shares
from fairness.groups import Grouping
from fairness.intervals import compute_wilson

LIMIT = 0.7
MOST_LEVELS = 400  # points of the curve that get an interval

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]


@dataclass(frozen=True, kw_only=True, slots=True)
class Review:
    """What a limit leads to: the share of rows in the queue, and how often the decision was right in each part.

    ``groups``: per group the share in the queue; ``kept_groups``: how often the decisions left to the model were right.
    Both as ``attribute, group, n, k, share, low, high``.
    """

    limit: float
    queued: Estimate
    kept_accuracy: Estimate
    queued_accuracy: Estimate
    groups: pd.DataFrame
    kept_groups: pd.DataFrame


def compute_confidence(probability: NDArray[np.floating]) -> Floats:
    """The probability of the most likely class of every row. Shape: ``(n, K) → (n,)``"""
    values = np.asarray(probability, dtype=np.float64)
    confidence: Floats = np.clip(values, 0, 1).max(axis=1)
    return confidence


def compute_review(
    confidence: Floats, is_right: Flags, limit: float, groupings: Sequence[Grouping] = ()
) -> Review:
    """Queue what is *below* the limit, and count what was right on either side; Wilson intervals."""
    is_queued = confidence < limit
    n_queued, n = int(is_queued.sum()), len(confidence)
    return Review(
        limit=limit,
        queued=compute_wilson(n_queued, n),
        kept_accuracy=compute_wilson(int(is_right[~is_queued].sum()), n - n_queued),
        queued_accuracy=compute_wilson(int(is_right[is_queued].sum()), n_queued),
        groups=compute_group_shares(is_queued, groupings),
        kept_groups=compute_group_shares(is_right, groupings, ~is_queued),
    )


def compute_coverage_accuracy(confidence: Floats, is_right: Flags) -> pd.DataFrame:
    """How right the model is when it decides only the surest rows: one row per limit, the highest first.

    Columns ``limit`` (least confidence that is decided), ``n``, ``share`` of all rows, ``k`` right, ``accuracy, low, high``
    (Wilson). Rows of equal confidence enter together; at most 400 limits, counted from all rows.
    """
    order = np.argsort(-confidence, kind="stable")
    ranked, right = confidence[order], np.cumsum(is_right[order])
    is_last = np.append(ranked[1:] < ranked[:-1], True)
    ends = np.flatnonzero(is_last)
    curve = pd.DataFrame(
        {
            "limit": ranked[ends], "n": ends + 1, "share": (ends + 1) / len(ranked),
            "k": right[ends], "accuracy": right[ends] / (ends + 1),
        }
    )  # fmt: skip
    curve = thin_curve(curve, "share", "accuracy", MOST_LEVELS)
    intervals = [compute_wilson(int(k), int(n)) for k, n in zip(curve["k"], curve["n"], strict=True)]  # fmt: skip
    curve["low"] = [each.low for each in intervals]
    curve["high"] = [each.high for each in intervals]
    return curve
