from pathlib import Path

import numpy as np
import pytest
from sklearn.datasets import load_digits

from automl.data.dataset import DataKind, ImageFacts
from automl.data.images.store import load_images
from automl.data.importing import ImportRequest
from automl.data.intake import import_file
from automl.data.leaks import compute_leaks
from automl.data.loans import build_loans
from automl.data.preparing import PrepareRequest, prepare
from automl.data.profile import load_profile
from automl.data.samples import SAMPLES, write_sample
from automl.data.setup import build_columns, infer_task
from automl.data.split_plan import build_split_plan
from automl.data.store import load_frame
from automl.data.task import TaskType
from automl.errors import DataError
from automl.settings import Settings, Workspace

EXPECTED = {
    "loans": (5_000, TaskType.BINARY, "yes"),
    "wine": (178, TaskType.MULTICLASS, None),
    "breast_cancer": (569, TaskType.BINARY, "malignant"),
    "diabetes": (442, TaskType.REGRESSION, None),
    "digits": (1_797, TaskType.MULTICLASS, None),
}


@pytest.mark.parametrize("name", EXPECTED)
def test_every_sample_runs_as_it_comes(
    name: str, tmp_path: Path, workspace: Workspace, settings: Settings
) -> None:
    path = write_sample(name, tmp_path)
    request = ImportRequest(path=str(path), name=SAMPLES[name].title, source=f"sample:{name}")
    dataset = import_file(request, workspace, settings)
    setup = SAMPLES[name].setup
    task = infer_task(dataset, load_profile(workspace, dataset.id), setup)
    assert (dataset.n_rows, task.type, task.positive) == EXPECTED[name]
    assert dataset.kind is SAMPLES[name].kind
    if dataset.kind is DataKind.IMAGES:
        return
    frame, columns = load_frame(workspace, dataset.id), build_columns(dataset, setup)
    plan = build_split_plan(test_given=False, group=None)
    prepare(PrepareRequest(frame=frame, columns=columns, task=task, split_plan=plan))
    strong = [n for n in compute_leaks(frame, task, columns) if n.actions[0] == "ignore"]
    assert strong == []


@pytest.mark.parametrize("name", ["loans", "digits"])
def test_samples_are_the_same_every_time(name: str, tmp_path: Path) -> None:
    first = write_sample(name, tmp_path / "a").read_bytes()
    assert write_sample(name, tmp_path / "b").read_bytes() == first


def test_the_digits_are_pictures_with_ten_classes(
    tmp_path: Path, workspace: Workspace, settings: Settings
) -> None:
    path = write_sample("digits", tmp_path)
    dataset = import_file(ImportRequest(path=str(path), name="digits"), workspace, settings)
    assert dataset.images == ImageFacts(side=8, channels=1)
    task = infer_task(dataset, load_profile(workspace, dataset.id), SAMPLES["digits"].setup)
    assert task.classes == tuple("0123456789")
    pixels = load_images(workspace, dataset.id)
    assert pixels.shape == (1_797, 8, 8, 1)
    truth = np.rint(load_digits().images * (255 / 16))
    order = [int(name[2:6]) for name in load_frame(workspace, dataset.id)["file"]]
    np.testing.assert_array_equal(pixels[..., 0], truth[order])


def test_an_unknown_sample_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no sample 'iris'"):
        write_sample("iris", tmp_path)


@pytest.mark.parametrize("disparity", [0.0, 0.2, -0.15])
def test_the_gap_between_groups_is_the_one_asked_for(disparity: float) -> None:
    frame = build_loans(4_000, disparity=disparity, seed=3)
    rates = (frame["approved"] == "yes").groupby(frame["group"]).mean()
    assert rates["A"] - rates["B"] == pytest.approx(disparity, abs=0.001)
    assert rates["A"] == pytest.approx(0.55, abs=0.001)
    incomes = frame.groupby("group")["income"].median()
    assert incomes["A"] == pytest.approx(incomes["B"], rel=0.05)  # equal merit


def test_a_gap_out_of_range_is_refused() -> None:
    with pytest.raises(ValueError, match="disparity must lie"):
        build_loans(10, disparity=0.9)
