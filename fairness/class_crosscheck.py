"""Accuracy and macro recall by group computed again with Fairlearn and scikit-learn."""

from collections.abc import Iterator

import numpy as np
import pandas as pd

from fairness.class_audit import ClassAudit, ClassInput
from fairness.class_gaps import MACRO
from fairness.class_wording import get_class_title
from fairness.crosscheck import Number, summarise
from fairness.groups import Grouping, build_groupings
from fairness.records import CrossCheck


def compute_class_cross_check(audit: ClassAudit, rows: ClassInput) -> CrossCheck:
    """Compare accuracy and macro recall of every group with Fairlearn's ``MetricFrame``; ``rows`` are the audit's."""
    numbers: list[Number] = []
    for grouping in build_groupings(rows.attributes):
        numbers += _compare(audit, rows, grouping, with_overall=not numbers)
    return summarise(numbers)


def _average_recall(truth: pd.Series, prediction: pd.Series) -> float:
    """Mean over the classes that occur, with scikit-learn's recall."""
    from sklearn.metrics import recall_score

    present = np.unique(truth)
    return float(recall_score(truth, prediction, labels=present, average="macro", zero_division=0))


def _compare(
    audit: ClassAudit, rows: ClassInput, grouping: Grouping, *, with_overall: bool
) -> Iterator[Number]:
    from fairlearn.metrics import MetricFrame
    from sklearn.metrics import accuracy_score

    frame = MetricFrame(
        metrics={"accuracy": accuracy_score, MACRO: _average_recall},
        y_true=rows.truth,
        y_pred=rows.prediction,
        sensitive_features=grouping.codes,
    )
    groups = {group.group: group for group in audit.list_groups(grouping.attribute)}
    for metric in ("accuracy", MACRO):
        title = get_class_title(metric).lower()
        if with_overall:
            value = audit.overall.metrics[metric].value
            yield Number(f"{title} of all rows", value, float(frame.overall[metric]))
        for code, name in enumerate(grouping.names):
            estimate = groups[name].metrics[metric]
            place = f"{title} of {name} ({grouping.attribute})"
            theirs = float(frame.by_group[metric][code])
            yield Number(place, estimate.value, theirs, estimate.reason)
