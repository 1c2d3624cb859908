"""The Data page: empty, importing, one data set with every choice, deleting."""

from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from app import imports, services
from automl.data.dataset import Dataset, Role
from automl.data.importing import ImportRequest, import_table
from automl.data.task import TaskType
from automl.jobs.records import JobKind, JobState, Outcome, StopMode
from tests.ui.charts import assert_charts_complete
from tests.ui.datasets import build_people, get_query, import_people
from tests.ui.searches import read_text


def open_data(**query: str) -> AppTest:
    at = AppTest.from_file("../../app/main.py", default_timeout=30)
    for name, value in query.items():
        at.query_params[name] = value
    at.run()
    assert not at.exception, at.exception
    return at


@pytest.fixture
def people(tmp_path: Path) -> Dataset:
    return import_people(tmp_path)


def test_the_start_offers_an_upload_and_the_samples() -> None:
    at = open_data()
    assert at.title[0].value == "Data"
    assert at.file_uploader(key="upload")
    for name in ("loans", "wine", "breast_cancer", "diabetes", "digits"):
        assert at.button(key=f"sample_{name}")
    assert "No data set yet" in read_text(at)


def test_an_uploaded_file_is_kept_at_once_and_queued_once() -> None:
    at = open_data()
    at.file_uploader(key="upload").set_value(("people.csv", b"a,b\n1,2\n", "text/csv"))
    at.run()
    assert not at.exception
    (job,) = services.list_jobs()
    assert job.kind is JobKind.IMPORT
    assert get_query(at, "import") == job.id
    assert Path(job.spec["path"]).read_bytes() == b"a,b\n1,2\n"
    assert "Waiting for a worker" in at.get("progress")[0].proto.text
    assert "No worker is running" in read_text(at)
    at.run()
    assert len(services.list_jobs()) == 1


def test_with_a_test_file_the_import_waits_for_both() -> None:
    at = open_data()
    at.toggle(key="own_test").set_value(True).run()
    at.file_uploader(key="upload").set_value(("a.csv", b"a,b\n1,2\n", "text/csv")).run()
    assert not services.list_jobs()
    at.file_uploader(key="upload_test").set_value(("b.csv", b"a,b\n3,4\n", "text/csv")).run()
    (job,) = services.list_jobs()
    assert job.spec["test_name"] == "b.csv"
    assert Path(job.spec["test_path"]).read_bytes() == b"a,b\n3,4\n"


def test_a_sample_is_one_click() -> None:
    at = open_data()
    at.button(key="sample_loans").click().run()
    (job,) = services.list_jobs()
    assert job.spec["source"] == "sample:loans"
    assert get_query(at, "import") == job.id


def finish_import(
    job_id: str, state: JobState, dataset: str = "", outcome: Outcome | None = None
) -> None:
    store = services.get_store()
    lease = store.claim_submitted(job_id, "test")
    assert lease is not None
    store.finish_job(lease, state, {"dataset": dataset} if dataset else {}, outcome)


def test_a_finished_import_opens_its_data_set_and_keeps_what_was_guessed_about(
    people: Dataset,
) -> None:
    part = services.get_workspace().upload(services.save_upload(b"x"))
    job = imports.submit_import(part, "people.csv")
    finish_import(job.id, JobState.SUCCEEDED, people.id)
    at = open_data(**{"import": job.id})
    assert get_query(at, "dataset") == people.id
    assert "import" not in at.query_params
    assert part.exists()


def test_an_upload_without_a_guess_is_cleared_away(tmp_path: Path) -> None:
    services.prepare_workspace()
    path = tmp_path / "people.parquet"
    build_people().to_parquet(path)
    settings = services.get_settings()
    dataset = import_table(
        ImportRequest(path=str(path), name="people.parquet"), settings.workspace, settings
    )
    part = services.get_workspace().upload(services.save_upload(b"x"))
    job = imports.submit_import(part, "people.parquet")
    finish_import(job.id, JobState.SUCCEEDED, dataset.id)
    open_data(**{"import": job.id})
    assert not part.exists()


def test_a_failed_import_says_what_and_what_to_do() -> None:
    job = imports.submit_import(Path("x.part"), "junk_*.csv")
    outcome = Outcome(kind="DataError", message="Row 3 has 5 cells, not 4.", hint="Mend row 3.")
    finish_import(job.id, JobState.FAILED, outcome=outcome)
    at = open_data(**{"import": job.id})
    assert "Row 3 has 5 cells" in at.error[0].value
    assert "Mend row 3" in at.error[0].value
    at.button(key="import_back").click().run()
    assert at.title[0].value == "Data"


def test_an_import_that_is_gone_leads_back_to_the_list(people: Dataset) -> None:
    at = open_data(**{"import": "no-such-import"})
    assert at.title[0].value == "Data"
    assert "not here any more" in at.error[0].value
    assert "import" not in at.query_params


def test_leaving_an_import_gives_it_up() -> None:
    job = imports.submit_import(Path("x.part"), "x.csv")
    at = open_data(**{"import": job.id})
    at.button(key="cancel_import").click().run()
    assert services.read_job(job.id).state is JobState.STOPPED  # type: ignore[union-attr]
    assert at.title[0].value == "Data"


