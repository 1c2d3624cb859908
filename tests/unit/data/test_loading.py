import gzip
import io
import zipfile
from pathlib import Path

import openpyxl
import pyarrow as pa
import pytest
from pyarrow import parquet as pq

from automl.data.loading import LoadOptions, RawTable, load_raw
from automl.errors import DataError
from automl.settings import Settings

SETTINGS = Settings(max_columns=50, max_rows=1_000, max_table_bytes=2_000_000)


def load(folder: Path, content: bytes, name: str, **options: str) -> RawTable:
    path = folder / "upload.part"
    path.write_bytes(content)
    return load_raw(path, name, SETTINGS, LoadOptions(**options))


def build_workbook(rows: list[list[object]], **sheets: list[list[object]]) -> bytes:
    book = openpyxl.Workbook()
    for row in rows:
        book.active.append(row)
    for title, cells in sheets.items():
        page = book.create_sheet(title)
        for row in cells:
            page.append(row)
    stream = io.BytesIO()
    book.save(stream)
    return stream.getvalue()


def build_parquet(table: pa.Table) -> bytes:
    stream = io.BytesIO()
    pq.write_table(table, stream)
    return stream.getvalue()


def build_zip(members: dict[str, bytes]) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return stream.getvalue()


WORKBOOK_PARTS = {"[Content_Types].xml": b"<Types/>", "xl/workbook.xml": b"<workbook/>"}
ENTITY_BOMB = b"""<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "aaaaaaaaaa">]>
<workbook>&a;</workbook>"""

BAD = {
    "empty": (b"", "t.csv", "is empty"),
    "blank": (b" \n\n ", "t.csv", "is empty"),
    "only a byte order mark": (b"\xef\xbb\xbf", "t.csv", "is empty"),
    "header only": (b"a,b\n", "t.csv", r"has a header \(2 columns\) but no rows"),
    "extension never read": (b"a,b\n1,2\n", "t.json", r"'\.json' are not read"),
    "pickle": (b"\x80\x04\x95abc", "t.csv", "a Python pickle"),
    "feather": (b"ARROW1\0\0rest", "t.feather", "Feather"),
    "old excel": (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 99, "t.xls", r"\.xls"),
    "pdf": (b"%PDF-1.7 ...", "t.csv", "a PDF"),
    "picture": (b"\x89PNG\r\n\x1a\n123", "t.csv", "a PNG picture"),
    "web page": (b"\n<!DOCTYPE html><html>", "t.csv", "a web page or XML"),
    "binary junk": (bytes(range(1, 256)) * 20, "t.csv", "is binary"),
    "zero bytes": (b"a,b\n1,\x002\n", "t.csv", "byte 7 is NUL"),
    "latin-1": (
        "a,b\n1,Müller\n".encode("latin-1"),
        "t.csv",
        "not UTF-8: byte 0xfc in line 2, near '1,Müller'",
    ),
    "ragged": (
        b"a,b\n1,2\n3\n4,5,6\n7,8\n",
        "t.csv",
        r"2 columns, but 2 rows differ: row 3 has 1 \('3'\); row 4 has 3 \('4,5,6'\)",
    ),
    "ragged after sep line": (b"sep=;\na;b\n1;2\n3\n4;5\n", "t.csv", "row 4 has 1"),
    "open quote": (b'a,b\n1,2\n3,"x\n5,6\n7,8\n', "t.csv", "quote opened in row 3 is never closed"),
    "too many columns": (b",".join([b"x"] * 51) + b"\n", "t.csv", "51 columns; the limit is 50"),
    "too many rows": (b"a,b\n" + b"1,2\n" * 1001, "t.csv", "1,001 rows; the limit is 1,000"),
    "over the size": (b"a,b\n" + b"1,2\n" * 600_000, "t.csv", "2.4 MB; the limit is 2.0 MB"),
    "huge cell": (b'a,b\n1,"' + b"x" * 1_000_001 + b'"\n', "t.csv", "row 2 of 'b' is over 1 MB"),
    "torn gzip": (gzip.compress(b"a,b\n1,2\n" * 50)[:-9], "t.csv.gz", "cut-off gzip"),
    "gzip bomb": (gzip.compress(b"0" * 30_000_000), "t.csv.gz", "unpacks to more than"),
    "plain zip": (build_zip({"a.csv": b"a,b\n1,2\n"}), "t.zip", "is a ZIP archive"),
    "no zip": (b"#!/bin/sh and a ZIP behind it", "t.zip", "is no ZIP archive"),
    "torn zip": (b"PK\x03\x04 and then nothing", "t.xlsx", "damaged"),
    "macros": (
        build_zip({**WORKBOOK_PARTS, "xl/vbaProject.bin": b"x"}),
        "t.xlsx",
        "workbook with macros",
    ),
    "workbook bomb": (
        build_zip({**WORKBOOK_PARTS, "xl/worksheets/sheet1.xml": b" " * 30_000_000}),
        "t.xlsx",
        "unpacks to more than",
    ),
    "xml entities": (
        build_zip({**WORKBOOK_PARTS, "xl/workbook.xml": ENTITY_BOMB}),
        "t.xlsx",
        "cannot be read as XLSX",
    ),
    "empty sheet": (build_workbook([]), "t.xlsx", "is empty"),
    "ragged sheet": (build_workbook([["a"], [1], [2, 3]]), "t.xlsx", "row 3 has 2"),
    "torn parquet": (b"PAR1" + b"\1" * 40 + b"PAR1", "t.parquet", "damaged Parquet"),
    "nested parquet": (
        build_parquet(pa.table({"a": [1], "b": [[1, 2]]})),
        "t.parquet",
        "column 'b' has the type list",
    ),
    "parquet without rows": (
        build_parquet(pa.table({"a": pa.array([], pa.int64())})),
        "t.parquet",
        "no rows",
    ),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_files_are_refused_with_the_value_and_a_way_out(tmp_path: Path, case: str) -> None:
    content, name, message = BAD[case]
    with pytest.raises(DataError, match=message) as caught:
        load(tmp_path, content, name)
    assert caught.value.hint


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"no file 'x\.csv'"):
        load_raw(tmp_path / "x.csv", "x.csv", SETTINGS)
    with pytest.raises(DataError, match=r"'x\.csv' is a folder"):
        load_raw(tmp_path, "x.csv", SETTINGS)


