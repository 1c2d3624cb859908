"""What of an audit needs no row: rates of groups and their gaps from count tables alone, at once for any number of rows."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fairness.definitions import compute_rate
from fairness.errors import AuditError
from fairness.estimates import mark_few_cases
from fairness.gaps import compare_rates
from fairness.records import Counts, Gap, GroupResult

COUNT_METRICS = ("selection_rate", "true_positive_rate", "false_positive_rate")


@dataclass(frozen=True, kw_only=True, slots=True)
class GroupTables:
    """The groups of one attribute with their count tables tn, fp, fn, tp, in the same order; ``reference`` is one of them."""

    attribute: str
    names: tuple[str, ...]
    tables: Sequence[NDArray[np.int64]]
    reference: str

    def __post_init__(self) -> None:
        if self.reference not in self.names:
            raise AuditError(
                f"The reference group {self.reference!r} does not occur in {self.attribute!r}.",
                hint=f"Choose one of {', '.join(map(repr, self.names))}.",
            )


@dataclass(frozen=True, kw_only=True, slots=True)
class CountAudit:
    """Rates by group with Wilson's interval and signed gaps to the reference with Newcombe's; no test, no extremes.

    It reads like ``Audit`` where both have something, so that the same tables and pictures show it.
    """

    overall: GroupResult
    by_group: tuple[GroupResult, ...]
    gaps: tuple[Gap, ...]
    references: Mapping[str, str]

    def list_groups(self, attribute: str) -> tuple[GroupResult, ...]:
        """The groups of one attribute."""
        return tuple(group for group in self.by_group if group.attribute == attribute)


def compute_count_audit(
    overall: NDArray[np.int64],
    attributes: Sequence[GroupTables],
    *,
    min_group_size: int = 30,
    metrics: Sequence[str] = COUNT_METRICS,
) -> CountAudit:
    """Rates and gaps of every attribute; the numbers are those of ``compute_audit`` on the same decisions.

    A rate over fewer cases than ``min_group_size`` is marked "few cases".
    """
    by_group: list[GroupResult] = []
    gaps: list[Gap] = []
    for given in attributes:
        results = {
            name: _build_group(given.attribute, name, table, min_group_size, metrics)
            for name, table in zip(given.names, given.tables, strict=True)
        }
        reference = results[given.reference]
        for group in results.values():
            if group is not reference:
                compared = compare_rates(group, reference, min_group_size, metrics)
                gaps += [gap for gap in compared if gap.kind == "difference"]
        by_group += results.values()
    return CountAudit(
        overall=_build_group("", "", overall, min_group_size, metrics),
        by_group=tuple(by_group),
        gaps=tuple(gaps),
        references={given.attribute: given.reference for given in attributes},
    )


def _build_group(
    attribute: str, name: str, table: NDArray[np.int64], limit: int, metrics: Sequence[str]
) -> GroupResult:
    counts = Counts(*(int(cell) for cell in table))
    rates = {each: mark_few_cases(compute_rate(each, counts.table), limit) for each in metrics}
    return GroupResult(attribute, name, counts, rates, is_small=counts.n < limit)
