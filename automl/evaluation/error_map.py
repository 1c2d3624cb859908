"""Rows in two dimensions, so that mistakes that lie together are seen together: PCA and t-SNE, both seeded."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from automl.errors import DataError

SEED = 42
PERPLEXITY = 30
N_COMPONENTS = 30  # of the PCA that t-SNE reads
LEAST_ROWS = 10
MOST_LEVELS = 20  # of a category, the most frequent, that get a dimension each

Floats = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True, slots=True)
class Projection:
    """``frame``: ``pca_x, pca_y, tsne_x, tsne_y`` per row; ``explained``: share of the variance of the two axes of PCA."""

    frame: pd.DataFrame
    explained: tuple[float, float]
    perplexity: float


def spread_codes(standard: NDArray[np.floating], codes: NDArray[np.integer]) -> Floats:
    """Scaled numbers beside a 0/1 column per frequent level: ``(n, Q)``, ``(n, C)`` → ``(n, d)``."""
    levels = [
        codes[:, place] == level
        for place in range(codes.shape[1])
        for level in range(1, min(int(codes[:, place].max(initial=0)), MOST_LEVELS) + 1)
    ]
    marks = np.stack(levels, axis=1) if levels else np.zeros((len(codes), 0))
    return np.concatenate([standard.astype(np.float64), marks.astype(np.float64)], axis=1)


def project(inputs: Floats, seed: int = SEED) -> Projection:
    """Both projections of ``(n, d)``; the same inputs and seed give the same picture.

    Source: van der Maaten & Hinton 2008; started from PCA, perplexity 30 or a third of the rows.
    """
    varying = inputs[:, inputs.std(axis=0) > 0] if len(inputs) else inputs
    if len(inputs) < LEAST_ROWS or varying.shape[1] < 2:
        raise DataError(
            f"{len(inputs)} rows with {varying.shape[1]} inputs that vary cannot be laid out in two dimensions.",
            hint=f"At least {LEAST_ROWS} rows and two inputs are needed.",
        )
    from sklearn.decomposition import PCA
    from sklearn.manifold import TSNE

    n_components = min(N_COMPONENTS, len(varying) - 1, varying.shape[1])
    pca = PCA(n_components=n_components, svd_solver="randomized", random_state=seed)
    components = pca.fit_transform(varying)
    perplexity = min(PERPLEXITY, (len(varying) - 1) / 3)
    tsne = TSNE(perplexity=perplexity, init="pca", random_state=seed, n_jobs=1)
    flat = tsne.fit_transform(components.astype(np.float32))
    frame = pd.DataFrame(
        {
            "pca_x": components[:, 0], "pca_y": components[:, 1],
            "tsne_x": flat[:, 0].astype(np.float64), "tsne_y": flat[:, 1].astype(np.float64),
        }
    )  # fmt: skip
    first, second = (float(share) for share in pca.explained_variance_ratio_[:2])
    return Projection(frame=frame, explained=(first, second), perplexity=float(perplexity))
