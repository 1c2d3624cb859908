"""What a threshold can be best by."""

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType


class Goal(StrEnum):
    """What the best threshold is best by."""

    F1 = "f1"
    BALANCED_ACCURACY = "balanced_accuracy"
    YOUDEN = "youden"
    ACCURACY = "accuracy"
    RECALL_AT_PRECISION = "recall_at_precision"
    RECALL_AT_FALSE_POSITIVE_RATE = "recall_at_false_positive_rate"
    COST = "cost"


DEFAULT_LEVELS: Mapping[Goal, float] = MappingProxyType(
    {Goal.RECALL_AT_PRECISION: 0.8, Goal.RECALL_AT_FALSE_POSITIVE_RATE: 0.1}
)
