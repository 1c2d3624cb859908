"""How many rows each row stands for: the column with the role ``weight``."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from automl.data.cells import Floats, cells_to_numbers
from automl.data.dataset import ColumnUse, Note, Role
from automl.data.views import Part
from automl.errors import DataError

if TYPE_CHECKING:
    import pandas as pd

WAY_OUT = "Correct the column, or give it another role."


def find_weight(columns: tuple[ColumnUse, ...]) -> str | None:
    """The column of weights, None where every row counts once."""
    return next((column.name for column in columns if column.role is Role.WEIGHT), None)


def encode_weights(
    frame: "pd.DataFrame", name: str, parts: Mapping[Part, NDArray[np.int64]]
) -> Floats:
    """Weights of all rows; rows in no part have 0.

    A missing, negative or infinite weight of a row that takes part, or a part whose rows all weigh 0, is a
    ``DataError``.
    """
    if name not in frame.columns:
        raise DataError(f"The rows lack the weight column {name!r}.", hint="Add it.")
    values = cells_to_numbers(frame[name])
    weight = np.zeros(len(values))
    for part, rows in parts.items():
        weight[rows] = values[rows]
        _check_weights(values[rows], name)
        if len(rows) and not weight[rows].any():
            raise DataError(f"All {len(rows):,} weights of the {part} part are 0.", hint=WAY_OUT)
    return weight


def _check_weights(values: Floats, name: str) -> None:
    bad = ~np.isfinite(values) | (values < 0)
    if not bad.any():
        return
    first = values[bad][0]
    n_missing = int(np.isnan(values).sum())
    if n_missing:
        rows = "row has" if n_missing == 1 else "rows have"
        raise DataError(f"{n_missing:,} {rows} no weight in {name!r}.", hint=WAY_OUT)
    n_bad = int(bad.sum())
    what = "is no weight" if n_bad == 1 else f"and {n_bad - 1:,} more are no weights"
    raise DataError(
        f"{first:g} in {name!r} {what}: weights are finite and at least 0.", hint=WAY_OUT
    )


def build_weight_notes(name: str | None) -> tuple[Note, ...]:
    """What the weights do and what they leave alone, said aloud."""
    if name is None:
        return ()
    text = (
        f"Rows count by {name!r} in training, in every score that decides and in the test figures. Curves, the "
        "confusion table and the audit count every row once."
    )
    return (Note(code="weights", column=name, text=text, level="warning"),)
