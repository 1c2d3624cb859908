"""Rows are prepared in a child: what the import knows reaches the encoder, and a search need not wait for the rest."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from automl.data.encoding import Encoder, load_encoder
from automl.data.importing import ImportRequest, import_table
from automl.data.preparing import load_prepared
from automl.data.profile import load_profile
from automl.data.setup import Setup
from automl.data.views import Part
from automl.execution.devices import Slot, SlotKind
from automl.files import load_json
from automl.search.building import SearchRequest, build_search_spec
from automl.search.preparation import (
    EARLY_RECORD,
    RECORD,
    REFIT_ROWS,
    ROWS_WRITTEN,
    SEARCH_ROWS,
    run_preparation,
)
from automl.search.spec import Budget, render_spec
from automl.settings import Settings


def build_arguments(tmp_path: Path, rows: Iterable[str]) -> dict[str, Any]:
    settings = Settings(home=tmp_path / "home", min_free_bytes=0)
    path = tmp_path / "table.csv"
    path.write_text("\n".join(rows))
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
    return {
        "spec": render_spec(spec),
        "folder": str(tmp_path / "prepared"),
        "settings": settings.model_dump(mode="json"),
    }


def test_the_unit_of_an_import_is_that_of_predictions(tmp_path: Path) -> None:
    rows = (f"{i % 37 + 0.5} kg,{i % 11},{'ab'[i % 3 > 0]}" for i in range(200))
    run_preparation(build_arguments(tmp_path, ["mass,other,y", *rows]), lambda _share, _words: None)
    for name in (SEARCH_ROWS, REFIT_ROWS):
        encoder = load_encoder(tmp_path / "prepared" / name / "encoder")
        assert isinstance(encoder, Encoder)
        views, _ = encoder.encode(pd.DataFrame({"mass": ["3 kg", "3 lb"], "other": [1, 2]}))
        np.testing.assert_array_equal(views.raw[:, 0], [3, np.nan])


def test_a_search_may_begin_before_the_columns_were_looked_at(tmp_path: Path) -> None:
    rows = (f"{i % 37},{i % 2},{'ab'[i % 2]}" for i in range(200))
    arguments = build_arguments(tmp_path, ["x,copy,y", *rows])
    folder = tmp_path / "prepared"
    seen: list[dict[str, Any]] = []

    def report(share: float, _words: str) -> None:
        if share >= ROWS_WRITTEN:
            assert not (folder / RECORD).exists()
            prepared = load_prepared(folder / SEARCH_ROWS)
            seen.append(load_json(folder / EARLY_RECORD))
            assert seen[-1]["n_rows"]["train"] == len(prepared.parts[Part.TRAIN])
            load_prepared(folder / REFIT_ROWS)

    record = run_preparation(arguments, report)
    assert len(seen) == 1
    assert record | seen[0] == record
    assert [note["column"] for note in record["notes"] if note["code"] == "leak"] == ["copy"]
    # an attempt that was cut in between left no record: the next one tells of the columns too
    (folder / RECORD).unlink()
    assert run_preparation(arguments, report) == record
    assert len(seen) == 2
    run_preparation(arguments, report)  # this one is kept
    assert len(seen) == 2
