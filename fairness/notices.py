"""What a reader of an audit must be told: few cases, missing groups, comparisons, one-person flips."""

from collections.abc import Mapping, Sequence

from fairness.gaps import TESTED, count_rate
from fairness.groups import Grouping
from fairness.records import Gap, GroupResult

NO_ATTRIBUTE = (
    "No sensitive attribute given. Leaving it out does not remove its influence;"
    " add it as audit-only to check."
)


def collect_warnings(
    by_group: Sequence[GroupResult],
    gaps: Sequence[Gap],
    groupings: Sequence[Grouping],
    references: Mapping[str, str],
    *,
    limit: int,
) -> tuple[str, ...]:
    """Notices in reading order, attribute by attribute."""
    if not groupings:
        return (NO_ATTRIBUTE,)
    notices: list[str] = []
    for grouping in groupings:
        groups = [group for group in by_group if group.attribute == grouping.attribute]
        if grouping.note:
            notices.append(f"{grouping.attribute}: {grouping.note}")
        notices += _describe_small(grouping.attribute, groups, limit)
        notices += _describe_empty(grouping.attribute, groups)
        flip = describe_flip(groups)
        if flip:
            notices.append(f"{grouping.attribute}: {flip}")
        if len(groups) == 1:
            notices.append(f"{grouping.attribute} has one group, {references[grouping.attribute]}.")
    n_tests = count_comparisons(gaps)
    if n_tests:
        notices.append(
            f"{n_tests} comparisons; about {0.05 * n_tests:.1f} would look notable by chance."
        )
    return tuple(notices)


def count_comparisons(gaps: Sequence[Gap]) -> int:
    """How many group-against-reference tests were made."""
    return sum(1 for gap in gaps if gap.metric in TESTED and gap.p_value is not None)


def _describe_small(attribute: str, groups: Sequence[GroupResult], limit: int) -> list[str]:
    small = [f"{group.group} ({group.n} rows)" for group in groups if group.is_small]
    if not small:
        return []
    return [f"{attribute}: few cases (fewer than {limit} rows) in {', '.join(small)}."]


def _describe_empty(attribute: str, groups: Sequence[GroupResult]) -> list[str]:
    notices = []
    for group in groups:
        if group.counts.positives == 0:
            notices.append(
                f"{attribute}: true and false negative rate are not estimable for {group.group}:"
                " no positive labels. Left out of the gap."
            )
        if group.counts.positives == group.n:
            notices.append(
                f"{attribute}: false positive rate is not estimable for {group.group}:"
                " no negative labels. Left out of the gap."
            )
    return notices


def describe_flip(groups: Sequence[GroupResult]) -> str:
    """Says so if one decision more or less would change which group has the highest or lowest rate."""
    if len(groups) < 2:
        return ""
    counts = [(*count_rate(group, "selection_rate"), group.group) for group in groups]
    ordered = sorted(counts, key=lambda item: item[0] / item[1])
    low, high = ordered[0], ordered[-1]
    if (low[0] + 1) / low[1] >= ordered[1][0] / ordered[1][1]:
        return f"one person would change which group is selected least ({low[2]})."
    if (high[0] - 1) / high[1] <= ordered[-2][0] / ordered[-2][1]:
        return f"one person would change which group is selected most ({high[2]})."
    return ""
