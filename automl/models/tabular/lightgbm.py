"""LightGBM: a booster ready to grow, and its grown trees as the plain arrays of ``TreesModel``.

LightGBM learns and never predicts here: its trees are read from its own text, written as numbers that read back
exactly, and walked by scikit-learn's predictor. So nothing in a saved model is LightGBM's, and a bundle that was
tampered with meets the same checks as any other.
"""

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any, TypeAlias

import numpy as np
import torch  # noqa: F401  # brings libgomp: one pool of threads for both, and no system library is needed
from numpy.typing import NDArray
from sklearn.ensemble._hist_gradient_boosting.common import PREDICTOR_RECORD_DTYPE
from sklearn.ensemble._hist_gradient_boosting.predictor import TreePredictor

from automl.models.tabular.boosting import BITSET_WORDS
from automl.space.dimensions import Config, Value

Booster: TypeAlias = Any  # lightgbm.Booster
Lines: TypeAlias = Mapping[str, str]

DEFAULT_LEAF_ROWS, DEFAULT_BIN_ROWS = 20, 3  # LightGBM's own
ROWS_PER_LEAF = 20  # a leaf may need at most one row in as many
_CATEGORICAL, _DEFAULT_LEFT, _MISSING_SHIFT = 1, 2, 2
_MISSING_NONE, _MISSING_NAN = 0, 2


def build_lightgbm(
    config: Config,
    matrix: NDArray[np.float64],
    target: NDArray[Any],
    *,
    weight: NDArray[np.float64] | None,
    n_codes: int,
    n_classes: int,
    seed: int,
    threads: int,
) -> Booster:
    """A booster without trees for ``build_matrix``; an empty ``config`` is the library's own defaults.

    ``target``: classes 0..``n_classes`` - 1, or (``n_classes`` 0) standardised values, because LightGBM keeps
    them as float32. The leading ``n_codes`` columns are categories.
    """
    import lightgbm

    leaf_rows = compute_leaf_rows(config, len(matrix))
    options: dict[str, Value] = {
        **config,
        "objective": _name_objective(n_classes),
        "min_data_in_leaf": leaf_rows,
        "min_data_in_bin": min(DEFAULT_BIN_ROWS, max(1, leaf_rows // 2)),
        "seed": seed,
        "num_threads": threads,
        "deterministic": True,
        "force_col_wise": True,  # else it measures which is faster, and sums in another order next time
        "verbosity": -1,
    }
    if n_classes > 2:
        options["num_class"] = n_classes
    if "bagging_fraction" in config:
        options["bagging_freq"] = 1
    data = lightgbm.Dataset(
        matrix,
        label=target,
        weight=weight,
        categorical_feature=list(range(n_codes)),
        params=options,
    )
    return lightgbm.Booster(options, data)


def compute_leaf_rows(config: Config, n_rows: int) -> int:
    """Rows that a leaf needs: as configured, less where no table of so few rows could be split."""
    wanted = int(config.get("min_data_in_leaf", DEFAULT_LEAF_ROWS))
    return min(wanted, max(2, n_rows // ROWS_PER_LEAF))


def _name_objective(n_classes: int) -> str:
    if n_classes == 0:
        return "regression"
    return "binary" if n_classes == 2 else "multiclass"


def read_trees(booster: Booster, first: int, *, scale: float) -> tuple[TreePredictor, ...]:
    """The trees from round ``first`` on, leaf values times ``scale``; trees of one round side by side.

    They give exactly what LightGBM gives: a missing number goes to the side the split has learned, or as 0
    where training had none missing; a level outside the set of a split goes right, like a missing one.
    """
    text = booster.model_to_string(start_iteration=first, num_iteration=-1)
    body = text.partition("\nTree=")[2].partition("\nend of trees")[0]
    return tuple(_parse_tree(part, scale) for part in body.split("\nTree=") if part)


def _parse_tree(text: str, scale: float) -> TreePredictor:
    lines = dict(line.split("=", 1) for line in text.splitlines() if "=" in line)
    value = np.array(lines["leaf_value"].split(), dtype=np.float64) * scale
    n_inner = len(value) - 1
    nodes = np.zeros(n_inner + len(value), dtype=PREDICTOR_RECORD_DTYPE)
    nodes["value"][n_inner:] = value
    nodes["is_leaf"][n_inner:] = 1
    if n_inner:
        _fill_splits(nodes[:n_inner], lines)
    bitsets = _parse_bitsets(lines)
    return TreePredictor(nodes, bitsets, bitsets)


def _fill_splits(nodes: NDArray[Any], lines: Lines) -> None:
    """Write the inner nodes, which come first; LightGBM counts leaves -1, -2 …"""
    kind = _read_integers(lines["decision_type"])
    threshold = np.array(lines["threshold"].split(), dtype=np.float64)
    is_categorical = (kind & _CATEGORICAL) > 0
    missing = kind >> _MISSING_SHIFT
    if not np.isin(missing, (_MISSING_NONE, _MISSING_NAN)).all():
        raise ValueError("a split reads zero as missing")
    for side in ("left", "right"):
        link = _read_integers(lines[f"{side}_child"])
        nodes[side] = np.where(link < 0, len(nodes) - link - 1, link)
    goes_left = np.where(missing == _MISSING_NAN, (kind & _DEFAULT_LEFT) > 0, threshold >= 0)
    nodes["feature_idx"] = _read_integers(lines["split_feature"])
    nodes["is_categorical"] = is_categorical
    nodes["missing_go_to_left"] = goes_left & ~is_categorical
    nodes["num_threshold"] = np.where(is_categorical, 0, threshold)
    nodes["bitset_idx"] = np.where(is_categorical, threshold, 0).astype(np.int64)


def _parse_bitsets(lines: Lines) -> NDArray[np.uint32]:
    """The sets of levels that go left, ``(n, 8)``."""
    if lines["num_cat"] == "0":
        return np.zeros((0, BITSET_WORDS), dtype=np.uint32)
    edges = _read_integers(lines["cat_boundaries"])
    words = np.array(lines["cat_threshold"].split(), dtype=np.uint32)
    bitsets = np.zeros((len(edges) - 1, BITSET_WORDS), dtype=np.uint32)
    for index, (start, end) in enumerate(pairwise(edges)):
        bitsets[index, : end - start] = words[start:end]
    return bitsets


def _read_integers(text: str) -> NDArray[np.int64]:
    words: Sequence[str] = text.split()
    return np.array(words, dtype=np.int64)
