"""The shell: flags, one-line errors, exit status, progress and summary."""

import io
import subprocess
import sys

import pytest

from automl.__main__ import (
    build_parser,
    main,
    parse_duration,
    render_front,
    render_summary,
)
from automl.progress_line import ProgressLine, render_progress


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("180s", 180), ("10m", 600), ("1h", 3600), ("90", 90), ("1.5 min", 90), ("2H", 7200)],
)
def test_durations(text, seconds):
    assert parse_duration(text) == seconds


@pytest.mark.parametrize(
    ("text", "count"), [("1000000", 1_000_000), ("500k", 500_000), ("1.5M", 1_500_000), ("2g", 2e9)]
)
def test_counts(text, count):
    given = ["search", "a.zip", "--max-parameters", text, "--max-macs", text, "--out", "o"]
    parsed = build_parser().parse_args(given)
    assert parsed.max_parameters == parsed.max_macs == count


def test_flags_about_pictures_are_read_as_they_are_meant():
    given = ["search", "a.zip", "--out", "o", "--objective", "latency", "--objective", "macs",
             "--families", "cnn, classic", "--method", "both", "--max-latency-ms", "2.5",
             "--weights", "hub", "--mirror", "no"]  # fmt: skip
    parsed = build_parser().parse_args(given)
    assert parsed.objective == ["latency", "macs"]
    assert parsed.families == ("cnn", "classic")
    assert (parsed.method, parsed.max_latency_ms) == ("both", 2.5)
    assert (parsed.weights, parsed.mirror) == ("hub", "no")


def test_the_summary_lists_the_front():
    row = {
        "name": "Searched CNN 7", "on_front": True,
        "values": {"score": {"value": 0.9, "unit": ""},
                   "parameters": {"value": 1200.0, "unit": "parameters"}},
    }  # fmt: skip
    beaten = {**row, "name": "Searched CNN 8", "on_front": False}
    lines = render_front({"pareto": [row, beaten]})
    assert lines[1] == "  Searched CNN 7: score 0.9, 1200 parameters"
    assert len(lines) == 2
    assert render_front({}) == []


@pytest.mark.parametrize("text", ["", "soon", "-5s", "10d", "1m30s"])
def test_what_is_no_duration_is_bad_usage(text, capsys):
    with pytest.raises(SystemExit) as stop:
        build_parser().parse_args(["search", "a.csv", "--budget", text, "--out", "o"])
    assert stop.value.code == 2
    assert len(capsys.readouterr().err.strip().splitlines()) == 1


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["dance"],
        ["search", "a.csv"],
        ["audit", "a.csv", "--truth", "t", "--sensitive", "s", "--out", "o"],
        ["audit", "a.csv", "--truth", "t", "--prediction", "p", "--score", "s", "--sensitive", "s",
         "--out", "o"],
        ["search", "a.csv", "--target", "t", "--task", "ranking", "--out", "o"],
        ["search", "a.zip", "--objective", "beauty", "--out", "o"],
        ["search", "a.zip", "--max-parameters", "many", "--out", "o"],
        ["search", "a.csv", "--range", "mlp.depth", "--out", "o"],
    ],
)  # fmt: skip
def test_bad_usage_is_one_line_and_status_2(arguments, capsys):
    with pytest.raises(SystemExit) as stop:
        main(arguments)
    assert stop.value.code == 2
    assert len(capsys.readouterr().err.strip().splitlines()) == 1


def test_a_missing_file_is_named(tmp_path, capsys):
    status = main(
        ["search", str(tmp_path / "no.csv"), "--target", "y", "--out", str(tmp_path / "o")]
    )
    error = capsys.readouterr().err
    assert status == 2
    assert "no.csv" in error
    assert len(error.strip().splitlines()) == 1


