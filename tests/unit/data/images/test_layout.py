"""What paths say: classes, parts, the folder around everything, and what is no picture."""

import pytest

from automl.data.images.layout import Layout, build_layout, build_stray_note
from automl.data.images.members import Member


def lay_out(*paths: str) -> Layout:
    return build_layout(tuple(Member(path=p, size_bytes=1, key=k) for k, p in enumerate(paths)))


def describe(layout: Layout) -> list[tuple[str, str, str | None]]:
    return [(picture.path, picture.part, picture.label) for picture in layout.pictures]


def test_one_folder_per_class() -> None:
    layout = lay_out("dog/2.png", "cat/1.JPG", "cat/0.webp")
    assert describe(layout) == [
        ("cat/0.webp", "train", "cat"),
        ("cat/1.JPG", "train", "cat"),
        ("dog/2.png", "train", "dog"),
    ]
    assert layout.has_classes
    assert not layout.has_parts


@pytest.mark.parametrize("name", ["val", "valid", "validation", "Valid"])
@pytest.mark.parametrize("top", ["", "data/", "a/b/"])
def test_parts_above_the_classes(name: str, top: str) -> None:
    layout = lay_out(f"{top}train/cat/1.png", f"{top}{name}/cat/2.png", f"{top}test/dog/3.png")
    assert [(part, label) for _, part, label in describe(layout)] == [
        (part, label)
        for _, part, label in sorted(
            [("train", "train", "cat"), (name, "val", "cat"), ("test", "test", "dog")]
        )
    ]
    assert layout.has_parts


def test_a_folder_around_everything_is_no_class() -> None:
    layout = lay_out("set/cat/1.png", "set/dog/2.png")
    assert describe(layout) == [("cat/1.png", "train", "cat"), ("dog/2.png", "train", "dog")]


def test_a_lone_class_keeps_its_name() -> None:
    assert describe(lay_out("cat/1.png", "cat/2.png"))[0] == ("cat/1.png", "train", "cat")
    assert describe(lay_out("set/cat/1.png", "set/cat/2.png"))[0][2] == "cat"


def test_deeper_folders_belong_to_the_class() -> None:
    layout = lay_out("cat/long/1.png", "cat/2.png", "dog/short/3.png")
    assert [label for _, _, label in describe(layout)] == ["cat", "cat", "dog"]


def test_a_part_name_beside_classes_is_a_class_and_that_is_said() -> None:
    layout = lay_out("test/1.png", "cat/2.png")
    assert {label for _, _, label in describe(layout)} == {"test", "cat"}
    assert [note.code for note in layout.notes] == ["part_as_class"]


def test_other_folders_beside_parts_are_set_aside() -> None:
    layout = lay_out("train/cat/1.png", "test/cat/2.png", "extra/3.png", "4.png")
    assert len(layout.pictures) == 2
    assert {item.path for item in layout.left_out} == {"extra/3.png", "4.png"}


def test_pictures_beside_a_list_wait_for_it() -> None:
    layout = lay_out("set/1.png", "set/2.png", "set/labels.csv")
    assert [picture.label for picture in layout.pictures] == [None, None]
    flat = lay_out("1.png", "2.png", "labels.csv")
    assert [picture.label for picture in flat.pictures] == [None, None]
    assert [member.path for member in flat.tables] == ["labels.csv"]
    assert not flat.has_classes


def test_strays_are_never_a_class() -> None:
    layout = lay_out(
        "cat/1.png", "dog/2.png", "__MACOSX/cat/._1.png", "cat/.DS_Store", "Thumbs.db",
        "notes/readme.txt", "cat/3.gif", "LICENSE", ".hidden/4.png",
    )  # fmt: skip
    assert {picture.label for picture in layout.pictures} == {"cat", "dog"}
    assert len(layout.left_out) == 7
    (note,) = build_stray_note(layout.left_out)
    assert note.text.startswith("7 files were set aside: 4 × a file of the operating system")
    assert ".gif" in note.text
    assert note.level == "warning"  # a GIF is a picture that is missing now


def test_a_readme_is_only_a_remark() -> None:
    layout = lay_out("cat/1.png", "dog/2.png", "readme.md", ".DS_Store")
    (note,) = build_stray_note(layout.left_out)
    assert note.level == "info"


def test_marks_that_hide_text_are_taken_out_of_names() -> None:
    layout = lay_out("c\u202eat/1.png", "dog\x07/2.png")
    assert {picture.label for picture in layout.pictures} == {"cat", "dog"}
