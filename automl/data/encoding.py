"""One encoder per search: fitted on training rows, it turns any frame with the columns into ``Views``.

Its saved form is JSON and one safetensors file; nothing in it can run. Pictures have an encoder of their own,
saved and loaded by the same two functions.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from pydantic import TypeAdapter, ValidationError

from automl.data.cells import (
    Floats,
    cells_to_days,
    cells_to_labels,
    cells_to_numbers,
    is_number_column,
)
from automl.data.dataset import ColumnUse, Kind, Note
from automl.data.images.encoder import ImageEncoder, parse_image_encoder, render_image_encoder
from automl.data.numeric_views import NumericFit, compute_quantile, compute_standard, fit_numeric
from automl.data.views import Views, ViewShape
from automl.errors import DataError
from automl.files import write_atomic

if TYPE_CHECKING:
    import pandas as pd

MIN_LEVEL_ROWS = 3
DATE_PARTS = ("year", "month", "weekday", "days")
_FLOAT32_MAX = float(np.finfo(np.float32).max)


@dataclass(frozen=True, kw_only=True, slots=True)
class Levels:
    """The levels of a categorical input: code ``i + 1`` is ``levels[i]``, None is the missing level.

    ``rare`` levels were seen in under 3 training rows and share code 0 with unknown ones.
    ``as_numbers``: the column was stored as numbers, so labels are compared as numbers.
    """

    name: str
    levels: tuple[str | None, ...]
    rare: tuple[str, ...] = ()
    as_numbers: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class EncoderPlan:
    """What the encoder reads and makes, without the learned numbers.

    ``columns`` are the inputs; ``numeric`` and ``dates`` their names by kind (numbers first, then four
    parts per date); ``first_day``: the earliest training date per date column, in days since 1970.
    """

    columns: tuple[ColumnUse, ...]
    numeric: tuple[str, ...]
    dates: tuple[str, ...]
    first_day: tuple[float, ...]
    categorical: tuple[Levels, ...]
    version: int = 1


@dataclass(frozen=True, kw_only=True, slots=True)
class Encoder:
    """A fitted encoder; build one with ``fit_encoder`` or ``load_encoder``."""

    plan: EncoderPlan
    fit: NumericFit

    @property
    def columns(self) -> tuple[ColumnUse, ...]:
        """The inputs, in the order of the table."""
        return self.plan.columns

    @property
    def numeric_names(self) -> tuple[str, ...]:
        """Names of the columns of ``Views.raw``, and of the leading ones of ``quantile``."""
        parts = [f"{name}.{part}" for name in self.plan.dates for part in DATE_PARTS]
        return (*self.plan.numeric, *parts)

    @property
    def categorical_names(self) -> tuple[str, ...]:
        """Names of the columns of ``Views.codes``."""
        return tuple(levels.name for levels in self.plan.categorical)

    def compute_shape(self, n_outputs: int) -> ViewShape:
        """What a model must know to be built for these views."""
        n_numeric = len(self.numeric_names)
        return ViewShape(
            n_raw=n_numeric,
            n_quantile=n_numeric + int(self._indicators.sum()),
            n_quantile_numeric=n_numeric,
            cardinalities=tuple(len(levels.levels) + 1 for levels in self.plan.categorical),
            n_outputs=n_outputs,
        )

    @property
    def _indicators(self) -> NDArray[np.bool_]:
        """Numeric inputs with an indicator: one per source column, so one for the parts of a date."""
        marked = self.fit.has_missing.copy()
        for index in range(len(self.plan.numeric), len(marked)):
            if (index - len(self.plan.numeric)) % len(DATE_PARTS):
                marked[index] = False
        return marked

    def encode(self, frame: "pd.DataFrame") -> tuple[Views, tuple[Note, ...]]:
        """Views of every row and what did not fit: unseen levels, newly missing or unreadable cells.

        Columns are found by name, in any order; further ones are not looked at. A missing one is a
        ``DataError``.
        """
        _require_columns(frame, self.plan)
        notes: list[Note] = []
        values = _read_numeric(frame, self.plan, notes)
        missing = np.isnan(values)
        self._note_missing(missing, notes)
        indicators = missing[:, self._indicators].astype(np.float32)
        codes = np.zeros((len(frame), len(self.plan.categorical)), dtype=np.int32)
        for index, levels in enumerate(self.plan.categorical):
            codes[:, index] = _encode_levels(frame[levels.name], levels, notes)
        quantile = compute_quantile(values, self.fit).astype(np.float32)
        standard = compute_standard(values, self.fit).astype(np.float32)
        views = Views(
            raw=values.astype(np.float32),
            quantile=np.hstack([quantile, indicators]),
            standard=np.hstack([standard, indicators]),
            codes=codes,
        )
        return views, tuple(notes)

    def _note_missing(self, missing: NDArray[np.bool_], notes: list[Note]) -> None:
        for name, seen, here in zip(
            self.numeric_names, self.fit.has_missing, missing.sum(axis=0), strict=True
        ):
            is_repeated = name not in self.plan.numeric and not name.endswith(f".{DATE_PARTS[0]}")
            if seen or not here or is_repeated:
                continue
            source = name if name in self.plan.numeric else name.rsplit(".", 1)[0]
            text = (
                f"{source!r} is missing in {_rows(int(here))}, and never was in training; its "
                "average is used."
            )
            notes.append(Note(code="newly_missing", column=source, text=text, level="warning"))


def fit_encoder(frame: "pd.DataFrame", columns: Sequence[ColumnUse]) -> Encoder:
    """Learn levels, scales and quantiles from the rows of ``frame``: training rows and no others.

    ``columns`` are the inputs. Numbers go to the numeric views; dates as year, month, weekday and days
    since the first training date; booleans, categories and texts to codes.
    """
    if not columns:
        raise DataError(
            "No column is left to learn from.", hint="Give at least one column the role feature."
        )
    plan = EncoderPlan(
        columns=tuple(columns),
        numeric=tuple(c.name for c in columns if c.kind is Kind.NUMERIC),
        dates=tuple(c.name for c in columns if c.kind is Kind.DATETIME),
        first_day=(),
        categorical=(),
    )
    _require_columns(frame, plan)
    plan = EncoderPlan(
        columns=plan.columns,
        numeric=plan.numeric,
        dates=plan.dates,
        first_day=tuple(_find_first_day(cells_to_days(frame[name])) for name in plan.dates),
        categorical=tuple(
            _fit_levels(frame[c.name])
            for c in columns
            if c.kind not in (Kind.NUMERIC, Kind.DATETIME)
        ),
    )
    return Encoder(plan=plan, fit=fit_numeric(_read_numeric(frame, plan, [])))


def _find_first_day(days: Floats) -> float:
    present = days[~np.isnan(days)]
    return float(present.min()) if len(present) else 0.0


def _fit_levels(series: "pd.Series[Any]") -> Levels:
    as_numbers = is_number_column(series)
    codes, labels = cells_to_labels(series, as_numbers=as_numbers)
    counts = np.bincount(codes[codes >= 0], minlength=len(labels))
    n_missing = int((codes < 0).sum())
    ranked: list[tuple[int, str, str | None]] = [
        (-int(count), label, label)
        for label, count in zip(labels, counts, strict=True)
        if count >= MIN_LEVEL_ROWS
    ]
    if n_missing:
        ranked.append((-n_missing, "", None))
    rare = tuple(
        sorted(label for label, count in zip(labels, counts, strict=True) if count < MIN_LEVEL_ROWS)
    )
    levels = tuple(level for _, _, level in sorted(ranked, key=lambda item: item[:2]))
    return Levels(name=str(series.name), levels=levels, rare=rare, as_numbers=as_numbers)


def _require_columns(frame: "pd.DataFrame", plan: EncoderPlan) -> None:
    present = set(map(str, frame.columns))
    twice = frame.columns[frame.columns.duplicated()]
    for column in plan.columns:
        if column.name in twice:
            raise DataError(
                f"The rows have the column {column.name!r} twice.", hint="Keep one of them."
            )
    absent = [column.name for column in plan.columns if column.name not in present]
    if absent:
        names = ", ".join(map(repr, absent[:5]))
        more = f" and {len(absent) - 5} more" if len(absent) > 5 else ""
        noun = "column" if len(absent) == 1 else "columns"
        raise DataError(
            f"The rows lack the {noun} {names}{more}, which the model reads.",
            hint="Add them with the same names; the order does not matter.",
        )


def _read_numeric(frame: "pd.DataFrame", plan: EncoderPlan, notes: list[Note]) -> Floats:
    parts = [_read_numbers(frame[name], notes) for name in plan.numeric]
    for name, first_day in zip(plan.dates, plan.first_day, strict=True):
        days = cells_to_days(frame[name])
        _note_unreadable(frame[name], np.isnan(days), "date", notes)
        parts.extend(_split_date(days, first_day))
    return np.column_stack(parts) if parts else np.zeros((len(frame), 0))


def _read_numbers(series: "pd.Series[Any]", notes: list[Note]) -> Floats:
    values = cells_to_numbers(series)
    infinite = np.isinf(values)
    if infinite.any():
        text = f"{series.name!r} is infinite in {_rows(int(infinite.sum()))}; read as missing."
        notes.append(Note(code="infinite", column=str(series.name), text=text, level="warning"))
        values = np.where(infinite, np.nan, values)
    _note_unreadable(series, np.isnan(values) & ~infinite, "number", notes)
    too_large = int((np.abs(values) > _FLOAT32_MAX).sum())
    if too_large:
        text = f"{series.name!r} is beyond ±{_FLOAT32_MAX:.2g} in {_rows(too_large)}; cut to that."
        notes.append(Note(code="too_large", column=str(series.name), text=text, level="warning"))
    return np.clip(values, -_FLOAT32_MAX, _FLOAT32_MAX)


def _note_unreadable(
    series: "pd.Series[Any]", absent: NDArray[np.bool_], what: str, notes: list[Note]
) -> None:
    """Say which cells hold something that is no number or date; typed columns cannot."""
    if series.dtype.kind in "iufbM" or not absent.any():
        return
    codes, labels = cells_to_labels(series[absent])
    if not labels:
        return
    count = int((codes >= 0).sum())
    text = f"{series.name!r} holds no {what} in {_rows(count)}, for example {labels[0][:40]!r}; read as missing."
    notes.append(Note(code="unreadable", column=str(series.name), text=text, level="warning"))


def _split_date(days: Floats, first_day: float) -> list[Floats]:
    missing = np.isnan(days)
    whole = np.floor(np.where(missing, 0, days)).astype(np.int64)
    dates = whole.astype("datetime64[D]")
    months = dates.astype("datetime64[M]").astype(np.int64)
    year, month, weekday = months // 12 + 1970, months % 12 + 1, (whole + 3) % 7  # Monday is 0
    parts = [part.astype(np.float64) for part in (year, month, weekday)]
    return [np.where(missing, np.nan, part) for part in (*parts, days - first_day)]


def _encode_levels(
    series: "pd.Series[Any]", levels: Levels, notes: list[Note]
) -> NDArray[np.int32]:
    codes, labels = cells_to_labels(series, as_numbers=levels.as_numbers)
    known = {level: index + 1 for index, level in enumerate(levels.levels)}
    rare = set(levels.rare)
    table = np.array(
        [*(known.get(label, 0) for label in labels), known.get(None, 0)], dtype=np.int32
    )
    unseen = [i for i, label in enumerate(labels) if label not in known and label not in rare]
    if unseen:
        count = int(np.isin(codes, unseen).sum())
        text = (
            f"{levels.name!r} holds values that training never saw in {_rows(count)}, for example "
            f"{labels[unseen[0]][:40]!r}; they are treated as unknown."
        )
        notes.append(Note(code="unseen_level", column=levels.name, text=text, level="warning"))
    n_missing = int((codes < 0).sum())
    if n_missing and None not in known:
        text = (
            f"{levels.name!r} is missing in {_rows(n_missing)}, and never was in training; treated "
            "as unknown."
        )
        notes.append(Note(code="newly_missing", column=levels.name, text=text, level="warning"))
    return table[codes]


def _rows(count: int) -> str:
    return "1 row" if count == 1 else f"{count:,} rows"


AnyEncoder = Encoder | ImageEncoder
_PLAN = TypeAdapter(EncoderPlan)


def save_encoder(encoder: AnyEncoder, folder: Path) -> None:
    """Write ``encoder.json`` and, for tables, ``encoder.safetensors``."""
    from safetensors.numpy import save

    if isinstance(encoder, ImageEncoder):
        write_atomic(folder / "encoder.json", render_image_encoder(encoder))
        return
    fit = encoder.fit
    arrays: dict[str, NDArray[Any]] = {
        "mean": fit.mean,
        "scale": fit.scale,
        "quantiles": np.ascontiguousarray(fit.quantiles),
        "has_missing": fit.has_missing.astype(np.uint8),
    }
    write_atomic(folder / "encoder.safetensors", save(arrays))
    write_atomic(folder / "encoder.json", _PLAN.dump_json(encoder.plan, indent=1))


def load_encoder(folder: Path) -> AnyEncoder:
    """Read a saved encoder; a damaged or absent one is a ``DataError``."""
    try:
        content = (folder / "encoder.json").read_bytes()
        record = json.loads(content)
        if isinstance(record, dict) and record.get("kind") == "images":
            return parse_image_encoder(content)
    except (OSError, ValueError) as error:
        raise _cannot_read(folder, error) from error
    return _load_table_encoder(folder, content)


def _cannot_read(folder: Path, error: Exception) -> DataError:
    return DataError(
        f"The encoder in {folder.name!r} cannot be read: {type(error).__name__}.",
        hint="Take the file again from where it came from.",
    )


def _load_table_encoder(folder: Path, content: bytes) -> Encoder:
    from safetensors import SafetensorError
    from safetensors.numpy import load

    try:
        plan = _PLAN.validate_json(content)
        arrays = load((folder / "encoder.safetensors").read_bytes())
        fit = NumericFit(
            mean=arrays["mean"],
            scale=arrays["scale"],
            quantiles=arrays["quantiles"],
            has_missing=arrays["has_missing"].astype(bool),
        )
    except (OSError, ValidationError, SafetensorError, KeyError) as error:
        raise _cannot_read(folder, error) from error
    n_numeric = len(plan.numeric) + len(DATE_PARTS) * len(plan.dates)
    if not (len(fit.mean) == len(fit.scale) == len(fit.has_missing) == n_numeric):
        raise DataError(
            f"The encoder in {folder.name!r} does not fit its own plan.",
            hint="Take the file again from where it came from.",
        )
    return Encoder(plan=plan, fit=fit)
