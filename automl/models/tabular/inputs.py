"""From views of a table to the one vector a network starts with."""

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from automl.data.views import Views, ViewShape
from automl.models.tabular.config import ColumnConfig, InputConfig
from automl.models.tabular.embeddings import CategoricalEmbeddings, PiecewiseLinear
from automl.models.tabular.periodic import PBLD, Periodic

PLAIN = ColumnConfig()


@dataclass(frozen=True, kw_only=True, slots=True)
class Batch:
    """Rows as tensors: ``numeric`` float32 (n, Q), ``flags`` int8 (n, H), ``codes`` int32 (n, E)."""

    numeric: Tensor
    flags: Tensor
    codes: Tensor

    def __len__(self) -> int:
        return len(self.numeric)

    def take(self, rows: Tensor) -> "Batch":
        """A selection of rows, on the same device."""
        return Batch(numeric=self.numeric[rows], flags=self.flags[rows], codes=self.codes[rows])

    def slice(self, start: int, stop: int) -> "Batch":
        """Neighbouring rows, without a copy."""
        return Batch(
            numeric=self.numeric[start:stop],
            flags=self.flags[start:stop],
            codes=self.codes[start:stop],
        )

    def to(self, device: torch.device) -> "Batch":
        """The same rows on another device."""
        return Batch(
            numeric=self.numeric.to(device),
            flags=self.flags.to(device),
            codes=self.codes.to(device),
        )


def split_columns(
    shape: ViewShape, columns: ColumnConfig = PLAIN
) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Indices of the categorical columns that are one-hot coded, and of those that are embedded."""
    levels = [cardinality - 1 for cardinality in shape.cardinalities]  # code 0 is no level
    narrow = tuple(index for index, count in enumerate(levels) if count <= columns.one_hot_limit)
    wide = tuple(index for index, count in enumerate(levels) if count > columns.one_hot_limit)
    return narrow, wide


def count_flags(shape: ViewShape, columns: ColumnConfig = PLAIN) -> int:
    """Number of one-hot columns: one (±1) for two levels, else one per level."""
    narrow = split_columns(shape, columns)[0]
    return sum(count_level_flags(shape.cardinalities[index]) for index in narrow)


def count_level_flags(cardinality: int) -> int:
    """Number of one-hot columns of one categorical column."""
    return 1 if cardinality == 3 else cardinality - 1


def build_batch(views: Views, shape: ViewShape, columns: ColumnConfig = PLAIN) -> Batch:
    """All rows of some views as tensors on the CPU; an unknown level has all its flags at zero."""
    narrow, wide = split_columns(shape, columns)
    blocks = [_build_flags(views.codes[:, index], shape.cardinalities[index]) for index in narrow]
    blocks.append(np.zeros((len(views), 0), dtype=np.int8))
    return Batch(
        numeric=torch.from_numpy(np.array(get_numeric(views, columns), dtype=np.float32)),
        flags=torch.from_numpy(np.concatenate(blocks, axis=1)),
        codes=torch.from_numpy(np.array(views.codes[:, list(wide)], dtype=np.int32)),
    )


def get_numeric(views: Views, columns: ColumnConfig = PLAIN) -> NDArray[np.float32]:
    """The numeric view that a network reads."""
    known = {"quantile": views.quantile, "robust": views.robust, "standard": views.standard}
    return known[columns.numeric_view]


def _build_flags(codes: NDArray[np.int32], cardinality: int) -> NDArray[np.int8]:
    table = np.eye(cardinality, dtype=np.int8)[:, 1:]
    if cardinality == 3:
        table = np.array([[0], [1], [-1]], dtype=np.int8)
    return np.asarray(table[codes])


def build_numeric(config: InputConfig, n_features: int) -> PiecewiseLinear | Periodic | PBLD | None:
    """The embedding of the numbers; None where they enter as they are, or where there are none."""
    if n_features and config.n_bins:
        return PiecewiseLinear(
            n_features=n_features, n_bins=config.n_bins, d_embedding=config.d_numeric
        )
    if n_features and config.n_frequencies:
        kind = PBLD if config.is_pbld else Periodic
        return kind(
            n_features=n_features,
            n_frequencies=config.n_frequencies,
            d_embedding=config.d_numeric,
            sigma=config.sigma,
            rate_factor=config.rate_factor,
        )
    return None


class TabularInput(nn.Module):
    """Embed, one-hot and concatenate; ``d_out`` is the width of the result, ``widths`` of each input's share.

    Shape: ``Batch of n rows → (n, d_out)``
    """

    def __init__(self, *, config: InputConfig, shape: ViewShape) -> None:
        super().__init__()
        self.n_numeric = shape.n_quantile_numeric
        wide = tuple(
            shape.cardinalities[index] for index in split_columns(shape, config.columns)[1]
        )
        self.numeric = build_numeric(config, self.n_numeric)
        self.categorical = (
            CategoricalEmbeddings(cardinalities=wide, d_embedding=config.d_categorical)
            if wide
            else None
        )
        d_numeric = config.d_numeric if self.numeric is not None else 1
        n_single = shape.n_quantile - self.n_numeric + count_flags(shape, config.columns)
        self.widths = (
            (d_numeric,) * self.n_numeric + (1,) * n_single + (config.d_categorical,) * len(wide)
        )
        self.d_out = sum(self.widths)

    def fit(self, numeric: Tensor) -> None:
        """Choose the edges of bins from the numbers of training rows ``(n, Q)``."""
        if isinstance(self.numeric, PiecewiseLinear):
            self.numeric.fit_edges(numeric[:, : self.n_numeric])

    def forward(self, batch: Batch) -> Tensor:
        numeric, missing = batch.numeric[:, : self.n_numeric], batch.numeric[:, self.n_numeric :]
        if self.numeric is not None:
            numeric = self.numeric(numeric).flatten(1)
        parts = [numeric, missing, batch.flags.to(missing.dtype)]
        if self.categorical is not None:
            parts.append(self.categorical(batch.codes))
        return torch.cat(parts, dim=1)
