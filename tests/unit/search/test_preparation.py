"""What the import knows about a table reaches the encoder."""

from pathlib import Path

import numpy as np
import pandas as pd

from automl.data.encoding import Encoder, load_encoder
from automl.data.importing import ImportRequest, import_table
from automl.data.profile import load_profile
from automl.data.setup import Setup
from automl.execution.devices import Slot, SlotKind
from automl.search.building import SearchRequest, build_search_spec
from automl.search.preparation import REFIT_ROWS, SEARCH_ROWS, run_preparation
from automl.search.spec import Budget, render_spec
from automl.settings import Settings


def test_the_unit_of_an_import_is_that_of_predictions(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path / "home", min_free_bytes=0)
    path = tmp_path / "table.csv"
    rows = (f"{i % 37 + 0.5} kg,{i % 11},{'ab'[i % 3 > 0]}" for i in range(200))
    path.write_text("\n".join(["mass,other,y", *rows]))
    request = ImportRequest(path=str(path), name=path.name)
    dataset = import_table(request, settings.workspace, settings)
    spec = build_search_spec(
        SearchRequest(
            dataset=dataset,
            profile=load_profile(settings.workspace, dataset.id),
            setup=Setup(target="y"),
            slots=(Slot(name="cpu:0", kind=SlotKind.CPU, title="CPU"),),
            budget=Budget(trials=1),
            families=("mlp",),
        )
    )
    folder = tmp_path / "prepared"
    run_preparation(
        {
            "spec": render_spec(spec),
            "folder": str(folder),
            "settings": settings.model_dump(mode="json"),
        },
        lambda _share, _words: None,
    )
    for name in (SEARCH_ROWS, REFIT_ROWS):
        encoder = load_encoder(folder / name / "encoder")
        assert isinstance(encoder, Encoder)
        views, _ = encoder.encode(pd.DataFrame({"mass": ["3 kg", "3 lb"], "other": [1, 2]}))
        np.testing.assert_array_equal(views.raw[:, 0], [3, np.nan])
