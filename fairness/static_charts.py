"""A plain SVG of values with intervals, for readers and printers without scripts."""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

from fairness.template import ACCENT, LIGHT

WIDTH = 640
LABEL_WIDTH = 190
ROW = 26
PAD = 16


@dataclass(frozen=True, slots=True)
class Mark:
    """One line of the drawing; ``text`` stands at its right end."""

    label: str
    value: float | None
    low: float | None
    high: float | None
    text: str
    is_hollow: bool = False


def render_interval_svg(marks: Sequence[Mark], title: str, domain: tuple[float, float]) -> str:
    """Dots with intervals as an SVG string; names are escaped. ``domain`` is the axis from left to right."""
    height = PAD * 2 + ROW * len(marks)
    start, end = LABEL_WIDTH, WIDTH - 190
    span = (domain[1] - domain[0]) or 1.0

    def place(value: float) -> float:
        share = (min(max(value, domain[0]), domain[1]) - domain[0]) / span
        return round(start + share * (end - start), 1)

    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" role="img"'
        f' aria-label="{escape(title)}" font-family="sans-serif" font-size="12" width="100%">'
    )
    parts = [head]
    if domain[0] <= 0 <= domain[1]:
        parts.append(
            f'<line x1="{place(0)}" x2="{place(0)}" y1="6" y2="{height - 6}" stroke="{LIGHT.line}"/>'
        )
    for row, mark in enumerate(marks):
        y = PAD + ROW * row + ROW / 2
        label = mark.label if len(mark.label) <= 26 else mark.label[:25] + "…"
        parts.append(f'<text x="0" y="{y + 4}" fill="{LIGHT.text}">{escape(label)}</text>')
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
