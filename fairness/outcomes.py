"""What a metric is computed from: truth, decision, score of the same rows."""

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from fairness.errors import AuditError

Array = NDArray[Any]
Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
TaskName = Literal["binary", "multiclass", "regression"]

DECISION_THRESHOLD = 0.5


@dataclass(frozen=True, slots=True)
class Outcomes:
    """Truth and predictions of one set of rows.

    ``truth``: class index 0…K−1 (binary: 1 = positive), or the value. ``prediction``: class index or value;
    None for a classification means the most probable class (binary: probability ≥ 0.5).
    ``probability``: (n,) P(positive) for binary, also any finite ranking score; (n, K) for multiclass.
    ``floor``: smallest |truth| that MAPE divides by; None means the 1st percentile of |truth|.
    ``weight``: (n,) how many rows each row stands for, ≥ 0; None means that all count the same.
    """

    task_type: TaskName
    truth: Array
    prediction: Array | None = None
    probability: Array | None = None
    floor: float | None = None
    weight: Array | None = None

    def __post_init__(self) -> None:
        n = len(self.truth)
        for name in ("prediction", "probability"):
            array = getattr(self, name)
            if array is None:
                continue
            if len(array) != n:
                raise AuditError(f"{name} has {len(array)} rows, the truth has {n}.")
            if not np.isfinite(array).all():
                raise AuditError(f"{name} holds a missing or infinite value.")
        self._check_weight()
        dimensions = 2 if self.task_type == "multiclass" else 1
        if self.probability is not None and self.probability.ndim != dimensions:
            raise AuditError(
                f"A {self.task_type} probability needs {dimensions} dimension(s),"
                f" got shape {self.probability.shape}."
            )

    def _check_weight(self) -> None:
        if self.weight is None:
            return
        if len(self.weight) != len(self.truth):
            raise AuditError(
                f"weight has {len(self.weight)} rows, the truth has {len(self.truth)}."
            )
        is_right = np.isfinite(self.weight).all() and (np.asarray(self.weight) >= 0).all()
        if not is_right or (len(self.weight) and not np.any(self.weight)):
            raise AuditError("Weights are finite, at least 0, and not all 0.")

    @property
    def n(self) -> int:
        """Number of rows."""
        return len(self.truth)

    @property
    def labels(self) -> Ints:
        """The truth as class indices."""
        return np.asarray(self.truth).astype(np.int64)

    @property
    def values(self) -> Floats:
        """The truth as floats."""
        return np.asarray(self.truth, dtype=np.float64)

    @property
    def scores(self) -> Floats:
        """Probabilities or scores as floats; an error where none were given."""
        if self.probability is None:
            raise AuditError(
                "This metric needs scores or probabilities; only decisions were given."
            )
        return np.asarray(self.probability, dtype=np.float64)

    @property
    def weights(self) -> Floats:
        """The weights as floats, 1 for every row where none were given."""
        if self.weight is None:
            return np.ones(self.n)
        return np.asarray(self.weight, dtype=np.float64)

    @property
    def decisions(self) -> Ints:
        """Predicted class indices."""
        if self.prediction is not None:
            return np.asarray(self.prediction).astype(np.int64)
        scores = self.scores
        if self.task_type == "binary":
            return (scores >= DECISION_THRESHOLD).astype(np.int64)
        best: Ints = scores.argmax(axis=1).astype(np.int64)
        return best

    @property
    def forecasts(self) -> Floats:
        """Predicted values of a regression."""
        if self.prediction is None:
            raise AuditError("A regression metric needs predictions.")
        return np.asarray(self.prediction, dtype=np.float64)

    @property
    def n_classes(self) -> int:
        """Number of classes: the columns of the probabilities, else the largest index seen."""
        if self.task_type == "binary":
            return 2
        if self.probability is not None:
            return int(self.probability.shape[1])
        return int(max(self.labels.max(), self.decisions.max())) + 1

    @property
    def has_probabilities(self) -> bool:
        """Whether the scores lie in [0, 1], so that losses and calibration make sense."""
        if self.probability is None:
            return False
        return bool(self.probability.size and self.scores.min() >= 0 and self.scores.max() <= 1)
