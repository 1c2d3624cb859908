"""Explanations of a model of a table through a worker: what is left, what is refused, and one that is cancelled."""

import contextlib
from dataclasses import asdict

import numpy as np
import pandas as pd
import pytest

from automl.deploy.bundle import read_manifest
from automl.errors import SpecError
from automl.files import load_json
from automl.jobs.records import JobKind, JobState, StopMode
from automl.jobs.store import JobStore
from automl.worker.explain_spec import (
    LIMITS,
    RECORD,
    RECORD_ADAPTER,
    VALUES,
    ExplainSpec,
    Method,
    parse_explain_spec,
    render_explain_spec,
)
from automl.worker.table_explaining import METHODS, run_table_explanation
from tests.unit.worker.explained_table import SEARCH, plant_model, plant_search
from tests.unit.worker.test_data_handlers import run  # noqa: F401 - the fixture


@pytest.fixture
def planted(run, tmp_path):  # noqa: F811
    """A search with a model, and a way to ask it: in a worker, or here and now."""
    folder = plant_search(run, tmp_path)

    def submit(method, watch=lambda _job: None, **details):
        spec = render_explain_spec(ExplainSpec(search=SEARCH, method=method, **details))
        return run(kind=JobKind.EXPLAIN_TABLE, title="x", spec=spec, watch=watch)

    def ask_here(method, **details):
        out = tmp_path / f"out-{method}"
        arguments = {
            "asked": render_explain_spec(ExplainSpec(search=SEARCH, method=method, **details)),
            "bundle": str(folder / "result" / "bundle"), "job": str(folder), "out": str(out),
            "settings": {"home": str(run.workspace.root)},
        }  # fmt: skip
        run_table_explanation(arguments, lambda _share, _words: None)
        return RECORD_ADAPTER.validate_python(load_json(out / RECORD)), pd.read_parquet(
            out / VALUES
        )

    submit.ask_here, submit.folder, submit.workspace = ask_here, folder, run.workspace
    return submit


def load_predictions(folder):
    return pd.read_parquet(folder / "result" / "predictions.parquet")


def test_the_worker_leaves_a_record_and_values_and_stops_when_asked(planted):
    job = planted(Method.IMPORTANCE)
    assert job.state is JobState.SUCCEEDED, job.outcome
    folder = planted.workspace.job(job.id)
    record = RECORD_ADAPTER.validate_python(load_json(folder / RECORD))
    frame = pd.read_parquet(folder / VALUES)
    assert frame["label"].tolist()[:2] == ["age", "job"]
    noise = frame.set_index("label").loc["noise"]
    assert noise["low"] <= 0 <= noise["high"]
    manifest = read_manifest(planted.folder / "result" / "bundle")
    assert record.model_hash == manifest.checksum
    assert record.limits == LIMITS[Method.IMPORTANCE]
    assert record.outputs == (manifest.task.positive,)
    assert record.settings["search"] == SEARCH
    assert job.result == {"out": RECORD, "n_values": 3}

    def stop_at_once(job):
        if job.state is JobState.RUNNING:
            store.request_stop(job.id, StopMode.DISCARD)

    with contextlib.closing(JobStore(planted.workspace.database)) as store:
        stopped = planted(Method.IMPORTANCE, watch=stop_at_once, seed=1)
    assert stopped.state is JobState.STOPPED
    assert not (planted.workspace.job(stopped.id) / RECORD).exists()


def test_every_method_answers_about_the_planted_columns(planted):
    record, frame = planted.ask_here(Method.SHAP)
    sizes = frame.assign(size=frame["value"].abs()).groupby("column")["size"].mean()
    assert sizes.idxmin() == "noise"
    assert record.facts["largest_gap"] < 1e-6
    assert record.facts["n_background"] == 100
    row = int(frame["row_id"].iloc[-1])
    _, alone = planted.ask_here(Method.SHAP, rows=(row,))
    same = frame[frame["row_id"] == row].reset_index(drop=True)
    pd.testing.assert_series_equal(alone["column"], same["column"])
    with pytest.raises(SpecError, match="not in the test part"):
        planted.ask_here(Method.SHAP, rows=(100_000,))
    with pytest.raises(SpecError, match="no gradients"):
        planted.ask_here(Method.GRADIENTS)
    record, frame = planted.ask_here(Method.EFFECTS)
    assert record.facts["kinds"] == {"noise": "numeric", "age": "numeric", "job": "categorical"}
    assert record.task_type == "binary"
    _, answered = planted.ask_here(Method.WHAT_IF, rows=(row,), changes={"job": None})
    own = load_predictions(planted.folder).set_index("row_id")
    label = f"probability_{answered['output'].iloc[0]}"
    assert answered["before"].iloc[0] == pytest.approx(own.loc[row, label], abs=1e-6)
    wish = "yes" if own.loc[row, "prediction"] == "no" else "no"
    record_of_change, lines = planted.ask_here(
        Method.COUNTERFACTUAL, rows=(row,), output=wish, locked=("job",)
    )
    assert set(lines["column"]) <= {"age", "noise"}
    assert record_of_change.facts["alternatives"][0]["decision"] == wish
    with pytest.raises(SpecError, match="no class 'maybe'"):
        planted.ask_here(Method.COUNTERFACTUAL, rows=(row,), output="maybe")
    reach = frame[frame["kind"] == "average"].groupby("column")["value"].agg(np.ptp)
    assert reach.idxmin() == "noise"


def test_gradients_of_a_network_miss_little(planted, run, tmp_path):  # noqa: F811
    plant_model(planted.folder, tmp_path / "network", "mlp", {"width": 16, "depth": 1})
    record, frame = planted.ask_here(Method.GRADIENTS)
    assert record.facts["relative_gap"] < 0.01
    assert (record.facts["n_networks"], record.facts["share"]) == (1, 1.0)
    total = frame.groupby("row_id", sort=False)["value"].sum() + record.facts["base"][0]
    predicted = [each["values"][0] for each in record.facts["predictions"]]
    np.testing.assert_allclose(total, predicted, atol=0.01)
    assert set(frame["column"]) == {"noise", "age", "job"}


def test_what_is_gone_or_cannot_be_read_is_named(planted):
    (planted.folder / "result" / "predictions.parquet").unlink()
    job = planted(Method.IMPORTANCE)
    assert job.state is JobState.FAILED
    assert "test rows" in job.outcome.message
    assert job.outcome.hint
    with pytest.raises(SpecError, match="at method"):
        parse_explain_spec({"search": SEARCH, "method": "tea leaves"})
    with pytest.raises(SpecError, match="no rows"):
        ExplainSpec(search=SEARCH, method=Method.IMPORTANCE, rows=(-1,))
    with pytest.raises(SpecError, match="where one is asked about"):
        ExplainSpec(search=SEARCH, method=Method.WHAT_IF)


def test_every_method_has_its_limits_and_its_way():
    assert set(METHODS) == set(LIMITS) == set(Method)
    asked = ExplainSpec(search=SEARCH, method=Method.IMPORTANCE, columns=("age",))
    assert parse_explain_spec(render_explain_spec(asked)) == asked
    assert asdict(asked)["seed"] == 0
