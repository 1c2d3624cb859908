"""What a network minimises, as it stands in a flat configuration, and which losses are offered when."""

from dataclasses import dataclass
from enum import StrEnum

from automl.data.task import TaskType
from automl.errors import SpecError
from automl.models.tabular.config import read
from automl.space.dimensions import Choice, Config, Float, Space, Switch, Value

LOSS = "loss"
CLASS_WEIGHTS = "class_weights"
IMBALANCED = 0.1  # share of the rarer of two classes
HEAVY_TAIL = 3.0  # a normal distribution has less than 1, a lognormal one 5 to 10
_JUDGE_PROBABILITIES = ("log_loss", "brier_score", "ece")
_NOT_SOFTENED = ("roc_auc", "roc_auc_ovr", *_JUDGE_PROBABILITIES)
_ABSOLUTE = ("mae", "median_absolute_error", "mape", "smape")


class ClassWeights(StrEnum):
    """How much more the rows of rare classes count."""

    NONE = "none"
    SQRT = "sqrt"
    BALANCED = "balanced"


@dataclass(frozen=True, kw_only=True, slots=True)
class LossConfig:
    """A loss by name; ``smoothing`` 0..1, ``gamma`` ≥ 0, ``delta`` > 0 and ``tau`` in (0, 1) where it has them.

    Names: ``cross_entropy, smoothed, focal`` for classes; ``mse, mae, huber, log_cosh, pinball`` for numbers.
    """

    name: str
    smoothing: float = 0.0
    gamma: float = 0.0
    delta: float = 1.0
    tau: float = 0.5
    class_weights: ClassWeights = ClassWeights.NONE

    def __post_init__(self) -> None:
        is_right = 0 <= self.smoothing < 1 and self.gamma >= 0 and self.delta > 0
        if not (is_right and 0 < self.tau < 1):
            raise SpecError(
                f"The loss {self.name!r} has smoothing {self.smoothing}, gamma {self.gamma}, "
                f"delta {self.delta}, tau {self.tau}.",
                hint="Smoothing lies in 0..1, gamma and delta are positive, tau lies between 0 and 1.",
            )


@dataclass(frozen=True, kw_only=True, slots=True)
class SpaceFacts:
    """What a space depends on beside its preset; ``class_shares`` are empty for a regression.

    ``tail``: how far the farthest target lies outside the middle 90 %, in widths of that middle (0 for classes).
    ``has_wide``: a categorical input has many levels.
    """

    task_type: TaskType
    metric: str
    class_shares: tuple[float, ...] = ()
    tail: float = 0.0
    has_wide: bool = False

    @property
    def is_imbalanced(self) -> bool:
        """Whether the rarest class has less than a fifth of its equal share (of two: under 10 %)."""
        return bool(self.class_shares) and (
            min(self.class_shares) * len(self.class_shares) / 2 < IMBALANCED
        )


def build_loss_space(facts: SpaceFacts) -> Space:
    """The losses worth trying; nothing where the plain one is the only sound choice.

    Smoothing and focal are left out where the metric ranks or judges probabilities, class weights where it
    judges probabilities or no class is rare. Of numbers the squared error alone is kept where the metric is made of
    squares and no target lies far out; the absolute error is for metrics that read it.
    """
    if facts.task_type is TaskType.REGRESSION:
        is_absolute = facts.metric in _ABSOLUTE
        if not is_absolute and facts.tail < HEAVY_TAIL:
            return {}
        branches: dict[str, Space] = {"mse": {}, "huber": {}, "log_cosh": {}}
        return {LOSS: Switch(branches=branches | ({"mae": {}} if is_absolute else {}))}
    space: dict[str, Switch | Choice] = {}
    if facts.metric not in _NOT_SOFTENED:
        space[LOSS] = Switch(
            branches={
                "cross_entropy": {},
                "smoothed": {"smoothing": Float(low=0.01, high=0.2)},
                "focal": {"gamma": Float(low=0.5, high=5.0)},
            }
        )
    if facts.is_imbalanced and facts.metric not in _JUDGE_PROBABILITIES:
        space[CLASS_WEIGHTS] = Choice(options=tuple(map(str, ClassWeights)))
    return space


def parse_loss(config: Config, *, is_regression: bool) -> LossConfig:
    """The loss of a configuration; without a label the plain one."""
    name = (
        read(config, LOSS, str) if LOSS in config else "mse" if is_regression else "cross_entropy"
    )
    stem = f"{LOSS}.{name}."
    numbers = {
        field: read(config, stem + field, float)
        for field in ("smoothing", "gamma", "delta", "tau")
        if stem + field in config
    }
    weights = read(config, CLASS_WEIGHTS, str) if CLASS_WEIGHTS in config else "none"
    if weights not in set(ClassWeights):
        raise SpecError(f"There are no class weights {weights!r}.")
    return LossConfig(name=name, class_weights=ClassWeights(weights), **numbers)


def with_plain_loss(config: Config, space: Space) -> Config:
    """The same configuration with the plain loss where the space asks for one and it names none."""
    added: dict[str, Value] = {}
    loss, weights = space.get(LOSS), space.get(CLASS_WEIGHTS)
    if LOSS not in config and isinstance(loss, Switch):
        added[LOSS] = next(iter(loss.branches))
    if CLASS_WEIGHTS not in config and isinstance(weights, Choice):
        added[CLASS_WEIGHTS] = weights.options[0]
    return {**config, **added}
