"""The learning-rate test from the shell: of a default network, of a search's best one, and what is refused."""

import json

import pytest
from pydantic import TypeAdapter

import automl
from automl.__main__ import main, render_rates
from automl.files import load_json, write_json
from automl.models.catalog import FAMILIES
from automl.training.learning_rates import RateTest

SMALL = FAMILIES["mlp"].default | {"depth": 1, "width": 16, "numeric_embedding.piecewise.bins": 8}


def refuse(arguments, capsys) -> str:
    """The one line of standard error."""
    assert main(["learning-rate", *map(str, arguments)]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    return line


def write_search(folder, spec, **network):
    """A result folder as a search leaves it, as far as a test reads it."""
    best = {"name": "MLP 3", "family": "mlp", "config": SMALL, "is_network": True, "trial": 3}
    result = {"winner": {"is_network": False}, "best_network": best | network, "trials": []}
    write_json(folder / "result.json", result)
    write_json(folder / "spec.json", spec)
    return folder


def test_a_default_network_then_that_of_a_search(tmp_path, capsys, monkeypatch):
    asked = []
    monkeypatch.setattr("automl.learning_rates.render_rates_spec", _keep(asked))
    out = tmp_path / "out"
    assert main(["learning-rate", "sample:diabetes", "--seed", "2", "--out", str(out)]) == 0
    said = capsys.readouterr().out
    found = load_json(out / "learning_rates.json")
    assert found["network"] == "MLP (default)"
    assert (found["chosen"], found["seed"]) == (5e-3, 2)
    assert found["n_rows"] == 265  # the training part alone
    assert len(found["rates"]) == len(found["losses"]) == len(found["smoothed"]) == 32
    TypeAdapter(RateTest).validate_python(found)
    assert f"Suggested: {found['suggested']:.2g} (chosen: 0.005)" in said
    assert f"n = {found['n_rows']:,} training rows" in said

    search = write_search(tmp_path / "search", asked[0].spec)
    assert main(["learning-rate", "sample:diabetes", "--result", str(search), "--out", str(out)]) == 0  # fmt: skip
    found = load_json(out / "learning_rates.json")
    assert (found["network"], found["family"], found["seed"]) == ("MLP 3", "mlp", 0)


def _keep(asked):
    from automl.worker.rates_handler import render_rates_spec

    def render(spec):
        asked.append(spec)
        return render_rates_spec(spec)

    return render


def test_what_cannot_be_tested_is_one_line(tmp_path, capsys):
    base = ["sample:diabetes", "--out", tmp_path / "out"]
    empty = tmp_path / "nothing"
    assert "no finished search" in refuse([*base, "--result", empty], capsys)
    search = write_search(tmp_path / "search", {}, family="realmlp", config={"layers": 3})
    assert "RealMLP trains alone" in refuse([*base, "--result", search], capsys)
    assert "--target 'y' was given" in refuse([*base, "--result", search, "--target", "y"], capsys)
    none = write_search(tmp_path / "none", {}, is_network=False)
    assert "has trained no network" in refuse([*base, "--result", none], capsys)
    foreign = write_search(tmp_path / "foreign", {"data": "0" * 64, "data_name": "other.csv"})
    line = refuse([*base, "--result", foreign], capsys)
    assert "The search was of 'other.csv'" in line
    assert "leave out --result" in line
    with pytest.raises(automl.errors.SpecError, match="LightGBM trains alone"):
        automl.run_learning_rates(
            automl.LearningRateCall(file="sample:wine", family="lightgbm", out=tmp_path)
        )


def test_the_summary_says_where_nothing_is_suggested():
    found = {
        "network": "MLP 3", "reason": "No rate lowers the loss.", "suggested": None, "chosen": 0.005,
        "rates": [1.0], "losses": [[1.0] * 60], "n_rows": 1200,
    }  # fmt: skip
    text = render_rates(json.loads(json.dumps(found)), "o")
    assert "Suggested: none (chosen: 0.005)" in text
    assert "n = 1,200 training rows" in text
