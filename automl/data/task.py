"""What is to be predicted: target, type, metric, and which outcome means what."""

from dataclasses import dataclass
from enum import StrEnum

from automl.errors import SpecError


class TaskType(StrEnum):
    """The three kinds of target a table can have."""

    BINARY = "binary"
    MULTICLASS = "multiclass"
    REGRESSION = "regression"


DEFAULT_METRIC = {
    TaskType.BINARY: "roc_auc",
    TaskType.MULTICLASS: "log_loss",
    TaskType.REGRESSION: "rmse",
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Task:
    """Target, its type and the primary metric.

    ``classes`` are the labels as text in the order of the probability columns (empty for regression);
    ``positive`` (binary only) is the label whose probability the score is; ``beneficial`` is the outcome
    that is good for the person, None when nobody said. ``reason`` says how the type was found.
    """

    target: str
    type: TaskType
    metric: str
    classes: tuple[str, ...] = ()
    positive: str | None = None
    beneficial: str | None = None
    reason: str = ""

    def __post_init__(self) -> None:
        if self.type is TaskType.REGRESSION:
            if self.classes or self.positive is not None:
                raise SpecError(f"A regression target has no classes, got {self.classes!r}.")
            return
        if len(self.classes) < 2:
            raise SpecError(
                f"The target {self.target!r} has {len(self.classes)} class; at least two are needed.",
                hint="Choose another target or another file.",
            )
        if self.type is TaskType.BINARY:
            if len(self.classes) != 2:
                raise SpecError(f"A binary target needs two classes, got {len(self.classes)}.")
            for name, value in (("positive", self.positive), ("beneficial", self.beneficial)):
                if value is not None and value not in self.classes:
                    raise SpecError(
                        f"{name} value {value!r} is not among the values of {self.target!r}.",
                        hint=f"Choose one of {', '.join(map(repr, self.classes))}.",
                    )
            if self.positive is None:
                raise SpecError(f"The positive value of {self.target!r} is not set.")

    @property
    def positive_index(self) -> int:
        """Index of the positive class among ``classes`` (binary only)."""
        if self.positive is None:
            raise SpecError(f"{self.target!r} has no positive value: the task is {self.type}.")
        return self.classes.index(self.positive)
