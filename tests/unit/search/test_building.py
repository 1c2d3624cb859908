"""What a table's search is made of: roles, and what depends on the task."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from automl.data.dataset import Role
from automl.data.importing import ImportRequest, import_table
from automl.data.profile import load_profile
from automl.data.setup import Setup
from automl.errors import SpecError
from automl.execution.devices import Slot, SlotKind
from automl.search.building import SearchRequest, build_search_spec
from automl.search.spec import Budget, parse_spec, render_spec
from automl.search.turns import build_starts
from automl.settings import Settings


@pytest.fixture
def build(tmp_path):
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(
        {
            "x": rng.normal(size=200).round(3),
            "w": rng.integers(1, 9, 200),
            "v": rng.integers(1, 9, 200),
            "rare": np.where(np.arange(200) % 20 == 0, "yes", "no"),
            "size": rng.normal(size=200).round(4),
            "price": np.exp(3 * rng.normal(size=200)).round(4),
        }
    )
    path = tmp_path / "table.csv"
    frame.to_csv(path, index=False)
    settings = Settings()
    dataset = import_table(
        ImportRequest(path=str(path), name=path.name), settings.workspace, settings
    )

    def build(**setup):
        return build_search_spec(
            SearchRequest(
                dataset=dataset,
                profile=load_profile(settings.workspace, dataset.id),
                setup=Setup(**setup),
                slots=(Slot(name="cpu:0", kind=SlotKind.CPU, title="CPU"),),
                budget=Budget(trials=1),
            )
        )

    return build


def test_networks_choose_among_the_losses_that_fit(build):
    auc = build(target="rare")
    assert "loss" not in auc.spaces["mlp"]
    assert "class_weights" in auc.spaces["resnet"]
    assert "class_weights" not in auc.spaces["boosting"]
    f1 = build(target="rare", metric="f1")
    assert "focal" in f1.spaces["mlp"]["loss"].branches
    assert "loss" not in build(target="size").spaces["mlp"]
    assert "mae" in build(target="size", metric="mae").spaces["mlp"]["loss"].branches
    assert "huber" in build(target="price").spaces["mlp"]["loss"].branches


def test_wide_categories_may_be_encoded_by_their_target(tmp_path):
    frame = pd.DataFrame({"x": np.arange(300) * 0.5, "shop": [f"s{i % 20}" for i in range(300)]})
    frame["y"] = ["yes" if i % 3 else "no" for i in range(300)]
    path = tmp_path / "shops.csv"
    frame.to_csv(path, index=False)
    settings = Settings()
    dataset = import_table(
        ImportRequest(path=str(path), name=path.name), settings.workspace, settings
    )
    request = SearchRequest(
        dataset=dataset,
        profile=load_profile(settings.workspace, dataset.id),
        setup=Setup(target="y"),
        slots=(Slot(name="cpu:0", kind=SlotKind.CPU, title="CPU"),),
        budget=Budget(trials=1),
    )
    spaces = build_search_spec(request).spaces
    assert {name for name, space in spaces.items() if "target_encoding" in space} == {
        name for name, space in spaces.items() if space and name != "linear"
    }
    starts = build_starts(spaces)
    mlps = [start.config["target_encoding"] for start in starts if start.family == "mlp"]
    assert mlps[:3] == [False, True, False]
    trees = [start for start in starts if start.family == "boosting"]
    assert trees
    assert all(start.config["target_encoding"] is True for start in trees)
    ignored = replace(request, setup=Setup(target="y", roles={"shop": Role.IGNORED}))
    spaces = build_search_spec(ignored).spaces
    assert not any("target_encoding" in space for space in spaces.values())


def test_time_divides_the_rows_and_does_not_go_with_a_group(build):
    spec = build(target="rare", roles={"w": "time"})
    assert (spec.split.strategy, spec.split.time) == ("temporal", "w")
    assert parse_spec(render_spec(spec)) == spec
    with pytest.raises(SpecError, match="kept together by 'v' and divided by the time in 'w'"):
        build(target="rare", roles={"w": "time", "v": "group"})
    with pytest.raises(SpecError, match="'rare' cannot be the time of the rows: its values are"):
        build(target="size", roles={"rare": "time"})


def test_one_column_weighs_the_rows(build):
    assert build(target="rare", roles={"w": "weight"}).columns[1].role is Role.WEIGHT
    with pytest.raises(SpecError, match="weighed by one column, but 'w' and 'v'"):
        build(target="rare", roles={"w": "weight", "v": "weight"})
