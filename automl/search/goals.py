"""What a search is for beside the score: how it looks, what it weighs, what a model may cost."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from enum import StrEnum

from automl.errors import SpecError


class Method(StrEnum):
    """How networks for pictures are found."""

    PLAIN = "plain"  # every configuration is trained on its own
    WEIGHT_SHARING = (
        "weight_sharing"  # one supernet proposes, the best few are trained on their own
    )
    BOTH = "both"


class Objective(StrEnum):
    """What can be weighed against each other; all but the score are better when smaller."""

    SCORE = "score"
    LATENCY = "latency"
    PARAMETERS = "parameters"
    MACS = "macs"


OBJECTIVE_FACTS: Mapping[Objective, str] = {
    Objective.LATENCY: "latency_ms",
    Objective.PARAMETERS: "parameters",
    Objective.MACS: "macs",
}
UNITS: Mapping[str, str] = {
    "score": "", "latency": "ms a picture", "parameters": "parameters",
    "macs": "multiply-adds a picture",
}  # fmt: skip


@dataclass(frozen=True, kw_only=True, slots=True)
class ModelLimits:
    """The most a network may have or need: parameters, multiply-adds and milliseconds for one picture."""

    parameters: int | None = None
    macs: int | None = None
    latency_ms: float | None = None

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            if value is not None and not 0 < value < float("inf"):
                raise SpecError(
                    f"The limit of {field.name} is {value!r}.", hint="Give a number above 0."
                )

    @property
    def is_set(self) -> bool:
        return bool(self.list_set())

    def list_set(self) -> dict[str, float]:
        """The limits that were given, by the name of the fact they bound."""
        values = {field.name: getattr(self, field.name) for field in fields(self)}
        return {name: float(value) for name, value in values.items() if value is not None}

    def compute_excess(self, facts: Mapping[str, float]) -> dict[str, float]:
        """How far over each limit a network is, as a share of the limit; 0 or less is within it.

        A fact that is not known exceeds nothing.
        """
        return {
            name: facts[name] / limit - 1
            for name, limit in self.list_set().items()
            if facts.get(name) is not None
        }

    def find_reason(self, facts: Mapping[str, float]) -> str:
        """In words which limit is exceeded, empty within all: ``1.3 M parameters; the limit is 1 M``."""
        for name, excess in self.compute_excess(facts).items():
            if excess > 0:
                return f"{render_fact(name, facts[name])}; the limit is {_render(name, self.list_set()[name])}"
        return ""

    def describe(self) -> str:
        """The limits in words."""
        shown = (f"at most {render_fact(name, limit)}" for name, limit in self.list_set().items())
        return "Limits of " + ", ".join(shown) if self.is_set else "No limits"


_WORDS = {"parameters": "parameters", "macs": "multiply-adds", "latency_ms": "for one picture"}


def render_fact(name: str, value: float) -> str:
    """A fact with its unit: ``1.3 M parameters``, ``4.2 ms for one picture``."""
    return f"{_render(name, value)} {_WORDS[name]}"


def _render(name: str, value: float) -> str:
    if name == "latency_ms":
        return f"{value:.3g} ms"
    for factor, unit in ((1e9, " G"), (1e6, " M"), (1e3, " k")):
        if value >= factor:
            return f"{value / factor:.4g}{unit}"
    return f"{value:.4g}"
