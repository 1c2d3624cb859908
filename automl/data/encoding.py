"""One encoder per search: fitted on training rows, it turns any frame with the columns into ``Views``.

Its saved form is JSON and one safetensors file; nothing in it can run. Pictures have an encoder of their own,
saved and loaded by the same two functions.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import TypeAdapter

from automl.data.cells import (
    Floats,
    cells_to_days,
    cells_to_numbers,
    find_unit,
)
from automl.data.dataset import ColumnUse, Kind, Note, Unit
from automl.data.dates import find_first_day, has_time, list_parts, split_date
from automl.data.images.encoder import ImageEncoder, parse_image_encoder, render_image_encoder
from automl.data.levels import Levels, count_rows, encode_levels, fit_levels, fit_open_levels
from automl.data.measures import note_unreadable, read_measures
from automl.data.numeric_views import (
    NumericFit,
    compute_quantile,
    compute_robust,
    compute_standard,
    derive_spread,
    fill_view,
    fit_numeric,
)
from automl.data.texts import COUNTS, Vocabulary, fit_vocabulary, mark_words, measure_text
from automl.data.views import Views, ViewShape
from automl.errors import DataError
from automl.files import write_atomic

if TYPE_CHECKING:
    import pandas as pd

_FLOAT32_MAX = float(np.finfo(np.float32).max)


@dataclass(frozen=True, kw_only=True, slots=True)
class EncoderPlan:
    """What the encoder reads and makes, without the learned numbers.

    ``columns`` are the inputs; ``numeric`` and ``dates`` their names by kind (numbers first, then the parts
    of each date and text); ``first_day``: the earliest training date per date column, in days since 1970;
    ``timed``: the dates with a time of day; ``texts``: the words that are inputs; ``units``: what stood
    at the numbers of a column, by its name. Version 1 knew four parts of a date and is still read.
    """

    columns: tuple[ColumnUse, ...]
    numeric: tuple[str, ...]
    dates: tuple[str, ...]
    first_day: tuple[float, ...]
    categorical: tuple[Levels, ...]
    timed: tuple[str, ...] = ()
    texts: tuple[Vocabulary, ...] = ()
    units: dict[str, Unit] = field(default_factory=dict)
    version: Literal[1, 2] = 2

    def get_parts(self, date: str) -> tuple[str, ...]:
        """The parts of a date column."""
        return list_parts(version=self.version, is_timed=date in self.timed)

    def list_number_columns(self) -> tuple[str, ...]:
        """The columns that hold numbers, whether these are inputs or stand for categories."""
        coded = (levels.name for levels in self.categorical if levels.as_numbers)
        return tuple(dict.fromkeys((*self.numeric, *coded)))

    def list_numeric(self) -> tuple[tuple[str, str], ...]:
        """The numeric inputs in order, each a column and its part; a plain number is no part of anything."""
        parts = [(name, part) for name in self.dates for part in self.get_parts(name)]
        parts += [(text.name, part) for text in self.texts for part in COUNTS]
        return (*((name, "") for name in self.numeric), *parts)


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
        """Names of the leading columns of every numeric view."""
        return tuple(f"{name}.{part}" if part else name for name, part in self.plan.list_numeric())

    @property
    def word_names(self) -> tuple[str, ...]:
        """Names of the last columns of every numeric view, 1 where a text holds the word, else 0."""
        return tuple(f"{text.name}.{word}" for text in self.plan.texts for word in text.words)

    @property
    def view_sources(self) -> tuple[str, ...]:
        """The column of the table behind every column of a scaled numeric view: numbers, missing flags, words."""
        sources = np.array([source for source, _ in self.plan.list_numeric()], dtype=object)
        flagged = sources[self.fit.has_missing & self._is_first]
        words = (text.name for text in self.plan.texts for _ in text.words)
        return (*map(str, sources), *map(str, flagged), *words)

    @property
    def categorical_names(self) -> tuple[str, ...]:
        """Names of the columns of ``Views.codes``."""
        return tuple(levels.name for levels in self.plan.categorical)

    def compute_shape(self, n_outputs: int) -> ViewShape:
        """What a model must know to be built for these views."""
        n_numeric, n_words = len(self.numeric_names), len(self.word_names)
        n_missing = int((self.fit.has_missing & self._is_first).sum())
        return ViewShape(
            n_raw=n_numeric + n_words,
            n_quantile=n_numeric + n_missing + n_words,
            n_quantile_numeric=n_numeric,
            cardinalities=tuple(len(levels.levels) + 1 for levels in self.plan.categorical),
            n_outputs=n_outputs,
        )

    @property
    def _is_first(self) -> NDArray[np.bool_]:
        """Numeric inputs that come first of their column: the parts of a date or text are missing together."""
        sources = np.array([source for source, _ in self.plan.list_numeric()], dtype=object)
        return np.append([True] * bool(len(sources)), sources[1:] != sources[:-1]).astype(bool)

    def encode(self, frame: "pd.DataFrame") -> tuple[Views, tuple[Note, ...]]:
        """Views of every row and what did not fit: unseen levels, newly missing or unreadable cells.

        Columns are found by name, in any order; further ones are not looked at. A missing one is a
        ``DataError``.
        """
        _require_columns(frame, self.plan)
        notes: list[Note] = []
        frame = read_measures(frame, self.plan.list_number_columns(), self.plan.units, notes)
        values = _read_numeric(frame, self.plan, notes)
        words = _read_words(frame, self.plan)
        missing = np.isnan(values)
        self._note_missing(missing, notes)
        flags = np.hstack(
            [missing[:, self.fit.has_missing & self._is_first], words], dtype=np.float32
        )
        codes = np.zeros((len(frame), len(self.plan.categorical)), dtype=np.int32)
        for index, levels in enumerate(self.plan.categorical):
            codes[:, index] = encode_levels(frame[levels.name], levels, notes)
        views = Views(
            raw=np.hstack([values, words], dtype=np.float32),
            quantile=fill_view(compute_quantile, values, self.fit, flags),
            robust=fill_view(compute_robust, values, self.fit, flags),
            standard=fill_view(compute_standard, values, self.fit, flags),
            codes=codes,
        )
        return views, tuple(notes)

    def _note_missing(self, missing: NDArray[np.bool_], notes: list[Note]) -> None:
        is_new = ~self.fit.has_missing & self._is_first & missing.any(axis=0)
        sources = self.plan.list_numeric()
        for index in np.flatnonzero(is_new):
            source, here = sources[index][0], int(missing[:, index].sum())
            text = (
                f"{source!r} is missing in {count_rows(here)}, and never was in training; its "
                "average is used."
            )
            notes.append(Note(code="newly_missing", column=source, text=text, level="warning"))


def fit_encoder(
    frame: "pd.DataFrame", columns: Sequence[ColumnUse], units: Mapping[str, Unit] | None = None
) -> Encoder:
    """Learn levels, scales and quantiles from the rows of ``frame``: training rows and no others.

    ``columns`` are the inputs. Numbers go to the numeric views; dates as parts (year, month, weekday, days
    since the first training date and so on); booleans and categories to codes; texts to their length, their
    most frequent words and, where whole cells come back, codes. ``units`` are those that the import left off.
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
    plan = replace(plan, units=_find_units(frame, plan, units or {}))
    frame = read_measures(frame, plan.numeric, plan.units, [])
    days = {name: cells_to_days(frame[name]) for name in plan.dates}
    plan = replace(
        plan,
        first_day=tuple(find_first_day(days[name]) for name in plan.dates),
        timed=tuple(name for name in plan.dates if has_time(days[name])),
        categorical=tuple(
            levels for c in columns if (levels := _fit_levels(frame[c.name], c.kind))
        ),
        texts=tuple(fit_vocabulary(frame[c.name]) for c in columns if c.kind is Kind.TEXT),
    )
    return Encoder(plan=plan, fit=fit_numeric(_read_numeric(frame, plan, [])))


