"""Rows that a person left out or gave another label: kept in the spec, applied to the parts models learn from.

The data set never changes, and neither do the split nor the parts that a model is calibrated and tested on: a search
with corrections is compared with the one before on the same rows. To undo it, delete the search.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from automl.data.dataset import Note
from automl.data.task import Task
from automl.data.views import Part
from automl.errors import DataError, SpecError

Ints = NDArray[np.int64]
OPEN = (Part.TRAIN, Part.SELECT)
NAMED = 10  # rows that a note names


@dataclass(frozen=True, kw_only=True, slots=True)
class Corrections:
    """Rows of the data set, from 0: ``dropped`` ones, and ``relabelled`` ones with the class they get.

    ``source`` is the id of the search after whose results they were marked, empty where nobody says.
    """

    dropped: tuple[int, ...] = ()
    relabelled: Mapping[int, str] = field(default_factory=dict)
    source: str = ""

    def __post_init__(self) -> None:
        rows = [*self.dropped, *self.relabelled]
        numbers, counts = np.unique(np.array(rows, dtype=np.int64), return_counts=True)
        if len(numbers) < len(rows):
            twice = int(numbers[counts.argmax()])
            raise SpecError(
                f"Row {twice} is corrected twice.", hint="Drop it or give it another label."
            )
        if any(row < 0 for row in rows):
            raise SpecError(
                f"Row {min(rows)} cannot be corrected.", hint="Rows are numbered from 0."
            )

    def __len__(self) -> int:
        return len(self.dropped) + len(self.relabelled)

    def require_classes(self, task: Task) -> None:
        """Raise ``SpecError`` where a new label is none of the classes of the task."""
        unknown = next(
            (each for each in self.relabelled.values() if each not in task.classes), None
        )
        if unknown is not None:
            raise SpecError(
                f"A row of {task.target!r} cannot become {unknown!r:.80}.",
                hint=f"Choose one of {', '.join(task.classes[:10])}."
                if task.classes
                else "A value cannot be relabelled; drop the row.",
            )

    def join(self, later: "Corrections") -> "Corrections":
        """Both; where a row is in both, the later one counts."""
        taken = {*later.dropped, *later.relabelled}
        return Corrections(
            dropped=tuple(
                sorted({row for row in self.dropped if row not in taken} | set(later.dropped))
            ),
            relabelled={
                row: label
                for row, label in sorted({**self.relabelled, **later.relabelled}.items())
                if row not in later.dropped
            },
            source=later.source or self.source,
        )

    def describe(self) -> dict[str, Any]:
        """Plain values, for results and bundles; nothing where nothing was corrected."""
        if not len(self):
            return {}
        relabelled = [{"row": row, "label": label} for row, label in self.relabelled.items()]
        return {
            "corrections": {
                "dropped": list(self.dropped),
                "relabelled": relabelled,
                "source": self.source,
            }
        }


def apply_corrections(
    corrections: Corrections, task: Task, target: NDArray[Any], parts: Mapping[Part, Ints]
) -> tuple[NDArray[Any], dict[Part, Ints], tuple[Note, ...]]:
    """Target and parts with the corrections, and a note that names them.

    A row outside train and select is a ``DataError``: what a model is judged by stays as it is.
    """
    if not len(corrections):
        return target, dict(parts), ()
    rows = np.array([*corrections.dropped, *corrections.relabelled], dtype=np.int64)
    _require_open(rows, len(target), parts)
    changed = target.copy()
    for row, label in corrections.relabelled.items():
        changed[row] = task.classes.index(label)
    gone = np.array(corrections.dropped, dtype=np.int64)
    kept = {part: own[~np.isin(own, gone)] if part in OPEN else own for part, own in parts.items()}
    return changed, kept, (_build_note(corrections),)


def _require_open(rows: Ints, n_rows: int, parts: Mapping[Part, Ints]) -> None:
    is_open = np.zeros(max(n_rows, int(rows.max()) + 1), dtype=bool)
    for part in OPEN:
        is_open[parts[part]] = True
    closed = rows[~is_open[rows]]
    if not len(closed):
        return
    row = int(closed[0])
    named = next((str(part) for part, own in parts.items() if row in own), "")
    where = f"in the {named} part" if named else "in no part of the split"
    raise DataError(
        f"Row {row} cannot be corrected: it is {where}.",
        hint="Only rows that models learn from (train and select) are corrected; what they are judged by stays as it is.",
    )


def _build_note(corrections: Corrections) -> Note:
    dropped, relabelled = list(corrections.dropped), list(corrections.relabelled)
    parts = [
        f"{len(rows):,} {'row was' if len(rows) == 1 else 'rows were'} {what} (rows {_name(rows)})"
        for rows, what in ((dropped, "left out"), (relabelled, "given another label"))
        if rows
    ]
    after = (
        f" They were marked after the search {corrections.source[:8]}."
        if corrections.source
        else ""
    )
    text = (
        f"By hand {' and '.join(parts)}, all of them in the parts that models learn from; the data set, the calibrate "
        f"and the test part are unchanged.{after}"
    )
    return Note(code="corrections", text=text, level="warning")


def _name(rows: list[int]) -> str:
    shown = ", ".join(map(str, sorted(rows)[:NAMED]))
    return f"{shown} and {len(rows) - NAMED:,} more" if len(rows) > NAMED else shown
