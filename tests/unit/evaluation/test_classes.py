"""Numbers by class and their averages are those of scikit-learn's report."""

import numpy as np
import pytest
from sklearn import metrics as sk

from automl.data.task import Task, TaskType
from automl.evaluation.classes import COUNTED, RANKED, compute_class_table
from automl.evaluation.evaluate import EvaluationInput, evaluate

THREE = Task(target="y", type=TaskType.MULTICLASS, metric="log_loss", classes=("a", "b", "c"))


def draw(n=300, seed=0):
    generator = np.random.default_rng(seed)
    truth = generator.choice(3, n, p=[0.6, 0.3, 0.1])
    logits = generator.normal(size=(n, 3)) + 1.2 * np.eye(3)[truth]
    p = np.exp(logits)
    return truth, p / p.sum(axis=1, keepdims=True)


def test_the_report_of_scikit_learn():
    truth, p = draw()
    frame, left_out = compute_class_table(THREE, truth, p)
    assert left_out == ""
    wanted = sk.classification_report(
        truth, p.argmax(axis=1), target_names=THREE.classes, output_dict=True
    )
    values = frame.set_index(["kind", "name", "metric"])["value"]
    for k, name in enumerate(THREE.classes):
        for metric, key in (("precision", "precision"), ("recall", "recall"), ("f1", "f1-score")):
            assert values["class", name, metric] == pytest.approx(wanted[name][key])
        assert values["class", name, "roc_auc"] == pytest.approx(sk.roc_auc_score(truth == k, p[:, k]))  # fmt: skip
        assert values["class", name, "average_precision"] == pytest.approx(
            sk.average_precision_score(truth == k, p[:, k])
        )
    for average in ("macro", "weighted"):
        for metric, key in (("precision", "precision"), ("recall", "recall"), ("f1", "f1-score")):
            got = values["average", average, metric]
            assert got == pytest.approx(wanted[f"{average} avg"][key])
    assert values["average", "micro", "f1"] == pytest.approx(wanted["accuracy"])
    assert (frame["low"] <= frame["value"]).all()
    assert (frame["value"] <= frame["high"]).all()
    assert frame[frame["kind"] == "class"].groupby("metric")["n_true"].sum().eq(300).all()


def test_weights_count_like_rows_and_widen_no_value():
    truth, p = draw(120)
    times = np.random.default_rng(1).integers(1, 4, 120)
    weighted, _ = compute_class_table(THREE, truth, p, weight=times.astype(float))
    repeated, _ = compute_class_table(THREE, np.repeat(truth, times), np.repeat(p, times, axis=0))
    keys = ["kind", "name", "metric"]
    got, wanted = (each.set_index(keys)["value"] for each in (weighted, repeated))
    assert got.sort_index().to_dict() == pytest.approx(wanted.sort_index().to_dict())
    assert weighted["method"].str.contains("effective rows").all()


def test_many_classes_are_ranked_for_the_most_frequent_only_and_that_is_said():
    n_classes = 55
    task = Task(
        target="y", type=TaskType.MULTICLASS, metric="accuracy",
        classes=tuple(f"c{k}" for k in range(n_classes)),
    )  # fmt: skip
    generator = np.random.default_rng(0)
    truth = np.repeat(np.arange(n_classes), np.where(np.arange(n_classes) < 5, 2, 4))
    p = generator.dirichlet(np.ones(n_classes), len(truth))
    frame, left_out = compute_class_table(task, truth, p)
    record = evaluate(EvaluationInput(task=task, truth=truth, prediction=p))
    assert "roc_auc_ovo" not in record.metrics
    assert any("one against one" in note for note in record.notes)
    assert left_out in record.notes
    assert left_out.startswith("ROC AUC and average precision by class are given for the 50")
    by_class = frame[frame["kind"] == "class"]
    counts = by_class.groupby("metric")["name"].nunique()
    assert counts[list(COUNTED)].eq(55).all()
    assert counts[list(RANKED)].eq(50).all()
    assert not set(by_class[by_class["metric"] == "roc_auc"]["name"]) & {f"c{k}" for k in range(5)}
