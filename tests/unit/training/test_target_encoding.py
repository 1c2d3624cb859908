"""Target encoding: out of fold while training, one table afterwards, and no row ever sees its own target."""

from dataclasses import replace

import numpy as np
import pytest

from automl.data.task import TaskType
from automl.data.views import Part
from automl.errors import BundleError
from automl.files import load_json, write_json
from automl.models.starts import STARTS
from automl.models.tabular.target_encoding import (
    build_outcome,
    encode_out_of_fold,
    fit_tables,
    look_up,
)
from automl.training.predictor import load_predictor, save_predictor
from automl.training.run import train
from automl.training.target_encoding import encode_prepared
from tests.unit.training.tables import (
    SMALL_MLP,
    build_prepared,
    build_request,
    build_task,
    drive,
)

ENCODED = SMALL_MLP | {"target_encoding": True, "numeric_view": "robust"}
TREES = STARTS["boosting"][0] | {"target_encoding": True}


def draw(n: int = 300) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    codes = np.stack([rng.integers(0, 12, n), rng.integers(0, 40, n)], axis=1).astype(np.int32)
    return codes, rng.normal(size=n) + codes[:, 0]


def test_a_table_holds_shrunken_means() -> None:
    codes = np.array([[1]] * 10 + [[2]] * 30)
    outcome = build_outcome(np.repeat([0, 1], [10, 30]), 2)
    table = fit_tables(codes, (4,), outcome)[:, 0]
    prior, spread = 0.75, np.sqrt(0.75 * 0.25)
    assert table[1] == pytest.approx(((0 + 10 * prior) / 20 - prior) / spread)
    assert table[2] == pytest.approx(((30 + 10 * prior) / 40 - prior) / spread)
    assert table[[0, 3]].tolist() == [0, 0]  # no row: the prior


def test_no_row_depends_on_its_own_target() -> None:
    codes, target = draw()
    clean = encode_out_of_fold(codes, (12, 40), target[:, None])
    for row in (0, 7, 150, 299):
        poisoned = target.copy()
        poisoned[row] = 1e6
        other = encode_out_of_fold(codes, (12, 40), poisoned[:, None])
        np.testing.assert_array_equal(other[row], clean[row])
        assert not np.array_equal(other, clean)


def test_classes_have_a_column_each_up_to_ten() -> None:
    codes = np.zeros((60, 1), dtype=np.int32)
    target = np.arange(60) % 12
    target[target == 11] = 0
    assert build_outcome(target, 12).shape == (60, 10)
    assert build_outcome(target % 3, 3).shape == (60, 3)
    assert build_outcome(target % 2, 2)[:, 0].tolist() == (target % 2).tolist()
    assert encode_out_of_fold(codes, (1,), build_outcome(target, 12)).shape == (60, 10)


def test_few_rows_are_no_trouble() -> None:
    for n in (1, 2, 4):
        codes, target = draw(n)
        encoded = encode_out_of_fold(codes, (12, 40), target[:, None])
        assert np.isfinite(encoded).all()


@pytest.mark.parametrize("task_type", TaskType)
def test_training_rows_are_out_of_fold_and_the_others_read_the_table(task_type: TaskType) -> None:
    prepared, task = build_prepared(task_type), build_task(task_type)
    encoding, wide = encode_prepared(prepared, task, build_request("mlp", ENCODED))
    n_more = 3 if task_type is TaskType.MULTICLASS else 1
    assert encoding.columns == (2,)  # of 2, 5 and 30 levels
    assert wide.shape.n_quantile_numeric == prepared.shape.n_quantile_numeric + n_more
    assert wide.views.robust.shape[1] == prepared.views.robust.shape[1] + n_more
    assert wide.views.quantile is prepared.views.quantile
    place = slice(prepared.shape.n_quantile_numeric, wide.shape.n_quantile_numeric)
    table = look_up(prepared.views.codes[:, [2]], encoding.cardinalities, encoding.tables)
    train_rows, select = prepared.parts[Part.TRAIN], prepared.parts[Part.SELECT]
    np.testing.assert_array_equal(wide.views.robust[select, place], table[select])
    assert not np.allclose(wide.views.robust[train_rows, place], table[train_rows])
    np.testing.assert_array_equal(wide.views.robust[:, -1], prepared.views.robust[:, -1])


def test_targets_outside_of_training_are_never_read() -> None:
    prepared, task = build_prepared(TaskType.REGRESSION), build_task(TaskType.REGRESSION)
    request = build_request("mlp", ENCODED)
    poisoned = prepared.target.copy()
    for part in (Part.SELECT, Part.CALIBRATE, Part.TEST):
        poisoned[prepared.parts[part]] = 1e9
    first = encode_prepared(prepared, task, request)[1]
    second = encode_prepared(replace(prepared, target=poisoned), task, request)[1]
    np.testing.assert_array_equal(first.views.robust, second.views.robust)


@pytest.mark.parametrize(("family", "config"), [("mlp", ENCODED), ("boosting", TREES)])
def test_it_trains_saves_and_predicts_the_same(family, config, tmp_path) -> None:
    prepared, task = build_prepared(TaskType.BINARY), build_task(TaskType.BINARY)
    trained, _ = drive(train(prepared, task, build_request(family, config, max_epochs=2)))
    views = prepared.views
    expected = trained.predictor.predict(views)
    assert trained.predictor.family == family
    select = prepared.parts[Part.SELECT]
    np.testing.assert_allclose(expected[select], trained.select_prediction, atol=1e-6)
    save_predictor(trained.predictor, tmp_path)
    loaded = load_predictor(tmp_path)
    np.testing.assert_allclose(loaded.predict(views), expected, atol=1e-7)
    assert loaded.predict(views.take(np.array([], int))).shape == (0, 2)
    record = load_json(tmp_path / "model.json")
    record["target_encoding"]["cardinalities"] = [30]
    write_json(tmp_path / "model.json", record)
    with pytest.raises(BundleError, match="do not fit"):
        load_predictor(tmp_path)


def test_off_and_without_wide_columns_nothing_is_encoded() -> None:
    prepared, task = build_prepared(TaskType.BINARY), build_task(TaskType.BINARY)
    plain, _ = drive(train(prepared, task, build_request("mlp", SMALL_MLP, max_epochs=1)))
    off = SMALL_MLP | {"target_encoding": False}
    same, _ = drive(train(prepared, task, build_request("mlp", off, max_epochs=1)))
    assert same.score == plain.score
    narrow = replace(
        prepared,
        views=replace(prepared.views, codes=prepared.views.codes[:, :2]),
        shape=replace(prepared.shape, cardinalities=(3, 6)),
    )
    on = SMALL_MLP | {"target_encoding": True}
    trained, _ = drive(train(narrow, task, build_request("mlp", on, max_epochs=1)))
    assert trained.predictor.to_arrays().keys() == plain.predictor.to_arrays().keys() - {
        name for name in plain.predictor.to_arrays() if "categorical" in name
    }
