"""Calibrators against scikit-learn and the published COMPAS values, and how one of them is chosen."""

import json

import numpy as np
import pandas as pd
import pytest
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.calibration import CalibratedClassifierCV
from sklearn.frozen import FrozenEstimator
from sklearn.isotonic import IsotonicRegression

from automl.data.task import Task, TaskType
from automl.errors import DataError
from automl.evaluation.calibration import fit_temperature
from automl.evaluation.calibration_numbers import compute_calibration_numbers
from automl.evaluation.calibrator_choice import choose_calibrator, parse_choice
from automl.evaluation.calibrator_table import METRICS, RAW, compute_calibrator_table
from automl.evaluation.calibrators import (
    Calibrator,
    Method,
    build_temperature,
    fit_calibrator,
    parse_calibrator,
)
from automl.evaluation.class_calibration import compute_class_calibration, compute_confidence_gap
from automl.evaluation.evaluate import EvaluationInput, evaluate
from automl.evaluation.outcomes import build_outcomes
from fairness.reliability import compute_ece

BINARY = Task(target="y", type=TaskType.BINARY, metric="roc_auc", classes=("no", "yes"), positive="yes")  # fmt: skip


@pytest.fixture(scope="module")
def compas(data_folder):
    frame = pd.read_csv(
        data_folder / "compas_two_years.csv", usecols=["decile_score", "two_year_recid"]
    )
    score = (frame["decile_score"].to_numpy() - 0.5) / 10
    return frame["two_year_recid"].to_numpy(), np.column_stack([1 - score, score])


def draw(n, k, bend, seed=0):
    """Labels of softmax probabilities, and the same probabilities after their logits were bent."""
    generator = np.random.default_rng(seed)
    logits = generator.normal(0, 1.3, (n, k))
    truth = (_softmax(logits).cumsum(axis=1) > generator.random((n, 1))).argmax(axis=1)
    return truth, _softmax(bend(logits))


def _softmax(logits):
    shares = np.exp(logits - logits.max(axis=1, keepdims=True))
    return shares / shares.sum(axis=1, keepdims=True)


def compute_loss(truth, probability):
    return -np.log(probability[np.arange(len(truth)), truth]).mean()


@pytest.mark.parametrize(
    ("method", "numbers", "loss"),
    [
        (Method.TEMPERATURE, (2.188097,), 0.624699),
        (Method.AFFINE, (0.467657, 0.055000), 0.624402),
        (Method.BETA, (0.497562, 0.426193, 0.120332), 0.624361),
        (Method.ISOTONIC, None, 0.623707),
    ],
)
def test_compas_reaches_the_published_losses(compas, method, numbers, loss):
    truth, probability = compas
    fitted = fit_calibrator(method, truth, probability)
    if numbers:
        assert fitted.numbers[0] == pytest.approx(numbers, abs=1e-5)
    assert compute_loss(truth, fitted.apply(probability)) == pytest.approx(loss, abs=1e-6)


class Given(ClassifierMixin, BaseEstimator):
    """A model whose logits are its input."""

    def fit(self, _rows, labels):
        self.classes_ = np.unique(labels)
        return self

    def decision_function(self, rows):
        return rows

    def predict(self, rows):
        return self.classes_[rows.argmax(axis=1)]


def test_temperature_is_that_of_scikit_learn():
    truth, sharp = draw(2_000, 3, lambda logits: 2 * logits)
    logits = np.log(sharp)
    model = CalibratedClassifierCV(
        FrozenEstimator(Given().fit(logits, truth)), method="temperature"
    )
    model.fit(logits, truth)
    ours = fit_calibrator(Method.TEMPERATURE, truth, sharp).apply(sharp)
    assert np.abs(model.predict_proba(logits) - ours).max() < 1e-3


def test_isotonic_is_that_of_scikit_learn_with_ends_off_zero_and_one():
    truth, sharp = draw(400, 2, lambda logits: 3 * logits)
    fitted = fit_calibrator(Method.ISOTONIC, truth, sharp)
    free = IsotonicRegression(y_min=0, y_max=1, out_of_bounds="clip").fit(sharp[:, 1], truth)
    new = np.linspace(0, 1, 101)
    ours = fitted.apply(np.column_stack([1 - new, new]))[:, 1]
    assert ours == pytest.approx(np.clip(free.predict(new), 1 / 402, 401 / 402), abs=1e-9)
    assert ours.min() > 0
    assert ours.max() < 1


@pytest.mark.parametrize("method", list(Method))
@pytest.mark.parametrize("k", [2, 4])
def test_rows_sum_to_one_and_json_brings_the_same_back(method, k):
    truth, sharp = draw(300, k, lambda logits: 2.5 * logits, seed=4)
    fitted = fit_calibrator(method, truth, sharp)
    again = parse_calibrator(json.loads(json.dumps(fitted.to_json())))
    assert again == fitted
    mended = again.apply(sharp)
    assert mended.sum(axis=1) == pytest.approx(1)
    assert (mended >= 0).all()
    assert compute_loss(truth, mended) < compute_loss(truth, sharp)


