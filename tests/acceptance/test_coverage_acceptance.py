"""Every interval that is shown holds the truth as often as it says, counted in simulated samples.

Nominal 95 % is to be between 93 % and 97 % for rates from 0.2 to 0.8 and, where draws of rows are behind it, from 200
rows on. With 4,000 samples the share is known to ± 0.7 points. ``docs/intervals.md`` lists what was found.
"""

from functools import cache

import numpy as np
import pytest

from automl.data.task import Task, TaskType
from automl.evaluation.comparison import ComparisonInput, compute_difference
from fairness.class_gaps import estimate_macro_recall
from fairness.definitions import METRICS, compute_metric, compute_score
from fairness.intervals import (
    compute_auc_difference,
    compute_katz,
    compute_mcnemar,
    compute_newcombe,
    compute_two_proportion_p,
    compute_wilson,
)
from fairness.reliability import compute_slope
from tests.acceptance.simulated import (
    SIZE,
    WITHOUT_INTERVAL,
    Coverage,
    build_binary,
    build_classes,
    build_values,
    count_coverage,
    logistic,
    measure_metrics,
    take,
)

LOWEST, HIGHEST = 0.93, 0.97
DRAWS = 4_000
ROWS, WEIGHTED_ROWS = 200, 350  # 350 uneven rows tell as much as some 215 even ones

CASES = {
    "binary, rate 0.2": (lambda: build_binary(0.2), ROWS),
    "binary, rate 0.5": (lambda: build_binary(0.5), ROWS),
    "binary, rate 0.8": (lambda: build_binary(0.8), ROWS),
    "three classes": (lambda: build_classes((0.2, 0.3, 0.5)), ROWS),
    "normal errors": (lambda: build_values("normal"), ROWS),
    "uneven errors": (lambda: build_values("uneven"), ROWS),
    "Laplace errors": (lambda: build_values("laplace"), ROWS),
    "binary with weights": (lambda: build_binary(0.5), WEIGHTED_ROWS),
    "uneven errors with weights": (lambda: build_values("uneven"), WEIGHTED_ROWS),
}
HEAVY = "t errors"
LEANING = {
    # rests on the highest twentieth of the negatives: 8 and 2 rows
    ("binary, rate 0.2", "recall_at_specificity"): (LOWEST, 0.98),
    ("binary, rate 0.8", "recall_at_specificity"): (0.90, HIGHEST),
    # a large error below the forecast is divided by a small true value, and then squared
    ("Laplace errors", "rmspe"): (0.90, HIGHEST),
}
TASKS = {"binary": "binary", "three": "multiclass"}

accepts = pytest.mark.acceptance


def list_cases() -> list[tuple[str, str]]:
    return [
        (case, name)
        for case in CASES
        for name, metric in METRICS.items()
        if TASKS.get(case.split(",")[0].split(" ")[0], "regression") in metric.tasks
        and name not in WITHOUT_INTERVAL
    ]


@cache
def measure(case: str) -> dict[str, Coverage]:
    build, n = (lambda: build_values("t5"), ROWS) if case == HEAVY else CASES[case]
    return measure_metrics(build(), n, DRAWS, is_weighted="weights" in case)


def check(coverage: Coverage, bounds: tuple[float, float] = (LOWEST, HIGHEST)) -> None:
    assert bounds[0] <= coverage.share <= bounds[1], coverage


def test_every_metric_is_simulated_or_said_to_have_no_interval():
    assert {name for _, name in list_cases()} | set(WITHOUT_INTERVAL) == set(METRICS)
    sample = np.random.default_rng(0).integers(SIZE, size=ROWS)
    for name in WITHOUT_INTERVAL:
        estimate = compute_metric(name, take(build_binary(0.5), sample))
        assert estimate.is_ok
        assert not estimate.has_interval


@accepts
@pytest.mark.parametrize(("case", "metric"), list_cases())
def test_a_metric_lies_in_its_interval(case, metric):
    check(measure(case)[metric], LEANING.get((case, metric), (LOWEST, HIGHEST)))


@accepts
@pytest.mark.parametrize(("metric", "low", "high"), [("rmse", 0.905, 0.935), ("r2", 0.915, 0.945)])
def test_heavy_tails_are_beyond_what_200_rows_can_tell(metric, low, high):
    """Student's t with five degrees of freedom: the square of an error has hardly a variance."""
    assert low < measure(HEAVY)[metric].share < high


RATES = (0.2, 0.35, 0.5, 0.65, 0.8)
PAIRS = [(0.2, 0.2), (0.2, 0.5), (0.5, 0.4), (0.65, 0.8), (0.8, 0.8)]
SIZES = [(50, 80), (200, 60), (400, 400)]


@accepts
@pytest.mark.parametrize("n", [50, 200, 1_000])
@pytest.mark.parametrize("rate", RATES)
def test_wilson(rate, n):
    hits = np.random.default_rng(0).binomial(n, rate, 20_000)
    check(count_coverage([compute_wilson(int(k), n) for k in hits], rate))


def draw_pairs(rates, sizes):
    generator = np.random.default_rng(1)
    hits = [generator.binomial(n, p, 10_000) for n, p in zip(sizes, rates, strict=True)]
    return [(int(a), sizes[0], int(b), sizes[1]) for a, b in zip(*hits, strict=True)]


