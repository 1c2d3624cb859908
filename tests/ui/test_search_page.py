"""The Search page: nothing open, a new search, and a search in every state."""

from dataclasses import replace
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest
from streamlit.testing.v1.element_tree import Multiselect

from app import live, search_choices, services
from app.components import space_form
from automl.data.dataset import Dataset, Role
from automl.errors import SpecError
from automl.execution.devices import SlotKind
from automl.files import write_json
from automl.jobs.records import JobState, Outcome, StopMode
from automl.models.catalog import get_space
from automl.search.spec import Budget, Preset, Pruner, Sampler
from tests.ui.charts import assert_charts_complete
from tests.ui.datasets import get_query, import_people
from tests.ui.searches import open_search, read_text, run_search, submit


def find_families(at: AppTest) -> Multiselect:
    """The list that narrows the families; its key names what it offers."""
    (found,) = [each for each in at.multiselect if str(each.key).startswith("narrow_families")]
    return found


@pytest.fixture
def people(tmp_path: Path) -> Dataset:
    dataset = import_people(tmp_path)
    setup = replace(services.read_setup(dataset.id), target="income", roles={"sex": Role.SENSITIVE})
    services.write_setup(dataset.id, setup)
    return dataset


def test_without_data_the_page_says_where_to_begin() -> None:
    at = open_search()
    assert "No data set is open" in read_text(at)
    assert at.button(key="go_data")


def test_without_a_target_the_page_leads_back(tmp_path: Path) -> None:
    people = import_people(tmp_path)
    at = open_search(dataset=people.id)
    assert "No target is set" in read_text(at)


def test_start_queues_one_complete_spec_and_opens_it(people: Dataset) -> None:
    at = open_search(dataset=people.id)
    at.get_by_key("budget").set_value("quick").run()
    assert "No worker is running" in read_text(at)
    at.button(key="start").click().run()
    (job,) = services.list_searches()
    assert get_query(at, "search") == job.id
    assert job.spec["budget"]["seconds"] == 120.0
    assert job.spec["preset"] == "quick"
    assert job.spec["task"]["target"] == "income"
    assert [c["name"] for c in job.spec["columns"] if c["role"] == "sensitive"] == ["sex"]
    assert at.button(key="stop")


def test_the_same_ticket_is_one_search(people: Dataset) -> None:
    assert submit(people, "once").id == submit(people, "once").id
    assert submit(people, "twice").id != submit(people, "once").id


def test_a_budget_of_trials_sets_no_clock(people: Dataset) -> None:
    at = open_search(dataset=people.id)
    at.get_by_key("budget").set_value("trials").run()
    at.number_input(key="budget_trials").set_value(7).run()
    assert "trials_limit" not in {each.key for each in at.number_input}
    at.button(key="start").click().run()
    (job,) = services.list_searches()
    assert job.spec["budget"] == {"seconds": None, "trials": 7}


def test_nothing_to_try_cannot_be_started(people: Dataset) -> None:
    at = open_search(dataset=people.id)
    at.get_by_key("families").set_value([]).run()
    assert at.button(key="start").disabled
    assert "at least one kind" in read_text(at)


def test_changing_widgets_submits_nothing(people: Dataset) -> None:
    at = open_search(dataset=people.id)
    for name in ("quick", "thorough", "other", "trials", "balanced"):
        at.get_by_key("budget").set_value(name).run()
    assert not services.list_searches()


def test_a_queued_search_says_what_it_waits_for(people: Dataset) -> None:
    job = submit(people)
    at = open_search(search=job.id)
    text = read_text(at)
    assert "waits for a worker" in text
    assert "No worker is running" in text
    assert get_query(at, "dataset") == people.id


def test_a_running_search_without_its_worker_says_so(people: Dataset) -> None:
    run_search(submit(people, "first"))
    waiting = submit(people, "second")
    (running,) = [job for job in services.list_searches() if job.id != waiting.id]
    assert "has not been heard of" in read_text(open_search(search=running.id))
    text = read_text(open_search(search=waiting.id))
    assert "starts when it is done" not in text
    assert "No worker is running" in text


def test_a_search_given_up_with_a_best_model_is_not_called_empty(people: Dataset) -> None:
    job = submit(people)
    services.get_store().finish_job(run_search(job), JobState.STOPPED, {}, None)
    text = read_text(open_search(search=job.id))
    assert "Resume it" in text
    assert "before a model was trained" not in text


