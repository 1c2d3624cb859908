"""Smooth calibration error: no bins, one number that falls to zero for calibrated scores as rows are added.

Source: Błasiok and Nakkiran 2023, "Smooth ECE: principled reliability diagrams via kernel smoothing"
(arXiv:2309.12236): v(σ) = ∫ |n⁻¹ Σ (sᵢ − yᵢ) K_σ(t, sᵢ)| dt with a Gaussian kernel reflected at 0 and 1, and the
number is the σ where v(σ) = σ.
"""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fairness.reliability import NullValue

N_CELLS = 2_048  # of the grid on 0..1; a score moves by a four-thousandth at most
STEPS = 14  # of the bisection
NULL_DRAWS = 100

Floats = NDArray[np.float64]


def compute_smooth_ece(truth: ArrayLike, score: ArrayLike) -> float:
    """Smooth ECE of 0/1 labels and scores in 0..1. Range 0–1, lower is better."""
    y, s = np.asarray(truth, dtype=np.float64), np.asarray(score, dtype=np.float64)
    cells = _place(s)
    return _solve(np.bincount(cells, weights=s - y, minlength=N_CELLS) / len(s))


def compute_smooth_ece_null(score: ArrayLike, seed: int = 0) -> NullValue:
    """What a calibrated model with these scores would show: labels drawn from the scores, 100 times."""
    s = np.asarray(score, dtype=np.float64)
    cells = _place(s)
    n = np.bincount(cells, minlength=N_CELLS)
    total = np.bincount(cells, weights=s, minlength=N_CELLS)
    mean = np.clip(np.divide(total, n, out=np.zeros(N_CELLS), where=n > 0), 0, 1)
    generator = np.random.default_rng(seed)
    drawn = [_solve((total - generator.binomial(n, mean)) / len(s)) for _ in range(NULL_DRAWS)]
    return NullValue(float(np.mean(drawn)), float(np.percentile(drawn, 95)))


def _place(score: Floats) -> NDArray[np.int64]:
    return np.minimum((score * N_CELLS).astype(np.int64), N_CELLS - 1)


def _solve(excess: Floats) -> float:
    """The σ where the smoothed excess of the score has the size σ; the size falls as σ grows."""
    spectrum = np.fft.rfft(np.concatenate([excess, excess[::-1]]))  # even, so both ends reflect
    frequency = np.pi * np.arange(len(spectrum))
    low, high = 0.0, 1.0
    for _ in range(STEPS):
        sigma = (low + high) / 2
        smoothed = np.fft.irfft(spectrum * np.exp(-((frequency * sigma) ** 2) / 2))[:N_CELLS]
        if np.abs(smoothed).sum() < sigma:
            high = sigma
        else:
            low = sigma
    return (low + high) / 2
