"""Planted defects are found, each listed once, and can be left out."""

from collections.abc import Callable

import numpy as np
import pyarrow as pa
import pytest

from automl.data.dataset import Dataset, ImageFacts, Kind, Note
from automl.data.images.findings import DROPPABLE, GREY
from automl.data.images.preparing import EXCLUDED_WORDS
from automl.data.images.profile import build_picture_notes, list_all_flagged, list_flagged
from automl.data.images.store import load_originals
from automl.data.profile import load_profile
from automl.errors import SpecError
from automl.settings import Settings
from tests.scenes import make_scene, save_picture

Import = Callable[..., Dataset]
FACTS = ImageFacts(side=96, channels=3)


def make_part(part: str, first: int, count: int) -> dict[str, bytes]:
    return {
        f"{part}/{label}/{seed}.png": save_picture(make_scene(seed))
        for label, start in (("cat", first), ("dog", first + count))
        for seed in range(start, start + count)
    }


def find_notes(dataset: Dataset, settings: Settings) -> dict[str, Note]:
    notes = load_profile(settings.workspace, dataset.id).notes
    found = {note.code: note for note in notes if note.code in DROPPABLE}
    assert len(found) == sum(note.code in DROPPABLE for note in notes)
    return found


def list_files(originals: pa.Table, code: str) -> list[str]:
    return originals.column("file").take(pa.array(list_flagged(originals, code))).to_pylist()


def test_each_planted_defect_is_listed_once(import_members: Import, settings: Settings) -> None:
    members = {**make_part("train", 0, 24), **make_part("test", 100, 6)}
    scene = {seed: make_scene(seed) for seed in range(110)}
    members |= {
        "train/cat/a_copy.png": members["train/cat/0.png"],
        "train/cat/b_near.jpg": save_picture(scene[1], "JPEG", quality=80),
        "test/cat/c_copy.png": members["train/cat/2.png"],
        "test/cat/d_near.jpg": save_picture(scene[3], "JPEG", quality=80),
        "train/dog/e_copy.png": members["train/cat/4.png"],
        "train/dog/f_near.jpg": save_picture(scene[5], "JPEG", quality=80),
        "train/cat/g_tiny.png": save_picture(make_scene(201, side=12)),
        "train/cat/h_dark.png": save_picture(make_scene(202, light=0.06, depth=0.02)),
        "train/cat/i_soft.png": save_picture(make_scene(203, blur=0.06)),
        "train/cat/j_long.png": save_picture(make_scene(204, side=128)[:40]),
        "train/cat/k_grey.png": save_picture(make_scene(205)[..., 0]),
    }
    dataset = import_members(members)
    assert set(find_notes(dataset, settings)) == set(DROPPABLE) - {GREY}
    said = [note for note in dataset.notes if note.code in DROPPABLE]
    assert [(note.code, note.actions) for note in said] == [(GREY, ("drop", "keep"))]
    originals = load_originals(settings.workspace, dataset.id)
    assert {code: list_files(originals, code) for code in DROPPABLE} == {
        "exact_duplicate": ["train/cat/a_copy.png"],
        "near_duplicate": ["train/cat/b_near.jpg"],
        "exact_duplicate_across_parts": ["train/cat/2.png"],
        "near_duplicate_across_parts": ["train/cat/3.png"],
        "exact_duplicate_across_classes": ["train/cat/4.png", "train/dog/e_copy.png"],
        "near_duplicate_across_classes": ["train/cat/5.png", "train/dog/f_near.jpg"],
        "tiny": ["train/cat/g_tiny.png"],
        "dark": ["train/cat/h_dark.png"],
        "blurred": ["train/cat/i_soft.png"],
        "odd_aspect": ["train/cat/j_long.png"],
        GREY: ["train/cat/k_grey.png"],
    }


