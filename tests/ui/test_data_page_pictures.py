"""The Data page with pictures: facts, remarks, gallery, classes, sizes, roles, reading again, deleting."""

from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from app import imports, services
from automl.data.dataset import Role
from automl.jobs.records import JobState
from tests.ui.charts import assert_charts_complete
from tests.ui.datasets import get_query
from tests.ui.picture_zips import CLASSES, Plan, import_pictures, write_zip
from tests.ui.test_data_page import finish_import, open_data, read_text


def show(at: AppTest, view: str) -> AppTest:
    at.get_by_key("set_view").set_value(view).run()
    assert not at.exception, at.exception
    return at


def list_keys(at: AppTest) -> list[str]:
    return [str(button.key) for button in at.button]


def test_a_zip_is_taken_beside_tables_and_queued_once(tmp_path: Path) -> None:
    content = write_zip(tmp_path / "a.zip").read_bytes()
    at = open_data()
    at.file_uploader(key="upload").set_value(("a.zip", content, "application/zip")).run()
    assert not at.exception
    (job,) = services.list_jobs()
    assert (job.title, job.spec["source"]) == ("a.zip", "upload")
    assert Path(job.spec["path"]).read_bytes() == content


def test_a_table_may_not_use_the_larger_cap_of_a_zip(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FAIRLOOM_MAX_TABLE_BYTES", "1000")
    services.prepare_workspace()
    upload = services.save_upload(b"x" * 2_000)
    assert services.require_upload(upload, "a.zip").is_file()
    with pytest.raises(Exception, match=r"2\.0 kB; the limit for such a file"):
        services.require_upload(upload, "a.csv")
    assert not services.get_workspace().upload(upload).exists()


def test_the_list_counts_pictures_and_classes(tmp_path: Path) -> None:
    import_pictures(tmp_path)
    assert "75 pictures, 3 classes" in read_text(open_data())


def test_the_facts_and_the_suggested_task_stand_at_the_top(tmp_path: Path) -> None:
    dataset = import_pictures(tmp_path, Plan(n_test_per_class=10, has_flaws=True))
    at = open_data(dataset=dataset.id)
    text = read_text(at)
    for fact in (
        "109 pictures", "3 classes", "30 of them a given test part", "16 × 16 px in colour",
        "1 file left out",
    ):  # fmt: skip
        assert fact in text
    assert at.selectbox(key="target").value == "label"
    assert not at.button(key="continue").disabled
    assert "Nothing about people is guessed" in text
    assert not [job for job in services.list_jobs() if job.kind == "check"]


def test_sensitive_columns_are_grouped_by_where_they_come_from(tmp_path: Path) -> None:
    dataset = import_pictures(tmp_path, Plan(has_list=True))
    at = open_data(dataset=dataset.id)
    assert at.multiselect(key="sensitive").options == ["sex", "patient"]
    assert "brightness" in at.multiselect(key="sensitive_computed").options
    assert "width in pixels" not in at.multiselect(key="sensitive_computed").options
    at.multiselect(key="sensitive").select("sex").run()
    at.multiselect(key="sensitive_computed").select("picture_brightness").run()
    at.selectbox(key="group").select("patient").run()
    assert not at.exception
    setup = services.read_setup(dataset.id)
    assert setup.roles == {
        "sex": Role.SENSITIVE, "picture_brightness": Role.SENSITIVE, "patient": Role.GROUP,
    }  # fmt: skip
    at.multiselect(key="sensitive").unselect("sex").run()
    assert "picture_brightness" in services.read_setup(dataset.id).roles


def test_another_column_of_the_list_can_be_the_target_and_the_class_is_no_input_then(
    tmp_path: Path,
) -> None:
    dataset = import_pictures(tmp_path, Plan(has_list=True))
    at = open_data(dataset=dataset.id)
    at.selectbox(key="target").select("sex").run()
    assert not at.exception
    assert services.read_setup(dataset.id).roles["label"] is Role.IGNORED
    assert not at.button(key="continue").disabled
    at.selectbox(key="target").select("label").run()
    assert "label" not in services.read_setup(dataset.id).roles


@pytest.mark.parametrize(("action", "word"), [("drop", "left out of searches"), ("keep", "kept")])
def test_a_finding_is_answered_and_taken_back(tmp_path: Path, action: str, word: str) -> None:
    dataset = import_pictures(tmp_path, Plan(has_flaws=True))
    at = open_data(dataset=dataset.id)
    assert "2 need a look" in read_text(at)
    at.button(key=f"note_0_{action}").click().run()
    assert not at.exception
    text = read_text(at)
    assert word in text
    assert "1 needs a look" in text
    setup = services.read_setup(dataset.id)
    assert (setup.drop_pictures or setup.keep_pictures) == ("exact_duplicate",)
    undo = next(key for key in list_keys(at) if key.endswith("_undo"))
    at.button(key=undo).click().run()
    setup = services.read_setup(dataset.id)
    assert setup.drop_pictures == setup.keep_pictures == ()


def test_a_finding_opens_its_pictures_and_copies_stand_side_by_side(tmp_path: Path) -> None:
    dataset = import_pictures(tmp_path, Plan(has_flaws=True))
    at = open_data(dataset=dataset.id)
    show(at, "classes")
    at.button(key="note_0_look").click().run()
    assert not at.exception
    assert at.get_by_key("set_view").value == "pictures"
    assert "1 to 1 of 1 groups of copies" in read_text(at)
    at.selectbox(key="gallery_finding").select("dark").run()
    assert "1 to 1 of 1 pictures" in read_text(at)


def test_the_gallery_is_paged_and_filtered_and_the_address_keeps_it(tmp_path: Path) -> None:
    dataset = import_pictures(tmp_path, Plan(n_test_per_class=5))
    at = open_data(dataset=dataset.id)
    assert "1 to 60 of 90 pictures" in read_text(at)
    second = open_data(dataset=dataset.id, page="2")
    assert "61 to 90 of 90 pictures" in read_text(second)
    for odd in ("0", "99", "-1", "x", "²"):
        assert "of 90 pictures" in read_text(open_data(dataset=dataset.id, page=odd))
    at.selectbox(key="gallery_class").select("dog").run()
    at.selectbox(key="gallery_part").select("test").run()
    assert "1 to 5 of 5 pictures" in read_text(at)
    assert get_query(at, "class") == "dog"
    other = open_data(dataset=dataset.id, **{"class": "dog"})
    assert other.selectbox(key="gallery_class").value == "dog"
    assert "1 to 30 of 30 pictures" in read_text(other)
    foreign = open_data(dataset=dataset.id, **{"class": "no such class"})
    assert "of 90 pictures" in read_text(foreign)


def test_every_order_of_the_gallery_is_drawn(tmp_path: Path) -> None:
    at = open_data(dataset=import_pictures(tmp_path).id)
    for order in at.selectbox(key="gallery_order").options:
        at.selectbox(key="gallery_order").set_value(order).run()
        assert not at.exception
        assert "of 75 pictures" in read_text(at)


@pytest.mark.parametrize("is_grey", [False, True])
def test_every_view_is_drawn(tmp_path: Path, is_grey: bool) -> None:  # noqa: FBT001
    dataset = import_pictures(tmp_path, Plan(is_grey=is_grey, has_list=not is_grey))
    at = open_data(dataset=dataset.id)
    show(at, "classes")
    assert "3 classes with 25 pictures each" in read_text(at)
    assert assert_charts_complete(at) == 1
    show(at, "sizes")
    assert "All originals are 20 × 20 px" in read_text(at)
    show(at, "columns")
    show(at, "left_out")
    assert "Nothing was left out" in read_text(at)


def test_what_was_left_out_stands_with_its_reason(tmp_path: Path) -> None:
    dataset = import_pictures(tmp_path, Plan(has_flaws=True))
    at = show(open_data(dataset=dataset.id), "left_out")
    assert "damaged or cut off" in read_text(at)
    assert list(at.dataframe[0].value["file"]) == ["dog/broken.png"]


def test_a_name_pattern_is_shown_before_the_upload_is_read_again(tmp_path: Path) -> None:
    dataset = import_pictures(tmp_path)
    part = services.get_workspace().upload(services.save_upload(b"x"))
    job = imports.submit_import(part, "animals.zip")
    finish_import(job.id, JobState.SUCCEEDED, dataset.id)
    at = open_data(dataset=dataset.id)
    at.text_input(key="name_pattern").input("{sex}_{number}.png").run()
    assert "fits 75 of 75 names" in read_text(at)
    assert "sex: 2 different values" in read_text(at)
    at.text_input(key="name_pattern").input("{sex}{number}").run()
    assert "two fields touch" in read_text(at)
    assert at.button(key="read_again").disabled
    at.text_input(key="name_pattern").input("{sex}_*").run()
    at.button(key="read_again").click().run()
    again = services.read_job(get_query(at, "import"))
    assert again is not None
    assert (again.spec["name_pattern"], again.spec["path"]) == ("{sex}_*", str(part))


def test_an_upload_of_pictures_stays_so_that_it_can_be_read_again(tmp_path: Path) -> None:
    dataset = import_pictures(tmp_path)
    part = services.get_workspace().upload(services.save_upload(b"x"))
    job = imports.submit_import(part, "animals.zip")
    finish_import(job.id, JobState.SUCCEEDED, dataset.id)
    open_data(**{"import": job.id})
    assert part.exists()


def test_a_folder_of_the_server_is_offered_only_where_one_is_allowed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "read_folder" not in list_keys(open_data())
    inside, outside = tmp_path / "pictures", tmp_path / "private"
    for folder in (inside / "birds", outside):
        folder.mkdir(parents=True)
    (inside / "link").symlink_to(outside)
    monkeypatch.setenv("FAIRLOOM_IMAGE_FOLDERS", str(inside))
    assert imports.list_folders() == [inside, inside / "birds"]
    with pytest.raises(Exception, match="may not be read"):
        imports.submit_folder(outside, "t")
    at = open_data()
    at.selectbox(key="folder").set_value(str(inside / "birds")).run()
    at.button(key="read_folder").click().run()
    assert not at.exception
    (job,) = services.list_jobs()
    assert (job.spec["path"], job.spec["source"]) == (str(inside / "birds"), "folder")


def test_deleting_says_that_pictures_go(tmp_path: Path) -> None:
    at = open_data(dataset=import_pictures(tmp_path).id)
    at.button(key="delete").click().run()
    assert "75 pictures" in read_text(at)
    at.button(key="delete_confirm").click().run()
    assert not services.list_datasets()


def test_one_class_only_says_why_there_is_no_search(tmp_path: Path) -> None:
    at = open_data(dataset=import_pictures(tmp_path, Plan(classes=CLASSES[:1])).id)
    assert "one class" in read_text(at)
    assert at.button(key="continue").disabled
