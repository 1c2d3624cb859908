"""Every nasty table from its file through preparation and one model of each kind: nothing fails, nothing is NaN."""

from pathlib import Path

import numpy as np
import pytest

from automl.data.importing import ImportRequest, import_table
from automl.data.preparing import PreparedResult, PrepareRequest, prepare
from automl.data.profile import load_profile
from automl.data.setup import Setup, build_columns, infer_task
from automl.data.split_plan import SplitPlan
from automl.data.store import load_frame
from automl.data.task import Task
from automl.errors import AutoMLError
from automl.models.starts import STARTS
from automl.settings import Settings
from automl.training.run import train
from tests.nasty_tables import TABLES, NastyTable
from tests.unit.training.tables import SMALL_MLP, build_request, drive

N_ROWS = 240
CONFIGS = {
    "linear": {"C": 1.0},
    "boosting": STARTS["boosting"][0],
    "mlp": SMALL_MLP | {"numeric_view": "robust", "one_hot_limit": 8},
}


def read(table: NastyTable, folder: Path) -> tuple[PreparedResult, Task]:
    """What a search reads after somebody uploaded the table."""
    path = folder / "table.csv"
    table.build(N_ROWS).to_csv(path, index=False)
    settings = Settings(home=folder / "home", min_free_bytes=0)
    dataset = import_table(
        ImportRequest(path=str(path), name=path.name), settings.workspace, settings
    )
    setup = Setup(target="y", task_type=table.task)
    task = infer_task(dataset, load_profile(settings.workspace, dataset.id), setup)
    request = PrepareRequest(
        frame=load_frame(settings.workspace, dataset.id),
        columns=build_columns(dataset, setup),
        task=task,
        split_plan=SplitPlan(),
    )
    return prepare(request), task


@pytest.mark.parametrize("name", TABLES)
def test_no_failure_and_no_nan(name: str, tmp_path: Path) -> None:
    table = TABLES[name]
    if table.refused:
        with pytest.raises(AutoMLError, match=table.refused):
            read(table, tmp_path)
        return
    result, task = read(table, tmp_path)
    views = result.prepared.views
    for view in (views.quantile, views.robust, views.standard):
        assert np.isfinite(view).all()
        assert np.abs(view).max(initial=0) <= 10
    assert not np.isinf(views.raw).any()
    for family, config in CONFIGS.items():
        trained, epochs = drive(
            train(result.prepared, task, build_request(family, config, max_epochs=2))
        )
        assert np.isfinite([epoch.train_loss for epoch in epochs]).all(), family
        assert np.isfinite(trained.score), family
        assert np.isfinite(trained.predictor.predict(views)).all(), family


def test_there_are_sixty_and_each_is_the_same_every_time() -> None:
    assert len(TABLES) == 60
    for table in TABLES.values():
        assert table.build(60).equals(table.build(60)), table.name
