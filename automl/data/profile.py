"""What a person sees of a data set before any model: counts, distributions, findings."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray
from pydantic import TypeAdapter, ValidationError

from automl.data.content import compute_row_hashes
from automl.data.dataset import Column, Dataset, Kind, Note
from automl.data.findings import TableFacts, build_findings
from automl.data.values import format_number
from automl.errors import DataError
from automl.files import write_atomic
from automl.settings import Workspace

MAX_VALUES = 200
N_BINS = 20
QUANTILES = {
    "min": 0.0,
    "q05": 0.05,
    "q25": 0.25,
    "median": 0.5,
    "q75": 0.75,
    "q95": 0.95,
    "max": 1.0,
}


@dataclass(frozen=True, kw_only=True, slots=True)
class ValueCount:
    """A value as a label, and the number of rows that hold it."""

    value: str
    count: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Bin:
    """A histogram bar over [low, high); the last bar includes ``high``. Dates are days since 1970."""

    low: float
    high: float
    count: int


@dataclass(frozen=True, kw_only=True, slots=True)
class ColumnProfile:
    """Counts and distribution of one column.

    ``values``: the most frequent values first, at most 200, complete when ``n_distinct`` ≤ 200; empty
    for continuous columns with more. ``quantiles`` (min, q05, q25, median, q75, q95, max, and mean) and
    ``histogram`` (20 bins) exist for numbers and dates, dates in days since 1970-01-01.
    """

    name: str
    kind: Kind
    n_missing: int
    missing_share: float
    n_distinct: int
    values: tuple[ValueCount, ...] = ()
    quantiles: dict[str, float] | None = None
    histogram: tuple[Bin, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Profile:
    """All of it; ``notes`` are findings with the actions a person may take.

    ``n_duplicate_rows`` counts rows that repeat an earlier one; ``n_test_overlap`` rows of the given test
    file that also stand in the main file.
    """

    n_rows: int
    n_duplicate_rows: int
    n_rows_with_missing: int
    columns: tuple[ColumnProfile, ...]
    notes: tuple[Note, ...] = ()
    n_test_overlap: int = 0

    def column(self, name: str) -> ColumnProfile | None:
        """The profile of the column of that name, or None."""
        return next((column for column in self.columns if column.name == name), None)


_PROFILE = TypeAdapter(Profile)


def build_profile(dataset: Dataset, table: pa.Table) -> Profile:
    """Profile a typed table."""
    codes = [_number_values(table.column(column.name)) for column in dataset.columns]
    hashes = compute_row_hashes(codes)
    missing = np.zeros(table.num_rows, dtype=bool)
    for column in table.columns:
        if column.null_count:
            missing |= column.is_null().to_numpy()
    n_train = dataset.n_train_rows
    facts = TableFacts(
        n_duplicate_rows=table.num_rows - len(np.unique(hashes)),
        test_overlap=tuple(np.flatnonzero(np.isin(hashes[n_train:], hashes[:n_train])).tolist()),
        same_columns=_find_same_columns(dataset, codes),
    )
    return Profile(
        n_rows=table.num_rows,
        n_duplicate_rows=facts.n_duplicate_rows,
        n_rows_with_missing=int(missing.sum()),
        n_test_overlap=len(facts.test_overlap),
        columns=tuple(_profile_column(c, table.column(c.name)) for c in dataset.columns),
        notes=build_findings(dataset, table, facts),
    )


def _number_values(column: pa.ChunkedArray) -> NDArray[np.int64]:
    """Rows as integers: equal values, equal numbers; missing is one value of its own."""
    if pa.types.is_string(column.type):
        encoded = column.combine_chunks().dictionary_encode()
        codes: NDArray[np.int64] = pc.fill_null(encoded.indices.cast(pa.int64()), -1).to_numpy()
        return codes
    if pa.types.is_boolean(column.type):
        column = column.cast(pa.int8())
    values = column.combine_chunks()
    if pa.types.is_floating(values.type):
        bits = (pc.fill_null(values, 0.0).to_numpy() + 0.0).view(np.int64)
    else:
        bits = pc.fill_null(values.cast(pa.int64()), 0).to_numpy()
    # a missing cell must not equal a zero
    marks = values.is_null().to_numpy(zero_copy_only=False)
    return np.where(marks, np.int64(-(2**62) - 1), bits)


def _find_same_columns(
    dataset: Dataset, codes: list[NDArray[np.int64]]
) -> tuple[tuple[str, str], ...]:
    """Pairs of columns that hold the same values row by row; the earlier one comes first."""
    seen: dict[bytes, list[int]] = {}
    pairs = []
    for index, (column, numbers) in enumerate(zip(dataset.columns, codes, strict=True)):
        if column.n_distinct < 2:
            continue
        _, first_seen = np.unique(numbers, return_inverse=True)
        key = np.asarray(first_seen[:: max(1, len(numbers) // 1000)]).tobytes()
        for other in seen.get(key, []):
            if dataset.columns[other].kind is column.kind and np.array_equal(codes[other], numbers):
                pairs.append((dataset.columns[other].name, column.name))
                break
        seen.setdefault(key, []).append(index)
    return tuple(pairs)


def _profile_column(column: Column, values: pa.ChunkedArray) -> ColumnProfile:
    quantiles: dict[str, float] | None = None
    histogram: tuple[Bin, ...] = ()
    if column.kind in (Kind.NUMERIC, Kind.DATETIME) and column.n_distinct:
        numbers = to_numbers(values)
        quantiles, histogram = _compute_quantiles(numbers), _compute_histogram(numbers)
    is_continuous = column.kind in (Kind.NUMERIC, Kind.DATETIME) and column.n_distinct > MAX_VALUES
    is_continuous = is_continuous or column.kind is Kind.IMAGE  # names of files are no distribution
    return ColumnProfile(
        name=column.name,
        kind=column.kind,
        n_missing=column.n_missing,
        missing_share=column.n_missing / max(len(values), 1),
        n_distinct=column.n_distinct,
        values=() if is_continuous else _count_values(values),
        quantiles=quantiles,
        histogram=histogram,
    )


def to_numbers(values: pa.ChunkedArray) -> NDArray[np.float64]:
    """The present values as float64; dates as days since 1970-01-01."""
    present = values.drop_null()
    if pa.types.is_timestamp(present.type):
        return np.asarray(present.cast(pa.int64()).to_numpy() / 86_400e6, dtype=np.float64)
    return np.asarray(present.cast(pa.float64(), safe=False).to_numpy(), dtype=np.float64)


def _compute_quantiles(numbers: NDArray[np.float64]) -> dict[str, float]:
    with np.errstate(over="ignore"):
        points = np.quantile(numbers, list(QUANTILES.values()))
    found = {name: float(point) for name, point in zip(QUANTILES, points, strict=True)}
    with np.errstate(over="ignore"):
        mean = numbers.mean()
    return {**found, "mean": float(np.clip(mean, -1e308, 1e308))}


def _compute_histogram(numbers: NDArray[np.float64]) -> tuple[Bin, ...]:
    if numbers.min() == numbers.max():
        return (Bin(low=float(numbers[0]), high=float(numbers[0]), count=len(numbers)),)
    if numbers.max() / 2 - numbers.min() / 2 > 1e307:
        return ()  # the range itself is no number
    counts, edges = np.histogram(numbers, bins=N_BINS)
    return tuple(
        Bin(low=float(low), high=float(high), count=int(count))
        for low, high, count in zip(edges[:-1], edges[1:], counts, strict=True)
    )


def _count_values(values: pa.ChunkedArray) -> tuple[ValueCount, ...]:
    counted = pc.value_counts(values.drop_null())
    pairs = [(to_label(item["values"]), int(item["counts"])) for item in counted.to_pylist()]
    pairs.sort(key=lambda pair: (-pair[1], pair[0]))
    return tuple(ValueCount(value=value, count=count) for value, count in pairs[:MAX_VALUES])


def to_label(value: object) -> str:
    """A stored value as the label it has everywhere: 1 for true, whole numbers without a point."""
    if isinstance(value, bool):
        return "1" if value else "0"
    if isinstance(value, (int, float)):
        return format_number(value)
    return str(value)


def write_profile(folder: Path, profile: Profile) -> None:
    """Write ``profile.json`` into a folder that is being made."""
    write_atomic(folder / "profile.json", _PROFILE.dump_json(profile))


def load_profile(workspace: Workspace, dataset_id: str) -> Profile:
    """The profile of a stored data set; ``DataError`` when it is not there (any more)."""
    try:
        return _PROFILE.validate_json((workspace.dataset(dataset_id) / "profile.json").read_bytes())
    except (FileNotFoundError, ValidationError) as error:
        raise DataError(
            f"The data set {dataset_id[:12]!r} has no readable profile; it may have been deleted.",
            hint="Choose one from the list, or upload the file again.",
        ) from error