def _find_units(
    frame: "pd.DataFrame", plan: EncoderPlan, known: Mapping[str, Unit]
) -> dict[str, Unit]:
    """Those of the import, and those of number columns that are still text."""
    names = {column.name for column in plan.columns}
    found = {name: unit for name in plan.numeric if (unit := find_unit(frame[name]))}
    return {name: unit for name, unit in known.items() if name in names} | found


def _fit_levels(series: "pd.Series[Any]", kind: Kind) -> Levels | None:
    if kind in (Kind.NUMERIC, Kind.DATETIME):
        return None
    return fit_open_levels(series) if kind is Kind.TEXT else fit_levels(series)


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
    """Numbers with all parts of dates and texts ``(n, Q)``."""
    parts = [_read_numbers(frame[name], notes) for name in plan.numeric]
    for name, first_day in zip(plan.dates, plan.first_day, strict=True):
        days = cells_to_days(frame[name])
        note_unreadable(frame[name], np.isnan(days), "date", notes)
        parts.extend(split_date(days, first_day, plan.get_parts(name)))
    for vocabulary in plan.texts:
        parts.extend(measure_text(frame[vocabulary.name]))
    return np.column_stack(parts) if parts else np.zeros((len(frame), 0))


def _read_words(frame: "pd.DataFrame", plan: EncoderPlan) -> NDArray[np.float32]:
    """0/1 for the words of texts ``(n, W)``."""
    words = [mark_words(frame[vocabulary.name], vocabulary) for vocabulary in plan.texts]
    return np.hstack([np.zeros((len(frame), 0), dtype=np.float32), *words])