@pytest.mark.parametrize("method", [Method.AFFINE, Method.BETA, Method.ISOTONIC])
def test_two_classes_keep_their_order(method):
    truth, sharp = draw(500, 2, lambda logits: -logits, seed=2)  # scores against the labels
    mended = fit_calibrator(method, truth, sharp).apply(sharp)[:, 1]
    assert (np.diff(mended[np.argsort(sharp[:, 1])]) >= -1e-12).all()


def test_weights_count_as_repeated_rows():
    truth, sharp = draw(200, 2, lambda logits: 2 * logits)
    times = np.arange(200) % 3 + 1
    for method in (Method.AFFINE, Method.BETA):
        weighted = fit_calibrator(method, truth, sharp, times.astype(float))
        repeated = fit_calibrator(method, np.repeat(truth, times), np.repeat(sharp, times, axis=0))
        assert weighted.numbers[0] == pytest.approx(repeated.numbers[0], abs=1e-4)


def test_what_is_no_calibrator_is_refused():
    with pytest.raises(DataError, match="positive"):
        Calibrator(method=Method.TEMPERATURE, n=5, numbers=((0.0,),))
    with pytest.raises(DataError, match="not finite"):
        Calibrator(method=Method.AFFINE, n=5, numbers=((np.nan, 0.0),))
    with pytest.raises(DataError, match="knot"):
        Calibrator(method=Method.ISOTONIC, n=5, numbers=((0.1, 0.2),), knots=((0.5,),))
    with pytest.raises(DataError, match="cannot be read"):
        parse_calibrator({"method": "magic", "n": 3, "numbers": [], "knots": []})
    with pytest.raises(DataError, match="3 classes cannot mend 4"):
        fit_calibrator(Method.AFFINE, *draw(90, 3, lambda x: x)).apply(np.full((2, 4), 0.25))


def test_the_temperature_stays_where_the_others_are_no_better():
    truth, sharp = draw(1_500, 2, lambda logits: 2 * logits, seed=1)
    choice = choose_calibrator(truth, sharp)
    assert choice.chosen is Method.TEMPERATURE
    assert choice.calibrator.numbers[0][0] == pytest.approx(2, rel=0.15)
    assert set(choice.fitted) == set(Method)
    assert choice.losses[Method.TEMPERATURE].gain == 0
    assert parse_choice(json.loads(json.dumps(choice.to_json()))) == choice


def test_a_shift_that_no_temperature_mends_is_mended_by_another():
    truth, shifted = draw(2_000, 2, lambda logits: logits + np.array([0.0, 1.5]), seed=1)
    choice = choose_calibrator(truth, shifted)
    loss = choice.losses[choice.chosen]
    assert choice.chosen in {Method.AFFINE, Method.BETA}
    assert loss.gain > loss.gain_error > 0
    assert loss.log_loss < choice.raw
    assert choice == choose_calibrator(truth, shifted)


def test_why_only_the_temperature_was_fitted_is_said():
    _, sharp = draw(60, 2, lambda logits: logits)
    few = np.where(np.arange(60) < 9, 1, 0)
    assert "9 rows" in choose_calibrator(few, sharp).reason
    right = np.array([[0.9, 0.1], [0.2, 0.8]]).repeat(30, axis=0)
    assert "no temperature is best" in choose_calibrator(np.arange(2).repeat(30), right).reason
    many = draw(600, 13, lambda logits: logits)
    assert "13 classes" in choose_calibrator(*many).reason
    assert choose_calibrator(np.array([1]), np.array([[0.4, 0.6]])).chosen is Method.TEMPERATURE


def test_the_table_says_what_every_version_does():
    truth, sharp = draw(900, 2, lambda logits: 3 * logits + np.array([0.0, 1.0]), seed=3)
    fitted = {str(m): fit_calibrator(m, truth, sharp).apply(sharp) for m in Method}
    table = compute_calibrator_table(BINARY, truth, {RAW: sharp, **fitted})
    assert len(table) == 5 * len(METRICS)
    cells = table.set_index(["version", "metric"])
    assert cells.loc[(RAW, "changed"), "value"] == 0
    assert cells.loc[("temperature", "changed"), "value"] == 0
    assert cells.loc[("affine", "changed"), "value"] > 0
    assert cells.loc[(RAW, "slope"), "high"] < 1
    assert cells.loc[("affine", "slope"), "value"] == pytest.approx(1, abs=1e-3)
    auc = cells.xs("auc", level="metric")["value"]
    assert auc[["temperature", "affine"]].to_numpy() == pytest.approx(auc[RAW])
    reference = evaluate(EvaluationInput(task=BINARY, truth=truth, prediction=sharp)).metrics
    for metric in ("log_loss", "brier_score", "accuracy"):
        row = cells.loc[(RAW, metric)]
        assert row["value"] == pytest.approx(reference[metric].value)
        assert (row["low"], row["high"]) == pytest.approx(
            (reference[metric].low, reference[metric].high), rel=0.03
        )
    smooth = cells.loc[("isotonic", "smooth_ece")]
    assert smooth["value"] < cells.loc[(RAW, "smooth_ece"), "value"]
    assert pd.isna(smooth["low"])
    assert smooth["expected"] > 0