def test_an_unknown_sample_lists_the_known_ones(tmp_path, capsys):
    assert main(["search", "sample:nothing", "--out", str(tmp_path / "o")]) == 2
    assert "loans" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (["--budget", "1s"], "1 s"),
        (["--trials", "0"], "0 trials"),
        (["--trials", "1", "--seed", "-1"], "-1"),
        (["--trials", "1", "--sensitive", "sex", "--ignore", "sex"], "'sex'"),
        (["--trials", "1", "--weight", "bmi", "--ignore", "bmi"], "both --ignore and --weight"),
        (["--trials", "1", "--weight", "girth"], "'girth'"),
        (["--trials", "1", "--time", "bmi", "--weight", "bmi"], "both --time and --weight"),
        (["--trials", "1", "--sampler", "oracle"], "'oracle'"),
        (["--trials", "1", "--sampler", "cma_es"], "the choice"),
        (["--trials", "1", "--folds", "none", "--pruner", "wilcoxon"], "independent folds"),
        (["--trials", "1", "--folds", "12"], "12 folds"),
        (["--trials", "1", "--folds", "few"], "'few'"),
        (["--trials", "1", "--sampler", "nsga3", "--objective", "latency"], "3 objectives"),
        (["--trials", "1", "--objective", "macs"], "counted for pictures"),
        (["--trials", "1", "--range", "mlp.depth=0..9"], "depth from 0 to 9"),
        (["--trials", "1", "--range", "forest.depth=1..2"], "'forest'"),
    ],
)
def test_choices_that_cannot_be_are_one_line_with_the_value(
    arguments, named, tmp_path, capsys, monkeypatch
):
    monkeypatch.setenv("FAIRLOOM_HOME", str(tmp_path / "home"))
    assert main(["search", "sample:diabetes", *arguments, "--out", str(tmp_path / "o")]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert named in line


def test_a_workspace_that_is_a_file_is_bad_input(tmp_path, capsys, monkeypatch):
    (tmp_path / "home").write_text("here")
    monkeypatch.setenv("FAIRLOOM_HOME", str(tmp_path / "home"))
    assert main(["search", "sample:wine", "--out", str(tmp_path / "o")]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert "FAIRLOOM_HOME" in line


def test_an_output_folder_that_is_a_file_is_bad_input(tmp_path, capsys):
    (tmp_path / "o").write_text("here")
    assert main(["search", "sample:wine", "--out", str(tmp_path / "o" / "deeper")]) == 2
    assert "cannot be written" in capsys.readouterr().err


def test_importing_the_package_costs_neither_torch_nor_optuna():
    code = "import sys, automl, automl.__main__; print({'torch', 'optuna', 'sklearn'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"


def test_the_public_names_resolve():
    import automl

    assert all(hasattr(automl, name) for name in automl.__all__)
    with pytest.raises(AttributeError):
        automl.nothing  # noqa: B018


PROGRESS = {
    "phase": "search", "words": "Searching", "elapsed_seconds": 12.3, "budget_seconds": 60.0,
    "n_trials": 4, "n_finished": 3, "budget_trials": None,
    "best": {"name": "MLP 4", "metric": "roc_auc", "value": 0.91234}, "warnings": ["'id' gives it away."],
}  # fmt: skip


def test_progress_is_one_line():
    text = render_progress(PROGRESS)
    assert text == "12 s of 60 s · Searching · 3 trials · best MLP 4: roc_auc 0.9123 (select)"
    assert render_progress({}) == ""


def test_without_a_terminal_there_is_no_carriage_return_and_a_warning_comes_once():
    stream = io.StringIO()
    warnings = io.StringIO()
    line = ProgressLine(stream, warnings)
    line.show(PROGRESS)
    line.show(PROGRESS)
    line.show({**PROGRESS, "elapsed_seconds": 13.0})
    line.warn("'id' gives it away.")
    written = stream.getvalue()
    assert "\r" not in written
    assert warnings.getvalue() == "warning: 'id' gives it away.\n"
    assert written.count("Searching") == 1


def test_on_a_terminal_the_line_is_rewritten():
    class Terminal(io.StringIO):
        def isatty(self):
            return True

    stream = Terminal()
    line = ProgressLine(stream, io.StringIO())
    line.show(PROGRESS)
    line.show({**PROGRESS, "n_finished": 4})
    assert stream.getvalue().count("\r") == 2
    assert all(len(each) <= 110 for each in stream.getvalue().splitlines()[-1].split("\r"))


def test_the_summary_names_winner_value_gain_and_looks():
    result = {
        "metric": "roc_auc", "winner": {"name": "MLP 4", "architecture": "MLP 3×256"}, "looks": 2,
        "test": {"roc_auc": {"value": 0.9, "low": 0.88, "high": 0.92, "n": 1000}},
        "worth": {"sentence": "MLP 4 against Boosted trees (default): no measurable gain."},
        "wall_seconds": 61.0,
    }  # fmt: skip
    text = render_summary(result, "out")
    for part in ("MLP 4 (MLP 3×256)", "0.9000 [0.8800, 0.9200] on 1,000 rows", "gain", "2", "61 s"):
        assert part in text
