"""SHAP values: exact where the answer is known, and always adding up to the prediction."""

import numpy as np
import pandas as pd
import pytest

from automl.data.task import Task, TaskType
from automl.evaluation.explaining.asking import AskedModel
from automl.evaluation.explaining.shapley import (
    compute_shapley,
    limit_rows,
    render_cell,
)
from tests.unit.evaluation.explained_models import MODEL, VALUE, build_rows, run, use

WEIGHTS = np.array([2.0, -1.0, 0.5])
NAMES = ["a", "b", "c"]


def draw_numbers(n, seed):
    rows = np.random.default_rng(seed).normal(size=(n, 3))
    return pd.DataFrame(rows, columns=NAMES)


def build_model(function):
    return AskedModel(
        task=VALUE, columns=tuple(map(use, NAMES)),
        predict=lambda frame: function(frame[NAMES].to_numpy(dtype=float)),
    )  # fmt: skip


def hold(frame):
    rows = build_rows(n=len(frame))
    return type(rows)(frame=frame, truth=np.zeros(len(frame)), row_id=np.arange(len(frame)) * 3)


def pivot(found):
    table = found.frame.pivot_table(index="row_id", columns="column", values="value")
    return table[NAMES].to_numpy()


def test_a_linear_model_gets_weight_times_distance_from_the_mean():
    rows, background = hold(draw_numbers(7, 0)), draw_numbers(10, 1)
    model = build_model(lambda x: x @ WEIGHTS + 4)
    found, shares = run(compute_shapley(model, rows, background, seed=0))
    expected = WEIGHTS * (rows.frame.to_numpy() - background.to_numpy().mean(axis=0))
    np.testing.assert_allclose(pivot(found), expected, atol=1e-9)
    assert found.facts["base"][0] == pytest.approx(float((background @ WEIGHTS).mean() + 4))
    assert found.facts["largest_gap"] < 1e-9
    assert shares == sorted(shares)


def test_an_interaction_is_shared_and_its_error_is_told():
    """x y against zeros: each of both gets half, the third nothing."""
    rows, background = hold(draw_numbers(4, 0)), draw_numbers(40, 1) * 0
    found, _ = run(compute_shapley(build_model(lambda x: x[:, 0] * x[:, 1]), rows, background, 0))
    half = (rows.frame["a"] * rows.frame["b"] / 2).to_numpy()
    np.testing.assert_allclose(pivot(found), np.column_stack([half, half, 0 * half]), atol=1e-9)
    crossed, _ = run(
        compute_shapley(
            build_model(lambda x: np.sin(x[:, 0] * x[:, 1] + x[:, 2])), rows, background + 1, 0
        )
    )
    assert (crossed.frame["error"] > 0).any()


def test_mixed_columns_and_one_column_add_up_and_repeat():
    rows = build_rows(n=30)
    first, _ = run(compute_shapley(MODEL, rows.take(np.arange(5)), rows.frame.iloc[5:], seed=3))
    again, _ = run(compute_shapley(MODEL, rows.take(np.arange(5)), rows.frame.iloc[5:], seed=3))
    pd.testing.assert_frame_equal(first.frame, again.frame)
    total = first.frame.groupby("row_id")["value"].sum() + first.facts["base"][0]
    predicted = [each["values"][0] for each in first.facts["predictions"]]
    np.testing.assert_allclose(total, predicted, atol=1e-9)
    of_job = first.frame[first.frame["column"] == "job"]
    assert of_job["position"].isna().all()
    assert set(of_job["cell"]) <= {"nurse", "smith", "–"}
    assert first.frame.loc[first.frame["column"] == "months", "value"].abs().max() == 0
    alone = AskedModel(
        task=VALUE, columns=(use("a"),), predict=lambda frame: frame["a"].to_numpy(dtype=float)
    )
    one, _ = run(compute_shapley(alone, hold(draw_numbers(2, 0)), draw_numbers(3, 1), 0))
    assert one.facts["largest_gap"] < 1e-12


def test_every_class_has_its_values_and_they_cancel():
    task = Task(target="y", type=TaskType.MULTICLASS, metric="log_loss", classes=("p", "q", "r"))

    def predict(frame):
        odds = np.exp(frame[NAMES].to_numpy(dtype=float))
        return odds / odds.sum(axis=1, keepdims=True)

    model = AskedModel(task=task, columns=tuple(map(use, NAMES)), predict=predict)
    found, _ = run(compute_shapley(model, hold(draw_numbers(3, 0)), draw_numbers(8, 1), 0))
    assert set(found.frame["output"]) == {"p", "q", "r"}
    sums = found.frame.groupby(["row_id", "column"])["value"].sum()
    np.testing.assert_allclose(sums, 0, atol=1e-9)


def test_cells_are_said_as_people_read_them_and_wide_tables_explain_fewer_rows():
    assert render_cell(float("nan")) == render_cell(None) == render_cell(pd.NaT) == "–"
    assert render_cell(pd.Timestamp("2024-05-01")) == "2024-05-01"
    assert (render_cell(0.1234567), render_cell(3), render_cell("x")) == ("0.123457", "3", "x")
    assert (limit_rows(14), limit_rows(200), limit_rows(5_000)) == (300, 50, 20)
