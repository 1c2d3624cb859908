"""From an imported ZIP to what trainers read: the map itself, parts that tear no copies, honest statistics."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from automl.data.dataset import ColumnUse, Dataset, ImageFacts, Kind, Role
from automl.data.images.preparing import Pictures, load_pictures
from automl.data.images.rows import ImageRows
from automl.data.preparing import (
    PreparedResult,
    PrepareRequest,
    load_prepared,
    prepare,
    save_prepared,
)
from automl.data.profile import load_profile
from automl.data.setup import Setup, build_columns, infer_task
from automl.data.split_plan import build_split_plan
from automl.data.store import load_frame
from automl.data.task import Task, TaskType
from automl.data.views import Part
from automl.errors import DataError
from automl.settings import Settings
from tests.scenes import make_scene, save_picture

Import = Callable[..., Dataset]
TASK = Task(target="label", type=TaskType.MULTICLASS, metric="log_loss", classes=("cat", "dog"))
COLUMNS = (
    ColumnUse(name="file", kind=Kind.IMAGE, role=Role.FEATURE),
    ColumnUse(name="label", kind=Kind.CATEGORICAL, role=Role.TARGET),
)


def make_members(**counts: int) -> dict[str, bytes]:
    seeds = iter(range(1000))
    return {
        f"{part}/{label}/{number:03}.png": save_picture(make_scene(next(seeds), side=32))
        for part, count in counts.items()
        for label in ("cat", "dog")
        for number in range(count)
    }


def run(dataset: Dataset, settings: Settings, excluded: tuple[str, ...] = ()) -> PreparedResult:
    workspace = settings.workspace
    setup = Setup(target="label")
    assert dataset.images is not None
    return prepare(
        PrepareRequest(
            frame=load_frame(workspace, dataset.id),
            columns=build_columns(dataset, setup),
            task=infer_task(dataset, load_profile(workspace, dataset.id), setup),
            split_plan=build_split_plan(
                test_given=dataset.n_test_rows > 0, val_given=dataset.n_val_rows > 0, group=None
            ),
            n_given_test=dataset.n_test_rows,
            n_given_val=dataset.n_val_rows,
            pictures=load_pictures(workspace.dataset(dataset.id), dataset.images, excluded),
        )
    )


def test_a_prepared_folder_points_to_the_map(
    import_members: Import, settings: Settings, tmp_path: Path
) -> None:
    dataset = import_members(make_members(train=20, test=5))
    result = run(dataset, settings)
    folder = tmp_path / "home" / "prepared"
    save_prepared(folder, result.prepared)
    loaded = load_prepared(folder)
    assert loaded.shape == result.prepared.shape
    assert (loaded.shape.side, loaded.shape.channels) == (32, 3)
    images = loaded.views.images
    assert images is not None
    path = settings.workspace.dataset(dataset.id) / "images.npy"
    assert path.samefile(images.array.filename)  # type: ignore[attr-defined]
    assert sum(file.stat().st_size for file in folder.iterdir()) < path.stat().st_size
    rows = loaded.parts[Part.TEST]
    assert rows.tolist() == list(range(40, 50))
    taken = loaded.views.take(rows)
    assert taken.images is not None
    np.testing.assert_array_equal(taken.images.load(), np.load(path)[40:])
    np.testing.assert_array_equal(taken.raw, result.prepared.views.raw[rows])

    (tmp_path / "home").rename(tmp_path / "moved")  # a workspace moves as a whole
    again = load_prepared(tmp_path / "moved" / "prepared").views.images
    assert again is not None
    np.testing.assert_array_equal(again.load(0, 1), images.load(0, 1))


def test_pictures_that_are_gone_are_named(
    import_members: Import, settings: Settings, tmp_path: Path
) -> None:
    dataset = import_members(make_members(train=20))
    save_prepared(tmp_path / "prepared", run(dataset, settings).prepared)
    (settings.workspace.dataset(dataset.id) / "images.npy").rename(tmp_path / "elsewhere.npy")
    with pytest.raises(DataError, match="cannot be read; they may have been deleted"):
        load_prepared(tmp_path / "prepared")


def test_pictures_in_memory_are_not_copied_to_disk(tmp_path: Path) -> None:
    result = prepare(build_request(make_array(60)))
    with pytest.raises(ValueError, match="memory map"):
        save_prepared(tmp_path, result.prepared)


def make_array(n: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (n, 16, 16, 3), dtype=np.uint8)


def build_request(array: np.ndarray, **more: object) -> PrepareRequest:
    import pandas as pd

    n = len(array)
    labels = np.where(np.arange(n) % 2, "cat", "dog")
    pictures = Pictures(
        images=ImageRows(array=array),
        facts=ImageFacts(side=16, channels=3),
        ties=more.pop("ties", np.arange(n, dtype=np.uint64)),  # type: ignore[arg-type]
        excluded=more.pop("excluded", {}),  # type: ignore[arg-type]
    )
    request = PrepareRequest(
        frame=pd.DataFrame({"file": [f"{i}.png" for i in range(n)], "label": labels}),
        columns=COLUMNS,
        task=TASK,
        split_plan=build_split_plan(test_given=False, group=None),
        pictures=pictures,
    )
    return replace(request, **more)  # type: ignore[arg-type]


def test_other_test_pictures_change_no_fitted_statistic() -> None:
    array = make_array(200)
    before = prepare(build_request(array))
    changed = array.copy()
    changed[before.prepared.parts[Part.TEST]] = 255
    after = prepare(build_request(changed))
    assert after.encoder == before.encoder
    assert after.refit_encoder == before.refit_encoder
    assert after.prepared.shape == before.prepared.shape
    for name in ("select", "calibrate"):
        changed = array.copy()
        changed[before.prepared.parts[Part(name)]] = 255
        assert prepare(build_request(changed)).encoder == before.encoder
    changed = array.copy()
    changed[before.prepared.parts[Part.TRAIN][0]] = 255
    assert prepare(build_request(changed)).encoder != before.encoder


@hypothesis_settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), n_families=st.integers(20, 90))
def test_copies_are_never_torn_apart(seed: int, n_families: int) -> None:
    rng = np.random.default_rng(seed)
    ties = np.concatenate([np.arange(n_families), rng.integers(0, n_families, 200 - n_families)])
    request = build_request(make_array(200), ties=rng.permutation(ties).astype(np.uint64))
    parts = prepare(request).prepared.parts
    assert request.pictures is not None
    owners = [set(request.pictures.ties[rows].tolist()) for rows in parts.values()]
    assert sum(map(len, owners)) == n_families
    assert sum(map(len, parts.values())) == 200


def test_copies_of_a_real_import_stay_together(import_members: Import, settings: Settings) -> None:
    members = {
        f"{label}/{number:03}_{copy}.jpg": save_picture(
            make_scene(number + 100 * (label == "dog"), side=64), "JPEG", quality=quality
        )
        for label in ("cat", "dog")
        for number in range(30)
        for copy, quality in enumerate((95, 80, 60))
    }
    dataset = import_members(members)
    parts = run(dataset, settings).prepared.parts
    files = load_frame(settings.workspace, dataset.id)["file"]
    owners = [{name[:7] for name in files.iloc[rows]} for rows in parts.values()]
    assert sum(map(len, owners)) == 60
    assert all(owners)


def test_a_given_validation_part_decides(import_members: Import, settings: Settings) -> None:
    dataset = import_members(make_members(train=20, val=10, test=5))
    result = run(dataset, settings)
    parts = result.prepared.parts
    assert parts[Part.TRAIN].tolist() == list(range(40))
    assert sorted([*parts[Part.SELECT], *parts[Part.CALIBRATE]]) == list(range(40, 60))
    assert (len(parts[Part.SELECT]), len(parts[Part.CALIBRATE])) == (12, 8)
    assert parts[Part.TEST].tolist() == list(range(60, 70))
    assert len(result.refit.parts[Part.TRAIN]) == 52


def test_a_test_part_is_cut_from_train_beside_a_given_validation_part(
    import_members: Import, settings: Settings
) -> None:
    members = make_members(train=20, val=10)
    members |= {f"val/cat/x{i}.png": members[f"train/cat/00{i}.png"] for i in range(5)}
    dataset = import_members(members)
    parts = run(dataset, settings).prepared.parts
    assert len(parts[Part.TEST]) == 6
    assert parts[Part.TEST].max() < 40
    assert not set(parts[Part.TEST].tolist()) & set(range(5))  # they have copies that decide


def test_what_was_left_out_takes_no_part_and_is_said(
    import_members: Import, settings: Settings
) -> None:
    members = make_members(train=20, test=5)
    members |= {f"train/cat/x{i}.png": members["train/cat/000.png"] for i in range(3)}
    members["test/cat/copy.png"] = members["train/dog/001.png"]
    dataset = import_members(members)
    full = run(dataset, settings)
    assert "test_overlap" in {note.code for note in full.notes}
    codes = ("exact_duplicate", "exact_duplicate_across_parts", "dark")
    result = run(dataset, settings, codes)
    said = [note.text for note in result.notes if note.code == "pictures_excluded"]
    assert said == [
        "3 pictures that repeat another one take no part, as you chose.",
        "1 picture that has a copy in a later part takes no part, as you chose.",
        "Pictures that are dark were to be left out; there are none in the parts models learn from.",
    ]
    assert all(note.level == "warning" for note in result.notes)
    assert "test_overlap" not in {note.code for note in result.notes}
    assert "target_missing" not in {note.code for note in result.notes}
    for prepared in (result.prepared, result.refit):
        assert sum(map(len, prepared.parts.values())) == dataset.n_rows - 4
        assert int((prepared.target == -1).sum()) == 4


def test_memory_follows_the_chunk_not_the_pictures(tmp_path: Path) -> None:
    """A sparse map of 1.5 GB is read within 100 MB of new anonymous memory."""
    import threading
    import time

    from automl.data.images.encoder import compute_pixel_facts
    from automl.data.images.preparing import map_images

    path = tmp_path / "images.npy"
    shape = (10_000, 224, 224, 3)
    np.lib.format.open_memmap(path, mode="w+", dtype=np.uint8, shape=shape).flush()
    peak, is_done = [_read_anonymous()], threading.Event()
    before = peak[0]

    def watch() -> None:
        while not is_done.is_set():
            peak.append(_read_anonymous())
            time.sleep(0.005)

    thread = threading.Thread(target=watch)
    thread.start()
    try:
        facts = compute_pixel_facts(map_images(path))
    finally:
        is_done.set()
        thread.join()
    assert facts.cells.shape == (10_000, 192)
    assert max(peak) - before < 100_000_000 + facts.cells.nbytes


def _read_anonymous() -> int:
    lines = Path("/proc/self/status").read_text().splitlines()
    return 1024 * int(next(line for line in lines if line.startswith("RssAnon")).split()[1])