def _read_numbers(series: "pd.Series[Any]", notes: list[Note]) -> Floats:
    values = cells_to_numbers(series)
    infinite = np.isinf(values)
    if infinite.any():
        text = f"{series.name!r} is infinite in {count_rows(int(infinite.sum()))}; read as missing."
        notes.append(Note(code="infinite", column=str(series.name), text=text, level="warning"))
        values = np.where(infinite, np.nan, values)
    too_large = int((np.abs(values) > _FLOAT32_MAX).sum())
    if too_large:
        text = f"{series.name!r} is beyond ±{_FLOAT32_MAX:.2g} in {count_rows(too_large)}; cut to that."
        notes.append(Note(code="too_large", column=str(series.name), text=text, level="warning"))
    return np.clip(values, -_FLOAT32_MAX, _FLOAT32_MAX)


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
        "median": fit.median,
        "spread": fit.spread,
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
        _require_shapes(plan, arrays)
        fit = _read_fit(plan, arrays)
    except (OSError, ValueError, IndexError, KeyError, TypeError, SafetensorError) as error:
        raise _cannot_read(folder, error) from error
    return Encoder(plan=plan, fit=fit)


def _require_shapes(plan: EncoderPlan, arrays: dict[str, NDArray[Any]]) -> None:
    """One number per numeric input, of quantiles at least two, and a first day per date."""
    n_numeric = len(plan.list_numeric())
    quantiles = arrays["quantiles"].shape
    fits = len(quantiles) == 2 and quantiles[0] >= 2 and quantiles[1] == n_numeric
    others = (array for name, array in arrays.items() if name != "quantiles")
    fits = fits and all(array.shape == (n_numeric,) for array in others)
    if not fits or len(plan.first_day) != len(plan.dates):
        raise ValueError("The arrays do not fit the plan.")


def _read_fit(plan: EncoderPlan, arrays: dict[str, NDArray[Any]]) -> NumericFit:
    """What was learned; version 1 had no robust view, and its models read none."""
    median, spread = (
        derive_spread(arrays["quantiles"], arrays["scale"])
        if plan.version == 1
        else (arrays["median"], arrays["spread"])
    )
    return NumericFit(
        mean=arrays["mean"],
        scale=arrays["scale"],
        median=median,
        spread=spread,
        quantiles=arrays["quantiles"],
        has_missing=arrays["has_missing"].astype(bool),
    )
