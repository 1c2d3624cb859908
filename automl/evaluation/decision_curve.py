"""What deciding by a threshold is worth: net benefit and mean cost at every threshold.

Source: Vickers & Elkin 2006, "Decision curve analysis". A threshold t says that a false alarm harms as much as t/(1 − t)
of a hit helps; the net benefit counts hits minus false alarms in that exchange.
"""

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from automl.evaluation.costs import Costs
from automl.evaluation.cuts import Cuts
from fairness.intervals import compute_z

STEP = 0.005
FINE = tuple(np.geomspace(1e-4, STEP, 12)[:-1])  # rare events are decided down here
GRID: tuple[float, ...] = (*FINE, *np.round(np.arange(STEP, 1, STEP), 3))

Floats = NDArray[np.float64]


def compute_net_benefit(cuts: Cuts, thresholds: Floats) -> tuple[Floats, Floats]:
    """TP/n − FP/n · t/(1 − t) at each t < 1, and its standard error over cases. Shape: (m,) → (m,), (m,).

    A case is worth 1 (found), −t/(1 − t) (false alarm) or 0: the net benefit is the mean of that.
    """
    table = cuts.count_at(thresholds).astype(np.float64)
    fp, tp = table[:, 1], table[:, 3]
    weight = thresholds / (1 - thresholds)
    mean = (tp - fp * weight) / cuts.n
    variance = (tp + fp * weight**2) / cuts.n - mean**2
    return mean, np.sqrt(np.maximum(variance, 0.0) / cuts.n)


def compute_decision_curve(cuts: Cuts) -> pd.DataFrame:
    """Net benefit against threshold: ``threshold, net_benefit, low, high, treat_all, treat_none``.

    ``low`` and ``high`` are pointwise 95 % (normal, from the spread over cases). ``treat_all`` flags everybody: its line
    falls from the base rate through 0 at a threshold of the base rate. Needs a case.
    """
    grid = np.array(GRID)
    mean, error = compute_net_benefit(cuts, grid)
    half = compute_z() * error
    share = cuts.n_positive / cuts.n
    return pd.DataFrame(
        {
            "threshold": grid,
            "net_benefit": mean,
            "low": mean - half,
            "high": mean + half,
            "treat_all": share - (1 - share) * grid / (1 - grid),
            "treat_none": 0.0,
        }
    )


def compute_cost_curve(cuts: Cuts, costs: Costs) -> pd.DataFrame:
    """Mean cost per case against threshold: ``threshold, cost, flag_all, flag_none``; 0 and 1 included."""
    grid = np.array([0.0, *GRID, 1.0])
    ends = np.array(
        [[0, cuts.n_negative, 0, cuts.n_positive], [cuts.n_negative, 0, cuts.n_positive, 0]]
    )
    everybody, nobody = costs.compute_mean(ends.astype(np.float64))
    return pd.DataFrame(
        {
            "threshold": grid,
            "cost": costs.compute_mean(cuts.count_at(grid).astype(np.float64)),
            "flag_all": everybody,
            "flag_none": nobody,
        }
    )
