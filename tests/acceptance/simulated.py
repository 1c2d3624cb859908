"""Populations whose true metrics are known, and how often an interval from a sample of them holds the truth."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from fairness.definitions import METRICS, compute_metrics, compute_score, list_metrics
from fairness.estimates import Estimate
from fairness.outcomes import Outcomes

SIZE = 400_000  # rows of a population; samples are drawn from it with replacement, so its metrics are the truth
FLOOR = 5.0  # of percentage errors, as a search has it from its training rows
WITHOUT_INTERVAL = {"ece": "shown beside the value that a calibrated model would have"}


@dataclass(frozen=True, kw_only=True, slots=True)
class Coverage:
    """How many of the intervals held the truth, lay wholly above it or below it, or could not be had."""

    inside: int
    above: int
    below: int
    none: int

    @property
    def share(self) -> float:
        """Of all draws; an interval that could not be had is none that holds."""
        return self.inside / (self.inside + self.above + self.below + self.none)

    def __str__(self) -> str:
        n = self.inside + self.above + self.below + self.none
        error = (self.share * (1 - self.share) / n) ** 0.5
        return (
            f"{self.share:.1%} ± {1.96 * error:.1%} of {n:,}; above the truth {self.above / n:.1%}, "
            f"below {self.below / n:.1%}, none {self.none / n:.1%}"
        )


def count_coverage(estimates: Sequence[Estimate], truth: float) -> Coverage:
    """Where the intervals lie."""
    ends = [(e.low, e.high) for e in estimates if e.low is not None and e.high is not None]
    above, below = sum(low > truth for low, _ in ends), sum(high < truth for _, high in ends)
    return Coverage(
        inside=len(ends) - above - below,
        above=above,
        below=below,
        none=len(estimates) - len(ends),
    )


def logistic(values):
    return 1 / (1 + np.exp(-values))


def build_binary(rate: float) -> Outcomes:
    """Labels from known probabilities; the model sees them with noise and is too sure of itself."""
    generator = np.random.default_rng(1)
    score = generator.normal(0, 1.5, SIZE)
    low, high = -8.0, 8.0
    for _ in range(50):
        middle = (low + high) / 2
        low, high = (middle, high) if logistic(score + middle).mean() < rate else (low, middle)
    labels = (generator.random(SIZE) < logistic(score + low)).astype(np.int64)
    seen = score + low + generator.normal(0, 0.5, SIZE)
    return Outcomes("binary", labels, None, logistic(1.5 * seen))


def build_classes(shares: Sequence[float]) -> Outcomes:
    """The same with several classes."""
    generator = np.random.default_rng(2)
    score = generator.normal(0, 1.3, (SIZE, len(shares))) + np.log(shares)
    labels = _soften(score).cumsum(axis=1) > generator.random((SIZE, 1))
    seen = 1.4 * (score + generator.normal(0, 0.5, score.shape))
    return Outcomes("multiclass", labels.argmax(axis=1), None, _soften(seen))


def _soften(score):
    raised = np.exp(score)
    return raised / raised.sum(axis=1, keepdims=True)


ERRORS: dict[str, Callable[[np.random.Generator, np.ndarray], np.ndarray]] = {
    "normal": lambda generator, _: generator.normal(0, 2, SIZE),
    "uneven": lambda generator, f: generator.normal(0, 2, SIZE) * np.exp(0.05 * (f - 40)),
    "laplace": lambda generator, _: generator.laplace(0, 2, SIZE),
    "t5": lambda generator, _: 2 * generator.standard_t(5, SIZE),
}


def build_values(errors: str) -> Outcomes:
    """A forecast that is a little too low, with errors of one kind."""
    generator = np.random.default_rng(3)
    forecast = generator.normal(40, 4, SIZE)
    truth = forecast + 0.3 + ERRORS[errors](generator, forecast)
    return Outcomes("regression", truth, forecast, floor=FLOOR)


def take(population: Outcomes, rows, weight=None) -> Outcomes:
    """Some rows of it."""
    parts = [
        None if part is None else part[rows]
        for part in (population.truth, population.prediction, population.probability)
    ]
    return Outcomes(population.task_type, *parts, population.floor, weight)


def measure_metrics(
    population: Outcomes, n: int, draws: int, *, is_weighted: bool = False
) -> dict[str, Coverage]:
    """Every metric of the registry that has an interval: how often it holds, in samples of ``n`` rows."""
    names = [m.name for m in list_metrics(population.task_type) if m.name not in WITHOUT_INTERVAL]
    generator = np.random.default_rng(4)
    found: dict[str, list[Estimate]] = {name: [] for name in names}
    for seed in range(draws):
        rows = generator.integers(SIZE, size=n)
        weight = np.exp(generator.normal(0, 0.7, n)) if is_weighted else None
        computed = compute_metrics(names, take(population, rows, weight), seed=seed)
        for name, estimate in computed.items():
            found[name].append(estimate)
    return {
        name: count_coverage(estimates, (METRICS[name].sign or 1) * compute_score(name, population))
        for name, estimates in found.items()
    }
