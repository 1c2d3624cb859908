"""The threshold that a model decides by: who set it, when, why, and what it was found by."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final

from pydantic import ConfigDict, TypeAdapter, ValidationError, with_config

from automl.errors import DataError, SpecError
from automl.evaluation.costs import Costs
from automl.evaluation.goal import Goal
from automl.evaluation.outcomes import THRESHOLD
from automl.evaluation.thresholds import BestThreshold, Rule
from fairness.definitions import METRICS
from fairness.estimates import Estimate

MOST_REASON, MOST_NAME = 500, 100
NOT_STATED: Final = "not stated"
CHANGES = "threshold_changes"  # in result.json, the oldest first


@with_config(ConfigDict(extra="forbid"))
@dataclass(frozen=True, kw_only=True, slots=True)
class ThresholdRequest:
    """What is asked for: the best threshold by ``goal``, or ``threshold`` itself, or neither: back to 0.5.

    ``level`` is what some goals keep (0 to 1); ``costs`` are needed for the goal ``cost`` and kept beside any. ``reason``
    is in the person's own words, and needed unless the default comes back; ``by`` is who says so.
    """

    goal: Goal | None = None
    level: float | None = None
    costs: Costs = field(default_factory=Costs)
    threshold: float | None = None
    reason: str = ""
    by: str = ""

    def __post_init__(self) -> None:
        if self.goal is not None and self.threshold is not None:
            raise SpecError(
                f"Both the rule {self.goal} and the threshold {self.threshold:g} were given.",
                hint="Give one of them.",
            )
        if self.threshold is not None and not 0 <= self.threshold <= 1:
            raise SpecError(
                f"The threshold is {self.threshold:g}.", hint="Give a number from 0 to 1."
            )
        for name, text, most in (
            ("reason", self.reason, MOST_REASON),
            ("name", self.by, MOST_NAME),
        ):
            if len(text) > most:
                raise SpecError(
                    f"The {name} has {len(text)} characters.", hint=f"Use up to {most}."
                )

    @property
    def rule(self) -> Rule | None:
        """The rule to find the threshold by, None where it is given; an unfitting level is a ``SpecError``."""
        if self.goal is None:
            return None
        return Rule(goal=self.goal, level=self.level, costs=self.costs)

    @property
    def is_reset(self) -> bool:
        """Whether the default is to come back."""
        return self.goal is None and self.threshold is None

    def require_reason(self) -> None:
        """Raise ``SpecError`` where a threshold is to be stored and nobody says why."""
        if not self.reason.strip() and not self.is_reset:
            raise SpecError(
                "A threshold is stored with a reason, and none was given.",
                hint="Say in a few words why this threshold is wanted.",
            )


@with_config(ConfigDict(extra="forbid"))
@dataclass(frozen=True, kw_only=True, slots=True)
class ThresholdChange:
    """One change of a model's threshold. ``at`` is ISO 8601 in UTC.

    ``goal`` with ``level``, ``costs`` and the measure it made best on the ``n`` rows of the calibrate part; None: set by
    hand, or the default again (``is_reset``).
    """

    threshold: float
    previous: float
    at: str
    by: str = NOT_STATED
    reason: str = ""
    is_reset: bool = False
    goal: Goal | None = None
    level: float | None = None
    costs: Costs = field(default_factory=Costs)
    n: int | None = None
    value: float | None = None
    low: float | None = None
    high: float | None = None


_REQUEST = TypeAdapter(ThresholdRequest)
_CHANGES = TypeAdapter(tuple[ThresholdChange, ...])


def render_request(request: ThresholdRequest) -> dict[str, Any]:
    """Plain values for a job's spec."""
    rendered: dict[str, Any] = _REQUEST.dump_python(request, mode="json")
    return rendered


def parse_request(value: object) -> ThresholdRequest:
    """Read ``render_request``; a fault is a ``SpecError`` that names the field."""
    try:
        return _REQUEST.validate_python(value)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"])) or "the document"
        raise SpecError(
            f"The threshold that is asked for cannot be read at {where}: {first['msg']}.",
            hint="Choose it again.",
        ) from error


