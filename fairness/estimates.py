"""The one record of a number: value, interval, how it was found, or why it was not."""

import math
from dataclasses import dataclass, replace
from enum import StrEnum


class Status(StrEnum):
    """Whether a number is there, cannot exist, or is hidden."""

    OK = "ok"
    NOT_ESTIMABLE = "not_estimable"
    SUPPRESSED = "suppressed"


@dataclass(frozen=True, slots=True)
class Estimate:
    """A value with its 95 % interval, its ``n`` and its method; never NaN.

    ``value`` is None unless ``status`` is ok. ``low`` and ``high`` are None where only the interval is not
    estimable; ``reason`` then says why. ``numerator`` and ``denominator`` are set for rates of counts.
    """

    value: float | None
    low: float | None
    high: float | None
    n: int
    method: str
    status: Status = Status.OK
    reason: str = ""
    numerator: int | None = None
    denominator: int | None = None

    def __post_init__(self) -> None:
        for name in ("value", "low", "high"):
            number = getattr(self, name)
            if number is not None and not math.isfinite(number):
                raise ValueError(f"{name} of an estimate is {number}: say not estimable instead")
        if (self.value is None) == (self.status is Status.OK):
            raise ValueError(f"an estimate with value {self.value} cannot be {self.status}")

    @property
    def is_ok(self) -> bool:
        """Whether there is a value."""
        return self.status is Status.OK

    @property
    def has_interval(self) -> bool:
        """Whether there is a value with both ends of its interval."""
        return self.low is not None and self.high is not None

    def to_json(self) -> dict[str, object]:
        """Plain values in the order of the audit schema; null, never NaN."""
        return {
            "value": self.value,
            "low": self.low,
            "high": self.high,
            "n": self.n,
            "numerator": self.numerator,
            "denominator": self.denominator,
            "method": self.method,
            "status": str(self.status),
            "reason": self.reason,
        }


def build_not_estimable(
    reason: str, *, n: int = 0, method: str = "", denominator: int | None = None
) -> Estimate:
    """A number that does not exist, with the reason in words."""
    return Estimate(
        value=None,
        low=None,
        high=None,
        n=n,
        method=method,
        status=Status.NOT_ESTIMABLE,
        reason=reason,
        denominator=denominator,
    )


def mark_few_cases(estimate: Estimate, limit: int, cases: int | None = None) -> Estimate:
    """The same number, marked where it rests on fewer cases than the limit."""
    cases = estimate.denominator if cases is None else cases
    if not estimate.is_ok or cases is None or cases >= limit:
        return estimate
    few = f"few cases: {cases}"
    return replace(estimate, reason=f"{few}; {estimate.reason}" if estimate.reason else few)
