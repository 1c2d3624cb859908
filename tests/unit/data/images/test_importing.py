"""From an upload of pictures to a data set: rows, parts, columns, notes, and nothing left behind."""

import io
import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from PIL import Image

from automl.data.dataset import Dataset, Kind, Role
from automl.data.images.store import encode_thumbnail, load_images, load_originals
from automl.data.importing import ImportRequest
from automl.data.intake import import_file
from automl.data.profile import load_profile
from automl.data.setup import Setup, build_columns, infer_task
from automl.data.store import list_datasets, load_frame
from automl.data.task import TaskType
from automl.errors import DataError, SpecError
from automl.settings import Settings
from tests.pictures import make_classes, make_picture, write_zip

Import = Callable[..., Dataset]


def codes(dataset: Dataset) -> set[str]:
    return {note.code for note in dataset.notes}


def text(dataset: Dataset, code: str) -> str:
    return next(note.text for note in dataset.notes if note.code == code)


def test_class_folders_become_rows_of_an_array(import_members: Import, settings: Settings) -> None:
    members = make_classes()
    dataset = import_members(members)
    assert (dataset.n_rows, dataset.n_test_rows, dataset.n_val_rows) == (6, 0, 0)
    assert dataset.images is not None
    assert (dataset.images.side, dataset.images.channels) == (32, 3)
    frame = load_frame(settings.workspace, dataset.id)
    assert list(frame["file"]) == list(members)
    assert list(frame["label"]) == ["cat"] * 3 + ["dog"] * 3
    pixels = load_images(settings.workspace, dataset.id)
    assert pixels.shape == (6, 32, 32, 3)
    assert not pixels.flags.writeable
    for row, content in enumerate(members.values()):
        image = np.asarray(Image.open(io.BytesIO(content)))
        np.testing.assert_array_equal(pixels[row], image[:, 4:36])  # 40 × 32: the middle
    originals = load_originals(settings.workspace, dataset.id)
    assert originals.column("row").to_pylist() == list(range(6))
    assert originals.column("width").to_pylist() == [40] * 6


def test_columns_say_what_they_are_for(import_members: Import) -> None:
    dataset = import_members(make_classes())
    kinds = {column.name: (column.kind, column.suggested_role) for column in dataset.columns}
    assert kinds["file"] == (Kind.IMAGE, Role.FEATURE)
    assert kinds["label"] == (Kind.CATEGORICAL, Role.TARGET)
    assert kinds["picture_brightness"] == (Kind.NUMERIC, Role.IGNORED)
    assert [column.name for column in dataset.columns[2:]] == [
        f"picture_{name}"
        for name in (
            "brightness", "contrast", "sharpness", "saturation", "width", "height", "aspect",
            "bytes", "format", "mode",
        )
    ]  # fmt: skip


def test_parts_come_in_their_order(import_members: Import, settings: Settings) -> None:
    members = {
        **make_classes(2, "test/"), **make_classes(3, "train/", first_seed=10),
        **make_classes(1, "valid/", first_seed=20),
    }  # fmt: skip
    dataset = import_members(members)
    assert (dataset.n_rows, dataset.n_test_rows, dataset.n_val_rows) == (12, 4, 2)
    assert dataset.n_train_rows == 8
    parts = load_originals(settings.workspace, dataset.id).column("part").to_pylist()
    assert parts == ["train"] * 6 + ["val"] * 2 + ["test"] * 4


def test_a_list_gives_classes_parts_and_attributes(
    import_members: Import, settings: Settings
) -> None:
    pictures = {f"scans/{n}.png": make_picture(n) for n in range(100)}
    rows = "\n".join(f"{n}.png,{'ab'[n % 2]},{20 + n % 50},{'fm'[n % 3 > 0]},{'test' if n > 79 else 'train'}" for n in range(90))  # fmt: skip
    dataset = import_members({**pictures, "list.csv": f"file,label,age,sex,split\n{rows}".encode()})
    assert (dataset.n_rows, dataset.n_test_rows) == (90, 10)
    assert "90 joined, 10 without metadata" in text(dataset, "manifest_joined")
    assert "10 × the list gives no class" in text(dataset, "stray_files")
    age, sex = dataset.column("age"), dataset.column("sex")
    assert age is not None
    assert sex is not None
    assert (age.kind, age.suggested_role) == (Kind.NUMERIC, Role.IGNORED)
    assert "for groups and the audit" in sex.role_reason
    frame = load_frame(settings.workspace, dataset.id)
    numbers = frame["file"].str.extract(r"(\d+)\.png")[0].astype(int)
    assert (frame["age"] == 20 + numbers % 50).all()
    assert (frame["label"] == numbers.map(lambda n: "ab"[n % 2])).all()