def test_a_file_name_never_becomes_markdown(people: Dataset) -> None:
    at = open_data(dataset=people.id)
    assert at.title[0].value.startswith(r"people \*of\* \_\_note\_\_")


def test_a_column_of_weights_is_offered_as_one_and_can_be_chosen(tmp_path: Path) -> None:
    frame = build_people().assign(final_wt=[1 + row % 7 for row in range(120)])
    dataset = import_people(tmp_path, frame)
    at = open_data(dataset=dataset.id)
    assert "looks like a weight" in read_text(at)
    at.button(key="note_0_weight").click().run()
    assert not at.exception
    assert services.read_setup(dataset.id).roles == {"final_wt": Role.WEIGHT}
    at.selectbox(key="target").select("income").run()
    assert at.selectbox(key="weight").value == "final_wt"
    at.selectbox(key="weight").select("height").run()
    assert services.read_setup(dataset.id).roles == {"height": Role.WEIGHT}


def test_rows_can_be_ordered_by_time(tmp_path: Path) -> None:
    days = [f"2020-{1 + row // 28:02d}-{1 + row % 28:02d}" for row in range(120)]
    dataset = import_people(tmp_path, build_people().assign(day=days))
    at = open_data(dataset=dataset.id)
    at.selectbox(key="target").select("income").run()
    assert at.selectbox(key="time").options == [
        "Rows are divided by chance",
        "age",
        "height",
        "day",
    ]
    at.selectbox(key="time").select("day").run()
    assert not at.exception
    assert services.read_setup(dataset.id).roles == {"day": Role.TIME}


def test_choices_are_kept_at_once_and_survive_a_new_tab(people: Dataset) -> None:
    at = open_data(dataset=people.id)
    assert at.button(key="continue").disabled
    at.selectbox(key="target").select("income").run()
    at.multiselect(key="sensitive").select("sex").run()
    at.selectbox(key="beneficial").select(">50K").run()
    assert not at.exception
    assert not at.button(key="continue").disabled
    other = open_data(dataset=people.id)
    assert other.selectbox(key="target").value == "income"
    assert other.multiselect(key="sensitive").value == ["sex"]
    assert other.selectbox(key="beneficial").value == ">50K"
    setup = services.read_setup(people.id)
    assert setup.roles == {"sex": Role.SENSITIVE}
    assert setup.beneficial == ">50K"


def test_the_task_is_inferred_with_a_reason_and_can_be_overridden(people: Dataset) -> None:
    at = open_data(dataset=people.id)
    at.selectbox(key="target").select("town").run()
    assert "Multiclass" in read_text(at)
    assert services.read_setup(people.id).task_type is None
    at.selectbox(key="target").select("sex").run()
    assert "Binary: two values" in read_text(at)
    at.get_by_key("task_type").set_value(TaskType.MULTICLASS).run()
    assert services.read_setup(people.id).task_type is TaskType.MULTICLASS
    assert "chosen by you" in read_text(at)


def test_an_unusable_target_says_why(tmp_path: Path) -> None:
    frame = build_people().assign(same="x")
    people = import_people(tmp_path, frame)
    at = open_data(dataset=people.id)
    at.selectbox(key="target").select("same").run()
    assert "one class" in at.error[0].value
    assert at.button(key="continue").disabled


def test_choosing_a_target_asks_for_one_leak_check_however_often_it_is_drawn(
    people: Dataset,
) -> None:
    at = open_data(dataset=people.id)
    at.selectbox(key="target").select("income").run()
    for _ in range(3):
        at.run()
    at.multiselect(key="sensitive").select("sex").run()
    checks = [job for job in services.list_jobs() if job.kind is JobKind.CHECK]
    assert len(checks) == 1
    lease = services.get_store().claim_submitted(checks[0].id, "test")
    assert lease is not None
    note = {
        "code": "leak", "text": "'age' gives the target away.", "column": "age",
        "level": "warning", "actions": ["ignore", "keep"],
    }  # fmt: skip
    services.get_store().finish_job(lease, JobState.SUCCEEDED, {"notes": [note]}, None)
    at.run()
    assert "gives the target away" in read_text(at)
    at.button(key="note_0_ignore").click().run()
    assert services.read_setup(people.id).roles["age"] is Role.IGNORED


@pytest.mark.parametrize("view", ["views", "related"])
def test_pictures_are_drawn(people: Dataset, view: str) -> None:
    at = open_data(dataset=people.id)
    at.selectbox(key="target").select("income").run()
    at.get_by_key("set_view").set_value(view).run()
    assert not at.exception
    assert assert_charts_complete(at) == 1
    if view == "views":
        for name in ("age", "town", "height"):
            at.selectbox(key="view_column").select(name).run()
            assert not at.exception
            assert assert_charts_complete(at) == 1


