"""Models with known answers, as plain functions of a frame, and rows for them."""

import numpy as np
import pandas as pd

from automl.data.dataset import ColumnUse, Kind, Role
from automl.data.task import Task, TaskType
from automl.evaluation.explaining.asking import AskedModel, HeldRows

TASK = Task(
    target="y", type=TaskType.BINARY, metric="roc_auc", classes=("no", "yes"), positive="yes"
)
VALUE = Task(target="y", type=TaskType.REGRESSION, metric="mse")


def use(name, kind=Kind.NUMERIC):
    return ColumnUse(name=name, kind=kind, role=Role.FEATURE)


def run(steps):
    """The end of the steps, and how far they said to be."""
    shares = []
    try:
        while True:
            shares.append(next(steps)[0])
    except StopIteration as end:
        return end.value, shares


def build_rows(n=500, seed=0):
    """Age decides, the second column repeats it, the third is noise that the model reads a little."""
    rng = np.random.default_rng(seed)
    age = rng.normal(50, 10, n)
    job = rng.choice(["nurse", "smith", None], n)
    frame = pd.DataFrame(
        {
            "noise": rng.normal(size=n),
            "age": age,
            "months": np.where(rng.random(n) < 0.05, np.nan, 12 * age + rng.normal(0, 6, n)),
            "job": pd.Series(job, dtype="str"),
        }
    )
    odds = (age - 50) / 5 + (frame["job"] == "nurse")
    truth = (rng.random(n) < 1 / (1 + np.exp(-odds))).astype(np.int64)
    return HeldRows(frame=frame, truth=truth, row_id=np.arange(n))


def predict(frame):
    odds = (frame["age"] - 50) / 5 + (frame["job"] == "nurse") + 0.2 * frame["noise"]
    chance = 1 / (1 + np.exp(-odds.to_numpy(dtype=float)))
    return np.column_stack([1 - chance, chance])


MODEL = AskedModel(
    task=TASK,
    columns=(use("noise"), use("age"), use("months"), use("job", Kind.CATEGORICAL)),
    predict=predict,
)
