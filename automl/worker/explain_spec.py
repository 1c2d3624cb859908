"""What can be asked about a model of a table, and what each answer cannot tell."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final

from pydantic import ConfigDict, TypeAdapter, ValidationError, with_config

from automl.errors import SpecError

FORMAT: Final = "fairloom-explanation"
VERSION: Final = 1
RECORD, VALUES = "explanation.json", "values.parquet"
MOST_ROWS = 1_000  # that may be named


class Method(StrEnum):
    """The ways to look into a model of a table."""

    IMPORTANCE = "importance"
    EFFECTS = "effects"
    SHAP = "shap"
    GRADIENTS = "gradients"
    WHAT_IF = "what_if"
    COUNTERFACTUAL = "counterfactual"


ONE_ROW = (Method.WHAT_IF, Method.COUNTERFACTUAL)
LIMITS: Final[Mapping[Method, str]] = {
    Method.IMPORTANCE: "It says what this model relies on, not what causes the outcome; shuffled rows may be such as never "
    "occur, and a column whose content other columns repeat looks less important than it is.",
    Method.EFFECTS: "It shows how this model's predictions move, not what would happen to a person; where columns hang together, "
    "the average mixes in rows that never occur (compare the local effects), and single rows may go another way.",
    Method.SHAP: "The values share out this model's prediction against the chosen background, not causes; related columns may "
    "swap their shares, another background gives other values, and a mean size is made larger by the error of its values.",
    Method.GRADIENTS: "The values share out the way from an average input, which no row may have, to the row; only networks are "
    "asked, before the temperature, and steep or flat places of a network can make single values large or small.",
    Method.WHAT_IF: "It is what the model would answer to another row, not what would happen to a person whose row changed; cells "
    "that never come together leave what the model has seen.",
    Method.COUNTERFACTUAL: "These are the nearest changes that were found among cells of real rows, not the only ones, and not "
    "advice: the model was asked, not the world, and a change may be one that nobody can make.",
}


@with_config(ConfigDict(extra="forbid"))
@dataclass(frozen=True, kw_only=True, slots=True)
class ExplainSpec:
    """What such a job is asked about the model of ``search``.

    ``made`` is when that model was made: one that is made anew is asked anew. ``rows`` are row ids of the test part
    (none: a sample), ``columns`` the inputs it is about (none: all). ``changes`` are cells as text (None: missing) of the
    one row of a what-if. A counterfactual wishes for the class ``output``, or for a value ``between`` two ends (None: open);
    ``locked`` columns stay as they are, and ``ranges`` bound numbers.
    """

    search: str
    method: Method
    made: str = ""
    rows: tuple[int, ...] = ()
    columns: tuple[str, ...] = ()
    output: str = ""
    seed: int = 0
    changes: Mapping[str, str | None] = field(default_factory=dict)
    between: tuple[float | None, float | None] = (None, None)
    locked: tuple[str, ...] = ()
    ranges: Mapping[str, tuple[float | None, float | None]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if len(self.rows) > MOST_ROWS or any(row < 0 for row in self.rows):
            raise SpecError(
                f"{self.rows!r:.80} are no rows to explain.",
                hint=f"Name at most {MOST_ROWS:,} rows, from 0 on.",
            )
        if self.method in ONE_ROW and len(self.rows) != 1:
            raise SpecError(
                f"{len(self.rows)} rows were named, where one is asked about.", hint="Name one row."
            )


_ADAPTER = TypeAdapter(ExplainSpec)


def render_explain_spec(spec: ExplainSpec) -> dict[str, Any]:
    """Plain values for ``NewJob.spec``."""
    rendered: dict[str, Any] = _ADAPTER.dump_python(spec, mode="json")
    return rendered


def parse_explain_spec(value: object) -> ExplainSpec:
    """Read a job's spec; a fault is a ``SpecError`` that names the field."""
    try:
        return _ADAPTER.validate_python(value)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"])) or "the document"
        raise SpecError(
            f"The explanation cannot be read at {where}: {first['msg']}.",
            hint="Ask for it again from the results.",
        ) from error


@dataclass(frozen=True, kw_only=True, slots=True)
class ExplanationRecord:
    """``explanation.json``: what was asked of which model, how, and what does not fit in the table beside it.

    ``model_hash`` is the checksum of the bundle; ``settings`` what was asked; ``facts`` depend on the method.
    """

    method: Method
    settings: Mapping[str, Any]
    model: str
    model_hash: str
    data: str
    outputs: tuple[str, ...]
    limits: str
    task_type: str = ""
    facts: Mapping[str, Any] = field(default_factory=dict)
    format: str = FORMAT
    version: int = VERSION


RECORD_ADAPTER = TypeAdapter(ExplanationRecord)
