"""Seeded resampling: bootstrap of a count table, bootstrap of rows, and the noise floor of a gap."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fairness.estimates import Estimate, build_not_estimable

TABLE_DRAWS = 2_000
ROW_DRAWS = 1_000
FLOOR_DRAWS = 10_000
MAX_DRAWN_CELLS = 20_000_000  # above it fewer row draws are made; the method says how many
MIN_ROW_DRAWS = 200
MAX_UNDEFINED_SHARE = 0.05
MIN_NORMAL_ROWS = 2_000  # of a group whose mean is drawn from its normal law
CHUNK_CELLS = (
    200_000  # a chunk of drawn rows stays in the processor's cache: half the time of a large one
)

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


def draw_tables(table: Ints, seed: int = 0, draws: int = TABLE_DRAWS) -> Ints:
    """Multinomial copies of a count table: the same law as resampling its rows.

    Shape: (cells,) → (draws, cells). Cells that are zero stay zero.
    """
    counts = np.asarray(table, dtype=np.int64)
    total = int(counts.sum())
    drawn = np.zeros((draws, counts.size), dtype=np.int64)
    filled = counts > 0
    if total:
        generator = np.random.default_rng(seed)
        drawn[:, filled] = generator.multinomial(total, counts[filled] / total, size=draws)
    return drawn


def build_bootstrap_estimate(value: float, drawn: Floats, n: int, method: str) -> Estimate:
    """A value with its percentile interval; NaN draws count as not estimable, over 5 % of them as no interval."""
    if not np.isfinite(value):
        return build_not_estimable("a denominator is zero", n=n, method=method)
    undefined = ~np.isfinite(drawn)
    if undefined.mean() > MAX_UNDEFINED_SHARE:
        reason = (
            f"interval not estimable: {undefined.mean():.0%} of the draws have a zero denominator"
        )
        return Estimate(value, None, None, n, method, reason=reason)
    low, high = np.percentile(drawn[~undefined], [2.5, 97.5])
    return Estimate(value, float(low), float(high), n, method)


def bootstrap_table(
    table: Ints, statistic: Callable[[Floats], Floats], seed: int = 0, draws: int = TABLE_DRAWS
) -> Estimate:
    """A statistic of a count table with its multinomial bootstrap interval.

    ``statistic`` maps tables (..., cells) to values (...), NaN where a denominator is zero.
    """
    return bootstrap_tables(table, {"": statistic}, seed, draws)[""]


def bootstrap_tables(
    table: Ints,
    statistics: Mapping[str, Callable[[Floats], Floats]],
    seed: int = 0,
    draws: int = TABLE_DRAWS,
) -> dict[str, Estimate]:
    """Several statistics of the same count table, from the same draws: name → estimate."""
    counts = np.asarray(table, dtype=np.int64)
    whole = counts[None, :].astype(np.float64)
    drawn = draw_tables(counts, seed, draws if statistics else 0).astype(np.float64)
    method, n = f"multinomial bootstrap, {draws} draws", int(counts.sum())
    return {
        name: build_bootstrap_estimate(float(statistic(whole)[0]), statistic(drawn), n, method)
        for name, statistic in statistics.items()
    }


def count_row_draws(n: int) -> int:
    """How many bootstrap draws of n rows are affordable: 1,000, fewer for more than 20,000 rows."""
    return int(np.clip(MAX_DRAWN_CELLS // max(1, n), MIN_ROW_DRAWS, ROW_DRAWS))


def iterate_row_times(n: int, seed: int = 0) -> Iterator[Floats]:
    """How often each of n rows is taken, in draws with replacement, in chunks. Shape of each: (chunk, n)."""
    generator = np.random.default_rng(seed)
    remaining = count_row_draws(n)
    while remaining > 0:
        chunk = min(remaining, max(1, CHUNK_CELLS // n))
        rows = generator.integers(n, size=(chunk, n)) + np.arange(chunk)[:, None] * n
        yield np.bincount(rows.ravel(), minlength=rows.size).reshape(rows.shape).astype(np.float64)
        remaining -= chunk


@dataclass(frozen=True, slots=True)
class Floor:
    """What max − min would show by chance if all groups shared one true rate."""

    mean: float
    high: float  # 95th percentile
    p_value: float


def draw_gaps(denominators: Sequence[int], successes: int, seed: int = 0) -> Floats:
    """Gaps max − min of rates when the pooled successes fall on the groups by chance.

    Multivariate hypergeometric: the same as permuting group labels among the relevant rows. Shape: (10,000,).
    """
    sizes = np.asarray(denominators, dtype=np.int64)
    generator = np.random.default_rng(seed)
    drawn = generator.multivariate_hypergeometric(
        sizes, int(successes), size=FLOOR_DRAWS, method="marginals"
    )
    rates = drawn / sizes
    gaps: Floats = rates.max(axis=1) - rates.min(axis=1)
    return gaps


def compute_floor(gaps: Floats, observed: float) -> Floor:
    """Mean and 95th percentile of chance gaps, and how often chance reaches the observed one."""
    reached = int((gaps >= observed - 1e-12).sum())
    return Floor(
        mean=float(gaps.mean()),
        high=float(np.percentile(gaps, 95)),
        p_value=(1 + reached) / (1 + len(gaps)),
    )


def draw_mean_gaps(values: Floats, groups: Ints, seed: int = 0, draws: int = ROW_DRAWS) -> Floats:
    """Gaps max − min of group means when group labels are permuted. Shape: (n,), (n,) → (draws,).

    Of more than 20,000 rows the means of groups of 2,000 and more follow their normal law; rows of smaller groups are drawn.
    """
    generator = np.random.default_rng(seed)
    sizes = np.bincount(groups)
    if len(values) > MAX_DRAWN_CELLS // ROW_DRAWS:
        means = _draw_group_means(values, sizes, generator, draws)
        spread: Floats = means.max(axis=1) - means.min(axis=1)
        return spread
    edges = np.concatenate([[0], np.cumsum(sizes)[:-1]])
    gaps = np.empty(draws)
    shuffled = values.copy()
    for i in range(draws):
        generator.shuffle(shuffled)
        means = np.add.reduceat(shuffled, edges) / sizes
        gaps[i] = means.max() - means.min()
    return gaps


def _draw_group_means(
    values: Floats, sizes: Ints, generator: np.random.Generator, draws: int
) -> Floats:
    """Means of groups that share all rows among them. Shape: (n,), (k,) → (draws, k)."""
    n = len(values)
    shift = generator.normal(size=(draws, len(sizes))) * np.sqrt(values.var() / sizes)
    for code in np.flatnonzero(sizes < MIN_NORMAL_ROWS):
        for start in range(0, draws, chunk := max(1, CHUNK_CELLS // int(sizes[code]))):
            stop = min(start + chunk, draws)
            rows = generator.integers(n, size=(stop - start, int(sizes[code])))
            shift[start:stop, code] = values[rows].mean(axis=1) - values.mean()
    # what one group has more of, the others have less of: together they are all rows
    means: Floats = values.mean() + shift - (shift @ sizes / n)[:, None]
    return means
