"""The identity of a table: a hash of what it holds, whatever file it came from."""

import json
from collections.abc import Mapping
from hashlib import sha256

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from automl.data.dataset import Unit

_MIX = np.uint64(0x9E3779B97F4A7C15)


def compute_content_id(
    table: pa.Table, n_test_rows: int, units: Mapping[str, Unit] | None = None
) -> str:
    """SHA-256 (64 hex digits) over names, types, units, values and the size of the given test part.

    Values are hashed column by column in one canonical form, so chunks, encodings and compression do
    not matter.
    """
    schema = [[field.name, str(field.type)] for field in table.schema]
    head: dict[str, object] = {
        "schema": schema,
        "n_rows": table.num_rows,
        "n_test_rows": n_test_rows,
        "version": 1,
    }
    if units:
        head["units"] = {name: [unit.before, unit.after] for name, unit in units.items()}
    digest = sha256(json.dumps(head, sort_keys=True).encode())
    for column in table.columns:
        for part in _canonical(column):
            digest.update(part)
    return digest.hexdigest()


def _canonical(column: pa.ChunkedArray) -> list[bytes]:
    array = column.combine_chunks()
    valid = np.packbits(array.is_valid().to_numpy(zero_copy_only=False)).tobytes()
    if pa.types.is_string(array.type):
        filled = pc.fill_null(array, "")
        lengths = pc.binary_length(filled).to_numpy(zero_copy_only=False).astype("<i4")
        joined = "".join(filled.to_pylist()).encode() if len(filled) else b""
        return [valid, lengths.tobytes(), joined]
    if pa.types.is_boolean(array.type):
        filled = pc.fill_null(array, False).to_numpy(zero_copy_only=False)  # noqa: FBT003
        return [valid, np.packbits(filled).tobytes()]
    if pa.types.is_floating(array.type):
        filled = pc.fill_null(array, 0.0).to_numpy(zero_copy_only=False)
        return [valid, _round_to_16_digits(filled).astype("<f8").tobytes()]
    filled = pc.fill_null(array.cast(pa.int64()), 0).to_numpy(zero_copy_only=False)
    return [valid, filled.astype("<i8").tobytes()]


def _round_to_16_digits(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """The numbers as a spreadsheet writes them: one table in three formats is one content.

    A seventeenth digit is lost in XLSX. Numbers of at most 15 digits stay as they are, so that only the
    others pay for the way through text.
    """
    rounded = values + 0.0  # -0.0 and 0.0 are one value
    long = np.flatnonzero((np.abs(values) >= 1e9) | (np.round(values.clip(-1e9, 1e9), 6) != values))
    rounded[long] = [float(f"{value:.16g}") for value in values[long].tolist()]
    return rounded


def compute_row_hashes(columns: list[NDArray[np.int64]]) -> NDArray[np.uint64]:
    """One 64-bit number per row from integer codes per column; equal rows have equal numbers.

    Two different rows share one with a chance of about n²/2⁶⁵ (under 10⁻⁵ for ten million rows).
    """
    result = np.zeros(len(columns[0]) if columns else 0, dtype=np.uint64)
    with np.errstate(over="ignore"):
        for codes in columns:
            mixed = (codes.astype(np.uint64) + _MIX) * np.uint64(0xBF58476D1CE4E5B9)
            mixed ^= mixed >> np.uint64(31)
            result = (result ^ mixed) * np.uint64(0x94D049BB133111EB)
            result ^= result >> np.uint64(29)
    return result
