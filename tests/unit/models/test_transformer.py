from dataclasses import replace

import numpy as np
import torch

from automl.data.task import TaskType
from automl.models.catalog import FAMILIES, resolve_build
from automl.models.tabular.inputs import build_batch
from tests.unit.training.tables import build_prepared

PREPARED = build_prepared(TaskType.BINARY)
CONFIG = FAMILIES["ft_transformer"].default


def build():
    torch.manual_seed(0)
    return resolve_build("ft_transformer")(CONFIG, PREPARED.shape).eval()


def test_every_column_is_a_token_behind_the_one_that_collects():
    network = build()
    tokens = network.tokens(build_batch(PREPARED.views, PREPARED.shape))
    assert tokens.shape == (len(PREPARED.views), 1 + 4 + 3, CONFIG["width"])


def test_a_change_in_one_column_changes_its_token_alone():
    network = build()
    codes = PREPARED.views.codes.copy()
    codes[:, 1] = (codes[:, 1] % 5) + 1  # a narrow category
    changed = replace(PREPARED.views, codes=codes)
    before = network.tokens(build_batch(PREPARED.views, PREPARED.shape))
    after = network.tokens(build_batch(changed, PREPARED.shape))
    differs = (before != after).any(dim=2).any(dim=0)
    assert np.flatnonzero(differs.numpy()).tolist() == [1 + 4 + 1]


def test_rows_do_not_attend_to_each_other():
    network = build()
    batch = build_batch(PREPARED.views, PREPARED.shape)
    assert torch.allclose(network(batch.slice(0, 3)), network(batch)[:3], atol=1e-5)
