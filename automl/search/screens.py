"""What a screen decides: over a limit, or in the worst part of what was seen. It never chooses the best.

Parameters, multiply-adds and one gradient value say little about accuracy, so they may only discard: never a
baseline, a start or what weight sharing proposed, never more than 30 % of a family. Where the ranks turn out
to say nothing about the scores at the first rung, the filter switches itself off and says so.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from automl.data.dataset import DataKind
from automl.jobs.records import Trial, TrialState
from automl.search.context import CoordinatorContext
from automl.search.ledger import SEARCH, Ledger
from automl.search.study import is_over

Floats = NDArray[np.float64]

OVER_LIMIT = "over_limit"
DISCARDED = "screened_out"
NO_TIME = "no_time"
KINDS = (OVER_LIMIT, DISCARDED, NO_TIME)

SAMPLED = "sampled"
FEWEST_SEEN = 8
MOST_DISCARDED = 0.3
MERITS = (
    "parameters",
    "macs",
    "proxy",
)  # more is taken for better; the mean of the three ranks counts
FEWEST_JUDGED = 20
LEAST_CORRELATION = 0.1


@dataclass(frozen=True, kw_only=True, slots=True)
class Verdict:
    """Why a trial ends before its first epoch."""

    kind: str
    reason: str


class Screening:
    """The limits and the cheap filter of one search; everything it knows stands in the trial rows."""

    def __init__(self, context: CoordinatorContext, ledger: Ledger, first_rung: int) -> None:
        self._context = context
        self._ledger = ledger
        self._first_rung = first_rung

    def judge(self, trial: Trial) -> Verdict | None:
        """Why this screened trial ends here, None when it may train. A baseline always may."""
        if trial.stage != SEARCH:
            return None
        reason = self._context.spec.limits.find_reason(trial.facts, DataKind.IMAGES)
        if reason:
            return Verdict(kind=OVER_LIMIT, reason=f"{reason}.")
        if trial.origin != SAMPLED or self._context.spec.has_front:
            return None  # several objectives want small networks too
        return self._filter(trial)

    def _filter(self, trial: Trial) -> Verdict | None:
        rows = [
            row
            for row in self._ledger.list_trials(SEARCH)
            if row.family == trial.family
            and row.number < trial.number
            and _is_known(row)
            and row.failure_kind != OVER_LIMIT
        ]
        n_seen = len(rows) + 1
        n_discarded = sum(row.failure_kind == DISCARDED for row in rows)
        if n_seen < FEWEST_SEEN or n_discarded + 1 > MOST_DISCARDED * n_seen:
            return None
        merits = compute_merits([row.facts for row in (*rows, trial)])
        position = int((merits < merits[-1]).sum())  # how many are weaker still
        if position >= MOST_DISCARDED * n_seen or self._is_off(rows):
            return None
        return Verdict(
            kind=DISCARDED,
            reason=f"By its size and the gradient of one batch it is number {n_seen - position} of "
            f"{n_seen} networks that were screened; the weakest 30 % are left out.",
        )

    def _is_off(self, rows: Sequence[Trial]) -> bool:
        """Whether the ranks and the scores at the first rung have nothing to do with each other."""
        scores = {row.number: self._find_score(row) for row in rows if is_over(row)}
        judged = [row for row in rows if scores.get(row.number) is not None]
        if len(judged) < FEWEST_JUDGED:
            return False
        merits = compute_merits([row.facts for row in judged])
        found = _correlate(merits, np.array([scores[row.number] for row in judged], dtype=float))
        if found >= LEAST_CORRELATION:
            return False
        shown = "not computable" if not np.isfinite(found) else f"{found:.2f}"
        self._context.warnings.add(
            f"The cheap filter switched itself off: over {len(judged)} networks its ranks and the scores "
            f"after the first epochs have the rank correlation {shown}."
        )
        return True

    def _find_score(self, trial: Trial) -> float | None:
        score = trial.optuna.get("intermediate", {}).get(str(self._first_rung))
        return None if score is None else float(score)


def _correlate(first: Floats, second: Floats) -> float:
    """Spearman's rank correlation, NaN where one of them never changes."""
    if np.ptp(first) == 0 or np.ptp(second) == 0:
        return float("nan")
    from scipy import stats  # a second to import, and tables have no screens

    return float(stats.spearmanr(first, second).statistic)


def compute_merits(facts: Sequence[Mapping[str, float]]) -> Floats:
    """The mean rank of each network over size, multiply-adds and gradient; higher is taken for better."""
    from scipy import stats

    table = np.array([[each[name] for name in MERITS] for each in facts], dtype=np.float64)
    ranks: Floats = stats.rankdata(table, axis=0).mean(axis=1)
    return ranks


def is_screened_out(trial: Trial) -> bool:
    """True for a trial that ended before its first epoch because of its screen."""
    return trial.state is TrialState.PRUNED and trial.failure_kind in KINDS


def build_screening_record(ledger: Ledger) -> dict[str, Any]:
    """How many networks were screened and what became of them; empty where none was."""
    rows = [row for row in ledger.list_trials(SEARCH) if _is_known(row)]
    if not rows:
        return {}
    kinds = Counter(row.failure_kind for row in rows if is_screened_out(row))
    return {
        "seen": len(rows),
        "over_limit": kinds[OVER_LIMIT],
        "discarded": kinds[DISCARDED],
        "no_time": kinds[NO_TIME],
        "reasons": [
            {"trial": row.number, "kind": row.failure_kind, "reason": row.failure_message}
            for row in rows
            if is_screened_out(row)
        ],
    }


def _is_known(trial: Trial) -> bool:
    return all(name in trial.facts for name in MERITS)
