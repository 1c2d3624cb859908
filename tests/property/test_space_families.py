"""Every configuration that a family's space gives can be built and trained for an epoch."""

import math

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from automl.data.dataset import DataKind
from automl.errors import TrainingDiverged
from automl.models.catalog import get_space, list_families, render_architecture
from automl.models.spaces import PRESETS
from automl.models.tabular.loss_config import SpaceFacts
from automl.space.sampling import sample, validate_config
from automl.training.run import train
from tests.property.test_space_sampling import Drawn
from tests.unit.training.tables import TaskType, build_prepared, build_request, build_task, drive

PREPARED = {task_type: build_prepared(task_type, n_rows=120) for task_type in TaskType}
SHARES = {
    TaskType.BINARY: (0.95, 0.05),
    TaskType.MULTICLASS: (0.6, 0.38, 0.02),
    TaskType.REGRESSION: (),
}


@pytest.mark.parametrize(
    "family", [name for name in list_families(DataKind.TABLE) if name != "constant"]
)
@given(st.data(), st.sampled_from(PRESETS), st.sampled_from(list(TaskType)))
@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_every_sample_builds_and_trains_one_epoch(family, data, preset, task_type):
    metric = "mae" if task_type is TaskType.REGRESSION else "balanced_accuracy"
    facts = SpaceFacts(task_type=task_type, metric=metric, class_shares=SHARES[task_type])
    space = get_space(family, preset, facts=facts)
    config = sample(space, Drawn(data), prefix=f"{family}.")
    validate_config(space, config)
    assert render_architecture(family, config)
    request = build_request(family, config, max_epochs=1, batch_size=32)
    try:
        trained, epochs = drive(train(PREPARED[task_type], build_task(task_type), request))
    except TrainingDiverged:  # a result about a configuration, as it should be
        return
    assert len(epochs) == 1
    assert math.isfinite(trained.score)
