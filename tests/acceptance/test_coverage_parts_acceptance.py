"""The same count for intervals of groups, of single predictions, of columns and of cohorts."""

import math
from statistics import NormalDist

import numpy as np
import pandas as pd
import pytest

from automl.data.dataset import ColumnUse, Kind, Role
from automl.data.task import Task, TaskType
from automl.evaluation.conformal import (
    ConformalScore,
    compute_band,
    compute_true_scores,
    compute_wobble,
    find_quantile,
    find_rank,
)
from automl.evaluation.error_slices import measure_errors
from automl.evaluation.explaining.asking import AskedModel, HeldRows
from automl.evaluation.explaining.permutation import compute_importance
from fairness.gaps import GapRequest, Rows, compute_gaps
from fairness.intervals import compute_auc_influence
from fairness.rates import RATES
from fairness.records import Counts, GroupResult
from fairness.reliability import compute_brier_losses
from tests.acceptance.simulated import (
    SIZE,
    build_binary,
    build_classes,
    build_values,
    count_coverage,
)

LOWEST, HIGHEST = 0.93, 0.97
DRAWS = 4_000
ROWS = 200

pytestmark = pytest.mark.acceptance

GROUPS = {"first": build_binary(0.35), "second": build_binary(0.6)}


def count(outcomes) -> np.ndarray:
    return np.bincount(outcomes.labels * 2 + outcomes.decisions, minlength=4)


def find_true_gaps() -> dict[tuple[str, str], float]:
    """Every gap between the two populations, by metric and kind."""
    tables = [count(each) for each in GROUPS.values()]
    pairs = {name: [rate.count(table) for table in tables] for name, rate in RATES.items()}
    values = {name: [k / n for k, n in pair] for name, pair in pairs.items()}
    gaps = {}
    for name, (first, second) in values.items():
        gaps |= {(name, "difference"): first - second, (name, "ratio"): first / second}
    odds = [gaps[f"{name}_positive_rate", "difference"] for name in ("true", "false")]
    gaps["average_odds_difference", "difference"] = float(np.mean(odds))
    gaps["average_absolute_odds_difference", "difference"] = float(np.mean(np.abs(odds)))
    aucs = [compute_auc_influence(each.labels, each.scores)[0] for each in GROUPS.values()]
    gaps["roc_auc", "difference"] = aucs[0] - aucs[1]
    briers = [compute_brier_losses(each.values, each.scores).mean() for each in GROUPS.values()]
    gaps["brier_score", "difference"] = float(briers[0] - briers[1])
    return gaps


def test_gaps_between_two_groups():
    generator = np.random.default_rng(0)
    found: dict[tuple[str, str], list] = {}
    for seed in range(DRAWS):
        rows = [generator.integers(SIZE, size=ROWS) for _ in GROUPS]
        drawn = [
            type(each)("binary", each.truth[own], None, each.probability[own])
            for each, own in zip(GROUPS.values(), rows, strict=True)
        ]
        results = [
            GroupResult("g", name, Counts(*(int(cell) for cell in count(each))), {})
            for name, each in zip(GROUPS, drawn, strict=True)
        ]
        together = Rows(
            np.concatenate([each.labels for each in drawn]),
            np.concatenate([each.scores for each in drawn]),
            np.repeat([0, 1], ROWS),
            has_probabilities=True,
        )
        request = GapRequest(results, results[0], together, 1, 30, seed, is_flag_beneficial=None)
        for gap in compute_gaps(request):
            found.setdefault((gap.metric, gap.kind), []).append(gap.estimate)
    truth = find_true_gaps()
    assert set(found) <= set(truth)
    shares = {key: count_coverage(each, truth[key]) for key, each in found.items()}
    outside = {
        key: str(each) for key, each in shares.items() if not LOWEST <= each.share <= HIGHEST
    }
    assert not outside


CONFORMAL = {
    "values": (build_values("normal"), ConformalScore.RESIDUAL),
    "three classes, likeliest": (build_classes((0.2, 0.3, 0.5)), ConformalScore.LAC),
}


@pytest.mark.parametrize("level", [0.8, 0.9, 0.95])
@pytest.mark.parametrize("case", CONFORMAL)
def test_sets_and_intervals_of_single_predictions(case, level):
    """On average as stated; a calibrate part of 200 rows and a test part of 300 wobble as is said of them."""
    population, score = CONFORMAL[case]
    predicted = population.forecasts if population.probability is None else population.scores
    scores = compute_true_scores(score, population.truth, predicted)
    ordered, generator = np.sort(scores), np.random.default_rng(1)
    n_calibrate, n_test = 200, 300
    true, measured = np.empty(DRAWS), np.empty(DRAWS)
    for i in range(DRAWS):
        quantile = find_quantile(scores[generator.integers(SIZE, size=n_calibrate)], level)
        true[i] = np.searchsorted(ordered, quantile, side="right") / SIZE
        measured[i] = (scores[generator.integers(SIZE, size=n_test)] <= quantile).mean()
    expected = find_rank(n_calibrate, level) / (n_calibrate + 1)
    assert true.mean() == pytest.approx(expected, abs=4 * true.std() / math.sqrt(DRAWS))
    assert true.mean() >= level - 1e-3
    for values, (low, high) in (
        (true, compute_wobble(n_calibrate, level)),
        (measured, compute_band(n_calibrate, level, n_test)),
    ):
        assert LOWEST <= np.mean((values >= low - 1e-12) & (values <= high + 1e-12)) <= HIGHEST


def test_the_loss_by_a_shuffled_column():
    """y = x + e read as x: shuffling x costs 2 Var(x) of the mean squared error."""
    column = ColumnUse(name="x", kind=Kind.NUMERIC, role=Role.FEATURE)
    task = Task(target="y", type=TaskType.REGRESSION, metric="mse")
    model = AskedModel(task=task, columns=(column,), predict=lambda frame: frame["x"].to_numpy())
    generator, inside = np.random.default_rng(2), 0
    for seed in range(DRAWS):
        x = generator.normal(size=ROWS)
        rows = HeldRows(
            frame=pd.DataFrame({"x": x}), truth=x + generator.normal(size=ROWS), row_id=np.arange(ROWS)
        )  # fmt: skip
        steps = compute_importance(model, rows, seed)
        while True:
            try:
                next(steps)
            except StopIteration as stop:
                line = stop.value.frame.iloc[0]
                break
        inside += line["low"] <= 2 <= line["high"]
    assert LOWEST <= inside / DRAWS <= HIGHEST, inside / DRAWS


@pytest.mark.parametrize("spread", [1.0, 2.0])
def test_the_mean_error_of_a_cohort(spread):
    """Absolute errors of a cohort of 200 rows, taken as normal."""
    errors = np.abs(np.random.default_rng(3).normal(0, spread, (DRAWS, ROWS)))
    found = [measure_errors(each, are_shares=False) for each in errors]
    coverage = count_coverage(found, 2 * spread * NormalDist().pdf(0))
    assert LOWEST <= coverage.share <= HIGHEST, coverage