def test_a_data_set_that_is_gone_leads_back_to_the_list(people: Dataset) -> None:
    services.delete_dataset(people.id)
    at = open_data(dataset=people.id)
    assert at.title[0].value == "Data"
    assert "not here any more" in read_text(at)


def test_deleting_asks_first_and_the_second_tab_hears_that_it_is_gone(people: Dataset) -> None:
    first, second = open_data(dataset=people.id), open_data(dataset=people.id)
    for at in (first, second):
        at.button(key="delete").click().run()
        assert services.list_datasets()
    first.button(key="delete_confirm").click().run()
    assert not services.list_datasets()
    second.button(key="delete_confirm").click().run()
    assert not second.exception
    assert "already deleted" in read_text(second)


def test_a_data_set_that_a_search_reads_is_not_deleted(people: Dataset) -> None:
    from tests.ui.searches import submit

    job = submit(people)
    at = open_data(dataset=people.id)
    at.button(key="delete").click().run()
    assert "delete_confirm" not in [button.key for button in at.button]
    assert services.list_datasets()
    assert "still reads" in read_text(at)
    services.get_store().request_stop(job.id, StopMode.DISCARD)


def fail(job_id: str, kind: str) -> None:
    outcome = Outcome(kind=kind, message="It is not UTF-8.", hint="Choose its encoding.")
    finish_import(job_id, JobState.FAILED, outcome=outcome)


def test_a_file_that_is_unclear_is_read_again_without_another_upload() -> None:
    part = services.get_workspace().upload(services.save_upload("a,b\nö,1\n".encode("cp1252")))
    job = imports.submit_import(part, "old.csv")
    fail(job.id, "UnclearFile")
    at = open_data(**{"import": job.id})
    at.selectbox(key="reading_encoding").select("cp1252")
    at.selectbox(key="reading_delimiter").select(";")
    at.selectbox(key="reading_decimal").select(",")
    at.button(key="read_again").click().run()
    assert not at.exception
    again = services.read_job(get_query(at, "import"))
    assert again is not None
    assert again.id != job.id
    assert again.spec["path"] == str(part)
    chosen = [again.spec[name] for name in ("encoding", "delimiter", "decimal", "sheet")]
    assert chosen == ["cp1252", ";", ",", None]


def test_a_workbook_offers_its_sheet_and_keeps_its_test_file() -> None:
    parts = [services.get_workspace().upload(services.save_upload(b"x")) for _ in range(2)]
    job = imports.submit_import(parts[0], "book.XLSX", test=parts[1], test_name="test.xlsx")
    fail(job.id, "UnclearFile")
    at = open_data(**{"import": job.id})
    at.text_input(key="reading_sheet").input(" Table ")
    at.button(key="read_again").click().run()
    again = services.read_job(get_query(at, "import"))
    assert again is not None
    assert (again.spec["sheet"], again.spec["test_path"]) == ("Table", str(parts[1]))


@pytest.mark.parametrize(("kind", "content"), [("DataError", b"x"), ("UnclearFile", None)])
def test_another_way_of_reading_is_offered_only_where_it_may_help(
    kind: str, content: bytes | None
) -> None:
    part = services.get_workspace().upload(services.save_upload(content or b""))
    job = imports.submit_import(part, "junk.csv")
    fail(job.id, kind)
    if content is None:
        part.unlink()
    at = open_data(**{"import": job.id})
    assert "read_again" not in [button.key for button in at.button]


def test_a_data_set_can_be_read_another_way_while_its_upload_is_here(people: Dataset) -> None:
    part = services.get_workspace().upload(services.save_upload(b"x"))
    job = imports.submit_import(part, "people.csv")
    finish_import(job.id, JobState.SUCCEEDED, people.id)
    at = open_data(dataset=people.id)
    at.selectbox(key="reading_delimiter").select("|")
    at.button(key="read_again").click().run()
    again = services.read_job(get_query(at, "import"))
    assert again is not None
    assert again.spec["delimiter"] == "|"
    assert "dataset" not in at.query_params
    part.unlink()
    assert "read_again" not in [button.key for button in open_data(dataset=people.id).button]


def test_deleting_a_data_set_clears_its_upload_and_nothing_outside_the_folder(
    people: Dataset, tmp_path: Path
) -> None:
    part = services.get_workspace().upload(services.save_upload(b"x"))
    canary = tmp_path / "canary.part"
    canary.write_text("mine")
    job = imports.submit_import(part, "people.csv", test=canary, test_name="t.csv")
    finish_import(job.id, JobState.SUCCEEDED, people.id)
    at = open_data(dataset=people.id)
    at.button(key="delete").click().run()
    at.button(key="delete_confirm").click().run()
    assert not services.list_datasets()
    assert not part.exists()
    assert canary.read_text() == "mine"


def test_deleting_names_the_searches_that_read_the_data_set(people: Dataset) -> None:
    from tests.ui.searches import submit

    job = submit(people)
    services.get_store().request_stop(job.id, StopMode.DISCARD)
    at = open_data(dataset=people.id)
    at.button(key="delete").click().run()
    assert "cannot be resumed" in read_text(at)
    assert "people" in read_text(at)
