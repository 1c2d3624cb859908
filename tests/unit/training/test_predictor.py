import json
import subprocess
import sys

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from automl.errors import BundleError
from automl.training.predictor import MODEL_JSON, MODEL_TENSORS, load_predictor
from automl.training.run import train
from tests.unit.training.tables import (
    SMALL_MLP,
    TaskType,
    build_prepared,
    build_request,
    build_task,
    drive,
)

PREPARED, TASK = build_prepared(TaskType.BINARY), build_task(TaskType.BINARY)


def save(family, folder, config=None):
    trained, _ = drive(train(PREPARED, TASK, build_request(family, config, max_epochs=2)))
    trained.save(folder)
    return trained


def test_a_fresh_process_predicts_the_same(tmp_path):
    views = PREPARED.views
    expected = {}
    configs = {"mlp": SMALL_MLP, "boosting": None, "lightgbm": None, "linear": None}
    for family, config in configs.items():
        expected[family] = save(family, tmp_path / family, config).predictor.predict(views)
    for name in ("raw", "quantile", "robust", "standard", "codes"):
        np.save(tmp_path / f"{name}.npy", getattr(views, name))
    code = (
        "import sys, numpy as np\n"
        "from pathlib import Path\n"
        "from automl.data.views import Views\n"
        "from automl.training.predictor import load_predictor\n"
        "folder = Path(sys.argv[1])\n"
        "names = ('raw', 'quantile', 'robust', 'standard', 'codes')\n"
        "views = Views(**{name: np.load(folder / f'{name}.npy', mmap_mode='r') for name in names})\n"
        "for family in ('mlp', 'boosting', 'lightgbm', 'linear'):\n"
        "    out = load_predictor(folder / family).predict(views)\n"
        "    np.save(folder / f'{family}.out.npy', out)\n"
        "assert 'lightgbm' not in sys.modules\n"
    )
    subprocess.run([sys.executable, "-W", "error", "-c", code, str(tmp_path)], check=True)
    for family, prediction in expected.items():
        found = np.load(tmp_path / f"{family}.out.npy")
        assert np.allclose(found, prediction, rtol=0, atol=1e-6), family


def test_predictions_do_not_depend_on_the_other_rows(tmp_path):
    trained = save("mlp", tmp_path, SMALL_MLP | {"norm": "batch"})
    whole = trained.predictor.predict(PREPARED.views)
    alone = trained.predictor.predict(PREPARED.views.take(np.array([7])))
    assert np.allclose(alone[0], whole[7], atol=1e-6)


def test_no_rows_give_no_predictions(tmp_path):
    for family in ("mlp", "boosting", "lightgbm", "linear", "constant"):
        trained = save(family, tmp_path / family)
        assert trained.predictor.predict(PREPARED.views.take(np.array([], int))).shape == (0, 2)


def test_an_absent_model_is_named(tmp_path):
    with pytest.raises(BundleError, match="'nothing'"):
        load_predictor(tmp_path / "nothing")


@pytest.mark.parametrize(
    ("key", "value"),
    [("format", 99), ("family", "forest"), ("shape", {"n_raw": 1}), ("config", {}), ("target", {})],
)
def test_a_foreign_record_is_refused(tmp_path, key, value):
    save("mlp", tmp_path, SMALL_MLP)
    path = tmp_path / MODEL_JSON
    path.write_text(json.dumps(json.loads(path.read_text()) | {key: value}))
    with pytest.raises(BundleError):
        load_predictor(tmp_path)


def test_torn_weights_are_refused(tmp_path):
    save("mlp", tmp_path, SMALL_MLP)
    path = tmp_path / MODEL_TENSORS
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(BundleError):
        load_predictor(tmp_path)


@pytest.mark.parametrize("family", ["boosting", "lightgbm"])
@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("node_left", 10_000),
        ("node_left", 0),
        ("node_feature_idx", 99),
        ("node_feature_idx", -1),
        ("sizes", 1),
        ("n_bitsets", 7),
        ("n_bitsets", -1),
    ],
)
def test_trees_that_point_elsewhere_are_refused_before_compiled_code_follows_them(
    tmp_path, family, name, value
):
    save(family, tmp_path)
    arrays = load_file(tmp_path / MODEL_TENSORS)
    arrays[name][0] = value
    save_file(arrays, tmp_path / MODEL_TENSORS)
    with pytest.raises(BundleError, match="damaged"):
        load_predictor(tmp_path)


@pytest.mark.parametrize(
    ("family", "name"),
    [
        ("boosting", "sizes"),
        ("boosting", "n_bitsets"),
        ("boosting", "n_levels"),
        ("lightgbm", "sizes"),
        ("lightgbm", "n_bitsets"),
    ],
)
def test_sizes_whose_sum_is_right_hide_no_wrong_one(tmp_path, family, name):
    save(family, tmp_path)
    arrays = load_file(tmp_path / MODEL_TENSORS)
    if name == "n_levels":  # this table has one column with levels
        arrays[name] = np.append(arrays[name], 0)
    counts = arrays[name]
    counts[0] += 2**31
    counts[-1] -= 2**31
    save_file(arrays, tmp_path / MODEL_TENSORS)
    with pytest.raises(BundleError, match="damaged"):
        load_predictor(tmp_path)


@pytest.mark.parametrize("flag", [1, 2, 255])
def test_a_categorical_split_without_its_set_is_refused_whatever_its_flag(tmp_path, flag):
    save("boosting", tmp_path)
    arrays = load_file(tmp_path / MODEL_TENSORS)
    inner = np.flatnonzero(arrays["node_is_leaf"] == 0)[0]
    arrays["node_is_categorical"][inner] = flag
    arrays["node_bitset_idx"][inner] = 2**31
    save_file(arrays, tmp_path / MODEL_TENSORS)
    with pytest.raises(BundleError, match="damaged"):
        load_predictor(tmp_path)


@pytest.mark.parametrize("family", ["boosting", "lightgbm"])
def test_sets_of_levels_and_columns_that_do_not_fit_are_refused(tmp_path, family):
    save(family, tmp_path)
    whole = load_file(tmp_path / MODEL_TENSORS)
    narrow = np.ascontiguousarray(whole["bitsets"][:, :4])
    for changes in ({"bitsets": narrow}, {"column_map": whole["column_map"] + 99}):
        save_file(whole | changes, tmp_path / MODEL_TENSORS)
        with pytest.raises(BundleError, match="damaged"):
            load_predictor(tmp_path)
    longer = np.concatenate([whole["column_map"], np.zeros(9, np.uint32)])
    save_file(whole | {"column_map": longer}, tmp_path / MODEL_TENSORS)
    with pytest.raises(BundleError, match="read 15 columns, the rows have 6"):
        load_predictor(tmp_path).predict(PREPARED.views)


def test_nothing_saved_is_a_pickle(tmp_path):
    for family in ("mlp", "boosting", "lightgbm", "linear", "constant"):
        save(family, tmp_path / family)
        assert {path.name for path in (tmp_path / family).iterdir()} == {MODEL_JSON, MODEL_TENSORS}
