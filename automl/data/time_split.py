"""The past trains, the newest rows test: moments in order, equal ones never torn apart."""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from automl.data.cells import cells_to_days, cells_to_numbers
from automl.data.dataset import ColumnUse, Kind, Note
from automl.data.views import Part
from automl.errors import DataError

if TYPE_CHECKING:
    import pandas as pd

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


def encode_times(frame: "pd.DataFrame", column: ColumnUse) -> Floats:
    """A number per row that grows with time (days for dates), NaN where there is none."""
    if column.name not in frame.columns:
        raise DataError(f"The rows lack the time column {column.name!r}.", hint="Add it.")
    series = frame[column.name]
    read = cells_to_days if column.kind is Kind.DATETIME else cells_to_numbers
    values = read(series)
    return np.where(np.isfinite(values), values, np.nan)


def assign_by_time(times: Floats, shares: Floats) -> Ints:
    """Part numbers per row: blocks in the order of time, sizes as near to the shares as ties allow.

    A moment goes where the middle of its rows falls; rows without a time get part 0.
    """
    assigned = np.zeros(len(times), dtype=np.int64)
    known = np.flatnonzero(np.isfinite(times))
    _, moments, counts = np.unique(times[known], return_inverse=True, return_counts=True)
    middle = (np.cumsum(counts) - counts / 2) / max(1, len(known))
    blocks = np.searchsorted(np.cumsum(shares)[:-1], middle, side="right")
    assigned[known] = blocks[moments]
    return assigned


def note_times(times: Floats, parts: Mapping[Part, Ints], *, test_given: bool) -> Iterator[Note]:
    """Rows without a time, and given test rows that are not newer than what models learn from."""
    own = np.concatenate([rows for part, rows in parts.items() if part is not Part.TEST])
    tested = parts[Part.TEST]
    n_missing = int(np.isnan(times[own]).sum())
    if n_missing:
        rows = "row has" if n_missing == 1 else "rows have"
        text = f"{n_missing:,} {rows} no time and went to the training part, whenever they were."
        yield Note(code="time_missing", text=text, level="warning")
    if not test_given:
        return
    newest = np.nanmax(times[own], initial=-np.inf)
    n_old = int((times[tested] <= newest).sum())
    if n_old:
        text = (
            f"{n_old:,} of {len(tested):,} rows of the test file are not newer than the newest row of the main "
            "file, so the test does not show only what comes later."
        )
        yield Note(code="test_not_newer", text=text, level="warning")
