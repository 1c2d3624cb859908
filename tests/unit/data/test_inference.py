import pyarrow as pa
import pytest

from automl.data.dataset import Kind, Role, Unit
from automl.data.inference import infer_column

N = 40
NUMBERS = [str(1.5 * i) for i in range(N)]

# name, cells, kind, role, part of the reason
COLUMNS: dict[str, tuple[list[str], Kind, Role, str]] = {
    "whole": ([str(i % 30) for i in range(N)], Kind.NUMERIC, Role.FEATURE, "whole numbers"),
    "real": (NUMBERS, Kind.NUMERIC, Role.FEATURE, "every value is a number"),
    "exponent": ([f"{i}e-3" for i in range(N)], Kind.NUMERIC, Role.FEATURE, "number"),
    "signed": ([f"{i - 20:+d}.5" for i in range(N)], Kind.NUMERIC, Role.FEATURE, "number"),
    "thousands": ([f"{i},500" for i in range(1, N)], Kind.NUMERIC, Role.FEATURE, "thousands"),
    "decimal comma": ([f"{i},5" for i in range(N)], Kind.NUMERIC, Role.FEATURE, "decimal comma"),
    "german": ([f"{i}.500,25" for i in range(1, N)], Kind.NUMERIC, Role.FEATURE, "decimal comma"),
    "padded": ([f"  {i}.5 " for i in range(N)], Kind.NUMERIC, Role.FEATURE, "number"),
    "blanks": ([*NUMBERS, "", " ", "?"], Kind.NUMERIC, Role.FEATURE, "number"),
    "one word": ([*NUMBERS, "none"], Kind.NUMERIC, Role.FEATURE, "97.6% of the values"),
    "ratings": ([str(i % 5) for i in range(N)], Kind.NUMERIC, Role.FEATURE, "codes"),
    "zero one": ([str(i % 2) for i in range(N)], Kind.BOOLEAN, Role.FEATURE, "only 0 and 1"),
    "one two": ([str(i % 2 + 1) for i in range(N)], Kind.CATEGORICAL, Role.FEATURE, "two values"),
    "truth": (["True", "FALSE"] * 20, Kind.BOOLEAN, Role.FEATURE, "true and false"),
    "yes no": (["yes", "no"] * 20, Kind.CATEGORICAL, Role.FEATURE, "2 different"),
    "zip code": ([f"0{i % 9}123" for i in range(N)], Kind.CATEGORICAL, Role.FEATURE, "leading zeros"),
    "long": ([f"12345678901234567{i:02d}" for i in range(N)], Kind.CATEGORICAL, Role.IGNORED, "digits"),
    "counter": ([str(i) for i in range(N)], Kind.NUMERIC, Role.IGNORED, "whole"),
    "customerID": ([str(i * 997) for i in range(N)], Kind.NUMERIC, Role.IGNORED, "whole"),
    "salary": ([str(i * 997) for i in range(N)], Kind.NUMERIC, Role.FEATURE, "whole"),
    "code": ([f"AB-{i:04d}" for i in range(N)], Kind.CATEGORICAL, Role.IGNORED, "text"),
    "iso date": ([f"2024-01-{i % 28 + 1:02d}" for i in range(N)], Kind.DATETIME, Role.FEATURE, "year"),
    "iso time": ([f"2024-01-01T10:{i:02d}:00Z" for i in range(N)], Kind.DATETIME, Role.FEATURE, "year"),
    "european": ([f"{i % 28 + 1}.3.2024" for i in range(N)], Kind.DATETIME, Role.FEATURE, "day, month"),
    "day first": ([f"{i % 28 + 1}/3/2024" for i in range(N)], Kind.DATETIME, Role.FEATURE, "day, month"),
    "american": ([f"3/{i % 28 + 1}/2024" for i in range(N)], Kind.DATETIME, Role.FEATURE, "month, day"),
    "empty": ([""] * N, Kind.CATEGORICAL, Role.IGNORED, "no values"),
    "markers": (["?", "NA", "null", "-"] * 10, Kind.CATEGORICAL, Role.IGNORED, "no values"),
    "constant": (["same"] * N, Kind.CATEGORICAL, Role.IGNORED, "1 different"),
    "constant number": (["7"] * N, Kind.NUMERIC, Role.IGNORED, "whole"),
    "mixed": ([*NUMBERS[:20], *["abc", "def"] * 10], Kind.CATEGORICAL, Role.FEATURE, "text"),
    "weight": ([f"{i}.5 kg" for i in range(N)], Kind.NUMERIC, Role.FEATURE, "with the unit 'kg'"),
    "price": ([f"${i},500" for i in range(1, N)], Kind.NUMERIC, Role.FEATURE, "thousands, with the unit '$'"),
    "share": ([f"{i % 30} %" for i in range(N)], Kind.NUMERIC, Role.FEATURE, "with the unit '%'"),
    "terms": ([f"{i} day{'s' * (i > 1)}" for i in [*range(1, 31), 1, 1]], Kind.NUMERIC, Role.FEATURE, "with the unit 'days'"),
    "times": ([*[f"{i} ms" for i in range(20)], *[f"{i} m" for i in range(20)]], Kind.CATEGORICAL, Role.IGNORED, "text"),
    "stars": ([f"{i % 5 + 1} star{'s' * (i % 5 > 0)}" for i in range(N)], Kind.NUMERIC, Role.FEATURE,
              "5 different values, with the unit 'stars'; choose categorical if they are codes without an order"),
    "two units": (["1 kg", "2 kg", "3 g", "4 g"] * 10, Kind.CATEGORICAL, Role.FEATURE, "text"),
    "some units": ([*NUMBERS[:20], *[f"{i} kg" for i in range(20)]], Kind.CATEGORICAL, Role.IGNORED, "text"),
    "two terms": (["7 days", "30 days"] * 20, Kind.CATEGORICAL, Role.FEATURE, "2 different"),
    "seats": ([f"{i}{'ABCD'[i % 4]}" for i in range(N)], Kind.CATEGORICAL, Role.IGNORED, "text"),
    "spans": ([f"{i}-{i + 9}" for i in range(0, 200, 5)], Kind.CATEGORICAL, Role.IGNORED, "text"),
    "huge": (["1e400", *NUMBERS], Kind.NUMERIC, Role.FEATURE, "number"),
}  # fmt: skip