def read_threshold(result: Mapping[str, Any]) -> float:
    """The threshold that the winner of a ``result.json`` decides by; 0.5 unless another was stored."""
    changes = read_changes(result)
    return changes[-1].threshold if changes else THRESHOLD


def read_changes(result: Mapping[str, Any]) -> tuple[ThresholdChange, ...]:
    """Every change of the threshold, the oldest first."""
    try:
        return _CHANGES.validate_python(result.get(CHANGES) or ())
    except ValidationError as error:
        raise DataError(
            f"The stored thresholds of this search cannot be read: {error!s:.200}.",
            hint="Search again.",
        ) from error


def add_change(result: Mapping[str, Any], change: ThresholdChange) -> dict[str, Any]:
    """``result.json`` with one change more."""
    rendered = _CHANGES.dump_python((*read_changes(result), change), mode="json")
    return {**result, CHANGES: rendered}


def build_change(
    request: ThresholdRequest, best: BestThreshold | None, *, previous: float, at: str
) -> ThresholdChange:
    """What a request comes to; ``best`` is what its rule found, None without a rule."""
    given = THRESHOLD if request.threshold is None else request.threshold
    change = ThresholdChange(
        threshold=given,
        previous=previous,
        at=at,
        by=request.by.strip() or NOT_STATED,
        reason=request.reason.strip(),
        is_reset=request.is_reset,
        costs=request.costs,
    )
    if best is None:
        return change
    if best.threshold is None:
        raise SpecError(
            f"There is no threshold with the {describe_rule(best.rule)}: {best.reason}.",
            hint="Ask for less, or give the threshold itself.",
        )
    estimate = best.estimate or Estimate(None, None, None, best.n, "")
    return replace(
        change,
        threshold=best.threshold,
        goal=best.rule.goal,
        level=best.rule.level,
        n=best.n,
        value=estimate.value,
        low=estimate.low,
        high=estimate.high,
    )


def describe_rule(rule: Rule) -> str:
    """What a rule looks for, to be read after "the": "highest F1"."""
    if rule.goal is Goal.COST:
        costs = rule.costs
        prices = f"TP {costs.tp:g}, FP {costs.fp:g}, FN {costs.fn:g}, TN {costs.tn:g}"
        return f"lowest mean cost ({prices})"
    return _RULES[rule.goal].format(level=rule.level)


_RULES: Mapping[Goal, str] = {
    Goal.F1: "highest F1",
    Goal.BALANCED_ACCURACY: "highest balanced accuracy",
    Goal.YOUDEN: "highest Youden index",
    Goal.ACCURACY: "highest accuracy",
    Goal.RECALL_AT_PRECISION: "highest recall at a precision of {level:g} or more",
    Goal.RECALL_AT_FALSE_POSITIVE_RATE: "highest recall at a false positive rate of {level:g} or less",
}


def describe_measure(name: str) -> str:
    """The title of a measure of ``compute_at``."""
    others = {"youden": "Youden index", "cost": "Mean cost per case"}
    return METRICS[name].title if name in METRICS else others[name]


def describe_change(change: ThresholdChange) -> str:
    """One line for report, card and page: the threshold, how it was found, who stored it, when and why."""
    why = f": {change.reason}" if change.reason else ""
    return f"{describe_choice(change)}; stored {change.at[:10]} by {change.by}{why}"


def describe_choice(change: ThresholdChange) -> str:
    """The threshold and how it was found, stored or not."""
    return f"{change.threshold:g} (before {change.previous:g}), {_describe_source(change)}"


def _describe_source(change: ThresholdChange) -> str:
    if change.is_reset:
        return "the default again"
    if change.goal is None:
        return "set by hand, not found on the calibrate part"
    rule = Rule(goal=change.goal, level=change.level, costs=change.costs)
    value = "" if change.value is None else f" {change.value:.3f}"
    if change.low is not None and change.high is not None:
        value += f" [{change.low:.3f}, {change.high:.3f}]"
    title = describe_measure(rule.measure)
    return f"the {describe_rule(rule)} on the calibrate part ({title}{value}, n = {change.n:,})"