def test_a_list_adds_attributes_to_class_folders(
    import_members: Import, settings: Settings
) -> None:
    rows = "path,label,sex\ncat/0.png,1,f\ndog/2.png,2,m\n"
    dataset = import_members({**make_classes(), "meta.csv": rows.encode()})
    frame = load_frame(settings.workspace, dataset.id)
    assert frame["sex"].fillna("-").tolist() == ["f", "-", "-", "-", "-", "m"]
    assert set(frame["label"]) == {"cat", "dog"}
    assert dataset.column("list_label") is not None


@pytest.mark.parametrize(
    "content", [b"", b"a\0b", b"file,x\ngone.png,1\nlost.png,2\n", b"x,y\n1,2\n"]
)
def test_a_useless_list_beside_classes_is_noted(content: bytes, import_members: Import) -> None:
    dataset = import_members({**make_classes(), "cat/results.csv": content})
    assert dataset.n_rows == 6
    assert "The list 'cat/results.csv' was not used" in text(dataset, "list_unused")
    assert dataset.images is not None
    assert dataset.images.n_left_out == 1


def test_a_parquet_list_is_read(import_members: Import, tmp_path: Path) -> None:
    import pyarrow as pa

    buffer = io.BytesIO()
    pq.write_table(pa.table({"image": ["0.png", "1.png"], "target": [0, 1]}), buffer)
    members = {"0.png": make_picture(0), "1.png": make_picture(1)}
    dataset = import_members({**members, "list.parquet": buffer.getvalue()})
    assert dataset.n_rows == 2


def test_attributes_from_the_names_of_files(import_members: Import, settings: Settings) -> None:
    members = {
        f"{label}/{20 + n}_{'fm'[n % 2]}_x{n}.png": make_picture(n)
        for n, label in enumerate(["cat", "dog"] * 3)
    }
    members["cat/odd.png"] = make_picture(9)
    dataset = import_members(members, name_pattern="{age}_{sex}_*.png")
    assert "'age', 'sex' was read from the names of 6 of 7 pictures" in text(
        dataset, "name_pattern"
    )
    frame = load_frame(settings.workspace, dataset.id)
    assert frame["age"].dropna().tolist() == [20, 22, 24, 21, 23, 25]
    with pytest.raises(SpecError, match="two fields touch"):
        import_members(members, name_pattern="{age}{sex}")


def test_damaged_pictures_are_left_out_counted_and_named(
    import_members: Import, settings: Settings
) -> None:
    members = make_classes()
    jpeg = make_picture(3, (300, 300), image_format="JPEG")
    members |= {"cat/torn.jpg": jpeg[:900], "dog/empty.png": b"", "dog/text.png": b"hello"}
    dataset = import_members(members)
    assert dataset.n_rows == 6
    assert dataset.images is not None
    assert dataset.images.n_left_out == 3
    said = text(dataset, "damaged_pictures")
    assert said.startswith("3 of 9 pictures could not be read and were left out: 'cat/torn.jpg'")
    originals = load_originals(settings.workspace, dataset.id).to_pylist()
    out = {row["file"]: row["reason"] for row in originals if row["row"] < 0}
    assert set(out) == {"cat/torn.jpg", "dog/empty.png", "dog/text.png"}
    assert "damaged or cut off" in out["cat/torn.jpg"]


def test_every_oddity_has_a_note(import_members: Import, settings: Settings) -> None:
    members = make_classes()
    exif = Image.Exif()
    exif[0x0112] = 6
    members |= {
        "cat/name.jpg": make_picture(20),
        "cat/cmyk.jpg": make_picture(21, mode="CMYK", image_format="JPEG"),
        "cat/grey.png": make_picture(22, mode="L"),
        "cat/turned.jpg": make_picture(23, image_format="JPEG", exif=exif),
        "cat/clear.png": make_picture(24, mode="RGBA"),
        "dog/palette.png": make_picture(25, mode="P"),
        "dog/deep.png": make_picture(26, mode="I;16"),
        ".DS_Store": b"x", "readme.txt": b"x",
    }  # fmt: skip
    dataset = import_members(members)
    assert codes(dataset) == {
        "side", "stray_files", "wrong_extension", "cmyk", "grey_among_colour", "rotated",
        "transparent", "palette", "sixteen_bit",
    }  # fmt: skip
    assert text(dataset, "wrong_extension").startswith(
        "1 picture has another format than the name says, for example cat/name.jpg is PNG"
    )
    assert dataset.n_rows == 13
    assert set(load_frame(settings.workspace, dataset.id)["label"]) == {"cat", "dog"}


