"""Which networks may train as one program: what changes shapes or code, as text. Costs no torch."""

from automl.models.tabular.config import (
    parse_inputs,
    parse_mlp,
    parse_resnet,
    read,
)
from automl.models.tabular.target_encoding import LABEL, is_encoded
from automl.space.dimensions import Config

LEAST_WIDTH = 32
LEAST_EMBEDDING = 12
ALONE = ""
_INPUTS = {"numeric_embedding", "numeric_view", "one_hot_limit", "categorical_dim", LABEL} | {
    f"numeric_embedding.{kind}.{name}"
    for kind in ("piecewise", "periodic", "pbld")
    for name in ("bins", "dim", "frequencies", "sigma")
}
_PLAN = {"optimizer", "schedule", "epochs"} | {
    f"optimizer.{optimizer}.{name}"
    for optimizer in ("adamw", "sgd")
    for name in ("lr", "weight_decay")
}
_LOSSES = {
    "loss",
    "loss.smoothed.smoothing",
    "loss.focal.gamma",
    "loss.huber.delta",
    "loss.pinball.tau",
    "class_weights",
}
_SHARED = _INPUTS | _PLAN | _LOSSES | {"width", "norm", "activation"}
KNOWN = {
    "mlp": _SHARED | {"depth", "taper", "residual", "dropout"},
    "resnet": _SHARED | {"blocks", "hidden_factor", "hidden_dropout", "residual_dropout"},
}
EMBEDDINGS = ("none", "piecewise", "periodic", "pbld")


def compute_bucket(family: str, config: Config) -> str:
    """The bucket of a configuration: equal text may share a pack, empty text trains alone.

    Free inside a bucket: depth, width up to the bucket's, taper, activation, norm, dropout, numeric view,
    one-hot limit, bins, frequencies and size of embeddings, loss, optimiser, rates, decay, schedule, horizon,
    seed. A label that packs do not know makes a network train alone, never differently.
    """
    if is_encoded(config):  # its rows are numbers of their own
        return ALONE
    if family not in KNOWN or not config.keys() <= KNOWN[family]:
        return ALONE
    if read(config, "numeric_embedding", str) not in EMBEDDINGS:
        return ALONE
    if family == "resnet":
        parsed = parse_resnet(config)
        width = _find_class(max(parsed.d_block, parsed.d_hidden), LEAST_WIDTH)
        return f"resnet·{width}·{_describe_inputs(config)}"
    mlp = parse_mlp(config)
    kind = "residual" if mlp.is_residual else "plain"
    width = _find_class(max(mlp.widths), LEAST_WIDTH)
    return f"mlp·{width}·{kind}·{_describe_inputs(config)}"


def _describe_inputs(config: Config) -> str:
    kind, d_numeric = read(config, "numeric_embedding", str), parse_inputs(config).d_numeric
    return kind if kind == "none" else f"{kind} {_find_class(d_numeric, LEAST_EMBEDDING)}"


def _find_class(value: int, least: int) -> int:
    """The smallest of ``least``, twice that, four times that … which holds a value."""
    limit = least
    while limit < value:
        limit *= 2
    return limit
