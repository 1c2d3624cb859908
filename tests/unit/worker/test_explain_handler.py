"""Explanations through a worker: the pictures drawn, the record beside them, and what cannot be explained."""

import io
import shutil

import numpy as np
import pytest
import torch
from PIL import Image

from automl.data.dataset import ColumnUse, ImageFacts, Kind, Role
from automl.data.images.encoder import compute_pixel_facts, fit_image_encoder
from automl.data.images.rows import ImageRows
from automl.data.task import Task, TaskType
from automl.deploy.bundle import BundleParts, save_bundle
from automl.errors import DataError, SpecError
from automl.files import load_json
from automl.jobs.records import JobKind, JobState
from automl.models.catalog import resolve_build
from automl.models.image.image_model import ImageModel
from automl.models.tabular.constant import fit_constant
from automl.training.predictor import save_predictor
from automl.worker.explain_handler import parse_rows, run_explain
from automl.worker.overlay import colour, draw_overlay
from tests.unit.worker.test_data_handlers import run  # noqa: F401 - the fixture

COLUMNS = (ColumnUse(name="file", kind=Kind.IMAGE, role=Role.FEATURE),)
SEARCH, DATA = "5" * 32, "ab" * 32
SIDE, N_ROWS = 16, 6


@pytest.fixture
def explain(run, tmp_path):  # noqa: F811
    """A data set of pictures and a search with a network; submit rows, get the job."""
    pixels = np.random.default_rng(0).integers(0, 255, (N_ROWS, SIDE, SIDE, 3), dtype=np.uint8)
    place = run.workspace.dataset(DATA)
    place.mkdir(parents=True)
    np.save(place / "images.npy", pixels)
    images = ImageRows(array=pixels)
    encoder = fit_image_encoder(
        compute_pixel_facts(images), np.arange(N_ROWS), COLUMNS, ImageFacts(side=SIDE, channels=3)
    )
    shape = encoder.compute_shape(2)
    members = []
    for seed in range(2):
        torch.manual_seed(seed)
        model = ImageModel(
            family="small_cnn", config={}, shape=shape, tta="none",
            network=resolve_build("small_cnn")({}, shape), device=torch.device("cpu"),
        )  # fmt: skip
        members.append(tmp_path / f"member{seed}")
        save_predictor(model, members[-1])

    def build_bundle(folders, threshold=0.5):
        task = Task(
            target="label", type=TaskType.BINARY, metric="roc_auc", classes=("cat", "dog"),
            positive="dog",
        )  # fmt: skip
        save_bundle(
            run.workspace.result(SEARCH) / "bundle",
            BundleParts(
                name="CNN", created_at="2026", task=task, columns=COLUMNS, encoder=encoder,
                members=tuple(folders), temperature=2.0, threshold=threshold,
                training={"data": DATA},
            ),
        )  # fmt: skip

    def submit(rows, **spec):
        spec = {"search": SEARCH, "rows": rows, **spec}
        return run(kind=JobKind.EXPLAIN, title="x", spec=spec)

    def run_here(rows, classes="predicted"):
        arguments = {
            "bundle": str(run.workspace.result(SEARCH) / "bundle"), "rows": rows,
            "classes": classes, "out": str(tmp_path / "out"),
            "settings": {"home": str(run.workspace.root)},
        }  # fmt: skip
        return run_explain(arguments, lambda _fraction, _words: None)

    submit.run_here = run_here
    submit.build_bundle, submit.members = build_bundle, members
    submit.workspace, submit.place = run.workspace, place
    return submit


def test_pictures_are_drawn_and_recorded(explain):
    explain.build_bundle(explain.members)
    job = explain([4, 1], classes="predicted")

    assert job.state is JobState.SUCCEEDED, job.outcome
    assert job.result == {"out": "explained.json", "n_rows": 2}
    folder = explain.workspace.job(job.id)
    record = load_json(folder / "explained.json")
    assert [row["row"] for row in record["rows"]] == [4, 1]
    assert "not causes" in record["limits"]
    assert record["method"] == "Grad-CAM"
    for row in record["rows"]:
        assert row["class"] in ("cat", "dog")
        assert 0.5 <= row["probability"] <= 1
        assert row["maximum"] >= 0
        assert np.shape(row["drops"]) == (8, 8)
        assert row["largest_drop"] == pytest.approx(np.max(row["drops"]), abs=1e-6)
        for name in (f"{row['row']}.png", f"{row['row']}-occlusion.png"):
            with Image.open(folder / "explained" / name) as drawn:
                assert drawn.size == (256, 256)
                assert drawn.mode == "RGB"
    assert len(record["model_hash"]) == 64
    assert "never seen" in record["occlusion_limits"]


def test_the_decision_follows_the_threshold_and_a_class_can_be_named(explain, tmp_path):
    explain.build_bundle(explain.members, threshold=1.0)
    for classes, label in (("predicted", "cat"), ("dog", "dog")):
        assert explain.run_here([0, 1, 2], classes) == {"out": "explained.json", "n_rows": 3}
        record = load_json(tmp_path / "out" / "explained.json")
        assert {row["class"] for row in record["rows"]} == {label}


@pytest.mark.parametrize("rows", [[-1], [True], [1.0], list(range(65)), [], ["../../canary"], None])
def test_only_row_numbers_are_rows(rows):
    with pytest.raises(SpecError, match="no rows to explain"):
        parse_rows(rows)


def test_a_row_is_explained_once():
    assert parse_rows([3, 1, 3]) == (3, 1)


def test_what_is_wrong_reaches_the_person(explain):
    gone = explain([0])
    assert "no model any more" in gone.outcome.message

    explain.build_bundle(explain.members)
    foreign = explain([N_ROWS])
    assert foreign.state is JobState.FAILED
    assert f"row {N_ROWS}; the data set has {N_ROWS}" in foreign.outcome.message
    assert foreign.outcome.hint
    assert foreign.outcome.kind != "bug"


def test_wrong_classes_models_and_data_are_named(explain, tmp_path):
    explain.build_bundle(explain.members)
    with pytest.raises(SpecError, match="no class 'horse'"):
        explain.run_here([0], "horse")
    (explain.place / "images.npy").unlink()
    with pytest.raises(DataError, match="it may have been deleted"):
        explain.run_here([0])

    shutil.rmtree(explain.workspace.result(SEARCH) / "bundle")
    save_predictor(fit_constant(np.array([0, 1]), 2), tmp_path / "constant")
    explain.build_bundle([tmp_path / "constant"])
    with pytest.raises(SpecError, match="'constant' has no maps"):
        explain.run_here([0])


def test_colours_rise_in_lightness():
    rgb = colour(np.linspace(0, 1, 64, dtype=np.float32)[None])[0]
    lightness = rgb @ np.array([0.2126, 0.7152, 0.0722])

    assert (np.diff(lightness) > 0).all()


@pytest.mark.parametrize(("side", "shown"), [(28, 280), (256, 256), (288, 288)])
def test_overlays_of_every_side_and_of_grey(side, shown):
    png = draw_overlay(
        np.full((side, side, 1), 200, dtype=np.uint8), np.zeros((side, side), dtype=np.float32)
    )
    with Image.open(io.BytesIO(png)) as drawn:
        assert drawn.size == (shown, shown)
        expected = np.round(0.6 * 200 + 0.4 * np.array([68, 1, 84]))
        assert np.asarray(drawn)[0, 0].tolist() == expected.tolist()
