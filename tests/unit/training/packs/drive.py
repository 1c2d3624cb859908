"""Run packs to their end, and the networks of their members alone."""

import itertools

from automl.training.packs.records import PackAnswer, PackRequest
from automl.training.packs.run import train_pack
from tests.unit.training.tables import FAMILIES, TaskType, build_request

NO_DROPOUT = {
    "mlp": {"dropout": 0.0},
    "resnet": {"hidden_dropout": 0.0, "residual_dropout": 0.0},
}
SGD = {"optimizer": "sgd", "optimizer.sgd.lr": 0.03, "optimizer.sgd.weight_decay": 1e-3}


def drive_pack(prepared, task, requests, answer=lambda _: None):
    """What became of each member, its epochs, and all that was yielded."""
    epochs, ended, yielded = {}, {}, []
    pack = train_pack(prepared, task, PackRequest(members=requests))
    said = None
    while True:
        try:
            step = pack.send(said)
        except StopIteration:
            return ended, epochs, yielded
        yielded.append(step)
        for number, epoch in step.epochs.items():
            epochs.setdefault(number, []).append(epoch)
        ended |= step.ended
        said = answer(step)


def embed(kind, third):
    """The labels of an embedding, of three sizes."""
    sizes = {"dim": (4, 8, 12)[third]}
    if kind == "piecewise":
        sizes |= {"bins": (4, 8, 12)[third]}
    elif kind != "none":
        sizes |= {"frequencies": (3, 5, 8)[third], "sigma": (0.1, 0.3, 0.5)[third]}
    chosen = (
        {} if kind == "none" else {f"numeric_embedding.{kind}.{k}": v for k, v in sizes.items()}
    )
    return {"numeric_embedding": kind, **chosen}


def vary(family, task_type, norms, embedding="piecewise", **changes):
    """Members of one bucket that differ in all that is free inside it."""
    depths, optimisers = (1, 2, 3), ("adamw", "sgd")
    schedules = ("cosine", "constant", "one_cycle")
    members = {}
    for index, (norm, depth, optimiser) in enumerate(itertools.product(norms, depths, optimisers)):
        third = index % 3
        config = {k: v for k, v in FAMILIES[family].default.items() if "embedding" not in k}
        config |= NO_DROPOUT[family] | embed(embedding, third)
        config |= {
            "norm": norm, "width": 32 if index % 2 else 24, "schedule": schedules[(index + depth) % 3],
            "activation": ("relu", "gelu", "silu")[third], "epochs": 4,
            "categorical_dim": (4, 8)[index % 2],
            "numeric_view": ("quantile", "robust", "standard")[third],
            "one_hot_limit": (4, 8, 16)[(third + depth) % 3],
        }  # fmt: skip
        if family == "mlp":
            config |= {"depth": depth, "taper": (1.0, 0.75, 0.5)[third]}
        else:
            config |= {"blocks": depth, "hidden_factor": (0.5, 1.0)[index % 2]}
        if optimiser == "sgd":
            config = {k: v for k, v in config.items() if ".adamw." not in k} | SGD
        if task_type is TaskType.REGRESSION:
            config |= {"loss": ("mse", "huber")[index % 2]}
        else:
            config |= {"loss": ("cross_entropy", "focal")[index % 2]}
            config |= {"class_weights": ("none", "balanced")[depth % 2]}
        members[10 + index] = build_request(
            family, config | changes, seed=index, batch_size=20, max_epochs=5
        )
    return members


__all__ = ["NO_DROPOUT", "PackAnswer", "drive_pack", "vary"]
