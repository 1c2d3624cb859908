"""One row with other cells: what the model answers before and after."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from automl.data.dataset import Kind
from automl.errors import SpecError
from automl.evaluation.explaining.asking import AskedModel, Found, HeldRows, Steps
from automl.evaluation.explaining.counterfactual import describe_answer
from automl.evaluation.explaining.shapley import render_cell

TRUTHS = {"true": True, "false": False}


def answer_what_if(model: AskedModel, row: HeldRows, changes: Mapping[str, str | None]) -> Steps:
    """The outputs of one row as it is and with ``changes``, cells as text (None: missing).

    The frame has ``output, before, after``. Without a change nothing is asked twice: after is before, to the last bit.
    """
    changed = change_cells(model, row.frame, changes)
    yield 0.3, "Predicting the row as it is"
    before = np.asarray(model.predict(row.frame), dtype=np.float64)
    yield 0.6, "Predicting the changed row"
    after = np.asarray(model.predict(changed), dtype=np.float64) if changes else before
    own, other = describe_answer(model, before), describe_answer(model, after)
    frame = pd.DataFrame(
        {"output": list(model.outputs), "before": own["values"], "after": other["values"]}
    )
    facts = {
        "row_id": int(row.row_id[0]),
        "before": own,
        "after": other,
        "changes": [
            {
                "column": name,
                "before": render_cell(row.frame[name].iloc[0]),
                "after": render_cell(changed[name].iloc[0]),
            }
            for name in changes
        ],
    }
    return Found(frame=frame, facts=facts)


def change_cells(
    model: AskedModel, frame: pd.DataFrame, changes: Mapping[str, str | None]
) -> pd.DataFrame:
    """The one row with other cells; a column that is no input, or no number where one is needed, is a ``SpecError``."""
    kinds = {column.name: column.kind for column in model.columns}
    unknown = [name for name in changes if name not in kinds]
    if unknown:
        raise SpecError(
            f"The model does not read a column {unknown[0]!r}.", hint="Change one of its inputs."
        )
    new = {name: _build_cell(name, kinds[name], text) for name, text in changes.items()}
    return frame.assign(**new)


def _build_cell(name: str, kind: Kind, text: str | None) -> "pd.Series[Any]":
    if kind is Kind.NUMERIC:
        return pd.Series([np.nan if text is None else _read_number(name, text)], dtype=np.float64)
    if kind is Kind.BOOLEAN and text is not None and text.lower() in TRUTHS:
        return pd.Series([TRUTHS[text.lower()]])
    return pd.Series([text], dtype="str")


def _read_number(name: str, text: str) -> float:
    try:
        return float(text)
    except ValueError as error:
        raise SpecError(
            f"{text!r:.40} is no number, which {name!r} holds.",
            hint="Write a number, such as 12.5.",
        ) from error
