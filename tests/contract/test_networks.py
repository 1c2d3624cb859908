"""What every network for tables promises, beyond what every family does."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from automl.data.dataset import DataKind
from automl.data.task import TaskType
from automl.data.views import Part
from automl.models.catalog import FAMILIES, describe_layers, get_space, list_families, resolve_build
from automl.models.tabular.config import parse_columns
from automl.models.tabular.inputs import build_batch
from automl.models.tabular.layers import count_parameters
from automl.space.dimensions import Switch
from automl.training.clock import WorkClock
from automl.training.network import NetworkRun
from tests.unit.training.tables import build_prepared, build_request, build_task

NETWORKS = [name for name in list_families(DataKind.TABLE) if FAMILIES[name].is_network]
EMBEDDED = {
    "none": {},
    "periodic": {"frequencies": 16, "dim": 8, "sigma": 0.1},
    "pbld": {"frequencies": 16, "dim": 4, "sigma": 0.1},
}
FEW = 32


def list_variants():
    """Every network with its default, and with every other embedding of numbers that it has."""
    for family in NETWORKS:
        config = FAMILIES[family].default
        yield family, config
        switch = get_space(family).get("numeric_embedding")
        for kind, values in EMBEDDED.items() if isinstance(switch, Switch) else ():
            assert kind in switch.branches
            plain = {name: value for name, value in config.items() if ".piecewise." not in name}
            dotted = {f"numeric_embedding.{kind}.{name}": value for name, value in values.items()}
            yield family, plain | {"numeric_embedding": kind} | dotted


variants = pytest.mark.parametrize(
    ("family", "config"),
    [
        pytest.param(*it, id=f"{it[0]}-{it[1].get('numeric_embedding', '')}")
        for it in list_variants()
    ],
)


def build_few(task_type):
    """The same few rows to learn from and to be judged by, without their wide category."""
    prepared = build_prepared(task_type)
    rows = np.sort(prepared.parts[Part.TRAIN][:FEW])
    return replace(prepared, parts=prepared.parts | {Part.TRAIN: rows, Part.SELECT: rows})


def calm(config):
    """Without dropout, and long enough to learn by heart."""
    dropouts = {name: 0.0 for name in config if name.endswith("dropout")}
    return (
        config
        | dropouts
        | {"epochs": 150}
        | ({"schedule": "constant"} if "schedule" in config else {})
    )


@variants
@pytest.mark.parametrize("task_type", TaskType)
def test_gradients_reach_every_parameter(family, config, task_type):
    prepared = build_prepared(task_type)
    run = NetworkRun(prepared, build_task(task_type), build_request(family, config))
    for _ in range(2):  # a map that starts at zero passes gradients on from the second step
        run._step(torch.arange(64))
    network = run.model.network
    still = [name for name, weight in network.named_parameters() if not weight.grad.any()]
    assert not still


@variants
def test_it_learns_a_few_rows_by_heart(family, config):
    prepared = build_few(TaskType.MULTICLASS)
    request = build_request(family, calm(config), batch_size=FEW)
    run = NetworkRun(prepared, build_task(TaskType.MULTICLASS), request)
    for number in range(1, 101):
        loss = run.train_epoch(number, WorkClock(None)).loss
        if loss < 0.05:
            break
    assert loss < 0.05


@variants
def test_one_row_is_predicted_as_among_others(family, config):
    prepared = build_prepared(TaskType.BINARY)
    run = NetworkRun(prepared, build_task(TaskType.BINARY), build_request(family, config))
    run.train_epoch(1, WorkClock(None))
    model = run.model
    alone = model.predict(prepared.views.take(np.array([5])))
    assert alone.shape == (1, 2)
    assert np.allclose(alone[0], model.predict(prepared.views)[5], atol=1e-5)


@variants
def test_a_batch_of_one_row_trains(family, config):
    prepared = build_prepared(TaskType.BINARY)
    rows = prepared.parts[Part.TRAIN][:1]
    one = replace(prepared, parts=prepared.parts | {Part.TRAIN: rows})
    network = resolve_build(family)(config, prepared.shape)
    batch = build_batch(one.views.take(rows), one.shape, parse_columns(config))
    network.fit_inputs(batch.numeric)
    network.fit_weights(batch)
    network.eval()  # batch norm learns from two rows at least: the loop drops a single one
    output = network(batch)
    output.square().mean().backward()
    assert torch.isfinite(output).all()
    assert all(torch.isfinite(w.grad).all() for w in network.parameters() if w.grad is not None)


@variants
def test_it_trains_in_half_precision(family, config):
    """As on a GPU: the products of layers are bfloat16, the weights are not."""
    prepared = build_prepared(TaskType.MULTICLASS)
    run = NetworkRun(prepared, build_task(TaskType.MULTICLASS), build_request(family, config))
    network, batch = run.model.network, run.rows.batch.take(torch.arange(FEW))
    with torch.autocast("cpu", torch.bfloat16):
        output = network(batch)
    output.float().square().mean().backward()
    assert torch.isfinite(output).all()
    assert all(torch.isfinite(w.grad).all() for w in network.parameters() if w.grad is not None)


@variants
def test_its_drawing_holds_all_parameters(family, config):
    shape = build_prepared(TaskType.MULTICLASS).shape
    layers = describe_layers(family, config, shape)
    network = resolve_build(family)(config, shape)
    assert sum(layer["parameters"] for layer in layers) == count_parameters(network)
    assert layers[-1]["output"] == shape.n_outputs
    assert all(layer["output"] > 0 and layer["kind"] for layer in layers)


@pytest.mark.parametrize("family", NETWORKS)
def test_a_table_of_numbers_or_categories_alone_is_enough(family):
    whole = build_prepared(TaskType.BINARY)
    no_codes = replace(whole.views, codes=whole.views.codes[:, :0])
    no_numbers = replace(
        whole.views,
        raw=whole.views.raw[:, :0],
        quantile=whole.views.quantile[:, :0],
        standard=whole.views.standard[:, :0],
        robust=whole.views.robust[:, :0],
    )
    for views, shape in (
        (no_codes, replace(whole.shape, cardinalities=())),
        (no_numbers, replace(whole.shape, n_raw=0, n_quantile=0, n_quantile_numeric=0)),
    ):
        prepared = replace(whole, views=views, shape=shape)
        run = NetworkRun(prepared, build_task(TaskType.BINARY), build_request(family))
        assert np.isfinite(run.train_epoch(1, WorkClock(None)).loss)