@pytest.mark.parametrize(
    ("text", "first"),
    [
        ("a,b\n1,2\n", {"a": "1", "b": "2"}),
        ("a\tb\n1,5\t2\n", {"a": "1,5", "b": "2"}),
        ("a;b\n1,5;2,5\n3,1;4,2\n", {"a": "1,5", "b": "2,5"}),
        ("a|b\n1|2\n", {"a": "1", "b": "2"}),
        ('a,b\n"x;y",2\n"z;w",3\n', {"a": "x;y", "b": "2"}),
        ("sep=;\na;b\n1,0;2\n", {"a": "1,0", "b": "2"}),
    ],
)
def test_the_delimiter_is_found(tmp_path: Path, text: str, first: dict[str, str]) -> None:
    assert load(tmp_path, text.encode(), "t.csv").table.to_pylist()[0] == first


def test_a_named_delimiter_wins(tmp_path: Path) -> None:
    raw = load(tmp_path, b"a;b,c\n1;2,3\n", "t.csv", delimiter=",")
    assert raw.table.column_names == ["a;b", "c"]


def test_quotes_newlines_and_byte_order_marks_are_text(tmp_path: Path) -> None:
    raw = load(tmp_path, b'\xef\xbb\xbfa,"b ""x"""\r\n"1\n2","q""q"\r\n', "t.csv")
    assert raw.table.column_names == ["a", 'b "x"']
    assert raw.table.to_pylist() == [{"a": "1\n2", 'b "x"': 'q"q'}]


def test_a_missing_last_newline_loses_no_row(tmp_path: Path) -> None:
    assert load(tmp_path, b"a,b\n1,2\n3,4", "t.csv").table.num_rows == 2


def test_duplicate_and_missing_names_are_kept_apart_and_said(tmp_path: Path) -> None:
    raw = load(tmp_path, b"a,a,,a.2,a\n1,2,3,4,5\n", "t.csv")
    assert raw.table.column_names == ["a", "a.3", "column_3", "a.2", "a.4"]
    codes = [note.code for note in raw.notes]
    assert codes.count("duplicate_name") == 2
    assert codes.count("unnamed_column") == 1


def test_duplicate_names_count_from_two(tmp_path: Path) -> None:
    raw = load(tmp_path, b"x,x,x\n1,2,3\n", "t.csv")
    assert raw.table.column_names == ["x", "x.2", "x.3"]


def test_a_wrong_extension_is_said_and_the_content_decides(tmp_path: Path) -> None:
    raw = load(tmp_path, b"a,b\n1,2\n", "t.parquet")
    assert [note.code for note in raw.notes if note.level == "warning"] == ["wrong_extension"]
    assert raw.table.num_rows == 1


def test_another_encoding_can_be_named(tmp_path: Path) -> None:
    content = "a,b\n1,Müller\n".encode("cp1252")
    assert (
        load(tmp_path, content, "t.csv", encoding="cp1252").table.column("b")[0].as_py() == "Müller"
    )
    with pytest.raises(DataError, match="'klingon' is not known"):
        load(tmp_path, content, "t.csv", encoding="klingon")


def test_utf16_is_told_by_its_mark(tmp_path: Path) -> None:
    raw = load(tmp_path, "a\tb\n1\tü\n".encode("utf-16"), "t.csv")
    assert raw.table.to_pylist() == [{"a": "1", "b": "ü"}]


def test_a_header_of_numbers_is_warned_about(tmp_path: Path) -> None:
    codes = [note.code for note in load(tmp_path, b"5,7\n1,2\n", "t.csv").notes]
    assert "numeric_header" in codes


def test_a_sheet_can_be_chosen_and_the_others_are_named(tmp_path: Path) -> None:
    content = build_workbook([["a", "b"], [1, 2]], Second=[["c", "d"], [3, 4]])
    raw = load(tmp_path, content, "t.xlsx", sheet="Second")
    assert raw.table.column_names == ["c", "d"]
    assert "Sheet" in raw.notes[0].text
    with pytest.raises(DataError, match="no sheet 'Third'"):
        load(tmp_path, content, "t.xlsx", sheet="Third")


def test_error_cells_of_a_sheet_are_missing(tmp_path: Path) -> None:
    raw = load(tmp_path, build_workbook([["a", "b"], [1, "#N/A"], [2, 3]]), "t.xlsx")
    assert raw.table.column("b").to_pylist() == [None, 3.0]
    assert "error_cells" in [note.code for note in raw.notes]