def test_only_grey_pictures_have_one_channel(import_members: Import, settings: Settings) -> None:
    members = {f"{c}/{n}.png": make_picture(n, mode="L") for c in "ab" for n in range(3)}
    dataset = import_members(members)
    assert dataset.images is not None
    assert dataset.images.channels == 1
    assert load_images(settings.workspace, dataset.id).shape == (6, 32, 32, 1)


def test_colour_that_the_sample_missed_is_kept(
    import_members: Import, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("automl.data.images.reading.MAX_HEADERS", 4)
    members = {f"{c}/{n}.png": make_picture(n, mode="L") for c in "ab" for n in range(6)}
    members["a/1.png"] = make_picture(50)
    dataset = import_members(members)
    assert load_images(settings.workspace, dataset.id).shape == (12, 32, 32, 3)
    assert "11 pictures have grey values only" in text(dataset, "grey_among_colour")


def test_the_same_pictures_are_one_data_set(import_members: Import, settings: Settings) -> None:
    members = make_classes()
    first = import_members(members)
    again = import_members(dict(reversed(members.items())), name="other.zip")
    assert again.id == first.id
    other = import_members({**members, "cat/0.png": make_picture(99)})
    smaller = import_members(members, side=28)
    assert len({first.id, other.id, smaller.id}) == 3
    assert len(list_datasets(settings.workspace)) == 3


def test_the_same_pictures_with_losses_beside_them_are_another_data_set(
    import_members: Import,
) -> None:
    members = make_classes()
    sound = import_members(members)
    lossy = import_members({**members, "cat/9.png": b"no picture", "notes.txt": b"x"})
    assert [d.images and d.images.n_left_out for d in (sound, lossy)] == [0, 2]
    assert "1 of 7 pictures could not be read" in text(lossy, "damaged_pictures")
    rows = "file,age\ncat/0.png,31\n"
    joined = import_members({**members, "list.csv": rows.encode()})
    torn = import_members({**members, "list.csv": f"{rows}cat/8.png,40\n".encode()})
    assert torn.id != joined.id
    assert "1 of 2 rows" in text(torn, "manifest_unmatched")


@pytest.mark.parametrize(
    ("members", "words"),
    [
        ({}, "holds no pictures"),
        ({"readme.txt": b"x"}, "holds no pictures"),
        ({"a.png": make_picture()}, "no picture lies in a folder of its class"),
        ({"cat/a.png": b"x", "dog/b.png": b"y"}, "None of the 2 pictures"),
        ({"test/cat/a.png": make_picture()}, "none to train on"),
        (
            {"train/cat/a.png": b"x", "test/cat/a.png": make_picture()},
            "None of the training pictures",
        ),
        (
            {"a.png": make_picture(), "l.csv": b"file,label\nb.png,1\nc.png,2\n"},
            "None of the files",
        ),
        (
            {"a.png": make_picture(), "l.csv": b"file,label\na.png,1\n", "m.csv": b"x"},
            "holds 2 lists",
        ),
        ({"a.png": make_picture(), "l.csv": b""}, "is empty"),
        ({"cat/a.png": make_picture(), "../b.png": b""}, "leaves its folder"),
    ],
)
def test_what_cannot_be_used_is_refused_in_words(
    members: dict[str, bytes], words: str, import_members: Import, settings: Settings
) -> None:
    with pytest.raises(DataError, match=words) as caught:
        import_members(members)
    assert caught.value.hint
    assert not list_datasets(settings.workspace)


def test_one_class_is_said_when_it_is_the_target(
    import_members: Import, settings: Settings
) -> None:
    dataset = import_members(make_classes(classes=("cat",)))
    with pytest.raises(DataError, match="one class only"):
        infer_task(dataset, load_profile(settings.workspace, dataset.id), Setup(target="label"))


def test_a_test_file_beside_a_zip_is_refused(tmp_path: Path, settings: Settings) -> None:
    path = write_zip(tmp_path / "x.zip", make_classes())
    request = ImportRequest(path=str(path), name="x.zip", test_path=str(path), test_name="t.zip")
    with pytest.raises(DataError, match="cannot be its test file"):
        import_file(request, settings.workspace, settings)


def test_a_table_still_is_a_table(tmp_path: Path, settings: Settings) -> None:
    path = tmp_path / "t.csv"
    path.write_text("a,b\n" + "1,2\n3,4\n" * 10)
    dataset = import_file(ImportRequest(path=str(path), name="t.csv"), settings.workspace, settings)
    assert dataset.images is None
    with pytest.raises(DataError, match="is a table"):
        import_file(
            ImportRequest(path=str(path), name="t.csv", side=32), settings.workspace, settings
        )


def write_folder(root: Path) -> Path:
    for name, content in make_classes().items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(content)
    return root


def test_a_folder_gives_the_same_as_its_zip(
    tmp_path: Path, import_members: Import, settings: Settings
) -> None:
    folder = write_folder(tmp_path / "pictures")
    request = ImportRequest(path=str(folder), name="pictures", source="shell")
    assert (
        import_file(request, settings.workspace, settings).id == import_members(make_classes()).id
    )


def test_only_allowed_folders_are_read_for_the_page(tmp_path: Path) -> None:
    folder = write_folder(tmp_path / "allowed" / "set")
    settings = Settings(home=tmp_path / "home", min_free_bytes=0, image_folders=str(folder.parent))
    request = ImportRequest(path=str(folder), name="set")
    assert import_file(request, settings.workspace, settings).n_rows == 6
    other = write_folder(tmp_path / "other")
    (tmp_path / "allowed" / "link").symlink_to(other)
    for path in (other, tmp_path / "allowed" / "link", folder / ".." / ".." / "other"):
        with pytest.raises(DataError, match="may not be read"):
            import_file(ImportRequest(path=str(path), name="o"), settings.workspace, settings)


def test_links_and_devices_in_a_folder_are_not_followed(tmp_path: Path, settings: Settings) -> None:
    folder = write_folder(tmp_path / "pictures")
    canary = tmp_path / "canary.png"
    canary.write_bytes(make_picture(77))
    (folder / "cat" / "link.png").symlink_to(canary)
    (folder / "more").symlink_to(write_folder(tmp_path / "elsewhere"))
    os.mkfifo(folder / "dog" / "pipe.png")
    request = ImportRequest(path=str(folder), name="pictures", source="shell")
    dataset = import_file(request, settings.workspace, settings)
    assert dataset.n_rows == 6
    assert dataset.images is not None
    assert dataset.images.n_left_out == 3
    assert "2 × a link, which is not followed" in text(dataset, "stray_files")


def test_a_thumbnail_is_a_picture() -> None:
    for shape in ((8, 8, 1), (288, 288, 3)):
        pixels = np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)
        image = Image.open(io.BytesIO(encode_thumbnail(pixels, side=96)))
        assert image.size == (96, 96)
        assert image.mode == ("L" if shape[2] == 1 else "RGB")