def test_what_no_network_reads_is_neither_said_to_be_read_nor_offered_as_weight(
    import_members: Import, settings: Settings
) -> None:
    numbers = range(80)
    pictures = {f"{n}.png": save_picture(make_scene(n, side=32)) for n in numbers}
    lines = (
        f"{n}.png,{'ab'[n % 2]},remark {n // 2 * 7} and {n % 71} more,{1 + n % 9}.5"
        for n in numbers
    )
    rows = "\n".join(["file,label,remark,sample_weight", *lines])
    dataset = import_members({**pictures, "list.csv": rows.encode()})
    kinds = {column.name: column.kind for column in dataset.columns}
    assert (kinds["remark"], kinds["sample_weight"]) == (Kind.TEXT, Kind.NUMERIC)
    profile = load_profile(settings.workspace, dataset.id)
    assert not [note for note in profile.notes if note.column in ("remark", "sample_weight")]


def test_clean_pictures_have_no_finding(import_members: Import, settings: Settings) -> None:
    dataset = import_members({**make_part("train", 0, 30), **make_part("test", 100, 5)})
    assert find_notes(dataset, settings) == {}


def test_forty_copies_across_parts_are_counted(import_members: Import, settings: Settings) -> None:
    members = {**make_part("train", 0, 30), **make_part("test", 100, 10)}
    for number in range(40):
        content = members[
            f"train/{'cat' if number < 20 else 'dog'}/{number + 10 * (number >= 20)}.png"
        ]
        members[f"test/{'cat' if number < 20 else 'dog'}/x{number}.png"] = content
    dataset = import_members(members)
    notes = find_notes(dataset, settings)
    assert list(notes) == ["exact_duplicate_across_parts"]
    note = notes["exact_duplicate_across_parts"]
    assert note.text.startswith("40 pictures of the test or validation part also stand")
    assert (note.level, note.actions) == ("warning", ("drop", "keep"))
    dropped = list_flagged(
        load_originals(settings.workspace, dataset.id), "exact_duplicate_across_parts"
    )
    assert len(dropped) == 40
    assert dropped.max() < dataset.n_train_rows


def test_near_copies_across_parts_are_counted(import_members: Import, settings: Settings) -> None:
    members = make_part("train", 0, 40)
    for seed in range(40):
        lighter = np.rint(make_scene(seed) * 0.97).astype(np.uint8)
        members[f"test/cat/x{seed}.jpg"] = save_picture(lighter, "JPEG", quality=85)
    members |= {f"test/dog/{seed}.png": save_picture(make_scene(seed)) for seed in range(90, 95)}
    notes = find_notes(import_members(members), settings)
    assert list(notes) == ["near_duplicate_across_parts"]
    assert notes["near_duplicate_across_parts"].text.startswith("40 pictures")


def test_what_is_given_for_testing_is_never_left_out(
    import_members: Import, settings: Settings
) -> None:
    dark = save_picture(make_scene(300, light=0.06, depth=0.02))
    members = {**make_part("train", 0, 8), "test/cat/a.png": dark, "test/dog/b.png": dark}
    dataset = import_members(members)
    originals = load_originals(settings.workspace, dataset.id)
    assert all(not len(rows) for rows in list_all_flagged(originals, DROPPABLE).values())
    notes = find_notes(dataset, settings)
    assert notes["dark"].text.startswith("2 pictures are dark")
    assert notes["dark"].actions == ()
    for note in notes.values():
        assert "leave" not in note.text.lower()
        assert note.text.endswith("They are in the given test part, which stays as it was given.")


@pytest.mark.parametrize(
    ("places", "words"),
    [
        (["train"], "Leave it out unless such pictures also come in use."),
        (["train", "train"], "Leave them out unless such pictures also come in use."),
        (["test"], "It is in the given test part, which stays as it was given."),
        (
            ["train", "test"],
            "Leave them out unless such pictures also come in use. A given test part keeps its own.",
        ),
    ],
)
def test_a_finding_advises_what_can_be_done_and_counts(
    import_members: Import, settings: Settings, places: list[str], words: str
) -> None:
    members = {**make_part("train", 0, 8), **make_part("test", 50, 2)}
    for number, place in enumerate(places):
        scene = make_scene(300 + number, light=0.06, depth=0.02)
        members[f"{place}/cat/dark{number}.png"] = save_picture(scene)
    note = find_notes(import_members(members), settings)["dark"]
    assert note.text.endswith(f". {words}")
    assert bool(note.actions) == ("Leave" in words)