def test_a_running_search_shows_all_that_matters(people: Dataset) -> None:
    job = submit(people)
    run_search(job)
    at = open_search(search=job.id)
    text = read_text(at)
    for words in ("● running", "of 02:00", "Searching", r"\[0.900, 0.908\]", "MLP 4", r"Ensemble of 5 models: 0.913 \[0.909, 0.917\]"):  # fmt: skip
        assert words in text, words
    assert r"\*gives\*" in text
    assert "cpu:0: 8 networks at once · cpu:1: idle · cpu:2: trial 10" in text
    values = [metric.value for metric in at.metric]
    assert "0.904" in values
    assert "4" in values
    assert assert_charts_complete(at) == 2
    (table,) = [frame.value for frame in at.dataframe if "settings" in frame.value.columns]
    assert len(table) == 4
    assert table["number"].tolist() == [4, 3, 2, 1]
    assert "Trial 4 is done." in at.text[0].value


def test_a_long_search_draws_its_newest_trials(
    people: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live, "MAX_HISTORY", 5)
    job = submit(people)
    run_search(job, 12)
    at = open_search(search=job.id)
    text = read_text(at)
    assert "trial 12" in text
    assert "newest 5 of 12 trials" in text
    (table,) = [frame.value for frame in at.dataframe if "settings" in frame.value.columns]
    assert table["number"].tolist() == [12, 11, 10, 9, 8]


def test_stop_keeps_the_best_and_cannot_be_pressed_twice(people: Dataset) -> None:
    job = submit(people)
    run_search(job)
    at = open_search(search=job.id)
    at.button(key="stop").click().run()
    assert services.read_search(job.id).stop_mode is StopMode.KEEP_BEST  # type: ignore[union-attr]
    assert at.button(key="stop").disabled
    assert "Stopping" in read_text(at)


def test_a_stopped_search_can_be_resumed_and_its_results_opened(people: Dataset) -> None:
    job = submit(people)
    lease = run_search(job)
    services.get_store().finish_job(lease, JobState.STOPPED, {}, None)
    write_json(services.get_workspace().result(job.id) / "result.json", {})
    at = open_search(search=job.id)
    assert at.button(key="open_results")
    at.button(key="resume").click().run()
    assert services.read_search(job.id).state is JobState.QUEUED  # type: ignore[union-attr]


def test_a_failed_search_names_the_reason(people: Dataset) -> None:
    job = submit(people)
    lease = run_search(job)
    outcome = Outcome(kind="DiskFull", message="The disk is full.", hint="Free some space.")
    services.get_store().finish_job(lease, JobState.FAILED, {}, outcome)
    at = open_search(search=job.id)
    assert "The disk is full" in at.error[0].value
    assert "Free some space" in at.error[0].value


def test_deleting_names_what_is_lost_and_removes_the_files(people: Dataset) -> None:
    job = submit(people)
    lease = run_search(job)
    services.get_store().finish_job(lease, JobState.SUCCEEDED, {}, None)
    at = open_search(search=job.id)
    at.button(key="delete").click().run()
    assert "4 trials" in read_text(at)
    at.button(key="delete_confirm").click().run()
    assert not at.exception
    assert services.read_search(job.id) is None
    assert not services.get_workspace().job(job.id).exists()
    assert "search" not in at.query_params


def test_a_foreign_id_closes_with_a_word(people: Dataset) -> None:
    at = open_search(search="no-such-search")
    assert "not here any more" in read_text(at)
    assert "search" not in at.query_params


def test_samplers_are_offered_where_they_are_valid_and_the_others_say_why(people: Dataset) -> None:
    at = open_search(dataset=people.id)
    assert "aging evolution" in at.selectbox(key="sampler").options
    assert "CMA-ES" not in at.selectbox(key="sampler").options
    text = read_text(at).replace("\\", "")
    assert "CMA-ES (it moves along numbers" in text
    assert "Here: 5 folds, because train and select have about 90 rows together" in text
    assert "Wilcoxon" in at.selectbox(key="pruner").options
    at.selectbox(key="folds").set_value(0).run()
    text = read_text(at).replace("\\", "")
    assert "Wilcoxon (its test needs scores on independent folds" in text
    at.selectbox(key="sampler").set_value("evolution").run()
    at.selectbox(key="pruner").set_value("median").run()
    assert "aging evolution, weak networks ended by median" in read_text(at).replace("\\", "")
    at.button(key="start").click().run()
    (job,) = services.list_searches()
    assert (job.spec["sampler"], job.spec["pruner"]) == ("evolution", "median")
    assert job.spec["folds"] == 0


