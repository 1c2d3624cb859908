"""What a search is for beside the score: how it looks, what it weighs, what a model may cost."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from enum import StrEnum

from automl.data.dataset import DataKind
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
# What a measured time or count is of.
READ_AT_ONCE: Mapping[DataKind, str] = {DataKind.IMAGES: "picture", DataKind.TABLE: "1,000 rows"}


@dataclass(frozen=True, kw_only=True, slots=True)
class ModelLimits:
    """The most a model may have or need: parameters (of trees: nodes), multiply-adds for one picture, milliseconds.

    The time is that for one picture, or for 1,000 rows of a table.
    """

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

    def find_reason(self, facts: Mapping[str, float], kind: DataKind) -> str:
        """In words which limit is exceeded, empty within all: ``1.3 M parameters; the limit is 1 M``."""
        for name, excess in self.compute_excess(facts).items():
            if excess > 0:
                limit = _render(name, self.list_set()[name])
                return f"{render_fact(name, facts[name], kind)}; the limit is {limit}"
        return ""


def get_unit(objective: Objective, kind: DataKind) -> str:
    """The unit of an objective's values, empty for the score: ``ms a picture``, ``ms for 1,000 rows``."""
    per = f"for {READ_AT_ONCE[kind]}" if kind is DataKind.TABLE else "a picture"
    units = {Objective.LATENCY: f"ms {per}", Objective.MACS: f"multiply-adds {per}"}
    return units.get(objective, "parameters" if objective is Objective.PARAMETERS else "")


def render_fact(name: str, value: float, kind: DataKind) -> str:
    """A fact with its unit: ``1.3 M parameters``, ``4.2 ms for one picture``, ``0.8 ms for 1,000 rows``."""
    what = "one picture" if kind is DataKind.IMAGES else READ_AT_ONCE[kind]
    words = {"parameters": "parameters", "macs": "multiply-adds", "latency_ms": f"for {what}"}
    return f"{_render(name, value)} {words[name]}"


def _render(name: str, value: float) -> str:
    if name == "latency_ms":
        return f"{value:.3g} ms"
    for factor, unit in ((1e9, " G"), (1e6, " M"), (1e3, " k")):
        if value >= factor:
            return f"{value / factor:.4g}{unit}"
    return f"{value:.4g}"
