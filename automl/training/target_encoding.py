"""Any family on views with target-encoded columns: fitted on the training rows, kept with the model."""

from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from automl.data.task import Task, TaskType
from automl.data.views import Prepared, Views
from automl.models.catalog import get_family
from automl.models.tabular.config import parse_columns
from automl.models.tabular.target_encoding import (
    LABEL,
    TargetEncoding,
    build_outcome,
    encode_out_of_fold,
    find_columns,
    fit_tables,
    is_encoded,
    widen_shape,
)
from automl.training.epoch import Epoch, Verb
from automl.training.predictor import Predictor
from automl.training.request import Trained, TrainRequest
from automl.training.rows import training_rows

TABLES = "target_encoding.tables"
CHUNK_ROWS = 50_000
Train = Callable[[Prepared, Task, TrainRequest], Generator[Epoch, Verb | None, Any]]


@dataclass(frozen=True, kw_only=True, slots=True)
class EncodedModel:
    """A fitted model of any family behind its target encoding."""

    model: Predictor
    encoding: TargetEncoding

    @property
    def family(self) -> str:
        return self.model.family

    def predict(self, views: Views) -> NDArray[np.float64]:
        parts = []
        for start in range(0, max(len(views), 1), CHUNK_ROWS):
            rows = views.take(np.arange(start, min(start + CHUNK_ROWS, len(views))))
            parts.append(self.model.predict(self.encoding.widen(rows, self.encoding.encode(rows))))
        return np.concatenate(parts)

    def describe(self) -> Mapping[str, Any]:
        place = {
            "columns": list(self.encoding.columns),
            "cardinalities": list(self.encoding.cardinalities),
            "view": self.encoding.view,
            "position": self.encoding.position,
        }
        return {**self.model.describe(), LABEL: place}

    def to_arrays(self) -> dict[str, NDArray[Any]]:
        return {**self.model.to_arrays(), TABLES: self.encoding.tables}

    @classmethod
    def restore(cls, model: Predictor, place: Mapping[str, Any], tables: NDArray[Any]) -> Self:
        """A loaded model and what ``describe`` said about its encoding; what does not fit is a ``ValueError``."""
        encoding = TargetEncoding(
            columns=tuple(place["columns"]),
            cardinalities=tuple(place["cardinalities"]),
            tables=np.asarray(tables, dtype=np.float32),
            view=place["view"],
            position=int(place["position"]),
        )
        if encoding.view not in ("raw", "quantile", "robust", "standard"):
            raise ValueError(f"there is no view {encoding.view!r}")
        if len(encoding.columns) != len(encoding.cardinalities) or len(tables) != sum(
            encoding.cardinalities
        ):
            raise ValueError("the tables of the target encoding do not fit its columns")
        return cls(model=model, encoding=encoding)


def train_encoded(
    prepared: Prepared, task: Task, request: TrainRequest, train: Train
) -> Generator[Epoch, Verb | None, Trained]:
    """Train with the encoded columns beside the others; see ``automl.training.run.train``."""
    plain = {label: value for label, value in request.config.items() if label != LABEL}
    inner = replace(request, config=plain)
    if not (is_encoded(request.config) and find_columns(prepared.shape)):
        plainly: Trained = yield from train(prepared, task, inner)
        return plainly
    encoding, wide = encode_prepared(prepared, task, request)
    trained: Trained = yield from train(wide, task, inner)
    return replace(
        trained,
        n_parameters=trained.n_parameters + encoding.tables.size,
        predictor=EncodedModel(model=trained.predictor, encoding=encoding),
    )


def encode_prepared(
    prepared: Prepared, task: Task, request: TrainRequest
) -> tuple[TargetEncoding, Prepared]:
    """The encoding fitted on the training rows, and the prepared rows with it: training rows out of fold."""
    rows = training_rows(prepared, is_refit=request.is_refit)
    is_network = get_family(request.family).is_network
    columns, shape = find_columns(prepared.shape), prepared.shape
    cardinalities = tuple(shape.cardinalities[index] for index in columns)
    codes = np.asarray(prepared.views.codes[rows][:, list(columns)])
    n_classes = 0 if task.type is TaskType.REGRESSION else len(task.classes)
    outcome = build_outcome(np.asarray(prepared.target[rows]), n_classes)
    encoding = TargetEncoding(
        columns=columns,
        cardinalities=cardinalities,
        tables=fit_tables(codes, cardinalities, outcome),
        view=parse_columns(request.config).numeric_view if is_network else "raw",
        position=shape.n_quantile_numeric if is_network else shape.n_raw,
    )
    encoded = encoding.encode(prepared.views)
    encoded[rows] = encode_out_of_fold(codes, cardinalities, outcome)
    return encoding, replace(
        prepared,
        views=encoding.widen(prepared.views, encoded),
        shape=widen_shape(shape, encoded.shape[1], is_network=is_network),
    )
