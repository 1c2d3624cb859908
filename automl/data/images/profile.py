"""Findings about a set of pictures that ask for a decision; each is said once."""

import pyarrow as pa

from automl.data.dataset import ImageFacts, Note


def build_picture_notes(originals: pa.Table, facts: ImageFacts) -> tuple[Note, ...]:
    """Findings of ``originals.parquet``, the most serious first."""
    return ()