def test_goals_of_a_table_stand_in_the_spec_and_open_the_genetic_samplers(people: Dataset) -> None:
    at = open_search(dataset=people.id)
    at.number_input(key="limit_parameters").set_value(20.0)
    at.number_input(key="limit_latency").set_value(4.5)
    at.multiselect(key="objectives").select("latency").select("parameters").run()
    assert "NSGA-III" in at.selectbox(key="sampler").options
    assert "aging evolution" not in at.selectbox(key="sampler").options
    assert "median" not in at.selectbox(key="pruner").options
    assert "every network trains to its own end" in read_text(at)
    at.selectbox(key="sampler").set_value("nsga3").run()
    at.button(key="start").click().run()
    (job,) = services.list_searches()
    assert job.spec["objectives"] == ["score", "latency", "parameters"]
    assert job.spec["limits"] == {"parameters": 20_000, "macs": None, "latency_ms": 4.5}
    assert job.spec["sampler"] == "nsga3"


def test_fewer_kinds_of_models_open_what_needs_numbers_alone(people: Dataset) -> None:
    at = open_search(dataset=people.id)
    at.toggle(key="narrow").set_value(True).run()
    find_families(at).set_value(["boosting"]).run()
    assert not at.exception
    at.selectbox(key="sampler").set_value("cma_es").run()
    at.button(key="start").click().run()
    (job,) = services.list_searches()
    assert (job.spec["families"], job.spec["sampler"]) == (["boosting"], "cma_es")


def test_a_kind_of_model_that_is_ticked_again_is_searched_again(people: Dataset) -> None:
    at = open_search(dataset=people.id)
    at.toggle(key="narrow").set_value(True).run()
    at.get_by_key("families").set_value(["trees", "linear"]).run()
    assert find_families(at).value == ["lightgbm", "boosting", "linear"]
    at.get_by_key("families").set_value(["trees", "linear", "networks"]).run()
    assert "mlp" in find_families(at).value
    at.button(key="start").click().run()
    (job,) = services.list_searches()
    assert {"mlp", "lightgbm", "linear"} <= set(job.spec["families"])


def test_a_family_that_cannot_be_tried_here_is_no_choice_and_says_why(people: Dataset) -> None:
    at = open_search(dataset=people.id)
    cores = [slot.name for slot in services.list_slots() if slot.kind is SlotKind.CPU]
    at.multiselect(key="devices").set_value(cores).run()
    at.toggle(key="narrow").set_value(True).run()
    assert "RealMLP" in find_families(at).options
    assert "FT-Transformer" not in find_families(at).options
    assert "Not offered here: FT-Transformer (it needs a GPU" in read_text(at).replace("\\", "")
    at.get_by_key("families").set_value(["trees"]).run()
    assert "FT-Transformer (" not in read_text(at)


def test_a_range_that_was_changed_stands_in_the_spec_and_a_wider_one_is_refused(
    people: Dataset,
) -> None:
    spaces = {"mlp": get_space("mlp"), "linear": get_space("linear")}
    frame = space_form.build_frame(spaces)
    assert set(frame["family"]) == {"mlp", "linear"}
    assert "in steps of 32" in frame.set_index("label").loc["width", "declared"]
    edited = frame.copy()
    edited.loc[edited["label"] == "depth", "high"] = 2.0
    ranges = space_form.read_changes(frame, edited)
    assert ranges == {"mlp": {"depth": (1.0, 2.0)}}
    choice = search_choices.SearchChoice(
        target="income", metric="roc_auc", budget=Budget(trials=3), families=("mlp",),
        preset=Preset.BALANCED, sampler=Sampler.TPE, pruner=Pruner.NONE, seed=0,
        devices=tuple(slot.name for slot in services.list_slots()), ranges=ranges,
    )  # fmt: skip
    assert search_choices.build_spec(people, choice).spaces["mlp"]["depth"].high == 2
    edited.loc[edited["label"] == "depth", "high"] = None
    wrong = replace(choice, ranges=space_form.read_changes(frame, edited))
    with pytest.raises(SpecError, match="depth from 1 to nan"):
        search_choices.build_spec(people, wrong)
