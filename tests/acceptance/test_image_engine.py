"""The engine on pictures from end to end: what is trained, what is said, what leaves, twice the same."""

import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from automl.api import PredictCall, SearchCall, run_predict, run_search
from automl.search.spec import Preset
from automl.settings import Settings
from tests.painted_zips import Painting, write_shapes
from tests.unit.training.image.pretrained_pictures import SMALL, write_weights

pytestmark = pytest.mark.acceptance

PLAN = Painting(n_train=50, n_test=20, side=16)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(home=tmp_path / "home", devices="fake:0,fake:1", min_free_bytes=0)


def search(tmp_path: Path, settings: Settings, name: str = "out", **changes: Any) -> dict[str, Any]:
    path = write_shapes(tmp_path / "shapes.zip", PLAN)
    call = {"families": ("cnn",), "preset": Preset.QUICK, "trials": 2, "seed": 0} | changes
    return run_search(SearchCall(file=str(path), out=tmp_path / name, **call), settings)


def check_bundle(tmp_path: Path, settings: Settings) -> None:
    """The bundle gives for the test pictures what the search says of them."""
    given = tmp_path / "given.zip"
    with zipfile.ZipFile(tmp_path / "shapes.zip") as whole, zipfile.ZipFile(given, "w") as part:
        for name in whole.namelist():
            if name.startswith("test/"):
                part.writestr(name, whole.read(name))
    out = tmp_path / "predicted.csv"
    run_predict(PredictCall(bundle=tmp_path / "out" / "bundle", file=given, out=out), settings)
    again = pd.read_csv(out).set_index("file")
    said = pd.read_parquet(tmp_path / "out" / "predictions.parquet").set_index("file")
    assert sorted(again.index) == sorted(said.index)
    assert len(said) == 3 * PLAN.n_test
    columns = [name for name in said.columns if name.startswith("probability_")]
    assert len(columns) == 3
    difference = np.abs(again.loc[said.index, columns].to_numpy() - said[columns].to_numpy())
    assert difference.max() < 1e-5
    assert (again.loc[said.index, "prediction"] == said["prediction"]).all()


def list_trials(result: dict[str, Any]) -> list[tuple[Any, ...]]:
    names = ("number", "stage", "config", "state", "score", "n_epochs", "failure_kind", "origin")
    return [tuple(trial[name] for name in names) for trial in result["trials"]]


def list_lines(result: dict[str, Any]) -> list[tuple[Any, ...]]:
    return [(row["name"], row["select_score"], row["test"]) for row in result["leaderboard"]]


def test_a_bundle_predicts_what_the_search_said_and_a_search_repeats(
    tmp_path: Path, settings: Settings
) -> None:
    first, second = (search(tmp_path, settings, name) for name in ("out", "again"))
    check_bundle(tmp_path, settings)
    assert first["is_repeatable"]
    assert list_trials(first) == list_trials(second)
    assert list_lines(first) == list_lines(second)
    assert first["test"] == second["test"]


def test_what_weight_sharing_proposes_is_trained_alone(tmp_path: Path, settings: Settings) -> None:
    result = search(
        tmp_path, settings, trials=5, method="both", objectives=("parameters",),
        max_parameters=700_000,
    )  # fmt: skip
    shared = [trial for trial in result["trials"] if trial["origin"] == "weight_sharing"]
    plain = [t for t in result["trials"] if t["stage"] == "search" and t not in shared]
    assert 2 <= len(shared) <= 4
    assert plain
    assert len({str(trial["config"]) for trial in shared}) == len(shared)
    assert all(trial["parameters"] <= 700_000 for trial in shared if trial["n_epochs"])
    known = {row["select_score"] for row in result["leaderboard"]}
    assert not known & {trial["shared_score"] for trial in shared}
    assert "supernet" not in {trial["stage"] for trial in result["trials"]}
    methods = result["methods"]
    assert methods["weight_sharing"]["n_trials"] == len(shared)
    assert methods["plain"]["n_trials"] == len(plain)
    assert 0 < methods["weight_sharing"]["supernet_seconds"] < methods["weight_sharing"]["seconds"]
    best = methods["weight_sharing"]["best"]
    own = {trial["number"]: trial["score"] for trial in shared}
    assert best["score"] == own[best["trial"]]
    assert {row["trial"] for row in result["pareto"]} >= set(own)
    check_bundle(tmp_path, settings)


def test_pretrained_networks_of_a_folder(tmp_path: Path, settings: Settings) -> None:
    folder = tmp_path / "weights"
    folder.mkdir()
    write_weights(folder)
    result = search(
        tmp_path, settings, families=("cnn", "pretrained"), weights=str(folder), trials=3
    )
    tried = [trial for trial in result["trials"] if trial["family"] == "pretrained"]
    assert {trial["config"]["backbone"] for trial in tried} == {SMALL}
    assert any(trial["state"] == "complete" for trial in tried)
    assert not [text for text in result["warnings"] if "left out" in text]
    check_bundle(tmp_path, settings)
