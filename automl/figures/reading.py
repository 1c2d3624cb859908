"""Numbers inside the sentences under the pictures."""

import math


def render_number(value: float | None, low: float | None = None, high: float | None = None) -> str:
    """``value`` with the digits its interval deserves; ``–`` where there is none.

    Without an interval three significant digits are shown.
    """
    if value is None or not math.isfinite(value):
        return "–"
    return _say(value, count_decimals(value, low, high))


def render_interval(value: float | None, low: float | None, high: float | None) -> str:
    """``0.927 [0.923, 0.931]``; without an interval the number alone."""
    text = render_number(value, low, high)
    if text == "–" or low is None or high is None:
        return text
    decimals = count_decimals(value or 0.0, low, high)
    return f"{text} [{_say(low, decimals)}, {_say(high, decimals)}]"


def render_percent(share: float) -> str:
    """A share in 0..1 as ``12.1 %``."""
    return f"{100 * share:.1f} %"


def render_count(count: float) -> str:
    """A large count in three digits: ``36.9 k``, ``1.24 M``; below a thousand whole."""
    for size, unit in ((1.0, ""), (1e3, " k"), (1e6, " M"), (1e9, " G")):
        if count < 999.5 * size:
            return f"{count / size:.0f}" if size == 1 else f"{count / size:.3g}{unit}"
    return f"{count / 1e12:.3g} T"


def _say(value: float, decimals: int) -> str:
    text = f"{value:,.{decimals}f}"
    return text.replace("-", "−") if float(text.replace(",", "")) else text.replace("-", "")


def count_decimals(value: float, low: float | None, high: float | None) -> int:
    """Decimals so that the half-width of the interval shows with one digit, 0..5.

    A value below 1000 has three digits at least (0.939, 65.4): close models are told apart by them.
    """
    if low is not None and high is not None and math.isfinite(high - low) and high > low:
        wanted = math.ceil(-math.log10((high - low) / 2))
        size = max(abs(low), abs(high))
        least = 3 if size <= 1 else 2 if size < 10 else 1 if size < 100 else 0
        return min(5, max(wanted, least))
    if value == 0:
        return 2
    return min(5, max(0, 2 - math.floor(math.log10(abs(value)))))
