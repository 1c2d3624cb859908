"""At which side pictures are stored: from the data, and never more than the disk holds."""

import shutil
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from automl.data.dataset import Note
from automl.errors import DataError, DiskFull

SIDES = (8, 16, 28, 32, 64, 96, 128, 160, 192, 224, 256, 288)
ROW_BYTES = 2_000  # for the table, the list of originals and their profile


@dataclass(frozen=True, kw_only=True, slots=True)
class SideRequest:
    """What decides the side: short sides of (a sample of) the pictures, their number, the free disk."""

    short_sides: Sequence[int]
    n_pictures: int
    channels: int
    fixed: int | None = None
    keep_free_bytes: int = 0


def choose_side(request: SideRequest, folder: Path) -> tuple[int, tuple[Note, ...]]:
    """The side and what is to be said about it.

    The largest of ``SIDES`` up to the median short side, or the fixed one; smaller ones when the array
    would not fit the disk of ``folder``. ``DiskFull`` when not even the smallest fits.
    """
    median = statistics.median(request.short_sides)
    wanted = request.fixed
    if wanted is None:
        wanted = max((side for side in SIDES if side <= median), default=SIDES[0])
    elif not SIDES[0] <= wanted <= SIDES[-1]:
        raise DataError(
            f"Pictures cannot be stored at {wanted} pixels.",
            hint=f"Choose a side from {SIDES[0]} to {SIDES[-1]}.",
        )
    free = shutil.disk_usage(folder).free - request.keep_free_bytes
    for side in (wanted, *(side for side in reversed(SIDES) if side < wanted)):
        if estimate_bytes(request, side) <= free:
            return side, _note_side(request, side, wanted, free, median)
    least = estimate_bytes(request, SIDES[0])
    raise DiskFull(
        f"{_render_room(request, free)} for {request.n_pictures:,} pictures, at least "
        f"{_render_bytes(least)} are needed.",
        hint="Delete searches or data sets you no longer need, or free space on the disk.",
    )


def estimate_bytes(request: SideRequest, side: int) -> int:
    """Bytes of the array and of what is written beside it."""
    return request.n_pictures * (side * side * request.channels + ROW_BYTES)


def _note_side(
    request: SideRequest, side: int, wanted: int, free: int, median: float
) -> tuple[Note, ...]:
    if side < wanted:
        text = (
            f"The pictures are stored at {side} × {side} pixels instead of {wanted} × {wanted}: "
            f"{_render_bytes(estimate_bytes(request, wanted))} would be needed, "
            f"{_render_room(request, free)}."
        )
        return (Note(code="side_lowered", text=text, level="warning"),)
    if request.fixed is not None:
        text = f"The pictures are stored at {side} × {side} pixels, as you asked."
    else:
        text = (
            f"The pictures are stored at {side} × {side} pixels: the median short side is "
            f"{median:g}."
        )
    return (Note(code="side", text=text),)


def _render_room(request: SideRequest, free: int) -> str:
    """What may be taken; what stays free is named, since the disk itself shows more."""
    kept = request.keep_free_bytes
    beside = f" beside the {_render_bytes(kept)} that stay so" if kept else ""
    return f"{_render_bytes(max(free, 0))} are free{beside}"


def _render_bytes(size: int) -> str:
    return f"{size / 1e9:,.1f} GB" if size >= 1e9 else f"{size / 1e6:,.1f} MB"
