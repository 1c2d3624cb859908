"""Nasty tables: odd numbers, few rows, odd classes."""

import numpy as np
import pandas as pd

from tests.nasty_base import (
    Random,
    add,
    draw_binary,
    draw_classes,
    draw_numbers,
    draw_values,
)  # fmt: skip

# Numbers


@add("a column that never changes", 600)
def constant_column(rng: Random, n: int) -> pd.DataFrame:
    return draw_binary(rng, n, {"same": np.full(n, 3.25)})


@add("a column without any value", 600)
def empty_column(rng: Random, n: int) -> pd.DataFrame:
    return draw_binary(rng, n, {"nothing": np.full(n, np.nan)})


@add("nothing but constants to learn from", 200, refused="No column is left")
def only_constants(rng: Random, n: int) -> pd.DataFrame:
    return pd.DataFrame({"a": 1.0, "b": "same", "y": rng.choice(["yes", "no"], n)})


@add("values from 1e-300 to 1e300")
def huge_range(rng: Random, n: int) -> pd.DataFrame:
    columns, signal = draw_numbers(rng, n)
    columns["wide"] = 10.0 ** np.clip(signal * 60 + rng.normal(size=n) * 10, -300, 300)
    return pd.DataFrame({**columns, "y": draw_classes(rng, signal)})


@add("differences in the twelfth digit", 600)
def tiny_scale(rng: Random, n: int) -> pd.DataFrame:
    frame = draw_values(rng, n, {})
    return frame.assign(a=frame["a"] * 1e-12, b=1 + frame["b"] * 1e-9)


@add("features without a mean")
def heavy_tails(rng: Random, n: int) -> pd.DataFrame:
    frame = draw_binary(rng, n, {"cauchy": rng.standard_cauchy(n) * 1e6})
    return frame.assign(a=np.sinh(3 * frame["a"]))


@add("a target over six powers of ten")
def heavy_target(rng: Random, n: int) -> pd.DataFrame:
    frame = draw_values(rng, n, {})
    return frame.assign(y=np.exp(1.5 * frame["y"]))


