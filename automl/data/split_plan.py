"""How rows are divided, before they are."""

from dataclasses import dataclass
from enum import StrEnum

from automl.errors import SpecError


class SplitStrategy(StrEnum):
    """Which rows may be told apart."""

    STRATIFIED = "stratified"
    GROUPED = "grouped"
    TEMPORAL = "temporal"


@dataclass(frozen=True, kw_only=True, slots=True)
class SplitPlan:
    """Strategy, shares and seed of the four parts.

    Shares are of all rows; with a given test file (``test_given``) they are of the rest, and ``test`` is 0.
    Default 60/15/10/15, with a given test part 70/18/12. With a given validation part (``val_given``)
    ``select`` and ``calibrate`` are shares of its rows, 60:40, and ``train`` and ``test`` of the others,
    85:15 or 100:0. ``group`` names the column whose values are never torn apart (strategy ``grouped``), ``time``
    the one whose newest rows test and whose oldest train (strategy ``temporal``).
    """

    strategy: SplitStrategy = SplitStrategy.STRATIFIED
    train: float = 0.60
    select: float = 0.15
    calibrate: float = 0.10
    test: float = 0.15
    test_given: bool = False
    group: str | None = None
    seed: int = 0
    val_given: bool = False
    time: str | None = None

    def __post_init__(self) -> None:
        shares = (self.train, self.select, self.calibrate, self.test)
        if any(share < 0 for share in shares) or not self._add_up():
            what = "two pairs must each" if self.val_given else "four parts must"
            raise SpecError(f"The {what} add up to 1, got {shares}.")
        if min(self.train, self.select, self.calibrate) <= 0:
            raise SpecError(f"Train, select and calibrate each need rows, got {shares}.")
        if self.test_given != (self.test == 0):
            raise SpecError(f"Without a given test file a test share is needed, got {self.test}.")
        if (self.strategy is SplitStrategy.GROUPED) != (self.group is not None):
            raise SpecError("A grouped split needs a group column, and only a grouped split.")
        if (self.strategy is SplitStrategy.TEMPORAL) != (self.time is not None):
            raise SpecError("A temporal split needs a time column, and only a temporal split.")
        if self.time is not None and self.val_given:
            raise SpecError(
                f"Rows cannot be divided by {self.time!r}: their validation part is given.",
                hint="Leave out the time column, or the validation part.",
            )

    def _add_up(self) -> bool:
        own, decided = self.train + self.test, self.select + self.calibrate
        if self.val_given:
            return abs(own - 1) <= 1e-6 and abs(decided - 1) <= 1e-6
        return abs(own + decided - 1) <= 1e-6


def build_split_plan(
    *,
    test_given: bool,
    group: str | None,
    seed: int = 0,
    val_given: bool = False,
    time: str | None = None,
) -> SplitPlan:
    """The default plan: stratified, grouped or temporal, 60/15/10/15, or what a test or validation part leaves."""
    if group is not None and time is not None:
        raise SpecError(
            f"Rows cannot be kept together by {group!r} and divided by the time in {time!r}: a group may have both "
            "old and new rows.",
            hint="Choose one of the two.",
        )
    strategy = SplitStrategy.STRATIFIED if group is None else SplitStrategy.GROUPED
    strategy = strategy if time is None else SplitStrategy.TEMPORAL
    if val_given:
        return SplitPlan(
            strategy=strategy, train=1.0 if test_given else 0.85, select=0.60, calibrate=0.40,
            test=0.0 if test_given else 0.15, test_given=test_given, group=group, seed=seed,
            val_given=True, time=time,
        )  # fmt: skip
    if test_given:
        return SplitPlan(
            strategy=strategy, train=0.70, select=0.18, calibrate=0.12, test=0.0,
            test_given=True, group=group, seed=seed, time=time,
        )  # fmt: skip
    return SplitPlan(strategy=strategy, group=group, seed=seed, time=time)
