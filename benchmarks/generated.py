"""Made-up tables for the benchmarks, each seeded and hard in a way of its own; nothing was tuned on them.

Every builder gives a frame whose last column is ``y``. Numbers are drawn, so a builder without arguments always gives
the same rows.
"""

import numpy as np
import pandas as pd
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def build_frame(x: Floats, y: NDArray[np.generic], **further: NDArray[np.generic]) -> pd.DataFrame:
    """Numbers as ``x0, x1, …``, further columns by their name, the target last."""
    numbers = {f"x{index}": column for index, column in enumerate(x.T)}
    return pd.DataFrame({**numbers, **further, "y": y})


def draw_classes(rng: np.random.Generator, logits: Floats) -> NDArray[np.str_]:
    """``yes`` with the probability that each logit says, else ``no``."""
    return np.where(rng.random(len(logits)) < 1 / (1 + np.exp(-logits)), "yes", "no")


def build_friedman() -> pd.DataFrame:
    """Friedman's first function: five of ten columns matter, two of them by their product."""
    from sklearn.datasets import make_friedman1

    return build_frame(*make_friedman1(n_samples=4_000, noise=1.0, random_state=1))


def build_corners() -> pd.DataFrame:
    """Three classes in clusters at the corners of a cube, a fifth of the columns their mixtures, 2 % wrong labels."""
    from sklearn.datasets import make_classification

    x, y = make_classification(
        n_samples=6_000, n_features=30, n_informative=8, n_redundant=6, n_classes=3,
        n_clusters_per_class=2, flip_y=0.02, class_sep=0.8, random_state=2,
    )  # fmt: skip
    return build_frame(x, np.array(["a", "b", "c"])[y])


def build_products() -> pd.DataFrame:
    """Two classes that depend on a product, a wave and a line; 16 of 20 columns are noise."""
    rng = np.random.default_rng(3)
    x = rng.normal(size=(8_000, 20))
    logits = 2 * x[:, 0] * x[:, 1] + 2 * np.sin(2 * x[:, 2]) + x[:, 3]
    return build_frame(x, draw_classes(rng, logits))


def build_steps() -> pd.DataFrame:
    """A value that jumps at thresholds, as a tree sees the world."""
    rng = np.random.default_rng(4)
    x = rng.uniform(size=(8_000, 12))
    cells = (x[:, :6] > rng.uniform(0.3, 0.7, 6)) @ (2 ** np.arange(6))
    return build_frame(x, rng.normal(size=64)[cells] * 3 + 0.5 * rng.normal(size=len(x)))


def build_waves() -> pd.DataFrame:
    """A value that swings several times over the range of its inputs, as a network with embeddings sees the world."""
    rng = np.random.default_rng(5)
    x = rng.uniform(-1, 1, size=(6_000, 6))
    value = np.sin(6 * x[:, 0]) + np.cos(5 * x[:, 1] * x[:, 2]) + x[:, 3] ** 2
    return build_frame(x, value + 0.2 * rng.normal(size=len(x)))


def build_shops() -> pd.DataFrame:
    """Takings by shop (80 of them, some rare), weekday, price and weather."""
    rng = np.random.default_rng(6)
    n = 8_000
    shop = np.minimum(rng.geometric(0.05, n), 80)
    day, weather = rng.integers(0, 7, n), rng.choice(["dry", "rain", "snow"], n, p=[0.6, 0.3, 0.1])
    price = np.exp(rng.normal(1, 0.5, n))
    effect, wet = rng.normal(0, 1, 81)[shop], np.where(weather == "dry", 0, -0.5)
    taking = np.exp(2 + effect + 0.3 * (day >= 5) + wet * (day < 5) - 0.4 * np.log(price))
    days = np.array(["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"])[day]
    names = np.char.add("shop", shop.astype(str))
    value = taking * np.exp(0.3 * rng.normal(size=n))
    return build_frame(price[:, None], value, shop=names, day=days, weather=weather)


def build_rare() -> pd.DataFrame:
    """One row in about thirty is a case; heavy tails among the inputs."""
    rng = np.random.default_rng(7)
    x = rng.standard_t(3, size=(10_000, 15))
    logits = -5.5 + 1.2 * np.tanh(x[:, 0]) + 1.5 * np.tanh(x[:, 1]) + np.log1p(x[:, 2] ** 2)
    return build_frame(x, draw_classes(rng, 1.4 * logits + 1.5))


def build_gaps() -> pd.DataFrame:
    """Numbers that are missing where they are large, a category that is missing at random, two classes."""
    rng = np.random.default_rng(8)
    n = 6_000
    x = rng.normal(size=(n, 10))
    job = rng.choice(["clerk", "cook", "driver", "nurse", "teacher"], n).astype(object)
    logits = x[:, 0] + x[:, 1] * (job == "cook") - x[:, 2] * (job == "nurse") + 0.5 * x[:, 3] ** 2
    y = draw_classes(rng, 1.5 * (logits - 0.5))
    x[rng.random((n, 10)) < 0.4 / (1 + np.exp(-2 * x))] = np.nan
    job[rng.random(n) < 0.1] = None
    return build_frame(x, y, job=job)


def build_large(n_rows: int = 300_000) -> pd.DataFrame:
    """Eleven columns as an office keeps them: seven numbers, three categories and two classes."""
    rng = np.random.default_rng(9)
    x = rng.normal(size=(n_rows, 7))
    x[:, 5], x[:, 6] = np.exp(x[:, 5]).round(2), rng.integers(18, 90, n_rows)
    region = rng.integers(0, 12, n_rows)
    kind, channel = rng.choice(["a", "b", "c"], n_rows), rng.choice(["post", "web"], n_rows)
    pull = rng.normal(size=12)[region] + 0.02 * (x[:, 6] - 50)
    logits = x[:, 0] * x[:, 1] + np.sin(2 * x[:, 2]) * (kind == "a") + pull + 0.5 * x[:, 3]
    names = np.char.add("region", region.astype(str))
    y = draw_classes(rng, logits)
    return build_frame(x.round(4), y, region=names, kind=kind, channel=channel)


def build_growing(n_rows: int, n_columns: int) -> pd.DataFrame:
    """Rows and columns as asked for, target included; five columns matter however many there are."""
    rng = np.random.default_rng(10)
    x = rng.normal(size=(n_rows, n_columns - 1)).astype(np.float32)
    logits = x[:, 0] * x[:, 1] + np.sin(2 * x[:, 2]) + 0.5 * x[:, 3] + 0.5 * x[:, 4]
    return build_frame(x.round(4), draw_classes(rng, logits.astype(np.float64)))
