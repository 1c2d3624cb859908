"""Families that are not offered for some data or devices, each with the reason."""

from collections.abc import Mapping

from automl.models.tabular.transformer_config import MOST_COLUMNS, MOST_ROWS


def find_absent(*, n_rows: int, n_columns: int, on_gpu: bool) -> Mapping[str, str]:
    """Reason by family for a table of ``n_rows`` training rows and ``n_columns`` inputs."""
    reason = ""
    if not on_gpu:
        reason = "it needs a GPU, and the search has none"
    elif n_columns > MOST_COLUMNS:
        reason = f"it takes up to {MOST_COLUMNS} columns, there are {n_columns:,}"
    elif n_rows > MOST_ROWS:
        reason = f"it takes up to {MOST_ROWS:,} training rows, there are {n_rows:,}"
    return {"ft_transformer": reason} if reason else {}
