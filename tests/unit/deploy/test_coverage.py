"""Sets and intervals of a bundle: what it has, what it adds, what it says, and what it refuses."""

import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from automl.data.dataset import ColumnUse, Kind, Role
from automl.data.encoding import fit_encoder
from automl.data.task import Task, TaskType
from automl.deploy.bundle import BundleParts, load_bundle, pack_bundle, save_bundle
from automl.deploy.manifest import parse_manifest, render_manifest
from automl.errors import BundleError
from automl.evaluation.conformal_quantiles import fit_quantiles
from automl.models.tabular.constant import fit_constant
from automl.training.predictor import save_predictor

COLUMNS = (ColumnUse(name="age", kind=Kind.NUMERIC, role=Role.FEATURE),)
FRAME = pd.DataFrame({"age": [1.0, 2.0]})
CLASSES = Task(target="y", type=TaskType.MULTICLASS, metric="log_loss", classes=("a", "b", "c, d"))
VALUE = Task(target="y", type=TaskType.REGRESSION, metric="rmse")


def build_parts(folder, task, truth, prediction):
    """A constant with the quantiles that these calibrate rows give."""
    is_value = task.type is TaskType.REGRESSION
    member = fit_constant(np.array([1.0, 3.0]), 0) if is_value else fit_constant(np.array([0, 0, 0, 1, 1, 2]), 3)  # fmt: skip
    save_predictor(member, folder / "member")
    return BundleParts(
        name="Constant", created_at="2026", task=task, columns=COLUMNS,
        encoder=fit_encoder(FRAME, COLUMNS), members=(folder / "member",),
        conformal=fit_quantiles(task, truth, prediction),
    )  # fmt: skip


@pytest.fixture
def classes(tmp_path):
    """Of 20 calibrate rows 17 have the likeliest class, two the second, one the third."""
    truth = np.array([0] * 17 + [1] * 2 + [2])
    prediction = np.tile([0.5, 1 / 3, 1 / 6], (20, 1))
    parts = build_parts(tmp_path, CLASSES, truth, prediction)
    save_bundle(tmp_path / "bundle", parts)
    return tmp_path / "bundle"


def test_sets_hold_the_classes_within_the_bound(classes, tmp_path):
    with load_bundle(pack_bundle(classes, tmp_path / "model.zip")) as bundle:
        wanted = {0.8: ["a"], 0.9: ["a", "b"], 0.95: ["a", "b", "c, d"]}
        for level, names in wanted.items():
            got, notes = bundle.predict_with_notes(FRAME, level)
            assert [json.loads(text) for text in got["prediction_set"]] == [names, names]
            assert got["set_size"].tolist() == [len(names)] * 2
            assert notes[-1].code == "coverage"
            assert "20 calibrate rows" in notes[-1].text
        assert list(got)[-2:] == ["prediction_set", "set_size"]
        assert "prediction_set" not in bundle.predict(FRAME)


def test_intervals_have_the_bound_on_either_side_and_few_rows_bound_nothing(tmp_path):
    parts = build_parts(tmp_path, VALUE, np.arange(9.0), np.zeros(9))
    save_bundle(tmp_path / "bundle", parts)
    bundle = load_bundle(tmp_path / "bundle")
    got = bundle.predict(FRAME, 0.9)
    assert (got["low"] - got["prediction"]).tolist() == [-8.0, -8.0]
    assert (got["high"] - got["prediction"]).tolist() == [8.0, 8.0]
    got, notes = bundle.predict_with_notes(FRAME, 0.95)
    assert got["low"].tolist() == [-np.inf, -np.inf]
    assert (notes[-1].code, notes[-1].level) == ("coverage_unbounded", "warning")
    assert "9 calibrate rows are too few" in notes[-1].text
    card = (tmp_path / "bundle" / "README.md").read_text()
    assert "Intervals with a coverage of 0.8, 0.9, 0.95 are given on request" in card


def test_another_coverage_is_refused_with_those_there_are(classes):
    with pytest.raises(BundleError, match=r"coverage of 0\.85") as refused:
        load_bundle(classes).predict(FRAME, 0.85)
    assert "0.8, 0.9, 0.95" in refused.value.hint


def test_a_bundle_from_before_predicts_and_says_that_it_has_no_sets(classes):
    path = classes / "bundle.json"
    value = json.loads(render_manifest(replace(parse_manifest(path.read_bytes()), conformal=(), version=2)))  # fmt: skip
    path.write_text(json.dumps(value))
    bundle = load_bundle(classes)
    assert bundle.manifest.version == 2
    assert len(bundle.predict(FRAME)) == 2
    with pytest.raises(BundleError, match="no quantile") as refused:
        bundle.predict(FRAME, 0.9)
    assert "search again" in refused.value.hint


def test_a_quantile_that_cannot_be_is_refused(classes):
    path = classes / "bundle.json"
    manifest = parse_manifest(path.read_bytes())
    text = render_manifest(manifest)
    value = json.loads(text)
    value["conformal"][0]["n"] = 3  # too few for any finite quantile
    path.write_text(_sign(value))
    with pytest.raises(BundleError, match="3 scores"):
        load_bundle(classes)


def _sign(value):
    """The manifest with a checksum that fits what was changed."""
    from hashlib import sha256

    rest = {name: each for name, each in value.items() if name != "checksum"}
    text = json.dumps(rest, sort_keys=True, ensure_ascii=False)
    return json.dumps({**value, "checksum": sha256(text.encode()).hexdigest()})