def test_the_numbers_stand_beside_what_chance_would_show():
    truth, sharp = draw(900, 2, lambda logits: 2 * logits, seed=3)
    numbers = compute_calibration_numbers(truth, sharp[:, 1]).set_index("name")
    assert numbers.loc["n", "value"] == 900
    slope = numbers.loc["slope"]
    assert slope["low"] < slope["value"] < slope["high"] < slope["ideal"] == 1
    oe = numbers.loc["observed_over_expected"]
    assert oe["value"] == pytest.approx(truth.mean() / sharp[:, 1].mean())
    assert oe["low"] < oe["value"] < oe["high"]
    for name in ("smooth_ece", "ece_mass", "ece_width", "brier_miscalibration"):
        assert 0 < numbers.loc[name, "expected"] < numbers.loc[name, "expected_high"]
    mended = fit_temperature(truth, sharp).apply(sharp)[:, 1]
    after = compute_calibration_numbers(truth, mended).set_index("name")
    assert after.loc["slope", "value"] == pytest.approx(1, abs=0.05)
    assert after.loc["smooth_ece", "value"] < numbers.loc["smooth_ece", "value"]


def test_the_reference_case_of_several_classes():
    probability = np.array(
        [[0.7, 0.2, 0.1], [0.6, 0.3, 0.1], [0.1, 0.8, 0.1], [0.2, 0.5, 0.3], [0.1, 0.2, 0.7], [0.3, 0.3, 0.4]]
    )  # fmt: skip
    truth = np.array([0, 1, 1, 2, 2, 2])
    task = Task(target="y", type=TaskType.MULTICLASS, metric="log_loss", classes=("a", "b", "c"))
    metrics = evaluate(EvaluationInput(task=task, truth=truth, prediction=probability)).metrics
    found = [metrics[name].value for name in ("accuracy", "log_loss", "brier_score")]
    assert found == pytest.approx([0.666667, 0.710122, 0.42], abs=1e-6)
    top = probability.max(axis=1)
    hit = (probability.argmax(axis=1) == truth).astype(int)
    assert compute_ece(hit, top, 10, "width") == pytest.approx(0.416667, abs=1e-6)
    for k, expected in enumerate((0.266667, 0.25, 0.316667)):
        assert compute_ece(truth == k, probability[:, k], 10, "width") == pytest.approx(expected, abs=1e-6)  # fmt: skip
    gap = compute_confidence_gap(hit, top)
    assert gap.value == pytest.approx(top.mean() - 4 / 6)
    assert gap.low < gap.value < gap.high


def test_one_bad_class_of_three_shows_in_the_table():
    truth, told = draw(3_000, 3, lambda logits: logits, seed=6)
    bent = told.copy()
    bent[:, 2] = told[:, 2] ** 3
    bent[:, :2] *= ((1 - bent[:, 2]) / told[:, :2].sum(axis=1))[:, None]
    task = Task(target="y", type=TaskType.MULTICLASS, metric="log_loss", classes=("a", "b", "c"))
    table = compute_class_calibration(task, truth, bent).set_index("class")
    assert table["n"].sum() == 3_000
    assert table["gap"].idxmin() == table["smooth_ece"].idxmax() == "c"
    assert table.loc["c", "ece"] > 5 * table.loc["c", "ece_expected"]
    fine = compute_class_calibration(task, truth, told).set_index("class")
    assert (fine["smooth_ece"] < 0.05).all()


def test_a_temperature_is_the_same_as_a_calibrator():
    truth, sharp = draw(300, 3, lambda logits: 2 * logits)
    fitted = fit_temperature(truth, sharp)
    assert (build_temperature(fitted).apply(sharp) == fitted.apply(sharp)).all()
    outcomes = build_outcomes(
        Task(target="y", type=TaskType.MULTICLASS, metric="log_loss", classes=("a", "b", "c")),
        truth, fitted.apply(sharp),
    )  # fmt: skip
    assert (outcomes.prediction == sharp.argmax(axis=1)).all()
