"""The Search page with pictures: the form with every choice, and what a click on Start queues."""

from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from app import services
from automl.data.dataset import Dataset
from automl.jobs.records import Job
from tests.ui.picture_zips import Plan, import_pictures
from tests.ui.searches import open_search, read_text


@pytest.fixture
def animals(tmp_path: Path) -> Dataset:
    return import_pictures(tmp_path, Plan(n_test_per_class=10))


def start(at: AppTest) -> Job:
    at.button(key="start").click().run()
    assert not at.exception, at.exception
    (job,) = services.list_jobs()
    return job


def get_mirror(at: AppTest, dataset: Dataset) -> AppTest:
    return at.toggle(key=f"mirror_{dataset.id[:12]}")


def test_the_form_offers_networks_for_pictures_and_none_for_tables(animals: Dataset) -> None:
    at = open_search(dataset=animals.id)
    text = read_text(at)
    assert "from 105 pictures" in text
    assert [box.key for box in at.checkbox] == ["family_cnn", "family_classic", "family_pretrained"]
    assert "Trees" not in text
    assert "One epoch reads about 52 pictures of 16 × 16 px" in text
    assert at.radio(key="method").value == "plain"


def test_start_queues_the_defaults(animals: Dataset) -> None:
    spec = start(open_search(dataset=animals.id)).spec
    assert spec["families"] == ["cnn", "classic"]
    assert (spec["method"], spec["objectives"]) == ("plain", ["score"])
    assert spec["weights"] == {"source": "none", "folder": ""}
    assert "alternating" in spec["spaces"]["cnn"]["flip"]["options"]


def test_without_mirroring_no_network_sees_a_mirrored_picture(animals: Dataset) -> None:
    at = open_search(dataset=animals.id)
    get_mirror(at, animals).set_value(False).run()
    spec = start(at).spec
    for name in ("cnn", "classic"):
        assert spec["spaces"][name]["flip"]["options"] == ["none"]


def test_digits_are_not_mirrored_by_default(tmp_path: Path) -> None:
    dataset = import_pictures(tmp_path, Plan(classes=("0", "1", "7")))
    at = open_search(dataset=dataset.id)
    assert get_mirror(at, dataset).value is False
    assert "look like digits or letters" in read_text(at)


def test_method_limits_and_goals_stand_in_the_spec(animals: Dataset) -> None:
    at = open_search(dataset=animals.id)
    at.radio(key="method").set_value("both").run()
    at.number_input(key="limit_parameters").set_value(0.5)
    at.number_input(key="limit_macs").set_value(20.0)
    at.number_input(key="limit_latency").set_value(4.5)
    assert "nsga2" not in str(at.selectbox(key="sampler").options)
    at.multiselect(key="objectives").select("latency").run()
    assert "NSGA-II" in at.selectbox(key="sampler").options
    assert "grid" not in at.selectbox(key="sampler").options
    spec = start(at).spec
    assert spec["method"] == "both"
    assert spec["objectives"] == ["score", "latency"]
    assert spec["limits"] == {"parameters": 500_000, "macs": 20_000_000, "latency_ms": 4.5}


def test_the_method_is_asked_only_where_networks_are_searched(animals: Dataset) -> None:
    at = open_search(dataset=animals.id)
    at.radio(key="method").set_value("weight_sharing").run()
    at.checkbox(key="family_cnn").uncheck().run()
    assert not at.radio
    assert start(at).spec["method"] == "plain"


def test_pretrained_networks_are_left_out_aloud_until_there_are_weights(
    animals: Dataset, tmp_path: Path
) -> None:
    at = open_search(dataset=animals.id)
    at.checkbox(key="family_pretrained").check().run()
    assert "left out until their weights are named" in read_text(at)
    at.radio(key="weights_source").set_value("folder").run()
    at.text_input(key="weights_path").input(str(tmp_path / "nothing")).run()
    assert not at.exception
    assert "cannot be read" in read_text(at)
    assert "pretrained" not in start(at).spec["families"]


def test_the_hub_is_used_only_when_it_is_chosen(animals: Dataset) -> None:
    at = open_search(dataset=animals.id)
    at.checkbox(key="family_pretrained").check().run()
    assert at.radio(key="weights_source").value is None
    at.radio(key="weights_source").set_value("hub").run()
    spec = start(at).spec
    assert "pretrained" in spec["families"]
    assert spec["weights"]["source"] == "hub"


def test_nothing_ticked_cannot_be_started(animals: Dataset) -> None:
    at = open_search(dataset=animals.id)
    for name in ("cnn", "classic"):
        at.checkbox(key=f"family_{name}").uncheck().run()
    assert at.button(key="start").disabled
    assert "Choose at least one kind of model" in read_text(at)


def test_the_preview_takes_another_picture(animals: Dataset) -> None:
    at = open_search(dataset=animals.id)
    at.button(key="preview_other").click().run()
    assert not at.exception


def test_a_finding_that_was_dropped_stands_in_the_spec(tmp_path: Path) -> None:
    from app.choices import with_pictures

    dataset = import_pictures(tmp_path, Plan(has_flaws=True))
    setup = with_pictures(services.read_setup(dataset.id), "dark", dropped=True)
    services.write_setup(dataset.id, setup)
    at = open_search(dataset=dataset.id)
    assert "Left out, as you chose: dark pictures" in read_text(at)
    assert start(at).spec["excluded"] == ["dark"]
