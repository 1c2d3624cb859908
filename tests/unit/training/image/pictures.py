"""Small prepared picture sets, made by hand."""

import numpy as np

from automl.data.images.rows import ImageRows
from automl.data.task import Task, TaskType
from automl.data.views import Part, Prepared, Views, ViewShape
from automl.training.request import TrainRequest

CLASSES = ("cross", "dot", "stripe")
TASK = Task(target="label", type=TaskType.MULTICLASS, metric="accuracy", classes=CLASSES)


def draw_pictures(n: int, side: int = 12, channels: int = 3, seed: int = 0):
    """Three shapes at random places, in noise: uint8 ``(n, side, side, channels)`` and their class."""
    rng = np.random.default_rng(seed)
    target = rng.integers(0, 3, n)
    pixels = rng.normal(90, 20, (n, side, side, channels))
    for index, kind in enumerate(target):
        row, column = rng.integers(2, side - 2, 2)
        if kind == 0:
            pixels[index, row - 2 : row + 3, column] += 100
            pixels[index, row, column - 2 : column + 3] += 100
        elif kind == 1:
            pixels[index, row - 1 : row + 1, column - 1 : column + 1] += 120
        else:
            pixels[index, row] += 90
    return pixels.clip(0, 255).astype(np.uint8), target.astype(np.int64)


def build_prepared(
    n: int = 320, side: int = 12, channels: int = 3, seed: int = 0, *, in_order: bool = False
) -> Prepared:
    """A set whose rows come class by class where ``in_order``, as a ZIP of class folders gives them."""
    pixels, target = draw_pictures(n, side, channels, seed)
    if in_order:
        rows = np.argsort(target, kind="stable")
        pixels, target = pixels[rows], target[rows]
    cuts = [int(n * share) for share in (0.6, 0.8, 0.9)]
    order = np.random.default_rng(seed).permutation(n)
    parts = {
        part: np.sort(rows).astype(np.int64)
        for part, rows in zip(Part, np.split(order, cuts), strict=True)
    }
    train = pixels[parts[Part.TRAIN]] / 255
    views = Views(
        raw=np.zeros((n, 1), dtype=np.float32),
        quantile=np.zeros((n, 0), dtype=np.float32),
        robust=np.zeros((n, 0), dtype=np.float32),
        standard=np.zeros((n, 1), dtype=np.float32),
        codes=np.zeros((n, 0), dtype=np.int32),
        images=ImageRows(array=pixels),
    )
    shape = ViewShape(
        n_raw=1,
        n_quantile=0,
        n_quantile_numeric=0,
        cardinalities=(),
        n_outputs=3,
        side=side,
        channels=channels,
        image_mean=tuple(map(float, train.mean((0, 1, 2)))),
        image_std=tuple(map(float, train.std((0, 1, 2)))),
    )
    return Prepared(views=views, target=target, parts=parts, shape=shape)


def build_request(family: str = "small_cnn", config=None, **changes) -> TrainRequest:
    values = {"seed": 0, "batch_size": 32, "max_epochs": 4} | changes
    return TrainRequest(family=family, config=config or {}, **values)
