"""Effects of one column: exact for a sum of functions, local effects where columns hang together."""

import numpy as np
import pandas as pd
import pytest

from automl.data.dataset import Kind
from automl.evaluation.explaining.asking import AskedModel, HeldRows
from automl.evaluation.explaining.effects import compute_effects
from tests.unit.evaluation.explained_models import VALUE, run, use


def build(function, n=200, related=0.0):
    rng = np.random.default_rng(0)
    a = rng.normal(size=n)
    frame = pd.DataFrame(
        {
            "a": np.where(np.arange(n) < 5, np.nan, a),
            "b": related * a + np.sqrt(1 - related**2) * rng.normal(size=n),
            "job": pd.Series(rng.choice(["nurse", "smith", "clerk"], n, p=[0.6, 0.3, 0.1]), dtype="str"),
            "note": pd.Series(["some words"] * n, dtype="str"),
            "day": pd.Timestamp("2024-01-01") + pd.to_timedelta(rng.integers(90, size=n), "D"),
        }
    )  # fmt: skip
    columns = (
        use("a"), use("b"), use("job", Kind.CATEGORICAL), use("note", Kind.TEXT),
        use("day", Kind.DATETIME),
    )  # fmt: skip
    model = AskedModel(task=VALUE, columns=columns, predict=function)
    return model, HeldRows(frame=frame, truth=np.zeros(n), row_id=np.arange(n))


def take(found, column, kind):
    frame = found.frame
    return frame[(frame["column"] == column) & (frame["kind"] == kind)]


def test_a_sum_is_taken_apart_exactly():
    def predict(frame):
        return 3 * frame["a"].fillna(0).to_numpy() + frame["b"].to_numpy() + 5.0 * (
            frame["job"] == "nurse"
        ).to_numpy()  # fmt: skip

    model, rows = build(predict)
    found, shares = run(compute_effects(model, rows, (), seed=0))
    assert shares == sorted(shares)
    assert found.facts["left_out"] == ["note"]
    average = take(found, "a", "average")
    values = pd.to_numeric(average["label"])
    assert values.is_monotonic_increasing
    mean = predict(rows.frame).mean() - 3 * rows.frame["a"].fillna(0).mean()
    np.testing.assert_allclose(average["value"], 3 * values + mean, atol=1e-3)
    assert (average["low"] < average["value"]).all()
    job = take(found, "job", "average").set_index("label")["value"]
    assert job.index.tolist() == ["nurse", "smith", "clerk"]  # by how often they come
    assert job["nurse"] - job["clerk"] == pytest.approx(5)
    local = take(found, "b", "local")
    steps = np.diff(local["value"]) / np.diff(pd.to_numeric(local["label"]))
    np.testing.assert_allclose(steps, 1, atol=1e-3)
    curves = take(found, "b", "curve")
    assert curves["row_id"].nunique() == 30
    assert take(found, "job", "local").empty
    assert len(take(found, "day", "local")) == len(take(found, "day", "average"))


def test_local_effects_stay_where_rows_are_and_the_average_does_not():
    """f = a where a and b agree, far more elsewhere: rows that never occur bend the average alone."""

    def predict(frame):
        a, b = frame["a"].fillna(0).to_numpy(), frame["b"].to_numpy()
        return a + 50.0 * (np.abs(a - b) > 1.5)

    model, rows = build(predict, related=0.98)
    found, _ = run(compute_effects(model, rows, ("b",), seed=0))
    assert set(found.frame["column"]) == {"b"}
    assert np.ptp(take(found, "b", "average")["value"]) > 20
    assert np.ptp(take(found, "b", "local")["value"]) < 5


def test_texts_alone_leave_an_empty_table():
    model, rows = build(lambda frame: np.zeros(len(frame)))
    found, _ = run(compute_effects(model, rows, ("note",), seed=0))
    assert found.frame.empty
    assert "column" in found.frame
