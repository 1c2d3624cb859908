"""Metrics of counts: what is counted over what, for one table or for thousands of drawn ones."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

CELLS = ("tn", "fp", "fn", "tp")

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Rate:
    """A proportion of table cells; ``pool`` names in words whose share it is."""

    numerator: tuple[str, ...]
    denominator: tuple[str, ...]
    pool: str

    def count(self, table: Ints) -> tuple[int, int]:
        """Numerator and denominator of one table in the order tn, fp, fn, tp."""
        return (
            sum(int(table[CELLS.index(cell)]) for cell in self.numerator),
            sum(int(table[CELLS.index(cell)]) for cell in self.denominator),
        )

    @property
    def formula(self) -> str:
        """The proportion in letters, for example TP / (TP + FN)."""
        top, bottom = (
            " + ".join(cell.upper() for cell in part) for part in (self.numerator, self.denominator)
        )
        return f"{_wrap(top)} / {'n' if len(self.denominator) == len(CELLS) else _wrap(bottom)}"


def _wrap(text: str) -> str:
    return f"({text})" if "+" in text else text


RATES: Mapping[str, Rate] = MappingProxyType(
    {
        "base_rate": Rate(("fn", "tp"), CELLS, "rows"),
        "selection_rate": Rate(("fp", "tp"), CELLS, "rows"),
        "true_positive_rate": Rate(("tp",), ("fn", "tp"), "positive labels"),
        "false_positive_rate": Rate(("fp",), ("tn", "fp"), "negative labels"),
        "true_negative_rate": Rate(("tn",), ("tn", "fp"), "negative labels"),
        "false_negative_rate": Rate(("fn",), ("fn", "tp"), "positive labels"),
        "precision": Rate(("tp",), ("fp", "tp"), "flagged rows"),
        "negative_predictive_value": Rate(("tn",), ("tn", "fn"), "rows not flagged"),
        "false_discovery_rate": Rate(("fp",), ("fp", "tp"), "flagged rows"),
        "false_omission_rate": Rate(("fn",), ("tn", "fn"), "rows not flagged"),
        "accuracy": Rate(("tn", "tp"), CELLS, "rows"),
    }
)


def divide(numerator: Floats, denominator: Floats) -> Floats:
    """Element-wise quotient, NaN where the denominator is zero or so near to it that the quotient is no number."""
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        quotient = numerator / denominator
    found: Floats = np.where((denominator > 0) & np.isfinite(quotient), quotient, np.nan)
    return found


def compute_confusion(truth: Ints, prediction: Ints, n_classes: int) -> Ints:
    """Counts by true row and predicted column. Shape: (n,), (n,) → (n_classes, n_classes)."""
    flat = np.bincount(truth * n_classes + prediction, minlength=n_classes * n_classes)
    return flat.astype(np.int64).reshape(n_classes, n_classes)


def compute_f1_binary(tables: Floats) -> Floats:
    """2TP / (2TP + FP + FN). Shape: (..., 4) → (...)."""
    fp, fn, tp = (tables[..., i] for i in (1, 2, 3))
    return divide(2 * tp, 2 * tp + fp + fn)


def compute_balanced_accuracy_binary(tables: Floats) -> Floats:
    """Mean of true positive and true negative rate. Shape: (..., 4) → (...)."""
    tn, fp, fn, tp = (tables[..., i] for i in range(4))
    return (divide(tp, tp + fn) + divide(tn, tn + fp)) / 2


def _split_square(tables: Floats) -> tuple[Floats, Floats, Floats]:
    """Diagonal, row sums (truth) and column sums (prediction) of flattened square tables."""
    k = round(tables.shape[-1] ** 0.5)
    square = tables.reshape(*tables.shape[:-1], k, k)
    diagonal: Floats = np.diagonal(square, axis1=-2, axis2=-1)
    return diagonal, square.sum(axis=-1), square.sum(axis=-2)


def compute_accuracy(tables: Floats) -> Floats:
    """Share on the diagonal. Shape: (..., K·K) → (...)."""
    hits, rows, _ = _split_square(tables)
    return divide(hits.sum(-1), rows.sum(-1))


def compute_balanced_accuracy(tables: Floats) -> Floats:
    """Mean recall over the classes present in the truth."""
    hits, rows, _ = _split_square(tables)
    return divide(np.nan_to_num(divide(hits, rows)).sum(-1), (rows > 0).sum(-1).astype(np.float64))


def compute_f1_macro(tables: Floats) -> Floats:
    """Mean F1 over the classes present in truth or prediction."""
    hits, rows, columns = _split_square(tables)
    present = (rows + columns > 0).sum(-1).astype(np.float64)
    return divide(np.nan_to_num(divide(2 * hits, rows + columns)).sum(-1), present)


def compute_f1_weighted(tables: Floats) -> Floats:
    """Mean F1 weighted by the number of true rows of each class."""
    hits, rows, columns = _split_square(tables)
    f1 = np.nan_to_num(divide(2 * hits, rows + columns))
    return divide((f1 * rows).sum(-1), rows.sum(-1))


def compute_precision_macro(tables: Floats) -> Floats:
    """Mean precision over the classes present; a class never predicted counts as 0, as in scikit-learn."""
    hits, rows, columns = _split_square(tables)
    present = (rows + columns > 0).sum(-1).astype(np.float64)
    return divide(np.nan_to_num(divide(hits, columns)).sum(-1), present)


def compute_precision_weighted(tables: Floats) -> Floats:
    """Mean precision weighted by the number of true rows of each class; never predicted counts as 0."""
    hits, rows, columns = _split_square(tables)
    return divide((np.nan_to_num(divide(hits, columns)) * rows).sum(-1), rows.sum(-1))


def compute_recall_macro(tables: Floats) -> Floats:
    """Mean recall over the classes present in truth or prediction, as in scikit-learn."""
    hits, rows, columns = _split_square(tables)
    present = (rows + columns > 0).sum(-1).astype(np.float64)
    return divide(np.nan_to_num(divide(hits, rows)).sum(-1), present)


def compute_specificity_macro(tables: Floats) -> Floats:
    """Mean over the classes present in truth or prediction of TN / (TN + FP), those with other rows only."""
    each = compute_class_specificity(tables)
    _, rows, columns = _split_square(tables)
    counted = np.isfinite(each) & (rows + columns > 0)
    return divide(np.where(counted, each, 0.0).sum(-1), counted.sum(-1).astype(np.float64))


def compute_class_specificity(tables: Floats) -> Floats:
    """TN / (TN + FP) of each class against the rest. Shape: (..., K·K) → (..., K)."""
    hits, rows, columns = _split_square(tables)
    others = rows.sum(-1, keepdims=True) - rows
    return divide(others - (columns - hits), others)


def compute_class_f1(tables: Floats) -> Floats:
    """2TP / (2TP + FP + FN) of each class. Shape: (..., K·K) → (..., K)."""
    hits, rows, columns = _split_square(tables)
    return divide(2 * hits, rows + columns)


def compute_matthews(tables: Floats) -> Floats:
    """Matthews correlation, any number of classes (Gorodkin 2004)."""
    hits, rows, columns = _split_square(tables)
    n = rows.sum(-1)
    top = hits.sum(-1) * n - (rows * columns).sum(-1)
    spread = (n**2 - (columns**2).sum(-1)) * (n**2 - (rows**2).sum(-1))
    return divide(top, np.sqrt(np.maximum(spread, 0.0)))


def compute_cohen_kappa(tables: Floats) -> Floats:
    """Agreement beyond chance, any number of classes (Cohen 1960)."""
    hits, rows, columns = _split_square(tables)
    n = rows.sum(-1)
    chance = (rows * columns).sum(-1)
    return divide(hits.sum(-1) * n - chance, n**2 - chance)


BINARY_COMPOSITES: Mapping[str, Callable[[Floats], Floats]] = MappingProxyType(
    {
        "balanced_accuracy": compute_balanced_accuracy_binary,
        "f1": compute_f1_binary,
        "matthews_corrcoef": compute_matthews,
        "cohen_kappa": compute_cohen_kappa,
    }
)

MULTICLASS_COMPOSITES: Mapping[str, Callable[[Floats], Floats]] = MappingProxyType(
    {
        "balanced_accuracy": compute_balanced_accuracy,
        "f1_macro": compute_f1_macro,
        "f1_weighted": compute_f1_weighted,
        "precision_macro": compute_precision_macro,
        "precision_weighted": compute_precision_weighted,
        "recall_macro": compute_recall_macro,
        "specificity_macro": compute_specificity_macro,
        "matthews_corrcoef": compute_matthews,
        "cohen_kappa": compute_cohen_kappa,
    }
)


def find_composite(name: str, *, is_binary: bool) -> Callable[[Floats], Floats]:
    """What computes a metric of counts: tables ``(B, cells)`` → values ``(B,)``, NaN where there is none."""
    if not is_binary:
        return MULTICLASS_COMPOSITES[name]
    if name in BINARY_COMPOSITES:
        return BINARY_COMPOSITES[name]
    rate = RATES[name]
    top, bottom = (
        [CELLS.index(cell) for cell in part] for part in (rate.numerator, rate.denominator)
    )
    return lambda tables: divide(tables[:, top].sum(axis=1), tables[:, bottom].sum(axis=1))