def test_one_copy_is_spoken_of_as_one(import_members: Import, settings: Settings) -> None:
    members = {**make_part("train", 0, 8), **make_part("test", 50, 2)}
    members["train/cat/copy.png"] = members["train/cat/0.png"]
    members["test/dog/copy.png"] = members["train/dog/8.png"]
    notes = find_notes(import_members(members), settings)
    assert notes["exact_duplicate"].text.endswith("You can leave it out.")
    across = notes["exact_duplicate_across_parts"].text
    assert across.endswith(
        "The result on it is too good. Leave out its copy in the part that is learned from."
    )


def test_what_most_of_a_set_is_like_is_said_and_not_offered_to_be_left_out(
    import_members: Import, settings: Settings
) -> None:
    small = {
        f"{label}/{seed}.png": save_picture(make_scene(seed, side=12))
        for label, start in (("cat", 0), ("dog", 30))
        for seed in range(start, start + 24)
    }
    plain = {f"cat/z{seed}.png": save_picture(make_scene(seed)) for seed in range(100, 110)}
    notes = find_notes(import_members({**small, **plain}), settings)
    assert notes["tiny"].text.startswith("48 pictures have a side under 16 pixels")
    assert "nature" in notes["tiny"].text
    assert (notes["tiny"].level, notes["tiny"].actions) == ("info", ())


def test_few_coloured_pictures_among_grey_ones_do_not_make_grey_a_flaw(
    import_members: Import,
) -> None:
    grey = {
        f"{label}/{seed}.png": save_picture(make_scene(seed)[..., 0])
        for label, start in (("cat", 0), ("dog", 30))
        for seed in range(start, start + 22)
    }
    dataset = import_members({**grey, "cat/z.png": save_picture(make_scene(99))})
    note = next(note for note in dataset.notes if note.code == GREY)
    assert note.actions == ()
    assert "nature" in note.text


def make_originals(sha: list[str], phash: list[int], **more: list[object]) -> pa.Table:
    n = len(sha)
    columns: dict[str, list[object]] = {
        "file": [f"{i}.png" for i in range(n)], "part": ["train"] * n, "label": ["a"] * n,
        "width": [64] * n, "height": [64] * n, "brightness": [0.5] * n, "contrast": [0.2] * n,
        "sharpness": [900.0] * n, "mode": ["RGB"] * n, "row": list(range(n)),
    }  # fmt: skip
    table = pa.table({"sha256": sha, **columns, **more})
    return table.append_column("phash", pa.array(phash, pa.uint64()))


def test_pictures_left_out_and_without_measures_are_no_trouble() -> None:
    table = make_originals(
        ["a", "b", ""], [0, 2**64 - 1, 0], row=[1, 0, -1], part=["train", "test", ""]
    )
    assert list_flagged(table, "tiny").tolist() == []


def test_chains_of_look_alikes_are_told_and_not_tied() -> None:
    hashes = [(1 << (i % 60)) | (1 << ((i * 7) % 60)) for i in range(200)]
    table = make_originals([f"{i // 2}" for i in range(200)], hashes)
    notes = {note.code: note for note in build_picture_notes(table, FACTS)}
    assert "200 of 200 pictures look so much alike" in notes["look_alikes"].text
    assert "near_duplicate" not in notes
    assert notes["exact_duplicate"].text.startswith("100 pictures")


def test_flat_pictures_are_no_near_copies() -> None:
    table = make_originals(["a", "b"], [5, 5], contrast=[0.0, 0.001])
    assert [note.code for note in build_picture_notes(table, FACTS)] == ["few_pictures"]
    table = make_originals(["a", "b"], [5, 5], brightness=[0.2, 0.8])
    assert [note.code for note in build_picture_notes(table, FACTS)] == ["few_pictures"]
    table = make_originals(["a", "b"], [5, 5])
    assert "near_duplicate" in {note.code for note in build_picture_notes(table, FACTS)}


def test_an_unknown_finding_is_refused() -> None:
    with pytest.raises(SpecError, match="no finding 'ugly'"):
        list_flagged(make_originals(["a"], [0]), "ugly")
    assert set(EXCLUDED_WORDS) == set(DROPPABLE)
