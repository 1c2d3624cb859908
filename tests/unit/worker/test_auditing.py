"""The audit of raw text cells of a file: what is missing, what is said, what is refused."""

import json

import pytest

from automl.worker.auditing import run_audit_file
from fairness.errors import AuditError


def audit(folder, text, **changes):
    file = folder / "decisions.csv"
    file.write_text(text, encoding="utf-8")
    arguments = {
        "file": str(file), "out": str(folder), "truth": "y", "prediction": "d", "score": None,
        "threshold": None, "positive": "1", "beneficial": None, "sensitive": ["g"],
        "min_group_size": 30, "seed": 0, "settings": {},
    }  # fmt: skip
    run_audit_file({**arguments, **changes}, lambda _fraction, _words: None)
    return json.loads((folder / "audit.json").read_text())


def test_question_marks_and_blanks_are_the_group_missing(tmp_path):
    cells = ["a", "b", "?", "", "  ", "NA", "a ", "nan"]
    rows = "".join(f"{i % 2},{i // 2 % 2},{cell}\n" for i, cell in enumerate(cells * 3))
    found = audit(tmp_path, f"y,d,g\n{rows}")
    assert {row["group"]: row["tn"] + row["fp"] + row["fn"] + row["tp"] for row in found["counts"]} == {
        "a": 6, "b": 3, "(missing)": 15,
    }  # fmt: skip
    assert any("15 missing values" in text for text in found["warnings"])
    assert found["cross_check"]["largest_difference"] < 1e-12


def test_notes_of_loading_are_warnings_only_where_they_matter(tmp_path):
    rows = "".join(f"{i % 2},{i // 2 % 2},{'ab'[i % 3 > 0]},{i},{i},0\n" for i in range(12))
    found = audit(tmp_path, f"y,d,g,x,x,g\n{rows}")
    said = "\n".join(found["warnings"])
    assert "'g' occurs twice" in said
    assert "'x' occurs twice" not in said


def test_a_refused_audit_leaves_no_file(tmp_path):
    with pytest.raises(AuditError, match="no column 'z'"):
        audit(tmp_path, "y,d,g\n1,1,a\n0,1,b\n", truth="z")
    assert {path.name for path in tmp_path.iterdir()} == {"decisions.csv"}


def test_more_than_two_classes_get_the_audit_of_several_classes(tmp_path):
    rows = "".join(f"{'abc'[i % 3]},{'abc'[i // 2 % 3]},{'xy'[i % 5 > 1]}\n" for i in range(90))
    found = audit(tmp_path, f"y,d,g\n{rows}", positive=None)
    assert found["task"]["classes"] == ["a", "b", "c"]
    assert {row["group"] for row in found["by_group"]} == {"x", "y"}
    assert (tmp_path / "audit_metrics.csv").is_file()
    with pytest.raises(AuditError, match="more than two classes"):
        audit(tmp_path, f"y,d,g\n{rows}", positive="a")
