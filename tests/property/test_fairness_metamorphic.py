"""What must not change when the rows are shuffled, groups renamed, data doubled or classes swapped."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fairness.audit import Audit, AuditInput, AuditOptions, compute_audit

rows = st.lists(
    st.tuples(st.integers(0, 1), st.integers(0, 1), st.sampled_from("abc")), min_size=1, max_size=60
)
quick = settings(max_examples=25, deadline=None)


def _audit(table, names=None) -> Audit:
    truth, decision, group = zip(*table, strict=True)
    return compute_audit(
        AuditInput(
            truth=np.array(truth),
            prediction=np.array(decision),
            score=None,
            attributes=pd.DataFrame({"g": [(names or {}).get(g, g) for g in group]}),
        ),
        AuditOptions(positive="1"),
    )


def _values(audit, rename=None):
    return {
        ((rename or {}).get(group.group, group.group), name): estimate.value
        for group in audit.by_group
        for name, estimate in group.metrics.items()
    }


@quick
@given(rows, st.randoms(use_true_random=False))
def test_order_of_rows_does_not_matter(table, random):
    shuffled = list(table)
    random.shuffle(shuffled)
    assert _audit(shuffled).to_json() == _audit(table).to_json()


@quick
@given(rows)
def test_names_of_groups_do_not_matter(table):
    names = {"a": "<x>", "b": "=y", "c": "zz"}
    assert _values(_audit(table, names)) == _values(_audit(table), names)


@quick
@given(rows)
def test_doubled_data_has_the_same_rates_and_narrower_intervals(table):
    once, twice = _audit(table), _audit(table * 2)
    assert _values(once) == pytest.approx(_values(twice), nan_ok=True)
    for name, estimate in once.overall.metrics.items():
        double = twice.overall.metrics[name]
        if estimate.method == "wilson" and estimate.is_ok:
            assert double.high - double.low < estimate.high - estimate.low


@quick
@given(rows)
def test_swapping_the_classes_swaps_the_rates(table):
    plain, swapped = _audit(table), _audit([(1 - y, 1 - d, g) for y, d, g in table])
    pairs = {
        "true_positive_rate": "true_negative_rate",
        "false_positive_rate": "false_negative_rate",
        "precision": "negative_predictive_value",
        "accuracy": "accuracy",
        "matthews_corrcoef": "matthews_corrcoef",
    }
    for name, other in pairs.items():
        first, second = plain.overall.metrics[name].value, swapped.overall.metrics[other].value
        assert first == pytest.approx(second) if first is not None else second is None


@quick
@given(rows)
def test_counts_add_up_and_numbers_stay_in_range(table):
    audit = _audit(table)
    total = sum(group.counts.table for group in audit.by_group)
    assert total.tolist() == audit.overall.counts.table.tolist()
    for group in audit.by_group:
        for name, estimate in group.metrics.items():
            low = -1 if name in ("matthews_corrcoef", "cohen_kappa") else 0
            if estimate.has_interval:
                assert low <= estimate.low <= estimate.value + 1e-12
                assert estimate.value - 1e-12 <= estimate.high <= 1
    for extreme in audit.extremes:
        for spread in (extreme.all_groups, extreme.large_groups):
            assert spread.value is None or 0 <= spread.value <= 1 + 1e-12
