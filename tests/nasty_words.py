"""Nasty tables: categories, texts, units, dates and smooth values."""

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

# Categories and text


def _effects(rng: Random, n: int, n_levels: int) -> tuple[np.ndarray, np.ndarray]:
    """Levels drawn evenly, and the effect of each row's level."""
    codes = rng.integers(0, n_levels, n)
    return codes, rng.normal(size=n_levels)[codes]


@add("two thousand categories", 8_000)
def two_thousand_levels(rng: Random, n: int) -> pd.DataFrame:
    columns, signal = draw_numbers(rng, n)
    codes, effect = _effects(rng, n, 2_000)
    return pd.DataFrame(
        {
            **columns,
            "shop": [f"shop {i}" for i in codes],
            "y": draw_classes(rng, signal + 2 * effect),
        }
    )


@add("three hundred categories and nothing else")
def only_levels(rng: Random, n: int) -> pd.DataFrame:
    codes, effect = _effects(rng, n, 300)
    other, more = _effects(rng, n, 5)
    return pd.DataFrame(
        {"part": [f"p{i}" for i in codes], "line": [f"l{i}" for i in other],
         "y": 3 * effect + more + rng.normal(size=n)}
    )  # fmt: skip


@add("categories most of which come once", 1_500)
def rare_levels(rng: Random, n: int) -> pd.DataFrame:
    return draw_binary(rng, n, {"level": [f"z{int(i)}" for i in rng.pareto(0.6, n) * 3]})


@add("an identifier and a running number", 600)
def identifiers(rng: Random, n: int) -> pd.DataFrame:
    return draw_binary(
        rng, n, {"id": [f"u{i:07x}" for i in rng.permutation(n) * 991], "row": range(n)}
    )


@add("truth as text, in three ways of writing", 600)
def text_booleans(rng: Random, n: int) -> pd.DataFrame:
    truth = rng.random(n) < 0.5
    written = {"d": np.where(truth, "TRUE", "False"), "e": np.where(truth, "yes", "no"), "f": np.where(truth, "1", "0")}  # fmt: skip
    return draw_values(rng, n, written)


@add("numbers with units, currencies and per cent signs")
def units(rng: Random, n: int) -> pd.DataFrame:
    columns, signal = draw_numbers(rng, n)
    written = {
        "weight": [f"{60 + 9 * x:.1f} kg" for x in columns["a"]],
        "price": [f"${5000 + 900 * x:,.2f}" for x in columns["b"]],
        "share": [f"{50 + 12 * x:.0f} %" for x in columns["c"]],
    }
    return pd.DataFrame({**written, "y": signal + rng.normal(size=n) * 0.5})


@add("decimal commas", 800)
def decimal_commas(rng: Random, n: int) -> pd.DataFrame:
    frame = draw_values(rng, n, {})
    return frame.assign(**{name: [f"{x:.3f}".replace(".", ",") for x in frame[name]] for name in "abc"})  # fmt: skip


@add("question marks, dashes and NA for missing values", 800)
def missing_markers(rng: Random, n: int) -> pd.DataFrame:
    frame = draw_values(rng, n, {"kind": rng.choice(["x", "y", "?", "N/A"], n)}).astype(
        {"a": object}
    )
    frame.loc[rng.random(n) < 0.1, "a"] = "-"
    frame.loc[rng.random(n) < 0.1, "a"] = "?"
    return frame


@add("codes with leading zeros", 800)
def leading_zeros(rng: Random, n: int) -> pd.DataFrame:
    codes, effect = _effects(rng, n, 30)
    return draw_values(rng, n, {"zip": [f"0{i:03d}" for i in codes]}).assign(y=effect)


@add("sentences of which a few words matter")
def free_text(rng: Random, n: int) -> pd.DataFrame:
    words = np.array(["the", "room", "was", "clean", "dirty", "loud", "quiet", "and", "far", "near", "old"])  # fmt: skip
    chosen = [rng.choice(words, 12) for _ in range(n)]
    mood = np.array([("clean" in c) + ("quiet" in c) - ("dirty" in c) - ("loud" in c) for c in chosen])  # fmt: skip
    texts = [" ".join(c) + f" {i}" for i, c in enumerate(chosen)]
    return pd.DataFrame(
        {"remark": texts, "stars": rng.integers(1, 6, n), "y": draw_classes(rng, 2 * mood)}
    )


@add("very long texts, and signs of many scripts", 300)
def long_text(rng: Random, n: int) -> pd.DataFrame:
    signs = ["漢字 " * 400, "🙂 🙃 " * 300, "x" * 5_000, "пример " * 200]
    return draw_binary(rng, n, {"text": [signs[i % 4] + str(i) for i in range(n)]})


