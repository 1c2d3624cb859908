"""Data sets as records: immutable tables with typed columns.

A data set is named by the hash of its content (``id``); roles are not part of it, they are chosen
for a task and travel in the ``SearchSpec``.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

MISSING_MARKERS = ("", "?", "NA", "N/A", "NaN", "nan", "null", "NULL", "None", "-")


class Kind(StrEnum):
    """What the values of a column are."""

    NUMERIC = "numeric"
    CATEGORICAL = "categorical"
    BOOLEAN = "boolean"
    DATETIME = "datetime"
    TEXT = "text"
    IMAGE = "image"


class DataKind(StrEnum):
    """What a data set is made of, and so which families can learn from it."""

    TABLE = "table"
    IMAGES = "images"


class Role(StrEnum):
    """What a column is used for."""

    FEATURE = "feature"
    TARGET = "target"
    SENSITIVE = "sensitive"
    GROUP = "group"
    TIME = "time"
    WEIGHT = "weight"
    IGNORED = "ignored"


@dataclass(frozen=True, kw_only=True, slots=True)
class Unit:
    """What stands before and behind every number, as it is written most often."""

    before: str
    after: str

    def __str__(self) -> str:
        return self.before or self.after


@dataclass(frozen=True, kw_only=True, slots=True)
class Column:
    """One column as it was read.

    ``kind`` was inferred for ``reason``; ``suggested_role`` is ``ignored`` for identifiers, constants
    and empty columns (for ``role_reason``), else ``feature``. ``n_distinct`` counts non-missing values.
    ``unit`` stood at the numbers when they were text.
    """

    name: str
    kind: Kind
    reason: str
    n_missing: int
    n_distinct: int
    suggested_role: Role = Role.FEATURE
    role_reason: str = ""
    unit: Unit | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class ColumnUse:
    """How one column is used: its kind (inferred or overridden) and its role.

    A sensitive column serves the audit only, unless ``is_input``.
    """

    name: str
    kind: Kind
    role: Role
    is_input: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Note:
    """One thing that was noticed or done, said to the person.

    ``code`` is stable and machine-readable (``duplicate_rows``, ``constant``, ``leak`` …); ``column`` is
    empty when the note is about the table; ``actions`` are offered by the page.
    """

    code: str
    text: str
    column: str = ""
    level: Literal["info", "warning"] = "info"
    actions: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class ImageFacts:
    """How the pictures of a data set are stored: ``images.npy``, uint8 ``(n_rows, side, side, channels)``.

    ``channels`` is 1 where every picture is grey, else 3. ``fit`` is how a picture became a square: the
    short side was scaled to ``side``, the middle kept. ``n_left_out`` members were seen and not taken;
    ``originals.parquet`` names each with the reason.
    """

    side: int
    channels: int
    fit: Literal["crop"] = "crop"
    n_left_out: int = 0


@dataclass(frozen=True, kw_only=True, slots=True)
class Dataset:
    """The record of an immutable, content-addressed table, or of pictures with their manifest.

    The rows lie in the workspace as ``objects/<id[:2]>/<id[2:]>/table.parquet``; the first
    ``n_train_rows`` of ``n_rows`` come from the main file, the rest from the given test file
    (``n_test_rows`` is 0 without one). ``id`` is the SHA-256 (64 hex digits) of content and schema.

    With ``images`` row i of the table is picture i, and the column of kind image names its file. A given
    validation part (``n_val_rows``) lies between the training rows and the given test rows.
    """

    id: str
    name: str
    n_rows: int
    n_test_rows: int
    columns: tuple[Column, ...]
    notes: tuple[Note, ...] = ()
    test_name: str = ""
    source: str = ""
    size_bytes: int = 0
    n_val_rows: int = 0
    images: ImageFacts | None = None

    @property
    def kind(self) -> DataKind:
        return DataKind.TABLE if self.images is None else DataKind.IMAGES

    @property
    def n_train_rows(self) -> int:
        return self.n_rows - self.n_test_rows

    def column(self, name: str) -> Column | None:
        """The column of that name, or None."""
        return next((column for column in self.columns if column.name == name), None)
