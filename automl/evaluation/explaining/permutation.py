"""How much worse a model scores when a column no longer belongs to its row: permutation importance.

Whole columns of the table are shuffled, so that all that a column became (levels, parts of a date, a flag for missing)
goes together. Columns that say much the same are shuffled once more as a set: alone, each hides behind the others.
Source: Breiman 2001, Random Forests; Fisher, Rudin and Dominici 2019, arXiv:1801.01489.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from automl.evaluation.explaining.asking import (
    AskedModel,
    Floats,
    Found,
    HeldRows,
    Ints,
    Steps,
    compose,
    name_columns,
)
from automl.evaluation.explaining.related import find_related
from automl.evaluation.outcomes import build_outcomes
from fairness.definitions import METRICS
from fairness.resampling import build_bootstrap_estimate
from fairness.row_statistics import Statistic, build_statistic
from fairness.weighted import iterate_weights

N_REPEATS = 10
N_DRAWS = 200
LEAST_ROWS, MOST_ROWS = 500, 5_000
MOST_PREDICTIONS = 4_000_000
ALIASES = {"recall": "true_positive_rate"}


def limit_rows(n_columns: int) -> int:
    """How many rows are shuffled: 5,000, fewer where there are many columns, at least 500."""
    return int(np.clip(MOST_PREDICTIONS // (N_REPEATS * n_columns), LEAST_ROWS, MOST_ROWS))


@dataclass(frozen=True, slots=True)
class _Judge:
    """Scores of the primary metric, higher is better, of all rows and over bootstrap draws of them.

    A shuffled row is a pair: the row, and the row whose cell it got. In a draw it counts as often as both were drawn,
    so that the interval covers the chance in the rows and in what they are given. The rows as they are are scored on the
    same draws: a column that the model does not read loses exactly 0.
    """

    model: AskedModel
    rows: HeldRows
    orders: Ints  # (R, n): per shuffle, the row whose cell each row gets
    times: Floats  # (B, n): how often each row was drawn

    def score_all(self, predicted: Sequence[Floats]) -> tuple[Floats, Floats]:
        """Per shuffle the score of all rows ``(R,)``, and over the draws ``(R, B)``."""
        weight = np.ones(len(self.rows)) if self.rows.weight is None else self.rows.weight
        sign = METRICS[self.model.task.metric].sign or 1
        values, drawn = [], []
        for order, each in zip(self.orders, predicted, strict=True):
            statistic = self._build(each)
            values.append(sign * statistic(weight[None, :])[0])
            drawn.append(sign * statistic(self.times * self.times[:, order] * weight))
        return np.array(values), np.stack(drawn)

    def _build(self, predicted: Floats) -> Statistic:
        task = self.model.task
        outcomes = build_outcomes(task, self.rows.truth, predicted)
        return build_statistic(ALIASES.get(task.metric, task.metric), outcomes)


def compute_importance(model: AskedModel, rows: HeldRows, seed: int) -> Steps:
    """What the primary metric loses per column and per set of related columns, over ten shuffles.

    The frame has ``label, kind (column or set), value, low, high, spread, n, reason``, the largest loss first: ``value``
    is the mean loss, positive where the model got worse; ``low`` and ``high`` its 95 % interval, ``spread`` the standard
    deviation of the shuffles.
    """
    generator = np.random.default_rng(seed)
    orders = np.stack([generator.permutation(len(rows)) for _ in range(N_REPEATS)])
    times = np.concatenate(list(iterate_weights(np.ones(len(rows)), seed)))[:N_DRAWS]
    judge = _Judge(model, rows, orders, times)
    related = find_related(rows.frame, model.columns)
    yield 0.0, "Predicting the rows as they are"
    base = judge.score_all([model.predict(rows.frame)] * N_REPEATS)
    groups = [(name,) for name in model.names] + list(related)
    lines: list[dict[str, object]] = []
    for place, names in enumerate(groups):
        yield place / len(groups), f"Shuffling {name_columns(names)}, {place + 1} of {len(groups)}"
        kind = "column" if len(names) == 1 else "set"
        lines.append({"label": name_columns(names), "kind": kind, **_shuffle(judge, names, base)})
    frame = pd.DataFrame(lines).sort_values("value", ascending=False, ignore_index=True)
    facts = {
        "metric": model.task.metric,
        "score": (METRICS[model.task.metric].sign or 1) * float(base[0][0]),
        "n_rows": len(rows),
        "n_repeats": N_REPEATS,
        "related": [list(names) for names in related],
    }
    return Found(frame=frame, facts=facts)


def _shuffle(
    judge: _Judge, names: tuple[str, ...], base: tuple[Floats, Floats]
) -> dict[str, object]:
    n, n_repeats = len(judge.rows), len(judge.orders)
    own = np.tile(np.arange(n), n_repeats)
    sources = {name: judge.orders.ravel() if name in names else own for name in judge.model.names}
    predicted = judge.model.predict(compose(judge.rows.frame, sources))
    values, draws = judge.score_all(np.split(predicted, n_repeats))
    losses, drawn = base[0] - values, (base[1] - draws).mean(axis=0)
    method = f"bootstrap of rows and of what they are given, {len(drawn)} draws"
    estimate = build_bootstrap_estimate(float(losses.mean()), drawn, n, method)
    return {
        "value": estimate.value,
        "low": estimate.low,
        "high": estimate.high,
        "spread": float(losses.std(ddof=1)),
        "n": n,
        "reason": estimate.reason,
    }