@add("names whose title tells the class", 900)
def names(rng: Random, n: int) -> pd.DataFrame:
    titles = rng.choice(["Mr", "Mrs", "Miss", "Dr"], n)
    written = [f"Family{i}, {title}. Given{i % 97}" for i, title in enumerate(titles)]
    return pd.DataFrame(
        {"name": written, "age": rng.integers(1, 90, n),
         "y": np.where(rng.random(n) < np.where(titles == "Mr", 0.2, 0.75), "yes", "no")}
    )  # fmt: skip


# Dates


@add("a target that follows the seasons")
def seasons(rng: Random, n: int) -> pd.DataFrame:
    days = rng.integers(0, 1_460, n)
    stamps = pd.Timestamp("2020-01-01") + pd.to_timedelta(days, "D")
    heat = -np.cos(2 * np.pi * (days % 365.25) / 365.25)
    return pd.DataFrame({"day": stamps.strftime("%Y-%m-%d"), "y": 10 + 12 * heat + rng.normal(size=n) * 2})  # fmt: skip


@add("times of day, written day first")
def times(rng: Random, n: int) -> pd.DataFrame:
    minutes = rng.integers(0, 60 * 24 * 90, n)
    stamps = pd.Timestamp("2024-03-01") + pd.to_timedelta(minutes, "min")
    rush = np.cos(4 * np.pi * (stamps.hour - 8) / 24)
    return pd.DataFrame({"at": stamps.strftime("%Y-%m-%d %H:%M"), "y": draw_classes(rng, 3 * rush)})


@add("days that do not exist", 800)
def impossible_days(rng: Random, n: int) -> pd.DataFrame:
    days = [f"{1 + i % 28}.{1 + i % 12}.2023" for i in range(n)]
    days[:: max(n // 10, 2)] = ["31.2.2023"] * len(days[:: max(n // 10, 2)])
    return draw_binary(rng, n, {"day": days})


@add("dates hundreds of years apart", 600)
def ancient_dates(rng: Random, n: int) -> pd.DataFrame:
    return draw_values(rng, n, {"born": [f"{y}-06-15" for y in rng.integers(1700, 2250, n)]})


# Smooth values on which networks collapse, and odd targets


@add("strength of concrete: small, smooth, with products", 1_030)
def concrete(rng: Random, n: int) -> pd.DataFrame:
    cement, water = rng.uniform(100, 540, n), rng.uniform(120, 250, n)
    age = rng.choice([1, 3, 7, 14, 28, 56, 90, 180, 365], n)
    slag = np.where(rng.random(n) < 0.45, 0, rng.uniform(10, 360, n))
    strength = 24 * (cement + 0.6 * slag) / water * np.log1p(age) / 4 + rng.normal(size=n) * 4
    return pd.DataFrame({"cement": cement, "slag": slag, "water": water, "age": age, "y": strength})


@add("output of a power plant: a small spread on a large mean")
def power_plant(rng: Random, n: int) -> pd.DataFrame:
    warm = rng.uniform(2, 36, n)
    vacuum = 30 + 1.2 * warm + rng.normal(size=n) * 7
    pressure, damp = rng.normal(1013, 6, n), rng.uniform(25, 100, n)
    power = 500 - 1.9 * warm - 0.23 * vacuum + 0.06 * (pressure - 1013) - 0.15 * damp
    return pd.DataFrame({"warm": warm, "vacuum": vacuum, "pressure": pressure, "damp": damp, "y": power + rng.normal(size=n) * 4})  # fmt: skip


@add("the energy of a house: six columns of few values", 768)
def house_energy(rng: Random, n: int) -> pd.DataFrame:
    frame = pd.DataFrame({name: rng.choice(np.linspace(0, 1, k), n) for name, k in zip("abcdef", (12, 12, 7, 4, 2, 4), strict=True)})  # fmt: skip
    heat = 20 * frame["a"] * frame["e"] + 8 * frame["c"] ** 2 + 5 * frame["f"] * (1 - frame["b"])
    return frame.assign(y=heat + rng.normal(size=n) * 0.3)


@add("a target that is one value in all but a few rows", 800, task="regression")
def nearly_constant(rng: Random, n: int) -> pd.DataFrame:
    return draw_values(rng, n, {}).assign(y=np.where(rng.random(n) < 0.03, rng.normal(size=n), 7.0))


@add("a target in billions, with a sign", 800)
def billions(rng: Random, n: int) -> pd.DataFrame:
    frame = draw_values(rng, n, {})
    return frame.assign(y=-1e13 + frame["y"] * 1e11)


@add("few large errors in the target")
def outlying_targets(rng: Random, n: int) -> pd.DataFrame:
    frame = draw_values(rng, n, {})
    frame.loc[rng.random(n) < 0.005, "y"] *= 1e4
    return frame
