"""Rates and gaps from count tables are those of the whole audit on the same rows."""

import numpy as np
import pandas as pd
import pytest

from fairness.audit import AuditInput, AuditOptions, compute_audit
from fairness.count_audit import COUNT_METRICS, GroupTables, compute_count_audit
from fairness.errors import AuditError
from fairness.frames import build_gap_frame, build_group_frame

NAMES = ("a", "b", "c")


def test_the_numbers_are_those_of_the_whole_audit():
    rng = np.random.default_rng(3)
    n = 500
    truth, decided = rng.integers(0, 2, n), rng.integers(0, 2, n)
    group = rng.choice(NAMES, n, p=[0.6, 0.37, 0.03])
    rows = AuditInput(
        truth=truth, prediction=decided, score=None, attributes=pd.DataFrame({"g": group})
    )
    whole = compute_audit(rows, AuditOptions(positive="1", references={"g": "b"}))
    cells = truth * 2 + decided
    tables = [np.bincount(cells[group == name], minlength=4) for name in NAMES]
    given = GroupTables(attribute="g", names=NAMES, tables=tables, reference="b")
    found = compute_count_audit(np.bincount(cells, minlength=4), [given])
    for name in NAMES:
        mine = next(each for each in found.list_groups("g") if each.group == name)
        theirs = whole.find_group("g", name)
        assert mine.counts == theirs.counts
        assert mine.is_small == theirs.is_small
        for metric in COUNT_METRICS:
            assert mine.metrics[metric] == theirs.metrics[metric]
    assert len(found.gaps) == 2 * len(COUNT_METRICS)
    for gap in found.gaps:
        assert gap.estimate == whole.find_gap("g", gap.metric, gap.group).estimate
    frame = build_gap_frame(found, "g")
    assert set(frame["group"]) == {"a", "c"}
    assert build_group_frame(found, "g", "selection_rate").attrs["overall"] == decided.mean()


def test_a_reference_that_is_no_group_is_refused():
    with pytest.raises(AuditError, match="'x' does not occur in 'g'"):
        GroupTables(attribute="g", names=("a",), tables=[np.zeros(4, dtype=int)], reference="x")
