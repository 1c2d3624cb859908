"""Whether a search compares models on folds of train and select, or on the select part alone."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from automl.data.dataset import DataKind
from automl.data.folds import LEAST_FOLDS, MOST_FOLDS
from automl.data.split_plan import SplitPlan
from automl.search.offers import Pruner
from automl.search.spec import SearchSpec, find_fold_problem

FEW_ROWS = 2_000  # of train and select together; below, the select part alone says too little
DEFAULT_FOLDS = 5
NO_FOLDS = 0
CHOICES = (NO_FOLDS, LEAST_FOLDS, DEFAULT_FOLDS, MOST_FOLDS)  # what the form offers


def choose_folds(kind: DataKind, split: SplitPlan, n_rows: int) -> tuple[int, str]:
    """What is taken where nobody chose, and why; ``n_rows`` are those of train and select together."""
    reason = find_fold_problem(kind, split)
    if reason:
        return NO_FOLDS, reason
    few = f"train and select have about {n_rows:,} rows together"
    if n_rows < FEW_ROWS:
        return DEFAULT_FOLDS, f"{few}, fewer than {FEW_ROWS:,}"
    return NO_FOLDS, f"{few}, and from {FEW_ROWS:,} on the select part is enough"


def without_folds(spec: SearchSpec) -> SearchSpec:
    """The same search where its rows cannot be divided; whoever needs folds to end trials is replaced."""
    needs_folds = spec.pruner is Pruner.WILCOXON
    pruner = Pruner.SUCCESSIVE_HALVING if needs_folds else spec.pruner
    return replace(spec, folds=NO_FOLDS, pruner=pruner)


def describe_folds(folds: Mapping[str, int]) -> dict[str, Any]:
    """``cross_validation`` of ``result.json``, from what the preparation says of its folds."""
    n_folds, n_rows = folds["n_folds"], folds["n_judged"]
    return {
        "folds": n_folds,
        "n": n_rows,
        "sentence": (
            f"Models are compared by {n_folds}-fold out-of-fold predictions, n = {n_rows:,} (the rows of train and "
            "select): each row was predicted by a model that neither learned from it nor stopped by it. Final models "
            "learn from all of these rows, for the median of the best epochs of the folds."
        ),
    }
