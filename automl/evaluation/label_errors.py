"""Labels that may be wrong: rows whose label the predictions of models that never saw them contradict most.

The ranking and the count are cleanlab's (Northcutt, Jiang & Chuang 2021, "Confident learning", JAIR 70).
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from automl.errors import DataError

COLUMNS = ("row", "label", "likely", "label_probability", "likely_probability", "is_suspected")
MOST_LISTED = 5_000  # rows; a person looks at far fewer


@dataclass(frozen=True, kw_only=True, slots=True)
class LabelErrors:
    """``frame``: rows whose label is contradicted, the most suspicious first, with ``COLUMNS``.

    ``n_contradicted`` counts all of them, those beyond ``MOST_LISTED`` included; ``n_suspected`` is cleanlab's count
    of wrong labels among the ``n_rows``; it marks as many rows.
    """

    frame: pd.DataFrame
    n_rows: int
    n_contradicted: int
    n_suspected: int


def rank_labels(
    rows: NDArray[np.int64],
    labels: NDArray[np.int64],
    probability: NDArray[np.floating],
    classes: tuple[str, ...],
) -> LabelErrors:
    """Rank rows by how little the probability of their own label is (cleanlab's self-confidence).

    ``labels`` ``(n,)`` are indices into ``classes``, ``probability`` ``(n, K)`` is out of fold: from models that saw
    neither the row nor its label. A row counts as contradicted where another class is the most likely.
    """
    if len(np.unique(labels)) < 2:
        raise DataError(
            "All these rows have the same label: there is nothing that could contradict one.",
            hint="Search with rows of at least two classes.",
        )
    shares = _normalise(np.asarray(probability, dtype=np.float64))
    at = np.arange(len(rows))
    likely = shares.argmax(axis=1)
    quality = _score(labels, shares)
    is_suspected = _find_suspected(labels, shares)
    places = np.flatnonzero(likely != labels)
    places = places[np.lexsort((rows[places], quality[places]))]
    names = np.array(classes, dtype=object)
    frame = pd.DataFrame(
        {
            "row": rows,
            "label": names[labels],
            "likely": names[likely],
            "label_probability": shares[at, labels],
            "likely_probability": shares[at, likely],
            "is_suspected": is_suspected,
        }
    )
    return LabelErrors(
        frame=frame.iloc[places[:MOST_LISTED]].reset_index(drop=True),
        n_rows=len(rows),
        n_contradicted=len(places),
        n_suspected=int(is_suspected.sum()),
    )


def _normalise(probability: NDArray[np.float64]) -> NDArray[np.float64]:
    """Rows that add up to one to the last bit, as cleanlab asks for."""
    clipped = probability.clip(0, 1)
    shares: NDArray[np.float64] = clipped / clipped.sum(axis=1, keepdims=True)
    return shares


def _score(labels: NDArray[np.int64], shares: NDArray[np.float64]) -> NDArray[np.float64]:
    from cleanlab.rank import get_label_quality_scores  # only a job needs it

    scores: Any = get_label_quality_scores(labels, shares, method="self_confidence")
    return np.asarray(scores, dtype=np.float64)


def _find_suspected(labels: NDArray[np.int64], shares: NDArray[np.float64]) -> NDArray[np.bool_]:
    from cleanlab.filter import find_label_issues

    present = np.unique(labels)  # cleanlab counts no class that no row has
    own = _normalise(shares[:, present] + np.finfo(np.float64).tiny)
    marks: Any = find_label_issues(np.searchsorted(present, labels), own, n_jobs=1)
    return np.asarray(marks, dtype=bool)
