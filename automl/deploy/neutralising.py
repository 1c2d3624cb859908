"""CSV cells that a spreadsheet would run as a formula, made inert."""

import pandas as pd

from fairness.cells import neutralise_text

__all__ = ["neutralise", "neutralise_text"]


def neutralise(frame: pd.DataFrame) -> pd.DataFrame:
    """The frame with an apostrophe before text cells and headers that start like a formula.

    Columns of numbers, booleans and dates stay as they are.
    """
    columns = {}
    for name, column in frame.items():
        is_text = not (
            pd.api.types.is_numeric_dtype(column.dtype)
            or pd.api.types.is_bool_dtype(column.dtype)
            or pd.api.types.is_datetime64_any_dtype(column.dtype)
        )
        columns[neutralise_text(str(name))] = column.map(_neutralise_cell) if is_text else column
    return pd.DataFrame(columns, index=frame.index)


def _neutralise_cell(cell: object) -> object:
    return neutralise_text(cell) if isinstance(cell, str) else cell
