"""Quantiles, sets and intervals against worked examples and published numbers."""

import json
import math

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from automl.data.task import Task, TaskType
from automl.errors import DataError, SpecError
from automl.evaluation.conformal import (
    ConformalScore,
    build_intervals,
    build_sets,
    compute_band,
    compute_class_scores,
    compute_true_scores,
    compute_wobble,
    find_group_quantiles,
    find_quantile,
    find_rank,
)
from automl.evaluation.conformal_quantiles import (
    ConformalQuantile,
    build_set_columns,
    fit_quantiles,
)
from automl.evaluation.uncertainty import (
    CLASS,
    TENTH,
    CoveragePlan,
    PredictedPart,
    compute_sizes,
    compute_uncertainty,
    group_parts,
)

BINARY = Task(
    target="y", type=TaskType.BINARY, metric="roc_auc", classes=("no", "yes"), positive="yes"
)
VALUE = Task(target="y", type=TaskType.REGRESSION, metric="rmse")


def test_ranks_are_those_of_the_reference():
    assert [find_rank(n, 0.9) for n in (19, 9, 8)] == [18, 9, None]


@pytest.mark.parametrize("level", [0.8, 0.9, 0.95, 0.99])
def test_binary_rounding_adds_no_rank(level):
    hundredths = round(level * 100)
    for n in range(1, 2_000):
        rank = -(-(n + 1) * hundredths // 100)
        assert find_rank(n, level) == (rank if rank <= n else None)


@pytest.mark.parametrize("level", [0.0, 1.0, -1.0, 2.0])
def test_a_coverage_that_is_none_is_refused(level):
    with pytest.raises(SpecError, match="between 0 and 1"):
        find_rank(10, level)


def test_the_quantile_is_the_score_of_its_rank_and_infinite_for_few():
    scores = np.random.default_rng(0).permutation(np.arange(1.0, 20.0))
    assert find_quantile(scores, 0.9) == 18
    assert find_quantile(scores[:8], 0.9) == math.inf
    with pytest.raises(DataError, match="1 of 2 scores"):
        find_quantile(np.array([0.1, np.nan]), 0.5)


@pytest.fixture(scope="module")
def california(data_folder):
    """The straight line of the reference, even rows to calibrate, odd ones to test."""
    frame = pd.read_csv(data_folder / "california_housing.csv")
    halves = [frame.iloc[start::2].reset_index(drop=True) for start in (0, 1)]
    groupings = group_parts(*(half[["ocean_proximity"]] for half in halves))
    return [
        PredictedPart(
            truth=half["median_house_value"].to_numpy(float),
            prediction=(45_000 + 42_000 * half["median_income"]).to_numpy(float),
            groupings=groups,
        )
        for half, groups in zip(halves, groupings, strict=True)
    ]


def read_groups(found):
    rows = found.coverage[found.coverage["attribute"] == "ocean_proximity"]
    return rows.set_index("group")


def test_california_has_the_published_quantile_and_coverage(california):
    found = compute_uncertainty(*california, CoveragePlan(score=ConformalScore.RESIDUAL))
    quantile = found.quantiles.iloc[0]
    assert (found.n_calibrate, quantile["rank"]) == (10_320, 9_289)
    assert quantile["quantile"] == pytest.approx(125_182.2, abs=0.05)
    assert found.coverage["share"].iloc[0] == pytest.approx(0.899031, abs=1e-6)
    assert found.coverage["size"].iloc[0] == pytest.approx(2 * 125_182.2, abs=0.1)
    groups = read_groups(found)
    expected = {"NEAR BAY": 0.8159, "<1H OCEAN": 0.8999, "INLAND": 0.9477, "NEAR OCEAN": 0.8496}
    assert {name: round(groups["share"][name], 4) for name in expected} == expected
    assert groups.loc["ISLAND", ["k", "n"]].tolist() == [0, 2]
    assert found.band[0] < found.coverage["share"].iloc[0] < found.band[1]


def test_california_by_group_has_the_published_coverage_and_an_infinite_quantile(california):
    plan = CoveragePlan(score=ConformalScore.RESIDUAL, by="ocean_proximity")
    found = compute_uncertainty(*california, plan)
    groups = read_groups(found)
    expected = {"NEAR BAY": 0.8839, "<1H OCEAN": 0.9016, "INLAND": 0.8939, "NEAR OCEAN": 0.9042}
    assert {name: round(groups["share"][name], 4) for name in expected} == expected
    island = found.quantiles.set_index("group").loc["ISLAND"]
    assert island["n"] == 3
    assert pd.isna(island["rank"])
    assert math.isinf(island["quantile"])
    assert found.is_unbounded
    assert groups["k"]["ISLAND"] == groups["n"]["ISLAND"] == 2
    assert (found.wobble, found.band) == (None, None)


def test_lac_and_aps_scores_of_a_worked_example():
    probability = np.array([[0.5, 0.3, 0.2], [0.25, 0.5, 0.25], [1 / 3, 1 / 3, 1 / 3]])
    np.testing.assert_allclose(compute_class_scores(ConformalScore.LAC, probability), 1 - probability)  # fmt: skip
    np.testing.assert_allclose(
        compute_class_scores(ConformalScore.APS, probability),
        [[0, 0.5, 0.8], [0.5, 0, 0.5], [0, 0, 0]],
    )
    scores = compute_true_scores(ConformalScore.APS, np.array([2, 1, 0]), probability)
    np.testing.assert_allclose(scores, [0.8, 0, 0])
    with pytest.raises(SpecError, match="residual"):
        compute_class_scores(ConformalScore.RESIDUAL, probability)
    with pytest.raises(DataError, match="2 true values for 3"):
        compute_true_scores(ConformalScore.LAC, np.array([0, 1]), probability)


def test_lac_may_leave_a_set_empty_where_aps_never_does():
    probability = np.array([[0.6, 0.4], [0.95, 0.05]])
    lac = build_sets(compute_class_scores(ConformalScore.LAC, probability), 0.1)
    assert lac.tolist() == [[False, False], [True, False]]
    aps = build_sets(compute_class_scores(ConformalScore.APS, probability), np.array([0.0, 0.97]))
    assert aps.tolist() == [[True, False], [True, True]]


def test_intervals_have_the_quantile_on_either_side():
    low, high = build_intervals(np.array([1.0, 2.0]), np.array([0.5, np.inf]))
    assert low.tolist() == [0.5, -np.inf]
    assert high.tolist() == [1.5, np.inf]


def test_every_group_has_the_quantile_of_its_own_rows():
    scores, codes = np.array([3.0, 1.0, 10.0, 20.0, 2.0]), np.array([0, 0, 1, 1, 0])
    assert find_group_quantiles(scores, codes, 3, 0.6).tolist() == [3.0, 20.0, math.inf]


def test_wobble_and_band_are_those_of_scipy():
    law = stats.beta(451, 50)
    assert compute_wobble(500, 0.9) == pytest.approx((law.ppf(0.025), law.ppf(0.975)))
    counts = stats.betabinom(600, 451, 50)
    low, high = compute_band(500, 0.9, 600)
    assert (low * 600, high * 600) == (counts.ppf(0.025), counts.ppf(0.975))
    assert compute_wobble(8, 0.9) is compute_band(8, 0.9, 100) is compute_band(100, 0.9, 0) is None


def test_a_bundle_gets_one_quantile_per_level_and_says_where_rows_are_few():
    probability = np.linspace(0.01, 0.99, 9)
    found = fit_quantiles(BINARY, np.ones(9, dtype=np.int64), np.column_stack([1 - probability, probability]))  # fmt: skip
    assert [each.level for each in found] == [0.8, 0.9, 0.95]
    assert [each.n for each in found] == [9, 9, 9]
    assert found[0].value == pytest.approx(1 - probability[1])
    assert found[1].value == pytest.approx(0.99)
    assert found[2].value is None
    assert found[2].limit == math.inf
    residual = fit_quantiles(VALUE, np.arange(99.0), np.zeros(99))
    assert {each.score for each in residual} == {ConformalScore.RESIDUAL}
    assert residual[1].value == 89


@pytest.mark.parametrize(("n", "value"), [(8, 0.5), (100, None), (100, math.nan), (100, -1.0)])
def test_a_quantile_that_cannot_be_is_refused(n, value):
    with pytest.raises(SpecError, match=f"{n} scores at 0.9"):
        ConformalQuantile(score=ConformalScore.LAC, level=0.9, n=n, value=value)


def test_sets_are_lists_that_hold_any_name():
    probability = np.array([[0.5, 0.4, 0.1], [0.9, 0.05, 0.05], [0.34, 0.33, 0.33]])
    classes = ('a"b', "c, d", "é")
    got = build_set_columns(classes, ConformalScore.LAC, probability, 0.61)
    assert [json.loads(text) for text in got["prediction_set"]] == [['a"b', "c, d"], ['a"b'], []]
    assert got["set_size"].tolist() == [2, 1, 0]
    values = build_set_columns((), ConformalScore.RESIDUAL, np.array([1.0]), 2.0)
    assert values.to_dict("list") == {"low": [-1.0], "high": [3.0]}


def build_parts(*sizes, k=3):
    """Probabilities that tell the truth half of the time, and a group for which they are worse."""
    rng = np.random.default_rng(0)
    parts, columns = [], []
    for n in sizes:
        truth, group = rng.integers(0, k, n), rng.choice(["a", "b"], n, p=[0.8, 0.2])
        logits = rng.normal(0, 1, (n, k)) + 2.0 * np.eye(k)[truth] * (group == "a")[:, None]
        weight = np.exp(logits)
        parts.append((truth, weight / weight.sum(axis=1, keepdims=True)))
        columns.append(pd.DataFrame({"team": group, "age": rng.normal(40, 9, n)}))
    return [
        PredictedPart(truth=truth, prediction=prediction, groupings=groupings)
        for (truth, prediction), groupings in zip(parts, group_parts(*columns), strict=True)
    ]


@pytest.mark.parametrize("score", [ConformalScore.LAC, ConformalScore.APS])
def test_classes_and_groups_have_their_own_rows_and_add_up(score):
    plan = CoveragePlan(classes=("x", "y", "z"), score=score)
    calibrate, test = build_parts(2_000, 3_000)
    found = compute_uncertainty(calibrate, test, plan)
    table = found.coverage
    assert table["attribute"].unique().tolist() == ["", CLASS, "team", "age"]
    for name in (CLASS, "team", "age"):
        assert table[table["attribute"] == name][["n", "k"]].sum().tolist() == table[["n", "k"]].iloc[0].tolist()  # fmt: skip
    assert found.sizes["n"].sum() == 3_000
    assert found.sizes["k"].sum() == table["k"].iloc[0]
    mean_size = (found.sizes["size"] * found.sizes["n"]).sum() / 3_000
    assert table["size"].iloc[0] == pytest.approx(mean_size)
    team = table[table["attribute"] == "team"].set_index("group")
    assert team["high"]["b"] < 0.9 < table["high"].iloc[0]
    rows = found.build_rows(test.prediction)
    assert rows["set_size"].mean() == pytest.approx(mean_size)


def test_own_quantiles_bring_every_group_to_the_coverage():
    plan = CoveragePlan(classes=("x", "y", "z"), by="team")
    found = compute_uncertainty(*build_parts(4_000, 4_000), plan)
    team = found.coverage[found.coverage["attribute"] == "team"]
    for n, row in zip(found.quantiles["n"], team.itertuples(), strict=True):
        low, high = compute_band(n, 0.9, row.n)
        assert low <= row.share <= high
    assert found.quantiles["group"].tolist() == ["a", "b"]
    assert found.quantiles["n"].sum() == 4_000


@pytest.mark.parametrize("score", [ConformalScore.LAC, ConformalScore.APS])
def test_own_quantiles_of_the_classes_bring_each_to_the_coverage(score):
    rng = np.random.default_rng(0)
    truth = (rng.random(12_000) < 0.2).astype(np.int64)
    share = 1 / (1 + np.exp(-(rng.normal(0, 1.5, 12_000) + 2 * truth - 2)))
    probability = np.column_stack([1 - share, share])
    parts = [PredictedPart(truth=truth[cut], prediction=probability[cut]) for cut in (slice(6_000), slice(6_000, None))]  # fmt: skip
    one, own = (compute_uncertainty(*parts, CoveragePlan(classes=("a", "b"), score=score, by=by)) for by in ("", CLASS))  # fmt: skip
    rare = [each.coverage.iloc[2] for each in (one, own)]
    assert rare[0]["high"] < 0.85
    for n, row in zip(own.quantiles["n"], own.coverage.iloc[1:].itertuples(), strict=True):
        low, high = compute_band(int(n), 0.9, row.n)
        assert (low <= row.share <= high) or (score is ConformalScore.APS and row.share > high)
    rows = own.build_rows(parts[1].prediction)
    held = [("a", "b")[k] in json.loads(text) for k, text in zip(parts[1].truth, rows["prediction_set"], strict=True)]  # fmt: skip
    assert sum(held) == own.coverage["k"].iloc[0]


def test_values_are_shown_by_tenths_of_the_prediction():
    rng = np.random.default_rng(0)
    parts = [
        PredictedPart(
            truth=np.round(at) + rng.normal(0, 1, 500), prediction=np.round(at)
        )
        for at in rng.normal(0, 3, (2, 500))
    ]  # fmt: skip
    found = compute_uncertainty(*parts, CoveragePlan(score=ConformalScore.RESIDUAL))
    tenths = found.coverage[found.coverage["attribute"] == TENTH]
    assert tenths["n"].sum() == 500
    assert len(tenths) <= 10
    assert found.sizes.empty


def test_a_column_that_is_not_there_is_named():
    plan = CoveragePlan(classes=("x", "y", "z"), by="town")
    with pytest.raises(SpecError, match="'town'"):
        compute_uncertainty(*build_parts(50, 50), plan)
    with pytest.raises(DataError, match="'age'"):
        group_parts(pd.DataFrame({"sex": ["f"]}), pd.DataFrame({"age": [1]}))
    with pytest.raises(SpecError, match="does not fit"):
        CoveragePlan(classes=("x", "y"), score=ConformalScore.RESIDUAL)


def test_sizes_count_empty_sets_too():
    sets = np.array([[0, 0], [1, 0], [1, 1], [1, 0]], dtype=bool)
    table = compute_sizes(sets, np.array([False, True, True, False]))
    assert table[["size", "n", "k"]].to_numpy().tolist() == [[0, 1, 0], [1, 2, 1], [2, 1, 1]]
