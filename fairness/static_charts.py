"""Plain SVG drawings for readers without scripts and for printers."""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

from fairness.template import ACCENT, LIGHT, PALETTE
from fairness.wording import shorten

WIDTH = 640
LABEL_WIDTH = 220
ROW = 26
PAD = 16
MAX_LABEL = 32
AXES = "Mean score, 0 to 1; upwards: observed share of positives, 0 to 1"


@dataclass(frozen=True, slots=True)
class Mark:
    """One line of the drawing; ``text`` stands at its right end."""

    label: str
    value: float | None
    low: float | None
    high: float | None
    text: str
    is_hollow: bool = False


def _open_svg(title: str, height: float) -> str:
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" role="img"'
        f' aria-label="{escape(title)}" font-family="sans-serif" font-size="12" width="100%">'
    )


def render_interval_svg(marks: Sequence[Mark], title: str, domain: tuple[float, float]) -> str:
    """Dots with intervals as an SVG string; names are escaped. ``domain`` is the axis from left to right."""
    height = PAD * 2 + ROW * len(marks)
    start, end = LABEL_WIDTH, WIDTH - 190
    span = (domain[1] - domain[0]) or 1.0

    def place(value: float) -> float:
        share = (min(max(value, domain[0]), domain[1]) - domain[0]) / span
        return round(start + share * (end - start), 1)

    parts = [_open_svg(title, height)]
    if domain[0] <= 0 <= domain[1]:
        parts.append(
            f'<line x1="{place(0)}" x2="{place(0)}" y1="6" y2="{height - 6}" stroke="{LIGHT.line}"/>'
        )
    for row, mark in enumerate(marks):
        y = PAD + ROW * row + ROW / 2
        label = escape(shorten(mark.label, MAX_LABEL))
        parts.append(f'<text x="0" y="{y + 4}" fill="{LIGHT.text}">{label}</text>')
        parts.append(
            f'<text x="{end + 14}" y="{y + 4}" fill="{LIGHT.muted}">{escape(mark.text)}</text>'
        )
        if mark.low is not None and mark.high is not None:
            parts.append(
                f'<line x1="{place(mark.low)}" x2="{place(mark.high)}" y1="{y}" y2="{y}"'
                f' stroke="{ACCENT}" stroke-width="2"/>'
            )
        if mark.value is not None:
            fill = "#ffffff" if mark.is_hollow else ACCENT
            parts.append(
                f'<circle cx="{place(mark.value)}" cy="{y}" r="5" fill="{fill}" stroke="{ACCENT}"'
                ' stroke-width="2"/>'
            )
    return "".join([*parts, "</svg>"])


@dataclass(frozen=True, slots=True)
class Line:
    """One group's points in the unit square: score, observed share, interval."""

    label: str
    points: Sequence[tuple[float, float, float, float]]


def render_reliability_svg(lines: Sequence[Line], title: str) -> str:
    """Observed share against mean score as an SVG string; names are escaped."""
    side, left, top = 340, 60, 16

    def place(x: float, y: float) -> str:
        return f"{left + x * side:.1f},{top + (1 - y) * side:.1f}"

    parts = [
        _open_svg(title, side + top + 50),
        f'<path d="M{place(0, 0)} L{place(1, 0)} M{place(0, 0)} L{place(0, 1)}" stroke="{LIGHT.line}"/>',
        f'<path d="M{place(0, 0)} L{place(1, 1)}" stroke="{LIGHT.muted}" stroke-dasharray="5 4"/>',
        f'<text x="{left}" y="{side + top + 36}" fill="{LIGHT.muted}">{AXES}</text>',
    ]
    for tick in (0.0, 0.5, 1.0):
        parts.append(
            f'<text x="{left + tick * side}" y="{top + side + 16}" text-anchor="middle">{tick:g}</text>'
        )
        parts.append(
            f'<text x="{left - 8}" y="{top + (1 - tick) * side + 4}" text-anchor="end">{tick:g}</text>'
        )
    for row, line in enumerate(lines):
        color = PALETTE[row % len(PALETTE)]
        path = " L".join(place(x, y) for x, y, _, _ in line.points)
        bars = " ".join(f"M{place(x, low)} L{place(x, high)}" for x, _, low, high in line.points)
        dash = "" if row == 0 else f' stroke-dasharray="{3 * row} 3"'
        y = top + 14 + 22 * row
        key = left + side + 24
        parts += [
            f'<path d="M{path}" fill="none" stroke="{color}" stroke-width="1.8"{dash}/>',
            f'<path d="{bars}" fill="none" stroke="{color}"/>',
            f'<path d="M{key},{y} h26" stroke="{color}" stroke-width="2.4"{dash}/>',
            f'<text x="{key + 34}" y="{y + 4}" fill="{LIGHT.text}">{escape(shorten(line.label, MAX_LABEL))}</text>',
        ]
    return "".join([*parts, "</svg>"])
