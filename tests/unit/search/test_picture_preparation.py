"""The first step of a search over pictures, from the spec that a page or the shell builds."""

import json
from pathlib import Path
from typing import Any

import pytest

from automl.data.dataset import Dataset
from automl.data.encoding import load_encoder
from automl.data.images.encoder import ImageEncoder
from automl.data.importing import ImportRequest
from automl.data.intake import import_file
from automl.data.preparing import load_prepared
from automl.data.profile import load_profile
from automl.data.setup import Setup
from automl.data.views import Part
from automl.errors import SpecError
from automl.execution.devices import Slot, SlotKind
from automl.search.building import SearchRequest, build_search_spec
from automl.search.preparation import REFIT_ROWS, SEARCH_ROWS, run_preparation
from automl.search.spec import Budget, SearchSpec, parse_spec, render_spec
from automl.settings import Settings
from tests.pictures import write_zip
from tests.scenes import make_scene, save_picture


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(home=tmp_path / "home", min_free_bytes=0)


@pytest.fixture
def dataset(tmp_path: Path, settings: Settings) -> Dataset:
    """Twenty training, ten validation, five test pictures a class; one test picture was trained on."""
    seeds = iter(range(1000))
    members = {
        f"{part}/{label}/{number}.png": save_picture(make_scene(next(seeds), side=32))
        for part, count in (("train", 20), ("val", 10), ("test", 5))
        for label in ("cat", "dog")
        for number in range(count)
    }
    members["test/dog/copy.png"] = members["train/dog/0.png"]
    path = write_zip(tmp_path / "pictures.zip", members)
    request = ImportRequest(path=str(path), name=path.name)
    return import_file(request, settings.workspace, settings)


def build_spec(dataset: Dataset, settings: Settings, **setup: Any) -> SearchSpec:
    return build_search_spec(
        SearchRequest(
            dataset=dataset,
            profile=load_profile(settings.workspace, dataset.id),
            setup=Setup(target="label", **setup),
            slots=(Slot(name="cpu:0", kind=SlotKind.CPU, title="CPU"),),
            budget=Budget(trials=1),
            families=("cnn",),
        )
    )


def prepare(spec: SearchSpec, settings: Settings, folder: Path) -> dict[str, Any]:
    arguments = {
        "spec": render_spec(spec),
        "folder": str(folder),
        "settings": settings.model_dump(mode="json"),
    }
    return run_preparation(arguments, lambda _share, _words: None)


def test_parts_views_and_encoders_are_written(
    dataset: Dataset, settings: Settings, tmp_path: Path
) -> None:
    spec = build_spec(dataset, settings)
    assert spec.split.val_given
    assert parse_spec(render_spec(spec)) == spec
    record = prepare(spec, settings, tmp_path / "prepared")
    assert record["n_rows"] == {"train": 40, "select": 12, "calibrate": 8, "test": 11}
    warned = [note["code"] for note in record["notes"] if note["level"] == "warning"]
    assert warned == ["test_overlap"]  # and none about columns that only describe the pictures
    for name in (SEARCH_ROWS, REFIT_ROWS):
        encoder = load_encoder(tmp_path / "prepared" / name / "encoder")
        assert isinstance(encoder, ImageEncoder)
        prepared = load_prepared(tmp_path / "prepared" / name)
        assert prepared.shape == encoder.compute_shape(2)
    again = prepare(spec, settings, tmp_path / "prepared")  # what is there is kept
    assert again == json.loads(json.dumps(record))


def test_findings_that_were_dropped_take_no_part(
    dataset: Dataset, settings: Settings, tmp_path: Path
) -> None:
    spec = build_spec(dataset, settings, drop_pictures=("exact_duplicate_across_parts",))
    assert spec.excluded == ("exact_duplicate_across_parts",)
    record = prepare(spec, settings, tmp_path / "prepared")
    assert record["n_rows"]["train"] == 39
    warned = [note["text"] for note in record["notes"] if note["level"] == "warning"]
    assert warned == ["1 picture that has a copy in a later part takes no part, as you chose."]
    prepared = load_prepared(tmp_path / "prepared" / SEARCH_ROWS)
    assert len(prepared.parts[Part.TEST]) == 11


def test_findings_are_known_by_name() -> None:
    with pytest.raises(SpecError, match="no finding 'ugly'"):
        Setup(drop_pictures=("ugly",))


def test_rows_prepared_by_an_earlier_release_are_prepared_again(
    dataset: Dataset, settings: Settings, tmp_path: Path
) -> None:
    spec, folder = build_spec(dataset, settings), tmp_path / "prepared"
    prepare(spec, settings, folder)
    record = json.loads((folder / "preparation.json").read_text())
    (folder / SEARCH_ROWS / "robust.npy").unlink()  # a view that it did not know
    assert prepare(spec, settings, folder) == record  # what is there is kept as long as it is ours
    assert not (folder / SEARCH_ROWS / "robust.npy").exists()
    (folder / "preparation.json").write_text(json.dumps(record | {"views_version": 1}))
    again = prepare(spec, settings, folder)
    assert again["split_hash"] == record["split_hash"]
    assert again["views_version"] == record["views_version"]
    assert load_prepared(folder / SEARCH_ROWS).views.robust.shape == (dataset.n_rows, 0)
