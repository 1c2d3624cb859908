"""How long a fitted model takes for 1,000 rows: warmed up, on one thread, the median of a few times."""

import statistics
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, cast

import numpy as np
import torch
from threadpoolctl import threadpool_limits

from automl.data.views import Part, Prepared
from automl.training.predictor import Predictor
from automl.training.request import Trained
from automl.training.target_encoding import EncodedModel

N_ROWS = 1_000
N_WARM_UPS = 3
N_TIMED = 11
MOST_SECONDS = 0.5  # for each half: a model that slow needs no third decimal
LEAST_TIMED = 3


def measure(prepared: Prepared, trained: Trained) -> Mapping[str, float]:
    """What a model for tables costs: ``parameters`` (of trees: nodes) and ``latency_ms`` for 1,000 rows.

    Fewer select rows than that are read again and again. Encoding a table into views is not part of it.
    """
    rows = np.resize(prepared.parts[Part.SELECT], N_ROWS)
    views = prepared.views.take(rows)
    model = _use_one_thread(trained.predictor)
    n_threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        with threadpool_limits(limits=1):
            _time(lambda: model.predict(views), N_WARM_UPS)
            seconds = statistics.median(_time(lambda: model.predict(views), N_TIMED))
    finally:
        torch.set_num_threads(n_threads)
    return {"parameters": float(trained.n_parameters), "latency_ms": 1000 * seconds}


def _use_one_thread(model: Predictor) -> Predictor:
    """Trees are told their threads themselves, also those behind a target encoding."""
    if isinstance(model, EncodedModel):
        return replace(model, model=_use_one_thread(model.model))
    if getattr(model, "threads", 1) == 1:
        return model
    one: Predictor = replace(cast("Any", model), threads=1)
    return one


def _time(call: Callable[[], object], times: int) -> list[float]:
    took: list[float] = []
    while len(took) < times and (sum(took) < MOST_SECONDS or len(took) < LEAST_TIMED):
        started = time.perf_counter()
        call()
        took.append(time.perf_counter() - started)
    return took
