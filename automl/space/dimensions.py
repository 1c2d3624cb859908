"""Search spaces as data: ``Int``, ``Float``, ``Choice`` and ``Switch``.

A space is a mapping from a label to a dimension. A ``Switch`` opens further dimensions for one of its
branches; their labels are dotted paths (``numeric_embedding.piecewise.bins``), so that a conditional
parameter never changes its distribution under one name.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Literal

from pydantic import Discriminator

from automl.errors import SpecError

Value = int | float | str | bool
Config = Mapping[str, Value]


@dataclass(frozen=True, kw_only=True, slots=True)
class Int:
    """Whole numbers from ``low`` to ``high``, both included; ``log`` and ``step`` exclude each other."""

    low: int
    high: int
    step: int = 1
    log: bool = False
    type: Literal["int"] = "int"

    def __post_init__(self) -> None:
        if self.low > self.high or self.step < 1 or (self.log and (self.step != 1 or self.low < 1)):
            raise SpecError(f"No whole number lies in {self.low}..{self.high} step {self.step}.")


@dataclass(frozen=True, kw_only=True, slots=True)
class Float:
    """Real numbers from ``low`` to ``high``, both included."""

    low: float
    high: float
    log: bool = False
    type: Literal["float"] = "float"

    def __post_init__(self) -> None:
        if not self.low <= self.high or (self.log and self.low <= 0):
            raise SpecError(f"No number lies in {self.low}..{self.high} (log {self.log}).")


@dataclass(frozen=True, kw_only=True, slots=True)
class Choice:
    """One of a few values."""

    options: tuple[Value, ...]
    type: Literal["choice"] = "choice"

    def __post_init__(self) -> None:
        if not self.options or len(set(self.options)) != len(self.options):
            raise SpecError(f"A choice needs distinct options, got {self.options!r}.")


@dataclass(frozen=True, kw_only=True, slots=True)
class Switch:
    """One of a few named branches, each with dimensions of its own."""

    branches: "Mapping[str, Space]" = field(default_factory=dict)
    type: Literal["switch"] = "switch"

    def __post_init__(self) -> None:
        if not self.branches:
            raise SpecError("A switch needs at least one branch.")


Dimension = Annotated[Int | Float | Choice | Switch, Discriminator("type")]
Space = Mapping[str, Dimension]
