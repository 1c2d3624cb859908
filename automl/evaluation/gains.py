"""What flagging the rows with the highest scores finds: gain, lift, and how far the classes lie apart (KS)."""

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from automl.evaluation.curves import count_from_top
from automl.evaluation.thinning import thin_curve
from fairness.intervals import compute_newcombe, compute_wilson

SHARES = (0.01, 0.05, 0.1, 0.2, 0.5)  # of the rows, in the table beside the curve
MOST_POINTS = 500  # of a curve; it is smooth, and there may be one per class
GAIN_COLUMNS = ("series", "share", "found", "lift", "threshold")

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]


def compute_gain(is_positive: Bools, score: Floats, series: str) -> pd.DataFrame:
    """Gain and lift by share of rows flagged, highest score first; empty with one class only.

    Columns ``series``, ``share`` (of all rows), ``found`` (of the positive rows), ``lift`` (found over share, missing
    at 0), ``threshold``. Rows with equal scores are flagged together.
    """
    threshold, found, flagged = count_from_top(is_positive, score)
    n_positive, n = int(is_positive.sum()), len(score)
    if n_positive in (0, n):
        return pd.DataFrame({name: pd.Series(dtype=np.float64) for name in GAIN_COLUMNS})
    frame = pd.DataFrame(
        {
            "series": series,
            "share": np.append(0, flagged / n),
            "found": np.append(0, found / n_positive),
            "lift": np.append(np.nan, (found / flagged) / (n_positive / n)),
            "threshold": np.append(np.nan, threshold),
        }
    )
    return thin_curve(frame, "share", "found", MOST_POINTS)


def compute_gain_table(is_positive: Bools, score: Floats, series: str) -> pd.DataFrame:
    """Gain and lift with 95 % intervals where 1, 5, 10, 20 and 50 % of the rows are flagged; ties are cut by chance.

    Columns ``series, share, n_flagged, found, found_low, found_high, lift, lift_low, lift_high, n_positive``. The
    intervals are Wilson's of the positives found, for lift over the share.
    """
    _, found, flagged = count_from_top(is_positive, score)
    n_positive, n = int(is_positive.sum()), len(score)
    rows = []
    for share in SHARES if 0 < n_positive < n else ():
        n_flagged = max(1, round(share * n))
        hits = np.interp(n_flagged, np.append(0, flagged), np.append(0, found))
        estimate = compute_wilson(round(float(hits)), n_positive)
        ends = [estimate.value, estimate.low, estimate.high]
        gains = dict(zip(("found", "found_low", "found_high"), ends, strict=True))
        lifts = [None if end is None else end * n / n_flagged for end in ends]
        rows.append(
            {
                "series": series,
                "share": n_flagged / n,
                "n_flagged": n_flagged,
                **gains,
                **dict(zip(("lift", "lift_low", "lift_high"), lifts, strict=True)),
                "n_positive": n_positive,
            }
        )
    return pd.DataFrame(rows)


def compute_separation(is_positive: Bools, score: Floats, series: str) -> pd.DataFrame:
    """The largest distance of true from false positive rate over all thresholds (Kolmogorov-Smirnov).

    One row ``series, ks, low, high, threshold, true_positive_rate, false_positive_rate, n_positive, n_negative``, none
    with one class only. The interval is Newcombe's at that threshold, which was chosen on the same rows.
    """
    threshold, found, flagged = count_from_top(is_positive, score)
    n_positive = int(is_positive.sum())
    n_negative = len(score) - n_positive
    if n_positive == 0 or n_negative == 0:
        return pd.DataFrame()
    hits, mistakes = found / n_positive, (flagged - found) / n_negative
    best = int(np.argmax(hits - mistakes))
    distance = compute_newcombe(
        int(found[best]), n_positive, int(flagged[best] - found[best]), n_negative
    )
    return pd.DataFrame(
        [
            {
                "series": series,
                "ks": distance.value,
                "low": distance.low,
                "high": distance.high,
                "threshold": float(threshold[best]),
                "true_positive_rate": float(hits[best]),
                "false_positive_rate": float(mistakes[best]),
                "n_positive": n_positive,
                "n_negative": n_negative,
            }
        ]
    )
