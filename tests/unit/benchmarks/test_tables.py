"""The tables of the benchmarks: seeded, listed, and those of other folders by a manifest."""

import json

import pandas as pd
import pytest

from benchmarks.generated import build_growing
from benchmarks.tables import (
    GENERATED_TABLES,
    SKLEARN_TABLES,
    list_shared,
    list_tables,
    place_table,
    read_cells,
    read_manifest,
)

FEW = [table for table in (*SKLEARN_TABLES, *GENERATED_TABLES) if table.is_in_suite]


@pytest.mark.parametrize("table", FEW, ids=lambda table: table.name)
def test_a_table_is_written_alike_every_time_and_has_its_target(table, tmp_path):
    files = []
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        arguments = place_table(table, tmp_path / name)
        assert arguments[1:] == ["--target", table.target]
        files.append(tmp_path / name / f"{table.name}.csv")
        assert arguments[0] == str(files[-1])
    assert files[0].read_bytes() == files[1].read_bytes()
    frame = pd.read_csv(files[0])
    assert frame[table.target].nunique() >= 2
    assert frame.shape[1] > 2
    assert table.about


def test_at_least_six_are_generated_and_the_large_one_runs_only_when_named():
    suite = [table.name for table in list_tables().values() if table.is_in_suite]
    assert len([table for table in GENERATED_TABLES if table.name in suite]) >= 6
    assert "large" in list_tables()
    assert "large" not in suite
    assert list_shared(None) == ()


def test_a_growing_table_has_as_many_rows_and_columns_as_asked_for():
    assert build_growing(50, 12).shape == (50, 12)


def _write(folder, entry):
    (folder / "houses.csv").write_text("rooms,age,price\n3,007,NA\n4,12,200\n")
    path = folder / "manifest.json"
    path.write_text(json.dumps({"tables": [entry]}))
    return path


def test_a_folder_takes_part_by_its_manifest_and_cells_stay_as_they_are(tmp_path):
    entry = {
        "name": "h", "file": "houses.csv", "target": "price", "inputs": ["age"], "metric": "mae",
    }  # fmt: skip
    (table,) = read_manifest(_write(tmp_path, entry))
    out = tmp_path / "out"
    out.mkdir()
    assert place_table(table, out)[1:] == ["--target", "price", "--metric", "mae"]
    assert read_cells(out / "h.csv").to_dict("list") == {"age": ["007", "12"], "price": ["NA", "200"]}  # fmt: skip


@pytest.mark.parametrize(
    ("entry", "said"),
    [
        ({"name": "h", "file": "houses.csv"}, r"lacks \['target'\]"),
        ({"name": "h", "file": "houses.csv", "target": "y", "goal": 1}, r"unknown keys \['goal'\]"),
        ({"name": "h", "file": "other.csv", "target": "y"}, r"no file 'other.csv'"),
    ],
)
def test_what_is_wrong_in_a_manifest_is_said(entry, said, tmp_path):
    with pytest.raises(ValueError, match=said):
        read_manifest(_write(tmp_path, entry))
