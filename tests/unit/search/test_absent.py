import numpy as np
import pandas as pd
import pytest

from automl.data.importing import ImportRequest
from automl.data.intake import import_file
from automl.data.profile import load_profile
from automl.data.setup import Setup
from automl.errors import SpecError
from automl.execution.devices import Slot, SlotKind
from automl.search.absent import find_absent
from automl.search.building import SearchRequest, build_search_spec
from automl.settings import Settings


def test_a_small_table_on_a_gpu_has_them_all():
    assert find_absent(n_rows=100_000, n_columns=60, on_gpu=True) == {}


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"on_gpu": False}, "needs a GPU"),
        ({"n_columns": 61}, "up to 60 columns, there are 61"),
        ({"n_rows": 100_001}, "up to 100,000 training rows, there are 100,001"),
    ],
)
def test_what_is_not_offered_has_a_reason(change, reason):
    facts = {"n_rows": 1000, "n_columns": 10, "on_gpu": True} | change
    assert reason in find_absent(**facts)["ft_transformer"]


CPU = Slot(name="cpu:0", kind=SlotKind.CPU, title="CPU")
GPU = Slot(name="cuda:0", kind=SlotKind.CUDA, title="GPU")


@pytest.fixture(scope="module")
def request_on(tmp_path_factory):
    """A request for a small table on given slots, with or without named families."""
    settings = Settings(home=tmp_path_factory.mktemp("home"), min_free_bytes=0)
    rng = np.random.default_rng(0)
    path = tmp_path_factory.mktemp("table") / "rows.csv"
    frame = pd.DataFrame({"x": rng.normal(size=80), "y": rng.choice(["no", "yes"], 80)})
    frame.to_csv(path, index=False)
    dataset = import_file(
        ImportRequest(path=str(path), name=path.name), settings.workspace, settings
    )
    profile = load_profile(settings.workspace, dataset.id)

    def build(slot, families=None):
        return SearchRequest(
            dataset=dataset,
            profile=profile,
            setup=Setup(target="y"),
            slots=(slot,),
            families=families,
        )

    return build


def test_it_is_offered_on_a_gpu_and_left_out_elsewhere(request_on):
    assert "ft_transformer" in build_search_spec(request_on(GPU)).families
    families = build_search_spec(request_on(CPU)).families
    assert {"mlp", "realmlp", "tabm", "resnet"} <= set(families)
    assert "ft_transformer" not in families


def test_who_asks_for_it_by_name_hears_why_not(request_on):
    asked = request_on(CPU, ("mlp", "ft_transformer"))
    with pytest.raises(SpecError, match="'ft_transformer' cannot be searched here: it needs a GPU"):
        build_search_spec(asked)
