"""How rows are divided, before they are."""

from dataclasses import dataclass
from enum import StrEnum

from automl.errors import SpecError


class SplitStrategy(StrEnum):
    """Which rows may be told apart."""

    STRATIFIED = "stratified"
    GROUPED = "grouped"


@dataclass(frozen=True, kw_only=True, slots=True)
class SplitPlan:
    """Strategy, shares and seed of the four parts.

    Shares are of all rows; with a given test file (``test_given``) they are of the rest, and ``test`` is 0.
    Default 60/15/10/15, with a given test part 70/18/12. ``group`` names the column whose values are never
    torn apart (strategy ``grouped``).
    """

    strategy: SplitStrategy = SplitStrategy.STRATIFIED
    train: float = 0.60
    select: float = 0.15
    calibrate: float = 0.10
    test: float = 0.15
    test_given: bool = False
    group: str | None = None
    seed: int = 0

    def __post_init__(self) -> None:
        shares = (self.train, self.select, self.calibrate, self.test)
        if any(share < 0 for share in shares) or abs(sum(shares) - 1) > 1e-6:
            raise SpecError(f"The four parts must add up to 1, got {shares}.")
        if min(self.train, self.select, self.calibrate) <= 0:
            raise SpecError(f"Train, select and calibrate each need rows, got {shares}.")
        if self.test_given != (self.test == 0):
            raise SpecError(f"Without a given test file a test share is needed, got {self.test}.")
        if (self.strategy is SplitStrategy.GROUPED) != (self.group is not None):
            raise SpecError("A grouped split needs a group column, and only a grouped split.")


def build_split_plan(*, test_given: bool, group: str | None, seed: int = 0) -> SplitPlan:
    """The default plan: stratified or grouped, 60/15/10/15 or 70/18/12 of what a test file leaves."""
    strategy = SplitStrategy.STRATIFIED if group is None else SplitStrategy.GROUPED
    if test_given:
        return SplitPlan(
            strategy=strategy, train=0.70, select=0.18, calibrate=0.12, test=0.0,
            test_given=True, group=group, seed=seed,
        )  # fmt: skip
    return SplitPlan(strategy=strategy, group=group, seed=seed)
