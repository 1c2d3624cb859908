"""Histogram gradient boosting: the estimator, and fitted trees of any library as plain arrays."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Self, TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, softmax
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
from sklearn.ensemble._hist_gradient_boosting.common import PREDICTOR_RECORD_DTYPE
from sklearn.ensemble._hist_gradient_boosting.predictor import TreePredictor

from automl.data.views import Views
from automl.errors import BundleError
from automl.space.dimensions import Config

MAX_CODE = (
    254  # scikit-learn takes 255 levels; codes are ordered by frequency, rarer ones are pooled
)
BITSET_WORDS = 8  # of 32 bits: a set of levels in scikit-learn's predictor
Estimator: TypeAlias = Any  # HistGradientBoostingClassifier or HistGradientBoostingRegressor
_FIELDS = (
    "value", "feature_idx", "num_threshold", "missing_go_to_left", "left", "right",
    "is_leaf", "is_categorical", "bitset_idx",
)  # fmt: skip


def build_boosting(config: Config, *, n_columns: int, n_codes: int, is_regression: bool, seed: int) -> Estimator:  # fmt: skip
    """An unfitted estimator for ``build_matrix``; an empty ``config`` is the library's own defaults.

    A searched configuration has no internal validation: the driver stops it on the select part.
    """
    kind = HistGradientBoostingRegressor if is_regression else HistGradientBoostingClassifier
    options: dict[str, Any] = dict(config)
    if options:
        options |= {"early_stopping": False, "warm_start": True}
    if n_codes:
        options["categorical_features"] = np.arange(n_columns) < n_codes
    return kind(random_state=seed, **options)


def build_matrix(views: Views) -> NDArray[np.float64]:
    """Codes, then raw numbers: float64 ``(n, C + F)``, NaN for missing."""
    codes = np.where(views.codes > MAX_CODE, 0, views.codes)
    return np.concatenate([codes, views.raw], axis=1, dtype=np.float64)


@dataclass(frozen=True, kw_only=True, slots=True)
class TreesModel:
    """Fitted trees as arrays; predicts exactly what the library that grew them predicts.

    ``levels`` are the training codes per categorical column (none: codes are read as they are), ``nodes`` all trees one after another
    (``sizes`` nodes each), ``bitsets`` their categorical splits (``n_bitsets`` each); trees of one round
    stand side by side, one per output. ``limits`` clamp a regression to the training range. ``classes`` are
    those seen in training, of ``n_classes`` (0: a regression); the others have probability 0.
    """

    baseline: NDArray[np.float64]
    levels: tuple[NDArray[np.float64], ...]
    trees: tuple[TreePredictor, ...]
    known_bitsets: NDArray[np.uint32]
    column_map: NDArray[np.uint32]
    limits: NDArray[np.float64]
    classes: NDArray[np.int64]
    n_classes: int
    threads: int = 1
    family: str = "boosting"

    @property
    def n_nodes(self) -> int:
        """Numbers that were learned: one per node, a threshold or a value."""
        return sum(len(tree.nodes) for tree in self.trees)

    def predict(self, views: Views) -> NDArray[np.float64]:
        return self.link(self.compute_raw(build_matrix(views)))

    def link(self, raw: NDArray[np.float64]) -> NDArray[np.float64]:
        """Sums of trees as probabilities ``(n, n_classes)``, or as clamped values ``(n,)``."""
        if self.n_classes == 0:
            return np.clip(raw[:, 0], *self.limits)
        probability = np.zeros((len(raw), self.n_classes))
        probability[:, self.classes] = _compute_probability(raw)
        return probability

    def compute_raw(self, matrix: NDArray[np.float64]) -> NDArray[np.float64]:
        """The sum of all trees, ``(n, n_outputs)``, before the link."""
        return self.add_rounds(np.tile(self.baseline, (len(matrix), 1)), matrix)

    def add_rounds(
        self, raw: NDArray[np.float64], matrix: NDArray[np.float64], first: int = 0
    ) -> NDArray[np.float64]:
        """Add the trees from round ``first`` on to ``raw`` ``(n, n_outputs)``, in place."""
        mapped = self._map_levels(matrix)
        n_outputs = raw.shape[1]
        for index, tree in enumerate(self.trees[first * n_outputs :]):
            raw[:, index % n_outputs] += tree.predict(
                mapped, self.known_bitsets, self.column_map, self.threads
            )
        return raw

    def _map_levels(self, matrix: NDArray[np.float64]) -> NDArray[np.float64]:
        if matrix.shape[1] != len(self.column_map):  # compiled code would read beside the row
            raise BundleError(
                f"The trees read {len(self.column_map)} columns, the rows have {matrix.shape[1]}."
            )
        mapped = matrix.copy() if self.levels else matrix
        for column, levels in enumerate(self.levels):
            table = np.full(MAX_CODE + 1, np.nan)  # a code not seen in training counts as missing
            table[levels.astype(np.int64)] = np.arange(len(levels))
            mapped[:, column] = table[matrix[:, column].astype(np.int64)]
        return mapped

    def truncate(self, n_rounds: int) -> Self:
        """The same model with its first rounds only."""
        return replace(self, trees=self.trees[: n_rounds * len(self.baseline)])

    def describe(self) -> Mapping[str, Any]:
        return {"n_classes": self.n_classes, "n_trees": len(self.trees)}

    def to_arrays(self) -> dict[str, NDArray[Any]]:
        nodes = np.concatenate([tree.nodes for tree in self.trees])
        arrays: dict[str, NDArray[Any]] = {f"node_{name}": nodes[name] for name in _FIELDS}
        return arrays | {
            "sizes": np.array([len(tree.nodes) for tree in self.trees], dtype=np.int64),
            "bitsets": np.concatenate([tree.raw_left_cat_bitsets for tree in self.trees]),
            "n_bitsets": np.array([len(tree.raw_left_cat_bitsets) for tree in self.trees]),
            "levels": np.concatenate([np.zeros(0), *self.levels]),
            "n_levels": np.array([len(levels) for levels in self.levels], dtype=np.int64),
            "baseline": self.baseline,
            "known_bitsets": self.known_bitsets,
            "column_map": self.column_map,
            "limits": self.limits,
            "classes": self.classes,
        }

    @classmethod
    def from_arrays(cls, record: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> Self:
        nodes = np.zeros(len(arrays["node_value"]), dtype=PREDICTOR_RECORD_DTYPE)
        for name in _FIELDS:
            nodes[name] = arrays[f"node_{name}"]
        _check_sizes(nodes, arrays)
        _check_nodes(nodes, arrays)
        _check_bitsets(nodes, arrays)
        ends, bitset_ends = np.cumsum(arrays["sizes"]), np.cumsum(arrays["n_bitsets"])
        trees = tuple(
            TreePredictor(part, bits, bits)
            for part, bits in zip(
                np.split(nodes, ends[:-1]),
                np.split(arrays["bitsets"], bitset_ends[:-1]),
                strict=True,
            )
        )
        level_ends = np.cumsum(arrays["n_levels"])
        return cls(
            baseline=arrays["baseline"],
            levels=tuple(np.split(arrays["levels"], level_ends[:-1])) if len(level_ends) else (),
            trees=trees,
            known_bitsets=arrays["known_bitsets"],
            column_map=arrays["column_map"],
            limits=arrays["limits"],
            classes=arrays["classes"],
            n_classes=int(record["n_classes"]),
            family=str(record["family"]),
        )


def _check_sizes(nodes: NDArray[Any], arrays: Mapping[str, NDArray[Any]]) -> None:
    """Refuse sizes that do not divide their arrays: a negative one, or one that overflows, hides in a right sum."""
    wholes = {"sizes": nodes, "n_bitsets": arrays["bitsets"], "n_levels": arrays["levels"]}
    for name, whole in wholes.items():
        sizes = arrays[name]
        least = 1 if name == "sizes" else 0
        is_off = ((sizes < least) | (sizes > len(whole))).any()
        if sizes.ndim != 1 or sizes.dtype != np.int64 or is_off or sizes.sum() != len(whole):
            raise ValueError("the sizes of the trees do not add up")
    if len(arrays["sizes"]) != len(arrays["n_bitsets"]):
        raise ValueError("not every tree has a number of sets of levels")


def _check_nodes(nodes: NDArray[Any], arrays: Mapping[str, NDArray[Any]]) -> None:
    """Refuse links and columns out of range: compiled code follows them without looking."""
    sizes, counts = arrays["sizes"], arrays["n_bitsets"]
    size, count = np.repeat(sizes, sizes), np.repeat(counts, sizes)
    start = np.repeat(np.cumsum(sizes) - sizes, sizes)
    own = np.arange(len(nodes)) - start
    inner = nodes["is_leaf"] == 0
    for side in ("left", "right"):  # children come after their parent, so no walk is endless
        link = nodes[side].astype(np.int64)
        if ((link <= own) | (link >= size))[inner].any():
            raise ValueError("a tree points outside of itself")
    column = nodes["feature_idx"][inner]
    if len(column) and not 0 <= column.min() <= column.max() < len(arrays["column_map"]):
        raise ValueError("a tree reads a column that does not exist")
    split = inner & (nodes["is_categorical"] != 0)
    if (nodes["bitset_idx"][split] >= count[split]).any():
        raise ValueError("a categorical split has no set of levels")


def _check_bitsets(nodes: NDArray[Any], arrays: Mapping[str, NDArray[Any]]) -> None:
    """Refuse sets of levels of another width, and columns whose known levels are nowhere."""
    known = arrays["known_bitsets"]
    if any(bits.ndim != 2 or bits.shape[1] != BITSET_WORDS for bits in (arrays["bitsets"], known)):
        raise ValueError("a set of levels has another width")
    split = (nodes["is_leaf"] == 0) & (nodes["is_categorical"] != 0)
    if (arrays["column_map"][nodes["feature_idx"][split]] >= len(known)).any():
        raise ValueError("a categorical split reads a column without levels")


def _compute_probability(raw: NDArray[np.float64]) -> NDArray[np.float64]:
    if raw.shape[1] == 1:
        positive = expit(raw[:, 0])
        return np.stack([1 - positive, positive], axis=1)
    return np.asarray(softmax(raw, axis=1))


def build_trees_model(
    estimator: Estimator, *, limits: NDArray[np.float64], n_classes: int, threads: int
) -> TreesModel:
    """A fitted estimator as arrays.

    Reads private attributes of scikit-learn; a test compares predictions, so a change there is noticed.
    """
    rounds = estimator._predictors  # noqa: SLF001
    known, column_map = estimator._bin_mapper.make_known_categories_bitsets()  # noqa: SLF001
    preprocessor = estimator._preprocessor  # noqa: SLF001
    levels = preprocessor.named_transformers_["encoder"].categories_ if preprocessor else []
    return TreesModel(
        baseline=np.asarray(estimator._baseline_prediction, dtype=np.float64).ravel(),  # noqa: SLF001
        levels=tuple(np.asarray(values, dtype=np.float64) for values in levels),
        trees=tuple(tree for trees in rounds for tree in trees),
        known_bitsets=known,
        column_map=column_map,
        limits=limits,
        classes=np.asarray(getattr(estimator, "classes_", ()), dtype=np.int64),
        n_classes=n_classes,
        threads=threads,
    )