@pytest.mark.parametrize("name", COLUMNS)
def test_odd_columns(name: str) -> None:
    cells, kind, role, reason = COLUMNS[name]
    typed = infer_column(name, pa.array(cells))
    column = typed.column
    assert (column.kind, column.suggested_role) == (kind, role), column
    assert reason in column.reason
    assert len(typed.array) == len(cells)
    assert bool(column.role_reason) == (role is Role.IGNORED)


@pytest.mark.parametrize(
    ("name", "first"),
    [
        ("weight", 0.5),
        ("price", 1500.0),
        ("share", 0.0),
        ("thousands", 1500.0),
        ("decimal comma", 0.5),
        ("german", 1500.25),
        ("signed", -20.5),
    ],
)
def test_written_forms_of_numbers(name: str, first: float) -> None:
    cells = COLUMNS[name][0]
    assert infer_column(name, pa.array(cells)).array[0].as_py() == pytest.approx(first)


def test_the_decimal_mark_can_be_fixed() -> None:
    cells = pa.array([f"{i},500" for i in range(1, 30)])
    assert infer_column("x", cells, ",").array[0].as_py() == 1.5
    assert infer_column("x", cells, ".").array[0].as_py() == 1500


def test_cells_that_do_not_fit_become_missing_and_are_named() -> None:
    typed = infer_column("x", pa.array(COLUMNS["one word"][0]))
    assert typed.array.null_count == 1
    (note,) = typed.notes
    assert note.code == "mixed_types"
    assert "'none' in data row 41" in note.text


def test_infinite_values_are_missing_and_said() -> None:
    for cells in (["1e400", "-inf", *NUMBERS], pa.array([float("inf"), -float("inf"), 1.5, 2.5])):
        typed = infer_column("x", pa.array(cells))
        assert typed.array.null_count == 2
        (note,) = typed.notes
        assert note.code == "infinite"
        assert "2 infinite values (the first in data row 1)" in note.text


def test_half_numbers_stay_text_with_a_warning() -> None:
    typed = infer_column("x", pa.array(COLUMNS["mixed"][0]))
    (note,) = typed.notes
    assert (note.code, note.level) == ("mixed_types", "warning")
    assert "'abc' in data row 21" in note.text
    assert "numeric" in note.actions


def test_missing_markers_are_counted() -> None:
    typed = infer_column("x", pa.array([*NUMBERS, "?", "?", "NA"]))
    (note,) = typed.notes
    assert note.code == "missing_marker"
    assert "'?' (2), 'NA' (1)" in note.text
    assert typed.column.n_missing == 3


def test_days_that_do_not_exist_are_no_dates() -> None:
    cells = ["2023-02-30", *[f"2024-01-{i % 28 + 1:02d}" for i in range(N)]]
    typed = infer_column("day", pa.array(cells))
    assert typed.column.kind is Kind.DATETIME
    assert typed.array[0].as_py() is None
    assert "'2023-02-30' in data row 1" in typed.notes[0].text


def test_fractions_of_seconds_survive() -> None:
    cells = [f"2024-01-01 10:00:00.{i:03d}" for i in range(100, 140)]
    assert infer_column("t", pa.array(cells)).array[1].as_py().microsecond == 101_000


def test_a_cell_with_another_unit_becomes_missing_and_is_named() -> None:
    typed = infer_column("mass", pa.array([*COLUMNS["weight"][0], "12 g"]))
    assert typed.array[-1].as_py() is None
    assert "'12 g' in data row 41" in typed.notes[0].text


def test_the_unit_is_kept_with_the_column() -> None:
    assert infer_column("mass", pa.array(COLUMNS["weight"][0])).column.unit == Unit(
        before="", after="kg"
    )
    assert infer_column("age", pa.array(NUMBERS)).column.unit is None


def test_names_and_sentences_are_read_and_codes_are_not() -> None:
    names = [f"Person{i}, Mr. Given{i}" for i in range(200)]
    codes = [f"c0ffee{i:04x}" for i in range(200)]
    column = infer_column("name", pa.array(names)).column
    assert (column.kind, column.suggested_role) == (Kind.TEXT, Role.FEATURE)
    column = infer_column("hash", pa.array(codes)).column
    assert (column.kind, column.suggested_role) == (Kind.TEXT, Role.IGNORED)
    assert "identifier" in column.role_reason


def test_distinct_free_text_is_a_feature() -> None:
    cells = [
        f"a long sentence about case {i // 2} that nobody will repeat in this form"
        for i in range(200)
    ]
    column = infer_column("remark", pa.array(cells)).column
    assert (column.kind, column.suggested_role) == (Kind.TEXT, Role.FEATURE)
    assert column.n_distinct == 100
