import subprocess
import sys

import pytest

from automl.data.dataset import DataKind
from automl.data.views import ViewShape
from automl.errors import SpecError
from automl.models.catalog import (
    FAMILIES,
    describe_layers,
    get_family,
    get_space,
    get_starts,
    render_architecture,
    resolve_build,
)
from automl.models.spaces import PRESETS
from automl.space.sampling import count_grid, flatten, validate_config

SHAPE = ViewShape(
    n_raw=3, n_quantile=4, n_quantile_numeric=3, cardinalities=(3, 6, 31), n_outputs=2
)
MLP = FAMILIES["mlp"].default
SIZED = {"realmlp", "tabm"}  # some of their starts are of a thorough search's or a GPU's size


def _fits(space, config):
    try:
        validate_config(space, config)
    except SpecError:
        return False
    return True


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("preset", PRESETS)
@pytest.mark.parametrize("on_gpu", [False, True])
def test_defaults_and_starts_lie_in_every_space(family, preset, on_gpu):
    space = get_space(family, preset, on_gpu=on_gpu)
    if FAMILIES[family].default:  # an empty one means the library's own defaults
        validate_config(space, FAMILIES[family].default)
    starts = get_starts(family)
    fitting = [config for config in starts if _fits(space, config)]
    if DataKind.IMAGES in FAMILIES[family].data and not on_gpu:
        assert len(fitting) >= len(starts) - 1  # one is of a GPU's size
    elif family in SIZED:
        assert starts[0] in fitting  # there is one for every machine
    else:
        assert fitting == list(starts)


@pytest.mark.parametrize("family", ["realmlp", "tabm"])
def test_starts_of_another_size_lie_in_some_space(family):
    spaces = [get_space(family, preset, on_gpu=gpu) for preset in PRESETS for gpu in (False, True)]
    for config in get_starts(family):
        assert any(_fits(space, config) for space in spaces)


def test_rates_of_two_optimisers_have_two_labels():
    labels = [line.label for line in flatten(get_space("mlp"))]
    assert "optimizer.adamw.lr" in labels
    assert "optimizer.sgd.lr" in labels
    assert "lr" not in labels


def test_cpu_widths_stay_within_256():
    for family in ("mlp", "resnet"):
        for preset in PRESETS:
            assert get_space(family, preset)["width"].high <= 256


def test_thorough_is_not_smaller_than_quick():
    assert count_grid(get_space("mlp", "thorough")) >= count_grid(get_space("mlp", "quick"))


def test_foreign_names_are_refused():
    with pytest.raises(SpecError, match="'forest'"):
        get_family("forest")
    with pytest.raises(SpecError, match="'huge'"):
        get_space("mlp", "huge")


def test_the_catalog_needs_neither_torch_nor_scikit_learn():
    code = (
        "import sys, automl.models.catalog, automl.space.sampling\n"
        "print(sorted({'torch', 'sklearn', 'optuna', 'scipy'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_architecture_line_ignores_training_and_shows_structure():
    line = render_architecture("mlp", MLP)
    assert render_architecture("mlp", {**MLP, "optimizer.adamw.lr": 1e-3, "dropout": 0.4}) == line
    for change in ({"depth": 1}, {"width": 96}, {"norm": "layer"}, {"activation": "selu"},
                   {"taper": 0.5}, {"categorical_dim": 4}, {"numeric_embedding": "none"}):  # fmt: skip
        assert render_architecture("mlp", MLP | change) != line


def test_one_layer_has_nothing_to_skip():
    one = {**MLP, "depth": 1}
    assert render_architecture("mlp", one | {"residual": True}) == render_architecture(
        "mlp", one | {"residual": False}
    )


def test_trees_have_no_layers():
    assert describe_layers("boosting", {}, SHAPE) == []


def test_a_missing_label_is_named():
    config = {label: value for label, value in MLP.items() if label != "width"}
    with pytest.raises(SpecError, match="'width'"):
        resolve_build("mlp")(config, SHAPE)
