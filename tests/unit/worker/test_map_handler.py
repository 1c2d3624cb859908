"""Maps of errors through a worker: rows of a table by their inputs, pictures by the last maps of their network."""

from dataclasses import asdict

import numpy as np
import pandas as pd
import pytest
import torch

from automl.data.dataset import ColumnUse, ImageFacts, Kind, Role
from automl.data.encoding import fit_encoder
from automl.data.images.encoder import compute_pixel_facts, fit_image_encoder
from automl.data.images.rows import ImageRows
from automl.data.importing import ImportRequest
from automl.data.store import load_frame
from automl.data.task import Task, TaskType
from automl.deploy.bundle import BundleParts, save_bundle
from automl.files import load_json
from automl.jobs.records import JobKind, JobState, StopMode
from automl.models.catalog import resolve_build
from automl.models.image.image_model import ImageModel
from automl.models.tabular.constant import fit_constant
from automl.training.predictor import save_predictor
from automl.worker.map_handler import OUT, POINTS, run_map
from tests.unit.worker.test_data_handlers import run  # noqa: F401 - the fixture

COLUMNS = (
    ColumnUse(name="age", kind=Kind.NUMERIC, role=Role.FEATURE),
    ColumnUse(name="job", kind=Kind.CATEGORICAL, role=Role.FEATURE),
)
PICTURES = (ColumnUse(name="file", kind=Kind.IMAGE, role=Role.FEATURE),)
TASK = Task(target="y", type=TaskType.BINARY, metric="roc_auc", classes=("no", "yes"), positive="yes")  # fmt: skip
SEARCH, DATA = "5" * 32, "ab" * 32
N_TEST = 40


def write_result(run, encoder, columns, member):  # noqa: F811
    folder = run.workspace.result(SEARCH)
    parts = BundleParts(
        name="Model", created_at="2026", task=TASK, columns=columns, encoder=encoder,
        members=(member,), training={"data": DATA},
    )  # fmt: skip
    save_bundle(folder / "bundle", parts)
    frame = pd.DataFrame({"row_id": np.arange(N_TEST), "truth": "no", "prediction": "yes"})
    frame.to_parquet(folder / "predictions.parquet", index=False)


def submit(run, data, first=0, **more):  # noqa: F811
    spec = {"search": SEARCH, "data": data, "first": first}
    return run(kind=JobKind.MAP, title="map", spec=spec, **more)


@pytest.fixture
def table(run, tmp_path):  # noqa: F811
    """The id of a table of 100 rows, the last 40 of which count as its test file."""
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(
        {"age": rng.normal(40, 9, 100).round(1), "job": rng.choice(list("abc"), 100)}
    )
    frame.assign(y=rng.choice(["no", "yes"], 100)).to_csv(tmp_path / "t.csv", index=False)
    request = ImportRequest(path=str(tmp_path / "t.csv"), name="t.csv")
    data = run(kind=JobKind.IMPORT, title="t", spec=asdict(request)).result["dataset"]
    save_predictor(fit_constant(np.array([0, 1]), 2), tmp_path / "member")
    encoder = fit_encoder(load_frame(run.workspace, data), COLUMNS)
    write_result(run, encoder, COLUMNS, tmp_path / "member")
    return data


def test_rows_of_a_table_are_laid_out_by_their_inputs_alike_each_time(run, table):  # noqa: F811
    frames = []
    for _ in range(2):
        job = submit(run, table, first=60)
        assert job.state is JobState.SUCCEEDED, job.outcome
        folder = run.workspace.job(job.id)
        frames.append(pd.read_parquet(folder / POINTS))
        facts = load_json(folder / OUT)
    pd.testing.assert_frame_equal(frames[0], frames[1])
    assert frames[0]["row"].tolist() == list(range(60, 100))
    assert (facts["what"], facts["n_rows"], facts["n_all"]) == ("inputs", N_TEST, N_TEST)
    assert facts["n_inputs"] >= 4


def test_pictures_are_laid_out_by_the_last_maps_of_their_network(run, tmp_path):  # noqa: F811
    pixels = np.random.default_rng(0).integers(0, 255, (N_TEST, 16, 16, 3), dtype=np.uint8)
    place = run.workspace.dataset(DATA)
    place.mkdir(parents=True)
    np.save(place / "images.npy", pixels)
    images = ImageRows(array=pixels)
    facts = ImageFacts(side=16, channels=3)
    encoder = fit_image_encoder(compute_pixel_facts(images), np.arange(N_TEST), PICTURES, facts)
    shape = encoder.compute_shape(2)
    torch.manual_seed(0)
    network = resolve_build("small_cnn")({}, shape)
    model = ImageModel(
        family="small_cnn", config={}, shape=shape, tta="none", network=network, device=torch.device("cpu")
    )  # fmt: skip
    save_predictor(model, tmp_path / "member")
    write_result(run, encoder, PICTURES, tmp_path / "member")
    folder = tmp_path / "out"
    arguments = {
        "result": str(run.workspace.result(SEARCH)), "data": DATA, "first": 0, "out": str(folder),
        "settings": {"home": str(run.workspace.root)},
    }  # fmt: skip
    assert run_map(arguments, lambda _share, _words: None) == {"out": OUT, "n_rows": N_TEST}
    assert load_json(folder / OUT)["what"] == "last_maps"
    points = pd.read_parquet(folder / POINTS)
    assert len(points) == N_TEST
    assert points.drop(columns="row").std().gt(0).all()


def test_a_map_can_be_cancelled_and_without_a_model_it_says_so(run, table):  # noqa: F811
    from automl.jobs.store import JobStore

    store = JobStore(run.workspace.database)

    def stop(job):
        if job.state is JobState.RUNNING:
            store.request_stop(job.id, StopMode.DISCARD)

    stopped = submit(run, table, watch=stop)
    store.close()
    assert stopped.state is JobState.STOPPED
    assert not (run.workspace.job(stopped.id) / OUT).exists()
    run.workspace.result(SEARCH).joinpath("bundle").rename(run.workspace.root / "gone")
    refused = submit(run, table)
    assert refused.state is JobState.FAILED
    assert "no model any more" in refused.outcome.message
