"""Small sets of pictures and made-up weights for the tests of pretrained networks."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import timm
import torch
from safetensors.torch import save_file

from automl.data.images.rows import ImageRows
from automl.data.task import Task, TaskType
from automl.data.views import Part, Prepared, Views, ViewShape
from automl.models.image.pretrained_space import build_pretrained_space, build_pretrained_starts
from automl.models.image.weights import WeightsPlan, WeightsSource, record_weights
from automl.training.request import TrainRequest

SMALL = "mobilenetv4_conv_small.e2400_r224_in1k"
VIT = "vit_tiny_patch16_224.augreg_in21k_ft_in1k"
SIDE = 16
TASK = Task(
    target="label", type=TaskType.MULTICLASS, metric="accuracy", classes=("red", "green", "blue")
)


def write_weights(folder: Path, tag: str = SMALL, *, seed: int = 0) -> Path:
    """A file as timm's hub has it: the whole network, its classifier of 1,000 classes too."""
    torch.manual_seed(seed)
    path = folder / f"{tag}.safetensors"
    save_file(timm.create_model(tag, pretrained=False).state_dict(), path)
    return path


def plan_folder(folder: Path) -> WeightsPlan:
    return WeightsPlan(source=WeightsSource.FOLDER, folder=str(folder))


def build_pictures(n_rows: int = 60, channels: int = 3, seed: int = 0) -> Prepared:
    """Three classes, each brighter in one channel (or one third, when grey)."""
    rng = np.random.default_rng(seed)
    target = np.arange(n_rows) % 3
    pixels = rng.integers(0, 120, (n_rows, SIDE, SIDE, channels), dtype=np.uint8)
    for row, label in enumerate(target):
        if channels == 3:
            pixels[row, :, :, label] += 120
        else:
            pixels[row, label * 5 : label * 5 + 5] += 120
    cuts = [int(n_rows * share) for share in (0.6, 0.8, 0.9)]
    parts = {
        part: np.sort(rows).astype(np.int64)
        for part, rows in zip(Part, np.split(rng.permutation(n_rows), cuts), strict=True)
    }
    train = pixels[parts[Part.TRAIN]] / 255
    mean, std = train.mean(axis=(0, 1, 2)), train.std(axis=(0, 1, 2))
    empty = np.zeros((n_rows, 0), dtype=np.float32)
    return Prepared(
        views=Views(
            raw=empty,
            quantile=empty,
            robust=empty,
            standard=empty,
            codes=np.zeros((n_rows, 0), dtype=np.int32),
            images=ImageRows(array=pixels),
        ),
        target=target.astype(np.int64),
        parts=parts,
        shape=ViewShape(
            n_raw=0,
            n_quantile=0,
            n_quantile_numeric=0,
            cardinalities=(),
            n_outputs=3,
            side=SIDE,
            channels=channels,
            image_mean=tuple(float(value) for value in mean),
            image_std=tuple(float(value) for value in std),
        ),
    )


def prepare_with_weights(tmp_path: Path, tag: str = SMALL, channels: int = 3) -> Prepared:
    """Pictures of a search whose weights were found in a folder and pinned."""
    source = tmp_path / "weights"
    source.mkdir(exist_ok=True)
    write_weights(source, tag)
    job = tmp_path / "job" / "prepared"
    files, texts = record_weights(plan_folder(source), [tag], job)
    assert len(files) == 1
    assert not texts
    return replace(build_pictures(channels=channels), folder=job / "search")


def build_config(kind: str, tag: str = SMALL, **changes):
    """``frozen``, or a part that is tuned."""
    space = build_pretrained_space("quick", on_gpu=False, side=SIDE)
    frozen, tuned, *_ = build_pretrained_starts(space)
    config = dict(frozen if kind == "frozen" else tuned) | {"backbone": tag, "input_side": 64}
    if kind not in ("frozen", "gradual"):
        decay = config.pop("mode.tuned.part.gradual.layer_decay")
        config["mode.tuned.part"] = kind
        if kind == "full":
            config["mode.tuned.part.full.layer_decay"] = decay
    return config | changes


def build_request(config, **changes) -> TrainRequest:
    values = {"seed": 0, "batch_size": 16, "max_epochs": 3} | changes
    return TrainRequest(family="pretrained", config=config, **values)


def drive(training, answer=lambda _: None):
    """Run a training to its end: what it returned and the epochs it yielded."""
    epochs = []
    try:
        epoch = next(training)
        while True:
            epochs.append(epoch)
            epoch = training.send(answer(epoch))
    except StopIteration as stop:
        return stop.value, epochs
