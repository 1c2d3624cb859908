"""Permutation importance: what is planted comes first, noise covers 0, and what repeats a column is named."""

import numpy as np
import pandas as pd
import pytest

from automl.data.dataset import Kind
from automl.evaluation.explaining.asking import AskedModel, HeldRows, draw_rows
from automl.evaluation.explaining.permutation import compute_importance, limit_rows
from automl.evaluation.explaining.related import find_related
from tests.unit.evaluation.explained_models import (
    MODEL,
    VALUE,
    build_rows,
    predict,
    run,
    use,
)


def test_the_planted_column_is_first_noise_covers_zero_and_the_set_is_named():
    found, shares = run(compute_importance(MODEL, build_rows(), seed=1))
    frame = found.frame.set_index("label")
    assert found.frame["label"].tolist()[:2] == ["age", "age + months"]
    assert frame.loc["age", "low"] > 0.1
    assert frame.loc["noise", "low"] <= 0 <= frame.loc["noise", "high"]
    assert frame.loc["months", ["value", "low", "high"]].tolist() == [0, 0, 0]  # nobody reads it
    assert found.facts["related"] == [["age", "months"]]
    assert frame.loc["age + months", "kind"] == "set"
    assert 0.8 < found.facts["score"] < 1
    assert shares == sorted(shares)
    again, _ = run(compute_importance(MODEL, build_rows(), seed=1))
    pd.testing.assert_frame_equal(again.frame, found.frame)


def test_weights_count_rows_as_if_they_stood_there_so_often():
    rows = build_rows(n=300)
    weight = np.where(np.arange(300) < 60, 0.0, 1.0)
    weighted = HeldRows(frame=rows.frame, truth=rows.truth, row_id=rows.row_id, weight=weight)
    found, _ = run(compute_importance(MODEL, weighted, seed=1))
    kept = rows.truth[60:], predict(rows.frame)[60:, 1]
    pairs = kept[1][kept[0] == 1][:, None] - kept[1][kept[0] == 0]
    assert found.facts["score"] == pytest.approx((pairs > 0).mean())


def test_the_interval_covers_a_loss_that_is_known():
    """y = x + e read as x: shuffling x loses 2 Var(x) of the mean squared error."""
    model = AskedModel(
        task=VALUE, columns=(use("x"),), predict=lambda frame: frame["x"].to_numpy(dtype=float)
    )
    covered = 0
    for seed in range(100):
        rng = np.random.default_rng(seed)
        x = rng.normal(size=120)
        rows = HeldRows(
            frame=pd.DataFrame({"x": x}), truth=x + rng.normal(size=120), row_id=np.arange(120)
        )
        line = run(compute_importance(model, rows, seed))[0].frame.iloc[0]
        covered += line["low"] <= 2 <= line["high"]
    assert covered >= 87  # 95 of 100 expected, four deviations off


def test_related_columns_are_found_among_numbers_levels_and_both():
    rng = np.random.default_rng(0)
    n = 400
    level = rng.integers(3, size=n)
    frame = pd.DataFrame(
        {
            "town": np.array(["a", "b", "c"])[level],
            "region": np.array(["x", "y", "z"])[level],
            "height": level + rng.normal(0, 0.2, n),
            "other": rng.normal(size=n),
            "same": ["s"] * n,
            "flag": rng.random(n) < 0.5,
        }
    )
    kinds = (Kind.CATEGORICAL, Kind.CATEGORICAL, Kind.NUMERIC, Kind.NUMERIC, Kind.CATEGORICAL, Kind.BOOLEAN)  # fmt: skip
    columns = tuple(use(name, kind) for name, kind in zip(frame, kinds, strict=True))
    assert find_related(frame, columns) == (("town", "region", "height"),)
    assert find_related(frame[["other", "flag"]], (columns[3], columns[5])) == ()


def test_a_sample_is_drawn_not_the_first_rows_and_wide_tables_shuffle_fewer():
    drawn = draw_rows(1_000, 10, seed=0)
    assert len(set(drawn)) == 10
    assert drawn.max() > 500
    assert draw_rows(5, 10, seed=0).tolist() == [0, 1, 2, 3, 4]
    assert (limit_rows(14), limit_rows(200), limit_rows(5_000)) == (5_000, 2_000, 500)
