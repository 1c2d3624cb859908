"""What an audit of several classes is computed from: the rows, and what the person chose."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from fairness.audit import AuditInput, AuditOptions
from fairness.errors import AuditError

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True, kw_only=True, slots=True)
class ClassInput:
    """Rows to audit: class indices 0…K−1 of truth and decision, the names of the K classes.

    ``probability`` is ``(n, K)`` or None; it serves the audit of one class against the rest.
    """

    truth: Ints
    prediction: Ints
    classes: tuple[str, ...]
    attributes: pd.DataFrame
    probability: Floats | None = None

    def __post_init__(self) -> None:
        n, k = len(self.truth), len(self.classes)
        if n == 0:
            raise AuditError("There are no rows to audit.")
        for name in ("truth", "prediction"):
            codes = np.asarray(getattr(self, name))
            if len(codes) != n:
                raise AuditError(f"{name} has {len(codes)} rows, the truth has {n}.")
            strange = codes[(codes < 0) | (codes >= k)]
            if strange.size:
                raise AuditError(
                    f"{name} holds the class number {strange[0]}, there are {k} classes.",
                    hint="Number the classes from 0 in the order of their names.",
                )
        if len(self.attributes) != n:
            raise AuditError(
                f"The sensitive columns have {len(self.attributes)} rows, the truth {n}."
            )
        if self.probability is not None and self.probability.shape != (n, k):
            raise AuditError(
                f"The probabilities have the shape {self.probability.shape}, ({n}, {k}) is needed."
            )

    def against_rest(self, label: str) -> AuditInput:
        """The same rows as a binary question: this class (1) or any other (0)."""
        if label not in self.classes:
            raise AuditError(
                f"There is no class {label!r}.", hint=f"Choose one of {', '.join(self.classes)}."
            )
        k = self.classes.index(label)
        return AuditInput(
            truth=(self.truth == k).astype(np.int64),
            prediction=(self.prediction == k).astype(np.int64),
            score=None if self.probability is None else self.probability[:, k],
            attributes=self.attributes,
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class ClassOptions:
    """What the person chose; ``references``: attribute → reference group, preset the largest."""

    references: Mapping[str, str]
    min_group_size: int = 30
    seed: int = 0

    def __post_init__(self) -> None:
        if self.min_group_size < 1:
            raise AuditError(
                f"The minimum group size must be at least 1, got {self.min_group_size}."
            )

    def for_class(self, label: str) -> AuditOptions:
        """The same choices for the audit of one class against the rest; the decision is the model's own."""
        return AuditOptions(
            positive=label,
            references=self.references,
            min_group_size=self.min_group_size,
            seed=self.seed,
        )
