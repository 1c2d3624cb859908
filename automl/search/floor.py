"""Said aloud where the constant is delivered: on few rows that is often the honest answer."""

from automl.search.context import CoordinatorContext
from automl.search.ledger import FLOOR, Ledger
from fairness.definitions import METRICS


def warn_of_floor(context: CoordinatorContext, ledger: Ledger) -> None:
    """Add a warning where no model scored higher than the constant on the rows that decide; then it is delivered.

    A search that is resumed may still find one, so the warning is of this attempt only.
    """
    best = ledger.find_best()
    if best is None or best.family != FLOOR:
        return
    others = [row for row in ledger.list_scored() if row.family != FLOOR]
    within = sum(map(ledger.is_within_limits, others))
    context.warnings.add(
        f"{_describe_others(within, len(others) - within)} (by {METRICS[context.spec.task.metric].title}, n = "
        f"{context.sizes.select:,} {'rows out of fold' if context.spec.folds else 'select rows'}). So the constant is delivered: it predicts the same for every row.",
        is_lasting=False,
    )


def _describe_others(n_within: int, n_over: int) -> str:
    """Who failed to beat it; what is over a limit is no choice."""
    if n_within == 1:
        return "The one other model scored no higher than the constant"
    if n_within:
        return f"None of the {n_within:,} other models scored higher than the constant"
    if n_over:
        return "No model within the limits was there to compare with the constant"
    return "No other model was trained to its end to compare with the constant"