@add("infinite values", 600)
def infinite_values(rng: Random, n: int) -> pd.DataFrame:
    frame = draw_binary(rng, n, {})
    frame.loc[rng.choice(n, n // 20, replace=False), "a"] = np.inf
    frame.loc[rng.choice(n, n // 20, replace=False), "b"] = -np.inf
    return frame


@add("values beyond single precision", 600)
def beyond_float32(rng: Random, n: int) -> pd.DataFrame:
    frame = draw_values(rng, n, {})
    return frame.assign(a=frame["a"] * 1e39)


@add("a column that is nearly always zero")
def mostly_zero(rng: Random, n: int) -> pd.DataFrame:
    gain = np.where(rng.random(n) < 0.05, rng.lognormal(8, 1, n), 0.0)
    columns, signal = draw_numbers(rng, n)
    return pd.DataFrame({**columns, "gain": gain, "y": draw_classes(rng, signal + 4 * (gain > 0))})


@add("nineteen of twenty values missing")
def mostly_missing(rng: Random, n: int) -> pd.DataFrame:
    frame = draw_values(rng, n, {})
    for name in "abc":
        frame.loc[rng.random(n) < 0.95, name] = np.nan
    return frame


@add("what is missing tells the class")
def telling_holes(rng: Random, n: int) -> pd.DataFrame:
    frame = draw_binary(rng, n, {"d": rng.normal(size=n)})
    frame.loc[(frame["y"] == "yes") & (rng.random(n) < 0.6), "d"] = np.nan
    return frame


@add("six columns that are copies of each other", 800)
def duplicate_columns(rng: Random, n: int) -> pd.DataFrame:
    frame = draw_values(rng, n, {})
    return frame.assign(**{f"a{i}": frame["a"] for i in range(6)})


@add("columns that differ in the ninth digit", 800)
def collinear(rng: Random, n: int) -> pd.DataFrame:
    frame = draw_values(rng, n, {})
    return frame.assign(**{f"a{i}": frame["a"] + rng.normal(size=n) * 1e-9 for i in range(5)})


@add("-999 where a value is missing")
def sentinels(rng: Random, n: int) -> pd.DataFrame:
    frame = draw_values(rng, n, {})
    frame.loc[rng.random(n) < 0.2, ["a", "b"]] = -999.0
    return frame


@add("a large offset before small differences", 800)
def large_offset(rng: Random, n: int) -> pd.DataFrame:
    frame = draw_values(rng, n, {})
    return frame.assign(a=1e9 + frame["a"], b=-1e12 + frame["b"] * 1e3)


@add("counts that are mostly zero, predicted from few-valued columns")
def zero_inflated(rng: Random, n: int) -> pd.DataFrame:
    levels = rng.integers(0, 6, (4, n))
    rate = np.exp(0.4 * levels[0] - 0.3 * levels[1])
    counts = np.where(rng.random(n) < 0.5, 0, rng.poisson(rate)) + rng.random(n) * 1e-3
    return pd.DataFrame({**dict(zip("abcd", levels, strict=True)), "y": counts})


@add("one column only")
def one_column(rng: Random, n: int) -> pd.DataFrame:
    x = rng.normal(size=n)
    return pd.DataFrame({"x": x, "y": np.sin(3 * x) + 0.2 * rng.normal(size=n)})


@add("five times more columns than rows", 200)
def thousand_columns(rng: Random, n: int) -> pd.DataFrame:
    x = rng.normal(size=(n, 1000))
    frame = pd.DataFrame(x, columns=[f"x{i}" for i in range(1000)])
    return frame.assign(y=np.where(x[:, :5].sum(axis=1) > 0, "yes", "no"))


@add("twelve rows", 12, refused="at least 20 are needed")
def twelve_rows(rng: Random, n: int) -> pd.DataFrame:
    return draw_values(rng, n, {})


@add("twenty-four rows of two classes", 24)
def few_rows(rng: Random, n: int) -> pd.DataFrame:
    return draw_binary(rng, n, {})


@add("forty rows and a number to predict", 40)
def forty_values(rng: Random, n: int) -> pd.DataFrame:
    return draw_values(rng, n, {})


@add("every row ten times")
def repeated_rows(rng: Random, n: int) -> pd.DataFrame:
    return pd.concat([draw_binary(rng, max(n // 10, 6), {})] * 10, ignore_index=True)


@add("rows in the order of the target")
def sorted_rows(rng: Random, n: int) -> pd.DataFrame:
    return draw_values(rng, n, {}).sort_values("y", ignore_index=True)


@add("numbers and text in one column", 800)
def mixed_types(rng: Random, n: int) -> pd.DataFrame:
    mixed = np.where(rng.random(n) < 0.5, rng.integers(0, 9, n).astype(str), "unknown")
    return draw_binary(rng, n, {"mixed": mixed})


# Classes


@add("three classes of one row each", 800)
def one_row_classes(rng: Random, n: int) -> pd.DataFrame:
    columns, signal = draw_numbers(rng, n)
    y = np.array(["low", "middle", "high"])[np.digitize(signal, [-1, 1])].astype(object)
    y[:3] = ["once", "single", "alone"]
    return pd.DataFrame({**columns, "y": y})


@add("one positive row in two thousand", 12_000)
def one_in_two_thousand(rng: Random, n: int) -> pd.DataFrame:
    columns, signal = draw_numbers(rng, n)
    positive = np.argsort(signal + rng.normal(size=n))[-max(n // 2000, 6) :]
    return pd.DataFrame({**columns, "y": np.isin(np.arange(n), positive).astype(int)})


@add("one positive row in a hundred")
def one_in_hundred(rng: Random, n: int) -> pd.DataFrame:
    columns, signal = draw_numbers(rng, n)
    return pd.DataFrame({**columns, "y": draw_classes(rng, signal, max(0.01, 8 / n))})


@add("forty classes")
def forty_classes(rng: Random, n: int) -> pd.DataFrame:
    columns, signal = draw_numbers(rng, n)
    edges = np.quantile(signal, np.linspace(0, 1, 41)[1:-1])
    return pd.DataFrame({**columns, "y": [f"k{i:02d}" for i in np.digitize(signal, edges)]})


@add("classes that are numbers from 0 to 9")
def numbered_classes(rng: Random, n: int) -> pd.DataFrame:
    columns, signal = draw_numbers(rng, n)
    return pd.DataFrame({**columns, "y": np.clip(np.round(signal * 1.5 + 5), 0, 9).astype(int)})


@add("classes with commas, quotes, tags and signs", 600)
def odd_names(rng: Random, n: int) -> pd.DataFrame:
    names = np.array(['a,"b"', "<b>c</b>", "=1+1", "größer ✓"])
    columns, signal = draw_numbers(rng, n)
    frame = pd.DataFrame({**columns, "y": names[np.digitize(signal, [-1.5, 0, 1.5])]})
    return frame.rename(columns={"a": "a, b", "b": "{c}", "c": "=d"})


@add("a tenth of the targets missing")
def missing_target(rng: Random, n: int) -> pd.DataFrame:
    frame = draw_binary(rng, n, {})
    frame.loc[rng.random(n) < 0.1, "y"] = None
    return frame


@add("a target that nothing explains")
def pure_noise(rng: Random, n: int) -> pd.DataFrame:
    return draw_values(rng, n, {}).assign(y=rng.normal(size=n))


@add("classes that nothing explains", 400)
def noisy_classes(rng: Random, n: int) -> pd.DataFrame:
    return draw_binary(rng, n, {}).assign(y=rng.choice(["yes", "no"], n))


@add("the product of two signs, which no column shows alone")
def checkerboard(rng: Random, n: int) -> pd.DataFrame:
    frame = draw_binary(rng, n, {})
    return frame.assign(y=np.where(frame["a"] * frame["b"] > 0, "yes", "no"))


@add("a copy of the target among the columns")
def leak(rng: Random, n: int) -> pd.DataFrame:
    frame = draw_binary(rng, n, {})
    return frame.assign(outcome=np.where(frame["y"] == "yes", 1.0, 0.0) + rng.normal(size=n) * 0.01)


@add("three of ten labels wrong")
def wrong_labels(rng: Random, n: int) -> pd.DataFrame:
    columns, signal = draw_numbers(rng, n)
    return pd.DataFrame(
        {**columns, "y": np.where((signal > 0) ^ (rng.random(n) < 0.3), "yes", "no")}
    )


@add("one class only", 200, refused="one class only")
def one_class(rng: Random, n: int) -> pd.DataFrame:
    return draw_binary(rng, n, {}).assign(y="yes")
