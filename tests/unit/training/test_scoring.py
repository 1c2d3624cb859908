import numpy as np
import pytest
from sklearn.metrics import log_loss, roc_auc_score

from automl.data.task import Task, TaskType
from automl.errors import DataError, TrainingDiverged
from automl.training.scoring import Scorer, check_score
from tests.unit.training.tables import build_task

TRUTH = np.array([0, 1, 1, 0, 1])
PROBABILITY = np.array([0.2, 0.7, 0.4, 0.5, 0.9])
BOTH = np.stack([1 - PROBABILITY, PROBABILITY], axis=1)


def test_binary_score_and_metrics_agree_with_scikit_learn():
    scorer = Scorer(task=build_task(TaskType.BINARY), truth=TRUTH)
    assert scorer.compute_score(BOTH) == pytest.approx(roc_auc_score(TRUTH, PROBABILITY))
    assert scorer.compute_metrics(BOTH)["log_loss"] == pytest.approx(log_loss(TRUTH, PROBABILITY))
    assert scorer.compute_loss(BOTH) == pytest.approx(log_loss(TRUTH, PROBABILITY))


def test_the_positive_class_may_come_first():
    task = Task(
        target="y",
        type=TaskType.BINARY,
        metric="precision",
        classes=("bad", "good"),
        positive="bad",
    )
    scorer = Scorer(task=task, truth=TRUTH)
    # P(bad) = 1 - p ≥ 0.5 flags the rows 0, 2 and 3; two of them are bad
    assert scorer.compute_score(BOTH) == pytest.approx(2 / 3)


def test_a_loss_metric_is_negative_as_score_and_positive_as_metric():
    task = build_task(TaskType.REGRESSION)
    scorer = Scorer(task=task, truth=np.array([1.0, 2, 3]), target_scale=2.0)
    prediction = np.array([1.0, 2, 6])
    assert scorer.compute_score(prediction) == pytest.approx(-np.sqrt(3))
    assert scorer.compute_metrics(prediction)["rmse"] == pytest.approx(np.sqrt(3))
    assert scorer.compute_loss(prediction) == pytest.approx(3 / 4)


def test_predictions_that_are_not_finite_are_a_divergence():
    scorer = Scorer(task=build_task(TaskType.REGRESSION), truth=np.array([1.0, 2]))
    with pytest.raises(TrainingDiverged):
        scorer.compute_score(np.array([1.0, np.nan]))


@pytest.mark.parametrize("truth", [np.zeros(4, np.int64), np.zeros(0, np.int64)])
def test_a_select_part_that_cannot_carry_the_metric_is_named(truth):
    scorer = Scorer(task=build_task(TaskType.BINARY), truth=truth)
    with pytest.raises(DataError, match="roc_auc"):
        check_score(scorer)
