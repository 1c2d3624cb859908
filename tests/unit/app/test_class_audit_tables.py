import numpy as np
import pandas as pd

from app.components.class_audit_tables import describe_class_rates
from fairness.class_audit import ClassAudit, ClassInput, ClassOptions, compute_class_audit

RECALL = "true_positive_rate"


def audit(n_wrong: int) -> ClassAudit:
    """Forty rows of each of two classes in one group; so many of the first class are taken for the second."""
    truth = np.repeat([0, 1], 40)
    prediction = truth.copy()
    prediction[:n_wrong] = 1
    rows = ClassInput(
        truth=truth,
        prediction=prediction,
        classes=("cat", "dog"),
        attributes=pd.DataFrame({"camera": ["phone"] * 80}),
    )
    return compute_class_audit(rows, ClassOptions(references={}))


def test_the_lowest_and_the_highest_rate_are_named() -> None:
    text = describe_class_rates(audit(4), "camera", RECALL)
    assert text.startswith("Recall runs from 90.0 %")
    assert "(36/40) for cat in “phone” to 100.0 %" in text


def test_one_and_the_same_rate_everywhere_is_said_once() -> None:
    text = describe_class_rates(audit(0), "camera", RECALL)
    assert text == "Recall is 100.0 % in all 2 combinations with enough cases."