@pytest.fixture
def numbered(import_members: Import) -> Dataset:
    """Thirty classes called 0 to 29, and two numbers per picture."""
    members = {f"{n % 30}_{n}.png": make_picture(n) for n in range(60)}
    rows = "".join(f"{n % 30}_{n}.png,{n % 30},{n * 1.5},{n % 3}\n" for n in range(60))
    return import_members({**members, "l.csv": f"file,label,weight,site\n{rows}".encode()})


def test_the_task_of_pictures_is_classes(numbered: Dataset, settings: Settings) -> None:
    profile = load_profile(settings.workspace, numbered.id)
    task = infer_task(numbered, profile, Setup(target="label"))
    assert task.type is TaskType.MULTICLASS
    assert task.classes == tuple(map(str, range(30)))
    assert infer_task(numbered, profile, Setup(target="site")).type is TaskType.MULTICLASS
    for setup in (
        Setup(target="weight"),
        Setup(target="label", task_type=TaskType.REGRESSION),
        Setup(target="picture_bytes"),
        Setup(target="file"),
    ):
        with pytest.raises(SpecError) as caught:
            infer_task(numbered, profile, setup)
        assert caught.value.hint


def test_only_the_pictures_are_read(numbered: Dataset) -> None:
    uses = {
        use.name: use.role
        for use in build_columns(numbered, Setup(target="label", roles={"site": Role.SENSITIVE}))
    }
    assert uses["file"] is Role.FEATURE
    assert uses["label"] is Role.TARGET
    assert uses["weight"] is Role.IGNORED
    for setup in (
        Setup(target="label", roles={"weight": Role.FEATURE}),
        Setup(target="label", roles={"site": Role.SENSITIVE}, inputs=("site",)),
        Setup(target="label", roles={"file": Role.IGNORED}),
    ):
        with pytest.raises(SpecError) as caught:
            build_columns(numbered, setup)
        assert caught.value.hint
    other = {use.name: use.role for use in build_columns(numbered, Setup(target="site"))}
    assert other["label"] is Role.IGNORED
