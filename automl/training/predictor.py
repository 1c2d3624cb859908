"""A fitted model on disk and back: ``model.json`` and ``model.safetensors``, no pickle, no foreign code.

Every family has the same form. Boosted trees are stored as plain arrays too: skops would write 1,000 trees as
8.7 MB of archive in 0.5 s, but needs ``functools.partial`` on the allow-list and ties the file to private
attributes of one scikit-learn; the arrays take 2.5 MB, milliseconds, and trust nothing.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.numpy import load_file, save

from automl.data.views import Views
from automl.errors import BundleError, SpecError
from automl.files import load_json, write_atomic, write_json
from automl.models.tabular.target_encoding import LABEL

MODEL_FORMAT = 1
MODEL_JSON = "model.json"
MODEL_TENSORS = "model.safetensors"


class Predictor(Protocol):
    """A fitted model of any family."""

    @property
    def family(self) -> str: ...

    def predict(self, views: Views) -> NDArray[np.float64]:
        """``(n, K)`` probabilities in the order of ``Task.classes``, or ``(n,)`` values as uploaded."""
        ...

    def describe(self) -> Mapping[str, Any]:
        """What rebuilds the model beside its arrays, JSON-able."""
        ...

    def to_arrays(self) -> dict[str, NDArray[Any]]:
        """The fitted numbers by name."""
        ...


def save_predictor(predictor: Predictor, folder: Path) -> None:
    """Write a fitted model; ``model.json`` comes last."""
    arrays = {name: np.ascontiguousarray(a) for name, a in predictor.to_arrays().items()}
    write_atomic(folder / MODEL_TENSORS, save(arrays))
    record = {"format": MODEL_FORMAT, "family": predictor.family, **predictor.describe()}
    write_json(folder / MODEL_JSON, record)


def load_predictor(folder: Path, device: str = "cpu") -> Predictor:
    """Read a saved model; anything missing, foreign or of another version is a ``BundleError``."""
    try:
        record = load_json(folder / MODEL_JSON)
        arrays = load_file(folder / MODEL_TENSORS)
    except (OSError, json.JSONDecodeError, UnicodeDecodeError, SafetensorError) as error:
        raise BundleError(f"The model in {folder.name!r} cannot be read: {error}") from error
    if not isinstance(record, dict) or record.get("format") != MODEL_FORMAT:
        raise BundleError(
            f"The model in {folder.name!r} is not of format {MODEL_FORMAT}.",
            hint="Use the release that wrote it.",
        )
    try:
        return _restore(record, arrays, device)
    except (SpecError, KeyError, ValueError, TypeError, RuntimeError, IndexError) as error:
        raise BundleError(f"The model in {folder.name!r} is damaged: {error}") from error


def _restore(record: dict[str, Any], arrays: dict[str, NDArray[Any]], device: str) -> Predictor:
    if LABEL in record:
        from automl.training.target_encoding import TABLES, EncodedModel

        place, tables = record.pop(LABEL), arrays.pop(TABLES)
        return EncodedModel.restore(_restore(record, arrays, device), place, tables)
    match record["family"]:
        case "constant":
            from automl.models.tabular.constant import ConstantModel

            return ConstantModel.from_arrays(record, arrays)
        case "linear":
            from automl.models.tabular.linear import LinearModel

            return LinearModel.from_arrays(record, arrays)
        case "boosting" | "lightgbm":
            from automl.models.tabular.boosting import TreesModel

            return TreesModel.from_arrays(record, arrays)
        case "mlp" | "resnet" | "realmlp" | "tabm" | "ft_transformer":
            from automl.models.tabular.network_model import NetworkModel

            return NetworkModel.from_arrays(record, arrays, device)
        case "small_cnn" | "cnn" | "classic" | "pretrained":
            from automl.models.image.image_model import ImageModel

            return ImageModel.from_arrays(record, arrays, device)
        case family:
            raise BundleError(f"There is no family {family!r} in this release.")


__all__ = ["Predictor", "load_predictor", "save_predictor"]
