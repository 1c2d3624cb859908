"""Text cells of number columns, read by the unit that training knew and not by what most cells of a file hold."""

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from automl.data.cells import Floats, cells_by_unit, cells_to_labels, is_text_column
from automl.data.dataset import Note, Unit
from automl.data.levels import count_rows

if TYPE_CHECKING:
    import pandas as pd


def read_measures(
    frame: "pd.DataFrame", names: Iterable[str], units: Mapping[str, Unit], notes: list[Note]
) -> "pd.DataFrame":
    """``frame`` with these columns as numbers, as after an import; what cannot be read is in ``notes``."""
    read = {
        name: _read_column(frame[name], units.get(name), notes)
        for name in names
        if is_text_column(frame[name])
    }
    return frame.assign(**read) if read else frame


def _read_column(series: "pd.Series[Any]", unit: Unit | None, notes: list[Note]) -> Floats:
    values, is_other = cells_by_unit(series, unit)
    if is_other.any():
        what, known = ("another unit", repr(str(unit))) if unit else ("a unit", "none")
        text = (
            f"{series.name!r} has {what} in {count_rows(int(is_other.sum()))}, for example "
            f"{str(series[is_other].iloc[0]).strip()[:40]!r}; training had {known}. Nothing is converted; read as "
            "missing."
        )
        notes.append(Note(code="unit", column=str(series.name), text=text, level="warning"))
    note_unreadable(series, np.isnan(values) & ~is_other, "number", notes)
    return values


def note_unreadable(
    series: "pd.Series[Any]", absent: NDArray[np.bool_], what: str, notes: list[Note]
) -> None:
    """Say which cells hold something that is no number or date; typed columns cannot."""
    if series.dtype.kind in "iufbM" or not absent.any():
        return
    codes, labels = cells_to_labels(series[absent])
    if not labels:
        return
    count = int((codes >= 0).sum())
    text = f"{series.name!r} holds no {what} in {count_rows(count)}, for example {labels[0][:40]!r}; read as missing."
    notes.append(Note(code="unreadable", column=str(series.name), text=text, level="warning"))
