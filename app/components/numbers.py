"""Numbers as people read them: intervals, durations, bytes, counts, moments."""

import math
from datetime import UTC, datetime

from automl.figures.reading import render_interval

ABSENT = "–"


def format_count(value: float | None) -> str:
    """Thousands separated: ``32,561``."""
    return ABSENT if value is None else f"{value:,.0f}"


def format_number(value: float | None, digits: int = 3) -> str:
    """A value on its own, in as many decimals as its size deserves."""
    if value is None or not math.isfinite(value):
        return ABSENT
    if value != 0 and abs(value) >= 100:
        return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:,.1f}"
    return f"{value:,.{digits}f}" if value == 0 or abs(value) >= 0.001 else f"{value:.2g}"


def format_estimate(
    value: float | None, low: float | None = None, high: float | None = None
) -> str:
    """``0.927 [0.923, 0.931]``: as many decimals as the interval deserves."""
    if value is None or not math.isfinite(value):
        return ABSENT
    if low is None or high is None or not math.isfinite(high - low) or high <= low:
        return format_number(value)
    return render_interval(value, low, high)


def format_share(value: float | None) -> str:
    """A share of 1 as a percentage with one decimal: ``11.4 %``."""
    return ABSENT if value is None else f"{100 * value:.1f} %"


def format_duration(seconds: float | None) -> str:
    """``45 s``, ``2 min 10 s``, ``1 h 5 min``; below 10 s with one decimal."""
    if seconds is None:
        return ABSENT
    if seconds < 9.95:
        return f"{max(seconds, 0):.1f} s"
    total = round(seconds)
    if total < 60:
        return f"{total} s"
    minutes, rest = divmod(total, 60)
    if minutes < 60:
        return f"{minutes} min {rest} s" if rest else f"{minutes} min"
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if minutes else f"{hours} h"


def format_pace(seconds: float | None) -> str:
    """Seconds per 1,000 rows: ``0.82 ms``, ``41 ms``, ``3.1 s``."""
    if seconds is None:
        return ABSENT
    return format_duration(seconds) if seconds >= 1 else f"{1000 * seconds:.2g} ms"


def format_clock(seconds: float) -> str:
    """``01:12`` or ``1:02:03``, for times that run."""
    total = max(0, int(seconds))
    hours, rest = divmod(total, 3600)
    minutes, second = divmod(rest, 60)
    return f"{hours}:{minutes:02}:{second:02}" if hours else f"{minutes:02}:{second:02}"


def format_bytes(size: float | None) -> str:
    """``4.2 MB``, ``17.1 GB``; powers of ten."""
    if size is None:
        return ABSENT
    for unit in ("B", "kB", "MB", "GB"):
        if size < 1000 or unit == "GB":
            return f"{size:.0f} {unit}" if unit == "B" or size >= 100 else f"{size:.1f} {unit}"
        size /= 1000
    raise AssertionError  # unreachable: GB ends the loop


def format_when(at: float | None) -> str:
    """A moment in local time, to the minute."""
    if at is None:
        return ABSENT
    return datetime.fromtimestamp(at, tz=UTC).astimezone().strftime("%Y-%m-%d %H:%M")
