"""A date as numbers: what repeats every year, week and day, and how far along it lies."""

import numpy as np

from automl.data.cells import Floats

FIRST_PARTS = ("year", "month", "weekday", "days")  # all there were in version 1 of the encoder
YEARLY_PARTS = ("month_sin", "month_cos")
TIME_PARTS = ("hour", "hour_sin", "hour_cos")


def list_parts(*, version: int, is_timed: bool) -> tuple[str, ...]:
    """Names of the parts of one date column; the hour only where a training date has a time of day."""
    if version == 1:
        return FIRST_PARTS
    return (*FIRST_PARTS, *YEARLY_PARTS, *(TIME_PARTS if is_timed else ()))


def find_first_day(days: Floats) -> float:
    """The earliest date, 0 where there is none."""
    present = days[~np.isnan(days)]
    return float(present.min()) if len(present) else 0.0


def has_time(days: Floats) -> bool:
    """Whether any date has a time of day other than midnight."""
    present = days[~np.isnan(days)]
    return bool((present != np.floor(present)).any())


def split_date(days: Floats, first_day: float, parts: tuple[str, ...]) -> list[Floats]:
    """The named parts of dates in days since 1970, each ``(n,)``, NaN for a missing date.

    Months count from 1, weekdays from Monday as 0; ``hour`` has minutes as its fraction; ``days`` counts from
    ``first_day``; sine and cosine put December beside January and 23:59 beside 0:00.
    """
    missing = np.isnan(days)
    filled = np.where(missing, 0.0, days)
    whole = np.floor(filled).astype(np.int64)
    months = whole.astype("datetime64[D]").astype("datetime64[M]").astype(np.int64)
    month, hour = months % 12, (filled - whole) * 24
    known = {
        "year": months // 12 + 1970,
        "month": month + 1,
        "weekday": (whole + 3) % 7,
        "days": days - first_day,
        "month_sin": np.sin(2 * np.pi * month / 12),
        "month_cos": np.cos(2 * np.pi * month / 12),
        "hour": hour,
        "hour_sin": np.sin(2 * np.pi * hour / 24),
        "hour_cos": np.cos(2 * np.pi * hour / 24),
    }
    return [np.where(missing, np.nan, known[part].astype(np.float64)) for part in parts]
