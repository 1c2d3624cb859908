"""Lists beside pictures: which columns are taken and why, and how rows meet pictures."""

from collections.abc import Sequence

import pyarrow as pa
import pytest

from automl.data.images.layout import Picture
from automl.data.images.manifest_file import Manifest, join_manifest
from automl.data.images.members import Member
from automl.errors import DataError


def build(*paths: str) -> list[Picture]:
    return [
        Picture(
            member=Member(path=f"top/{path}", size_bytes=1, key=key),
            path=path,
            part="train",
            label=None,
        )
        for key, path in enumerate(paths)
    ]


def join(columns: dict[str, Sequence[object]], *paths: str, **known: bool) -> Manifest:
    flags = {"has_classes": False, "has_parts": False} | known
    return join_manifest(pa.table(columns), "labels.csv", build(*paths), **flags)


def codes(manifest: Manifest) -> list[str]:
    return [note.code for note in manifest.notes]


@pytest.mark.parametrize("column", ["file", "Filename", "path", "image", "image_id"])
@pytest.mark.parametrize("form", ["img/{}.png", "top/img/{}.png", "{}.png", "{}", "./img/{}.png", "img\\{}.png", "other/{}.PNG"])  # fmt: skip
def test_a_row_names_a_picture_in_many_ways(column: str, form: str) -> None:
    names = [form.format(name) for name in ("b", "a")]
    manifest = join({column: names, "label": ["x", "y"]}, "img/a.png", "img/b.png")
    assert manifest.rows == [1, 0]
    assert manifest.labels == ["y", "x"]
    assert "'label' names the class: its name says so" in manifest.notes[1].text


def test_a_name_that_several_pictures_have_fits_none() -> None:
    manifest = join(
        {"file": ["a.png", "y/a.png", "b.png"], "label": ["1", "2", "3"]},
        "x/a.png", "y/a.png", "b.png",
    )  # fmt: skip
    assert manifest.rows == [-1, 1, 2]
    assert codes(manifest) == [
        "manifest_column", "manifest_column", "manifest_joined", "manifest_unmatched",
    ]  # fmt: skip


def test_a_path_wins_over_a_name_that_looks_like_it() -> None:
    manifest = join({"file": ["a.png", "x/a.png"], "label": ["1", "2"]}, "a.png", "x/a.png")
    assert manifest.rows == [0, 1]


def test_a_file_of_another_folder_takes_no_picture_that_a_row_names() -> None:
    manifest = join({"file": ["gone/a.png", "x/a.png"], "label": ["dog", "cat"]}, "x/a.png")
    assert manifest.labels == ["cat"]
    assert codes(manifest)[-1] == "manifest_unmatched"
    torn = join({"file": ["y/a.png", "z/a.png", "b"], "label": list("123")}, "x/a.png", "b.png")
    assert torn.rows == [-1, 2]  # either could be meant


def test_a_folder_that_is_not_there_is_said() -> None:
    manifest = join({"file": ["/data/a.png", "b.png"], "label": ["1", "2"]}, "x/a.png", "x/b.png")
    assert manifest.rows == [0, 1]
    said = next(note.text for note in manifest.notes if note.code == "manifest_elsewhere")
    assert said.startswith("1 row names a folder that is not there, for example '/data/a.png'")


def test_names_that_differ_in_case_only_are_two_pictures() -> None:
    manifest = join({"file": ["a.png", "A.png"], "label": ["1", "2"]}, "A.png", "a.png")
    assert manifest.labels == ["2", "1"]


def test_any_column_whose_values_are_pictures_is_taken() -> None:
    manifest = join({"what": ["1", "2"], "label": ["x", "y"], "scan": ["a", "b"]}, "a.png", "b.png")
    assert "100% of its values are names of pictures" in manifest.notes[0].text
    assert manifest.extra.column_names == ["what"]


def test_whole_numbers_name_pictures() -> None:
    manifest = join({"image_id": [7, 8], "label": [1.0, 2.0]}, "8.png", "7.png")
    assert manifest.rows == [1, 0]
    assert manifest.labels == ["2", "1"]


def test_counts_are_those_of_the_design() -> None:
    names = [f"{n}.png" for n in range(100)]
    manifest = join({"file": names[:90], "label": ["x", "y"] * 45}, *names)
    joined = next(note for note in manifest.notes if note.code == "manifest_joined")
    assert joined.text == ("100 pictures, 90 rows in 'labels.csv': 90 joined, 10 without metadata.")
    assert joined.level == "warning"


def test_rows_twice_and_rows_without_a_picture_are_counted() -> None:
    manifest = join(
        {"file": ["a.png", "a.png", "gone.png", None], "label": ["1", "2", "3", "4"]}, "a.png"
    )
    assert manifest.rows == [0]
    texts = {note.code: note.text for note in manifest.notes}
    assert texts["manifest_unmatched"].startswith("2 of 4 rows")
    assert texts["manifest_repeated"].startswith("1 row names a picture that an earlier row")


def test_the_part_column_is_recognised_by_its_values() -> None:
    columns = {"file": ["a", "b", "c"], "label": list("xyx"), "split": ["train", "Valid", "test"]}
    manifest = join(columns, "a.png", "b.png", "c.png")
    assert manifest.parts == ["train", "val", "test"]
    other = join({**columns, "split": ["1", "2", "3"]}, "a.png", "b.png", "c.png")
    assert other.parts is None
    assert other.extra.column_names == ["split"]


def test_folders_decide_where_there_are_any() -> None:
    columns = {"file": ["a", "b"], "label": ["x", "y"], "split": ["test", "test"], "age": [1, 2]}
    manifest = join(columns, "a.png", "b.png", has_classes=True, has_parts=True)
    assert manifest.labels is None
    assert manifest.parts is None
    assert manifest.extra.column_names == ["label", "split", "age"]


def test_the_only_other_column_is_the_class() -> None:
    manifest = join({"file": ["a", "b"], "breed": ["x", "y"]}, "a.png", "b.png")
    assert manifest.labels == ["x", "y"]
    assert "it is the only other column" in manifest.notes[1].text


@pytest.mark.parametrize(
    ("columns", "words"),
    [
        ({"file": ["x.png", "y.png"], "label": ["1", "2"]}, "None of the files named in 'file'"),
        ({"name": ["x", "y"], "label": ["1", "2"]}, "No column of 'labels.csv' names the pictures"),
        ({"file": ["a", "b"], "age": [1, 2], "sex": ["f", "m"]}, "is called 'label'"),
        ({"file": ["a", "b"]}, "no other column"),
    ],
)
def test_a_list_that_does_not_help_is_refused(columns: dict, words: str) -> None:
    with pytest.raises(DataError, match=words) as caught:
        join(columns, "a.png", "b.png")
    assert caught.value.hint
