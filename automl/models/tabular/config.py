"""The typed form of a network's flat configuration; one place knows the labels."""

from dataclasses import dataclass
from typing import TypeVar

from automl.errors import SpecError
from automl.space.dimensions import Config

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


@dataclass(frozen=True, kw_only=True, slots=True)
class ColumnConfig:
    """Which form of the columns a network reads; the defaults are what all networks read before it was searched.

    ``numeric_view`` is one of ``NUMERIC_VIEWS``; columns with more levels than ``one_hot_limit`` are embedded.
    """

    numeric_view: str = "quantile"
    one_hot_limit: int = 16


@dataclass(frozen=True, kw_only=True, slots=True)
class InputConfig:
    """How columns become one vector; ``n_bins`` is 0 where numbers enter as they are."""

    n_bins: int
    d_numeric: int
    d_categorical: int
    columns: ColumnConfig = ColumnConfig()


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
    """

    optimizer: str
    learning_rate: float
    weight_decay: float
    schedule: str
    n_epochs: int


def parse_columns(config: Config) -> ColumnConfig:
    """Read which form of the columns any network reads; labels that an older configuration lacks have defaults."""
    view = read(config, "numeric_view", str) if "numeric_view" in config else "quantile"
    if view not in NUMERIC_VIEWS:
        raise SpecError(
            f"There is no numeric view {view!r}.", hint=f"Choose {', '.join(NUMERIC_VIEWS)}."
        )
    limit = read(config, "one_hot_limit", int) if "one_hot_limit" in config else 16
    return ColumnConfig(numeric_view=view, one_hot_limit=limit)


def parse_inputs(config: Config) -> InputConfig:
    """Read the input part shared by all networks."""
    is_piecewise = read(config, "numeric_embedding", str) == "piecewise"
    stem = "numeric_embedding.piecewise."
    return InputConfig(
        n_bins=read(config, stem + "bins", int) if is_piecewise else 0,
        d_numeric=read(config, stem + "dim", int) if is_piecewise else 1,
        d_categorical=read(config, "categorical_dim", int),
        columns=parse_columns(config),
    )


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


def parse_plan(config: Config) -> PlanConfig:
    """Read how a network is trained."""
    optimizer = read(config, "optimizer", str)
    return PlanConfig(
        optimizer=optimizer,
        learning_rate=read(config, f"optimizer.{optimizer}.lr", float),
        weight_decay=read(config, f"optimizer.{optimizer}.weight_decay", float),
        schedule=read(config, "schedule", str),
        n_epochs=read(config, "epochs", int),
    )
