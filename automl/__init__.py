"""The engine of Fairloom: from a table to a model its owner can defend. It knows no Streamlit.

Public API, loaded when first used (importing the package costs neither torch nor Optuna)::

    from pathlib import Path
    import automl

    result = automl.run_search(automl.SearchCall(
        file="sample:loans", target="approved", sensitive=("group",), budget_seconds=60, out=Path("out"),
    ))
"""

from importlib import import_module
from typing import Any

__all__ = [
    "AuditCall",
    "LearningRateCall",
    "PredictCall",
    "SearchCall",
    "ThresholdCall",
    "run_audit",
    "run_learning_rates",
    "run_predict",
    "run_search",
    "run_threshold",
]


def __getattr__(name: str) -> Any:
    """Load the public names on first use."""
    if name in ("LearningRateCall", "run_learning_rates"):
        return getattr(import_module("automl.learning_rates"), name)
    if name in ("ThresholdCall", "run_threshold"):
        return getattr(import_module("automl.thresholds"), name)
    if name in __all__:
        return getattr(import_module("automl.api"), name)
    raise AttributeError(f"module 'automl' has no attribute {name!r}")
