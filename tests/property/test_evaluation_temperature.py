"""Whatever the temperature: same decisions, rows that sum to one."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from automl.evaluation.calibration import apply_temperature, fit_temperature

weights = arrays(
    np.float64, st.tuples(st.integers(1, 30), st.integers(2, 5)), elements=st.floats(1e-6, 1)
)


@given(weights, st.floats(0.05, 20))
def test_keeps_order_and_total(weight, value):
    before = weight / weight.sum(axis=1, keepdims=True)
    after = apply_temperature(before, value)
    np.testing.assert_allclose(after.sum(axis=1), 1)
    rows = np.arange(len(before))
    # The chosen class stays among the most likely ones; ties may be torn by the last bit only.
    np.testing.assert_allclose(after[rows, before.argmax(axis=1)], after.max(axis=1), rtol=1e-9)


@given(weights, st.randoms(use_true_random=False))
def test_fitting_never_raises_the_loss(weight, random):
    probability = weight / weight.sum(axis=1, keepdims=True)
    truth = np.array([random.randrange(probability.shape[1]) for _ in probability])
    fitted = fit_temperature(truth, probability)
    assert fitted.log_loss_after <= fitted.log_loss_before + 1e-9
    assert 0.05 - 1e-9 <= fitted.value <= 20 + 1e-6
