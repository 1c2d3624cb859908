"""What decides and what is reported at the end follows the weights of the rows."""

from dataclasses import replace

import numpy as np
import pytest

from automl.data.dataset import ColumnUse, Kind, Role
from automl.data.preparing import save_prepared
from automl.data.split_plan import build_split_plan
from automl.data.task import TaskType
from automl.data.views import Part
from automl.evaluation.calibration import fit_temperature
from automl.evaluation.evaluate import WEIGHTED
from automl.execution.saving import SELECT_PREDICTION
from automl.search.opened_model import Member, OpenedModel
from automl.search.ranking import rank_trials
from automl.search.spec import Budget, Resources, SearchSpec
from automl.training.predictor import load_predictor
from automl.training.run import train
from automl.worker.opening import Opener
from tests.unit.training.tables import build_prepared, build_request, build_task, drive

TASK = build_task(TaskType.BINARY, "accuracy")
PREPARED = build_prepared(TaskType.BINARY)
WEIGHT = np.where(PREPARED.target == 1, 6.0, 1.0) + np.linspace(0, 1, len(PREPARED.target))


@pytest.fixture
def folder(tmp_path):
    """A job's folder with one linear model and one that says nothing."""
    prepared = replace(PREPARED, weight=WEIGHT)
    for name in ("search", "refit"):
        save_prepared(tmp_path / "prepared" / name, prepared)
    for family in ("linear", "constant"):
        trained, _ = drive(train(prepared, TASK, build_request(family)))
        trained.save(tmp_path / family)
        np.save(tmp_path / family / SELECT_PREDICTION, trained.select_prediction)
    return tmp_path


def test_test_figures_and_temperature_follow_the_weights(folder):
    member = Member(trial=0, folder="linear", weight=1.0, is_refit=False)
    model = OpenedModel(trial=0, roles=("winner",), members=(member,), epochs=1, fit_seconds=0.0)
    opener = Opener(TASK, folder, seed=0)
    opened = opener.open(model, "Linear", "linear")
    test, calibrate = PREPARED.parts[Part.TEST], PREPARED.parts[Part.CALIBRATE]
    right = (opened.prediction[:, 1] >= 0.5) == (PREPARED.target[test] == 1)
    found = opened.evaluation.metrics["accuracy"]
    assert found.value == pytest.approx(np.average(right, weights=WEIGHT[test]))
    assert found.value != pytest.approx(right.mean())
    assert "effective rows" in found.method
    assert WEIGHTED in opened.evaluation.notes
    before = opener.build_calibration(opened)["after"]["accuracy"]
    assert before["value"] == pytest.approx(found.value)
    views = PREPARED.views.take(calibrate)
    truth = PREPARED.target[calibrate]
    scores = load_predictor(folder / "linear").predict(views)
    weighted = fit_temperature(truth, scores, WEIGHT[calibrate])
    assert opened.temperature.value == pytest.approx(weighted.value)
    assert opened.temperature.value != pytest.approx(fit_temperature(truth, scores).value)


def test_tiers_and_their_intervals_follow_the_weights(folder):
    trials = [
        {"number": number, "folder": name, "is_baseline": True}
        for number, name in enumerate(("linear", "constant"))
    ]

    spec = SearchSpec(
        data="d" * 64,
        data_name="table",
        columns=(ColumnUse(name="y", kind=Kind.CATEGORICAL, role=Role.TARGET),
                 ColumnUse(name="x", kind=Kind.NUMERIC, role=Role.FEATURE)),
        task=TASK,
        split=build_split_plan(test_given=False, group=None),
        budget=Budget(trials=1),
        resources=Resources(devices=("cpu:0",), threads=1, batch_size=64),
        families=("linear",),
        spaces={"linear": {}},
    )  # fmt: skip
    ranked = rank_trials(spec, folder, trials)
    assert [ranked[number]["tier"] for number in (0, 1)] == [1, 2]
    select = PREPARED.parts[Part.SELECT]
    positive = np.average(PREPARED.target[select] == 1, weights=WEIGHT[select])
    assert positive > 0.7  # the constant says yes to all: by rows it would be right in 40 %
    assert ranked[1]["select_low"] < positive < ranked[1]["select_high"]


def test_a_temperature_counts_rows_by_weight():
    rng = np.random.default_rng(0)
    truth, times = rng.integers(0, 2, 60), rng.integers(0, 4, 60)
    logits = rng.normal(size=(60, 2)) + 3 * np.eye(2)[truth]
    scores = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    repeated = fit_temperature(np.repeat(truth, times), np.repeat(scores, times, axis=0))
    weighted = fit_temperature(truth, scores, times.astype(float))
    assert weighted.value == pytest.approx(repeated.value)
    assert weighted.log_loss_after == pytest.approx(repeated.log_loss_after)
