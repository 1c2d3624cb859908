"""What a person writes on a command line, and what it means."""

import argparse
import re
from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path
from typing import NoReturn, TypeVar

from automl.errors import SpecError
from automl.models.image.weights import WeightsSource
from automl.space.narrowing import Range

UNITS = {"": 1.0, "s": 1.0, "m": 60.0, "min": 60.0, "h": 3600.0}

_Choice = TypeVar("_Choice", bound=StrEnum)


def parse_duration(text: str) -> float:
    """Seconds of ``180s``, ``10m``, ``1h`` or a plain number."""
    match = re.fullmatch(r"(\d+(?:\.\d+)?)\s*(s|m|min|h|)", text.strip().lower())
    if match is None:
        raise argparse.ArgumentTypeError(f"{text!r} is no time; write 180s, 10m or 1h")
    return float(match[1]) * UNITS[match[2]]


def parse_count(text: str) -> int:
    """A whole number, also as ``500k``, ``1.5M`` or ``2G``."""
    match = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([kmg]?)", text.strip().lower())
    if match is None:
        raise argparse.ArgumentTypeError(f"{text!r} is no number; write 1000000, 500k or 1.5M")
    return round(float(match[1]) * {"": 1, "k": 1e3, "m": 1e6, "g": 1e9}[match[2]])


def parse_range(text: str) -> tuple[str, float, float]:
    """``mlp.depth=1..2`` as the name, the lowest and the highest value."""
    match = re.fullmatch(r"([\w.]+\.[\w.]+)=([-+.\de]+)\.\.([-+.\de]+)", text.strip())
    try:
        return (match[1], float(match[2]), float(match[3])) if match else _refuse_range(text)
    except ValueError:
        return _refuse_range(text)


def _refuse_range(text: str) -> NoReturn:
    raise argparse.ArgumentTypeError(f"{text!r} is no range; write mlp.depth=1..2")


def parse_names(text: str) -> tuple[str, ...]:
    """Names between commas."""
    return tuple(name for name in (part.strip() for part in text.split(",")) if name)


def parse_choice(kind: type[_Choice], name: str, what: str) -> _Choice:
    """The member of a closed set by its name; ``what`` it is a name of, for the error."""
    try:
        return kind(name)
    except ValueError:
        raise SpecError(
            f"There is no {what} {name!r}.", hint=f"Choose {', '.join(kind)}."
        ) from None


def parse_folds(text: str | None) -> int | None:
    """``auto`` (or nothing) as None, ``none`` as 0, else the number of folds."""
    name = (text or "auto").strip().lower()
    if name in ("auto", "none"):
        return None if name == "auto" else 0
    if not name.isdecimal():
        raise SpecError(f"{text!r} is no number of folds.", hint="Write 5, auto or none.")
    return int(name)


def build_ranges(given: Sequence[tuple[str, float, float]]) -> dict[str, dict[str, Range]]:
    """By family and label; the family stands before the first dot."""
    ranges: dict[str, dict[str, Range]] = {}
    for name, low, high in given:
        family, _, label = name.partition(".")
        ranges.setdefault(family, {})[label] = (low, high)
    return ranges


def make_absolute(weights: str | None) -> str:
    """A folder as the worker will find it; ``hub`` and nothing stay what they are."""
    if not weights or weights == WeightsSource.HUB:
        return weights or ""
    folder = Path(weights).absolute()
    if not folder.is_dir():
        raise SpecError(
            f"There is no folder of weights {weights!r}.",
            hint="Name a folder of safetensors files, or hub.",
        )
    return str(folder)
