"""Slices of errors: a planted cohort is found with its size and lift, noise gives none, words can be read."""

import numpy as np
import pandas as pd
import pytest

from automl.data.dataset import Kind
from automl.evaluation.error_slices import (
    LEAST_ROWS,
    MISSING,
    OTHERS,
    compute_error_by,
    find_slices,
    measure_errors,
)
from automl.evaluation.slice_tree import Relation, describe_path, mark_rows

KINDS = {
    "age": Kind.NUMERIC, "income": Kind.NUMERIC, "city": Kind.CATEGORICAL, "sex": Kind.CATEGORICAL,
    "seen": Kind.DATETIME, "is_new": Kind.BOOLEAN,
}  # fmt: skip


def make_rows(n, seed=0):
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame(
        {
            "age": rng.integers(18, 90, n),
            "income": rng.lognormal(10, 0.6, n),
            "city": rng.choice(["Ulm", "Bonn", "Kiel", "Graz"], n, p=[0.6, 0.24, 0.08, 0.08]),
            "sex": rng.choice(["Female", "Male"], n),
            "seen": pd.Timestamp("2024-01-01") + pd.to_timedelta(rng.integers(0, 900, n), "D"),
            "is_new": rng.random(n) < 0.3,
        }
    )
    return frame, rng


@pytest.mark.parametrize("seed", range(3))
def test_a_cohort_of_8_percent_with_twice_the_error_is_found(seed):
    frame, rng = make_rows(10_000, seed)
    is_planted = (frame["city"] == "Kiel").to_numpy()
    assert is_planted.mean() == pytest.approx(0.08, abs=0.01)
    errors = (rng.random(len(frame)) < np.where(is_planted, 0.24, 0.12)).astype(float)
    found = find_slices(frame, KINDS, errors, are_shares=True)
    worst = found.worse.iloc[0]
    assert worst["slice"].startswith("city is Kiel")
    assert worst["lift_low"] > 1.2
    assert worst["lift"] == pytest.approx(2, abs=0.7)
    assert worst["n"] == pytest.approx(0.04 * 10_000, rel=0.2)
    marked = mark_rows(frame, found.paths[0])
    assert (marked <= is_planted).all()
    assert found.n_grown + found.n_measured == 10_000
    assert found.overall.n == 5_000


def test_a_cohort_of_two_conditions_on_numbers_and_dates_is_found_for_values():
    frame, rng = make_rows(8_000, 5)
    is_planted = ((frame["age"] > 70) & (frame["sex"] == "Male")).to_numpy()
    errors = np.abs(rng.standard_t(4, len(frame))) * np.where(is_planted, 3.0, 1.0)
    found = find_slices(frame, KINDS, errors, are_shares=False)
    worst = found.worse.iloc[0]
    assert "age over" in worst["slice"] and "sex is" in worst["slice"]  # noqa: PT018
    assert worst["lift"] > 2
    late = np.where(frame["seen"] > pd.Timestamp("2026-01-01"), 3.0, 1.0)
    found = find_slices(frame, KINDS, rng.random(len(frame)) * late, are_shares=False)
    assert found.worse.iloc[0]["slice"].startswith("seen over 2025-1")


def test_noise_gives_none():
    n_found = 0
    for seed in range(20):
        frame, rng = make_rows(2_000, seed)
        errors = (rng.random(len(frame)) < 0.15).astype(float)
        n_found += len(find_slices(frame, KINDS, errors, are_shares=True).worse)
    assert n_found <= 3  # 5 % of the searches at most, and a little


def test_slices_share_the_rows_among_them_and_keep_a_least_size():
    frame, rng = make_rows(6_000, 1)
    share = 0.05 + 0.3 * (frame["age"].to_numpy() / 90) ** 3
    errors = (rng.random(len(frame)) < share).astype(float)
    found = find_slices(frame, KINDS, errors, are_shares=True)
    assert len(found.frame) > 2
    marks = [mark_rows(frame, path) for path in found.paths]
    assert (np.sum(marks, axis=0) == 1).all()
    assert found.frame["n"].sum() == found.n_measured
    assert found.frame["n"].min() > 0.5 * found.least
    assert found.frame["share"].sum() == pytest.approx(1)
    assert found.least == 60
    again = find_slices(frame, KINDS, errors, are_shares=True)
    pd.testing.assert_frame_equal(found.frame, again.frame)


def test_missing_cells_are_a_cohort_and_stand_in_the_words():
    frame, rng = make_rows(6_000, 2)
    is_gone = rng.random(len(frame)) < 0.2
    frame["income"] = frame["income"].where(~is_gone)
    errors = (rng.random(len(frame)) < np.where(is_gone, 0.4, 0.1)).astype(float)
    found = find_slices(frame, KINDS, errors, are_shares=True)
    assert found.worse.iloc[0]["slice"].startswith("income is missing")
    assert found.paths[0][0].relation is Relation.MISSING
    frame["age"] = frame["age"].where(rng.random(len(frame)) < 0.9)
    is_low = (frame["age"] <= 60).to_numpy()
    errors = (rng.random(len(frame)) < np.where(is_low, 0.1, 0.4)).astype(float)
    found = find_slices(frame[["age"]], {"age": Kind.NUMERIC}, errors, are_shares=True)
    assert any("or missing" in text for text in found.frame["slice"])


def test_all_levels_missing_few_rows_and_no_errors_are_no_slices():
    frame = pd.DataFrame({"a": pd.Series([None] * 80, dtype="str"), "b": [1.0] * 80})
    kinds = {"a": Kind.CATEGORICAL, "b": Kind.NUMERIC}
    found = find_slices(frame, kinds, np.zeros(80), are_shares=True)
    assert found.frame.empty
    assert found.overall.value == 0
    assert find_slices(frame[:1], kinds, np.ones(1), are_shares=False).frame.empty


def test_conditions_on_one_column_are_said_once():
    frame, rng = make_rows(9_000, 3)
    middle = frame["age"].between(41, 60).to_numpy()
    errors = (rng.random(len(frame)) < np.where(middle, 0.5, 0.1)).astype(float)
    found = find_slices(frame, {"age": Kind.NUMERIC}, errors, are_shares=True)
    assert describe_path(found.paths[0]) == "age over 40 to 60"


def test_errors_by_a_column_count_every_row_once():
    frame, rng = make_rows(3_000, 4)
    frame["age"] = frame["age"].where(rng.random(len(frame)) < 0.9)
    errors = (rng.random(len(frame)) < 0.2).astype(float)
    for name, kind in KINDS.items():
        table = compute_error_by(frame[name], kind, errors, are_shares=True)
        assert table["n"].sum() == len(frame)
        assert (table["error"] * table["n"]).sum() == pytest.approx(errors.sum())
        assert table["low"].le(table["error"]).all()
    ages = compute_error_by(frame["age"], Kind.NUMERIC, errors, are_shares=True)
    assert list(ages["value"])[-1] == MISSING
    assert len(ages) == 7
    many = pd.Series([f"level {number % 40}" for number in range(3_000)])
    levels = compute_error_by(many, Kind.CATEGORICAL, errors, are_shares=False)
    assert list(levels["value"])[-1] == OTHERS
    assert len(levels) == 13


def test_few_rows_have_a_mean_and_no_interval():
    few = measure_errors(np.ones(LEAST_ROWS - 1), are_shares=False)
    assert (few.value, few.low) == (1.0, None)
    assert "fewer than 30 rows" in few.reason
    assert not measure_errors(np.zeros(0), are_shares=False).is_ok