@accepts
@pytest.mark.parametrize("sizes", SIZES, ids=str)
@pytest.mark.parametrize("rates", PAIRS, ids=str)
def test_newcombe_and_katz(rates, sizes):
    pairs = draw_pairs(rates, sizes)
    check(count_coverage([compute_newcombe(*each) for each in pairs], rates[0] - rates[1]))
    check(count_coverage([compute_katz(*each) for each in pairs], rates[0] / rates[1]))


@accepts
@pytest.mark.parametrize("sizes", SIZES, ids=str)
@pytest.mark.parametrize("rate", [0.2, 0.5, 0.8])
def test_equal_rates_are_told_apart_in_one_case_of_twenty(rate, sizes):
    pairs = draw_pairs((rate, rate), sizes)
    found = np.mean([compute_two_proportion_p(*each) < 0.05 for each in pairs])
    assert 0.03 <= found <= 0.07


@accepts
@pytest.mark.parametrize("discordant", [0.05, 0.2, 0.5])
def test_equal_models_are_told_apart_in_at_most_one_case_of_twenty(discordant):
    """McNemar; the exact test for few discordant rows never reaches its 5 %."""
    generator = np.random.default_rng(2)
    pairs = generator.multinomial(200, [discordant / 2, discordant / 2, 1 - discordant], 10_000)
    found = np.mean([compute_mcnemar(int(b), int(c))[1] < 0.05 for b, c, _ in pairs])
    assert 0.005 <= found <= 0.06


@accepts
@pytest.mark.parametrize("rate", [0.2, 0.5, 0.8])
def test_difference_of_two_aucs_of_two_groups(rate):
    population = build_binary(rate)
    truth, score = population.truth, population.probability
    generator = np.random.default_rng(3)
    samples = [generator.integers(SIZE, size=(2, n)) for n in [ROWS] * DRAWS]
    found = [compute_auc_difference(truth[a], score[a], truth[b], score[b]) for a, b in samples]
    check(count_coverage(found, 0.0))


@accepts
@pytest.mark.parametrize("sharpness", [0.5, 1.0, 2.0])
@pytest.mark.parametrize("shift", [-1.2, 0.0, 1.2])
def test_slope(sharpness, shift):
    """A score that is ``sharpness`` times too sure has the slope 1 / ``sharpness``; base rates are 0.25 to 0.75."""
    generator = np.random.default_rng(4)
    inside = 0
    for _ in range(DRAWS):
        logit = shift + generator.normal(0, 1, ROWS)
        labels = generator.random(ROWS) < logistic(logit)
        slope = compute_slope(labels, logistic(sharpness * logit))
        inside += slope.slope_low <= 1 / sharpness <= slope.slope_high
    assert LOWEST <= inside / DRAWS <= HIGHEST, inside / DRAWS


@accepts
@pytest.mark.parametrize("n", [100, 400])
def test_macro_recall_of_a_group(n):
    """Jeffreys draws of every class, as the audit of several classes shows it."""
    cells = np.array([[0.16, 0.03, 0.01], [0.1, 0.15, 0.05], [0.05, 0.05, 0.4]])
    recalls = np.diagonal(cells) / cells.sum(axis=1)
    tables = np.random.default_rng(5).multinomial(n, cells.ravel(), DRAWS).reshape(-1, 3, 3)
    found = [estimate_macro_recall(table, seed) for seed, table in enumerate(tables)]
    check(count_coverage(found, recalls.mean()))


BINARY = Task(target="y", type=TaskType.BINARY, metric="roc_auc", classes=("0", "1"), positive="1")
PRICE = Task(target="y", type=TaskType.REGRESSION, metric="rmse")
PAIRED = [
    *((BINARY, name) for name in ("roc_auc", "average_precision", "log_loss", "accuracy", "f1")),
    *((PRICE, name) for name in ("rmse", "mae", "r2")),
]


def build_rivals(task):
    """The predictions of a model, and of one that sees more noise."""
    population = build_values("uneven") if task is PRICE else build_binary(0.5)
    noise = np.random.default_rng(6).normal(0, 1, SIZE)
    if task is PRICE:
        return population, population.prediction, population.prediction + noise
    p = population.probability
    other = logistic(np.log(p / (1 - p)) + noise)
    return population, *(np.column_stack([1 - each, each]) for each in (p, other))


@accepts
@pytest.mark.parametrize(("task", "metric"), PAIRED, ids=lambda each: getattr(each, "target", each))
def test_difference_of_two_models_on_the_same_rows(task, metric):
    population, first, second = build_rivals(task)
    generator, found = np.random.default_rng(7), []
    for seed in range(DRAWS):
        rows = generator.integers(SIZE, size=ROWS)
        given = ComparisonInput(
            task=task,
            truth=population.truth[rows],
            predictions={"first": first[rows], "second": second[rows]},
            metric=metric,
            seed=seed,
        )
        found.append(compute_difference(given, "first", "second"))
    check(count_coverage(found, _compute_gap(population, first, second, metric)))


def _compute_gap(population, first, second, metric):
    scores = []
    for each in (first, second):
        last = each if population.task_type == "regression" else each[:, 1]
        kind = "prediction" if population.task_type == "regression" else "probability"
        parts = {"prediction": None, "probability": None, kind: last}
        scores.append(compute_score(metric, type(population)(population.task_type, population.truth, **parts)))  # fmt: skip
    return scores[0] - scores[1]
