"""The floor: the same answer for every row."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from automl.data.views import Views


@dataclass(frozen=True, kw_only=True, slots=True)
class ConstantModel:
    """Class shares ``(K,)``, or the mean as one value, for every row."""

    value: NDArray[np.float64]
    is_regression: bool
    family: str = "constant"

    def predict(self, views: Views) -> NDArray[np.float64]:
        if self.is_regression:
            return np.full(len(views), self.value[0])
        return np.tile(self.value, (len(views), 1))

    def describe(self) -> Mapping[str, Any]:
        return {"is_regression": self.is_regression}

    def to_arrays(self) -> dict[str, NDArray[Any]]:
        return {"value": self.value}

    @classmethod
    def from_arrays(cls, record: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> Self:
        return cls(value=arrays["value"], is_regression=bool(record["is_regression"]))


def fit_constant(
    target: NDArray[Any], n_classes: int, weight: NDArray[np.float64] | None = None
) -> ConstantModel:
    """Class shares, or the mean where ``n_classes`` is 0; by weight where rows differ."""
    if n_classes == 0:
        mean = np.average(target, weights=weight)
        return ConstantModel(value=np.array([mean]), is_regression=True)
    counts = np.bincount(target, weights=weight, minlength=n_classes)
    return ConstantModel(value=counts / counts.sum(), is_regression=False)
