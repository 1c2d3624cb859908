"""The typed form of a network's flat configuration; one place knows the labels."""

from dataclasses import dataclass
from typing import TypeVar

from automl.errors import SpecError
from automl.space.dimensions import Config, Space

T = TypeVar("T", int, float, str, bool)
NUMERIC_VIEWS = ("quantile", "robust", "standard")


def read(config: Config, label: str, kind: type[T]) -> T:
    """The value of a label as ``kind``; a missing or foreign one is a ``SpecError``."""
    if label not in config:
        raise SpecError(f"The configuration has no value for {label!r}.")
    value = config[label]
    if kind is float and isinstance(value, int) and not isinstance(value, bool):
        return kind(value)
    if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
        raise SpecError(f"{label} = {value!r} is not of type {kind.__name__}.")
    return value


PATIENCE = 16
CLIP_NORM = 1.0


@dataclass(frozen=True, kw_only=True, slots=True)
class ColumnConfig:
    """Which form of the columns a network reads; the defaults are what all networks read before it was searched.

    ``numeric_view`` is one of ``NUMERIC_VIEWS``; columns with more levels than ``one_hot_limit`` are embedded.
    """

    numeric_view: str = "quantile"
    one_hot_limit: int = 16


@dataclass(frozen=True, kw_only=True, slots=True)
class InputConfig:
    """How columns become one vector.

    Numbers enter as they are, or through one of three embeddings of ``d_numeric`` values per column:
    piecewise linear (``n_bins`` above 0), periodic, or ``is_pbld`` (``n_frequencies`` above 0, drawn with
    deviation ``sigma``, learning at ``rate_factor`` of the network's rate).
    """

    n_bins: int
    d_numeric: int
    d_categorical: int
    columns: ColumnConfig = ColumnConfig()
    n_frequencies: int = 0
    sigma: float = 0.0
    is_pbld: bool = False
    rate_factor: float = 1.0


@dataclass(frozen=True, kw_only=True, slots=True)
class MLPConfig:
    """Widths of the hidden layers and what stands between them."""

    inputs: InputConfig
    widths: tuple[int, ...]
    is_residual: bool
    norm: str
    activation: str
    dropout: float


@dataclass(frozen=True, kw_only=True, slots=True)
class ResNetConfig:
    """``n_blocks`` pre-activation blocks of width ``d_block`` and inner width ``d_hidden``."""

    inputs: InputConfig
    n_blocks: int
    d_block: int
    d_hidden: int
    norm: str
    activation: str
    hidden_dropout: float
    residual_dropout: float


@dataclass(frozen=True, kw_only=True, slots=True)
class PlanConfig:
    """How a network is trained: optimiser, schedule, horizon.

    ``n_epochs`` is the length the schedule is drawn for; a shorter run cuts it, never squeezes it.
    ``betas`` are AdamW's; ``clip_norm`` cuts the gradient (infinite: never). Weight decay and dropout have
    schedules of their own, in which ``steady`` stands for no change.
    """

    optimizer: str
    learning_rate: float
    weight_decay: float
    schedule: str
    n_epochs: int
    betas: tuple[float, float] = (0.9, 0.999)
    clip_norm: float = CLIP_NORM
    patience: int = PATIENCE
    decay_schedule: str = "steady"
    dropout_schedule: str = "steady"


def parse_columns(config: Config) -> ColumnConfig:
    """Read which form of the columns any network reads; labels that an older configuration lacks have defaults."""
    view = read(config, "numeric_view", str) if "numeric_view" in config else "quantile"
    if view not in NUMERIC_VIEWS:
        raise SpecError(
            f"There is no numeric view {view!r}.", hint=f"Choose {', '.join(NUMERIC_VIEWS)}."
        )
    limit = read(config, "one_hot_limit", int) if "one_hot_limit" in config else 16
    return ColumnConfig(numeric_view=view, one_hot_limit=limit)


def without_plain_columns(config: Config, space: Space) -> Config:
    """The same configuration without the labels that an older space lacks, where they say what their absence says."""
    plain = ColumnConfig()
    added = {"numeric_view": plain.numeric_view, "one_hot_limit": plain.one_hot_limit}
    return {
        label: value
        for label, value in config.items()
        if label in space or label not in added or value != added[label]
    }


def parse_inputs(config: Config) -> InputConfig:
    """Read the input part shared by all networks; a foreign embedding is a ``SpecError``."""
    kind = read(config, "numeric_embedding", str)
    stem = f"numeric_embedding.{kind}."
    d_categorical = read(config, "categorical_dim", int)
    columns = parse_columns(config)
    match kind:
        case "none":
            return InputConfig(n_bins=0, d_numeric=1, d_categorical=d_categorical, columns=columns)
        case "piecewise":
            return InputConfig(
                n_bins=read(config, stem + "bins", int),
                d_numeric=read(config, stem + "dim", int),
                d_categorical=d_categorical,
                columns=columns,
            )
        case "periodic" | "pbld":
            return InputConfig(
                n_bins=0,
                d_numeric=read(config, stem + "dim", int),
                d_categorical=d_categorical,
                columns=columns,
                n_frequencies=read(config, stem + "frequencies", int),
                sigma=read(config, stem + "sigma", float),
                is_pbld=kind == "pbld",
            )
        case _:
            raise SpecError(f"There is no embedding of numbers {kind!r}.")


def parse_mlp(config: Config) -> MLPConfig:
    """Read an MLP; layer i has ``width × taper^i`` units, rounded to a multiple of 8."""
    width, taper = read(config, "width", int), read(config, "taper", float)
    depth = read(config, "depth", int)
    return MLPConfig(
        inputs=parse_inputs(config),
        widths=tuple(max(8, round(width * taper**layer / 8) * 8) for layer in range(depth)),
        is_residual=read(config, "residual", bool),
        norm=read(config, "norm", str),
        activation=read(config, "activation", str),
        dropout=read(config, "dropout", float),
    )


def parse_resnet(config: Config) -> ResNetConfig:
    """Read a ResNet."""
    d_block = read(config, "width", int)
    return ResNetConfig(
        inputs=parse_inputs(config),
        n_blocks=read(config, "blocks", int),
        d_block=d_block,
        d_hidden=round(d_block * read(config, "hidden_factor", float)),
        norm=read(config, "norm", str),
        activation=read(config, "activation", str),
        hidden_dropout=read(config, "hidden_dropout", float),
        residual_dropout=read(config, "residual_dropout", float),
    )
