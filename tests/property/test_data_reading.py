"""A table written as CSV comes back with the same cells, whatever they hold."""

import csv
import io
import tempfile
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from automl.data.dataset import MISSING_MARKERS
from automl.data.headers import build_names
from automl.data.loading import load_raw
from automl.data.reading import TypedTable, load_typed
from automl.errors import FairloomError
from automl.settings import Settings

cells = st.text(
    st.characters(codec="utf-8", exclude_categories=("Cs", "Cc"), include_characters="\n;,\t\"'"),
    max_size=12,
)
rows = st.lists(st.tuples(st.just("k"), cells, cells), min_size=1, max_size=15)


@settings(max_examples=60, deadline=None)
@given(rows=rows)
def test_every_cell_survives(rows: list[tuple[str, str, str]]) -> None:
    stream = io.StringIO()
    csv.writer(stream, lineterminator="\n", quoting=csv.QUOTE_ALL).writerows(
        [("key", "a", "b"), *rows]
    )
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "t.csv"
        path.write_bytes(stream.getvalue().encode())
        table = load_raw(path, "t.csv", Settings()).table
    assert list(zip(*table.to_pydict().values(), strict=True)) == rows


@settings(max_examples=60, deadline=None)
@given(numbers=st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=2, max_size=40))
def test_numbers_survive_to_the_last_digit(numbers: list[float]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "t.csv"
        path.write_text("x,y\n" + "".join(f"{number!r},1\n" for number in numbers))
        typed = load_typed(path, "t.csv", Settings())
    assert typed.frame["x"].astype(float).tolist() == numbers


def _try_load(path: Path, name: str) -> TypedTable | FairloomError:
    try:
        return load_typed(path, name, Settings())
    except FairloomError as error:
        return error


@settings(max_examples=200, deadline=None)
@given(
    content=st.binary(max_size=300),
    name=st.sampled_from(["t.csv", "t.xlsx", "t.csv.gz", "t.parquet"]),
)
def test_junk_is_a_table_or_a_readable_refusal(content: bytes, name: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "upload.part"
        path.write_bytes(content)
        outcome = _try_load(path, name)
    if isinstance(outcome, FairloomError):
        assert outcome.message
        assert outcome.hint
    else:
        assert len(outcome.frame) > 0


@settings(max_examples=200, deadline=None)
@given(
    raw=st.lists(
        st.one_of(st.none(), st.sampled_from(["a", "a.2", " a", "", "b"]), st.text(max_size=5)),
        max_size=12,
    )
)
def test_names_are_unique_visible_and_complete(raw: list[str | None]) -> None:
    names, _ = build_names(raw)
    assert len(names) == len(set(names)) == len(raw)
    assert all(name == name.strip() and name for name in names)


@settings(max_examples=60, deadline=None)
@given(
    values=st.lists(
        st.sampled_from(
            [*MISSING_MARKERS, "1", "2.5", "x", "2024-01-01", "true", "007", "inf", "1,5"]
        ),
        min_size=1,
        max_size=40,
    )
)
def test_typing_never_changes_the_number_of_rows(values: list[str]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "t.csv"
        path.write_text("x;y\n" + "".join(f"{value};1\n" for value in values))
        typed = load_typed(path, "t.csv", Settings())
    assert len(typed.frame) == len(values)
    column = typed.columns[0]
    assert column.n_missing == int(typed.frame["x"].isna().sum())
    assert column.n_distinct == typed.frame["x"].nunique()
