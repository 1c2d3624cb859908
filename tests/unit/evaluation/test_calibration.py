"""Temperature scaling: recovers what was planted, keeps decisions."""

import numpy as np
import pytest

from automl.errors import DataError
from automl.evaluation.calibration import Temperature, apply_temperature, fit_temperature


def softmax(scores):
    shifted = np.exp(scores - scores.max(axis=1, keepdims=True))
    return shifted / shifted.sum(axis=1, keepdims=True)


def draw(n, k, seed=0):
    """Labels drawn from calibrated probabilities, and the same scores twice as sharp."""
    rng = np.random.default_rng(seed)
    scores = rng.normal(scale=1.2, size=(n, k))
    truth = (softmax(scores).cumsum(axis=1) > rng.random((n, 1))).argmax(axis=1)
    return truth, softmax(2 * scores)


@pytest.mark.parametrize("k", [2, 3, 7])
def test_recovers_temperature_two(k):
    truth, sharp = draw(20_000, k)
    fitted = fit_temperature(truth, sharp)
    assert fitted.value == pytest.approx(2, rel=0.04)
    assert fitted.log_loss_after < fitted.log_loss_before
    assert not fitted.is_at_bound


def test_is_the_minimum_of_the_log_loss():
    truth, sharp = draw(3_000, 3, seed=4)
    fitted = fit_temperature(truth, sharp)

    def loss(value):
        return -np.log(apply_temperature(sharp, value)[np.arange(3_000), truth]).mean()

    assert fitted.log_loss_after == pytest.approx(loss(fitted.value))
    assert fitted.log_loss_before == pytest.approx(loss(1.0))
    assert loss(fitted.value) < min(loss(fitted.value * 1.01), loss(fitted.value * 0.99))


def test_compas_deciles_reach_the_published_temperature(data_folder):
    import pandas as pd

    frame = pd.read_csv(
        data_folder / "compas_two_years.csv", usecols=["decile_score", "two_year_recid"]
    )
    score = (frame["decile_score"].to_numpy() - 0.5) / 10
    fitted = fit_temperature(
        frame["two_year_recid"].to_numpy(), np.column_stack([1 - score, score])
    )
    assert fitted.value == pytest.approx(2.188097, abs=1e-6)
    assert fitted.log_loss_after == pytest.approx(0.624699, abs=1e-6)


def test_separable_rows_are_left_as_they_are():
    fitted = fit_temperature(np.array([0, 1]), np.array([[0.9, 0.1], [0.2, 0.8]]))
    assert (fitted.value, fitted.is_at_bound) == (1.0, True)


def test_scores_against_the_labels_are_softened_to_the_limit():
    fitted = fit_temperature(np.array([1, 0]), np.array([[0.9, 0.1], [0.2, 0.8]]))
    assert fitted.value == pytest.approx(20)
    assert fitted.is_at_bound


def test_constant_probabilities_need_no_temperature():
    fitted = fit_temperature(np.array([0, 1, 2]), np.full((3, 3), 1 / 3))
    assert fitted.value == 1.0


def test_certain_scores_stay_finite():
    fitted = fit_temperature(np.array([0, 1, 1]), np.array([[1.0, 0.0], [0.0, 1.0], [1.0, 0.0]]))
    assert np.isfinite([fitted.value, fitted.log_loss_before, fitted.log_loss_after]).all()


def test_refuses_values_and_empty_rows():
    with pytest.raises(DataError, match=r"shape \(3,\)"):
        fit_temperature(np.zeros(3, dtype=np.int64), np.zeros(3))
    with pytest.raises(DataError, match="0 labels"):
        fit_temperature(np.zeros(0, dtype=np.int64), np.zeros((0, 2)))
    with pytest.raises(DataError, match="positive"):
        Temperature(value=0.0, n=1, log_loss_before=0, log_loss_after=0)
