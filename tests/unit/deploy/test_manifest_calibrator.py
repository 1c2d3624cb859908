"""A calibrator in the place of the temperature: kept in the manifest, applied, named by the card."""

import numpy as np
import pytest

from automl.data.task import Task, TaskType
from automl.deploy.card import render_card
from automl.deploy.manifest import Manifest, calibrate, parse_manifest, render_manifest
from automl.evaluation.calibration import apply_temperature
from automl.evaluation.calibrators import Method, fit_calibrator

TASK = Task(target="y", type=TaskType.BINARY, metric="roc_auc", classes=("no", "yes"), positive="yes")  # fmt: skip


def build_manifest(**calibration):
    return Manifest(
        name="one", created_at="", task=TASK, columns=(), members=("members/0",), threshold=0.5,
        **{"temperature": None, **calibration},
    )  # fmt: skip


def draw():
    score = np.random.default_rng(0).random(300)
    truth = (np.random.default_rng(1).random(300) < score**2).astype(np.int64)
    return truth, np.column_stack([1 - score, score])


@pytest.mark.parametrize("method", [Method.AFFINE, Method.BETA, Method.ISOTONIC])
def test_a_calibrator_survives_the_manifest_and_mends_the_average(method):
    truth, mean = draw()
    mended = fit_calibrator(method, truth, mean)
    manifest = parse_manifest(render_manifest(build_manifest(calibrator=mended)).encode())
    assert manifest.calibrator == mended
    assert (calibrate(manifest, mean) == mended.apply(mean)).all()
    assert f"{method} calibration, fitted on 300 rows" in render_card(manifest)


def test_without_one_the_temperature_counts_or_nothing():
    _, mean = draw()
    assert (calibrate(build_manifest(temperature=1.7), mean) == apply_temperature(mean, 1.7)).all()
    assert (calibrate(build_manifest(), mean) == mean).all()
