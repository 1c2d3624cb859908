"""Small frames of every kind that pictures are drawn from."""

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from automl.figures.architecture import compute_layers, plot_architecture
from automl.figures.confusion import plot_confusion
from automl.figures.error_deciles import plot_error_deciles
from automl.figures.intermediate_values import plot_intermediate_values
from automl.figures.leaderboard import plot_leaderboard
from automl.figures.learning_curve import plot_learning_curves
from automl.figures.precision_recall import plot_precision_recall
from automl.figures.predicted_actual import plot_predicted_actual
from automl.figures.reliability import plot_reliability
from automl.figures.residuals import plot_residual_histogram, plot_residuals
from automl.figures.roc import plot_roc
from automl.figures.search_history import compute_history, plot_search_history

LAYERS = (
    {"name": "Numbers", "kind": "piecewise embedding", "output": 96, "parameters": 900, "detail": "12 bins, 16 per column"},
    {"name": "Categories", "kind": "embedding", "output": 64, "parameters": 300, "detail": "8 per column"},
    {"name": "Inputs", "kind": "concatenation", "output": 160, "parameters": 0, "detail": ""},
    {"name": "first", "kind": "linear", "output": 128, "parameters": 2_000, "detail": "LayerNorm, ReLU"},
    {"name": "head", "kind": "linear", "output": 2, "parameters": 100, "detail": ""},
)  # fmt: skip


def build_roc(series: str, n: int = 50) -> pd.DataFrame:
    x = np.linspace(0, 1, n)
    return pd.DataFrame(
        {"series": series, "false_positive_rate": x, "true_positive_rate": np.sqrt(x)}
    )


def build_reliability() -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    score = np.linspace(0.05, 0.95, 15)
    bins, curves = [], []
    for series, shift in (("before", 0.1), ("after", 0.02)):
        observed = np.clip(score + shift * np.sin(6 * score), 0, 1)
        bins.append(
            pd.DataFrame(
                {
                    "series": series, "mean_score": score, "observed": observed,
                    "low": observed - 0.03, "high": observed + 0.03, "n": 200,
                }
            )
        )  # fmt: skip
        curves.append(
            pd.DataFrame(
                {
                    "series": series, "score_low": score - 0.02, "score_high": score + 0.02,
                    "observed": np.sort(observed),
                }
            )
        )  # fmt: skip
    edges = np.linspace(0, 1, 21)
    histogram = pd.concat(
        [
            pd.DataFrame({"series": name, "low": edges[:-1], "high": edges[1:], "n": range(20)})
            for name in ("no", "yes")
        ]
    )
    return pd.concat(bins), pd.concat(curves), histogram


def build_epochs(trial: int = 3, n: int = 10) -> pd.DataFrame:
    epoch = np.arange(1, n + 1)
    return pd.DataFrame(
        {
            "trial": trial, "epoch": epoch, "train_loss": 1 / epoch,
            "select_loss": 0.2 + np.abs(epoch - 7) / 20, "score": 1 - np.abs(epoch - 7) / 10,
            "learning_rate": 1e-3 / epoch, "seconds": 0.1, "at": 0.0,
        }
    )  # fmt: skip


def build_trials(n: int) -> pd.DataFrame:
    generator = np.random.default_rng(0)
    return pd.DataFrame(
        {
            "number": range(n),
            "family": generator.choice(["mlp", "resnet", "boosting"], n),
            "state": generator.choice(["complete", "pruned"], n, p=[0.7, 0.3]),
            "score": 0.9 + 0.03 * generator.random(n),
        }
    ).assign(state=lambda frame: frame["state"].where(frame["number"] > 0, "complete"))


def build_board() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "name": ["MLP 12", "Boosted trees (default)", "Linear (default)", "Constant"],
            "value": [0.9268, 0.9251, 0.905, 0.5],
            "low": [0.9231, 0.9214, 0.900, np.nan],
            "high": [0.9309, 0.9289, 0.910, np.nan],
            "tier": [1, 1, 2, 3],
        }
    )


def build_values(n: int = 300) -> pd.DataFrame:
    generator = np.random.default_rng(0)
    prediction = generator.normal(100, 20, n)
    truth = prediction + generator.normal(0, 5, n)
    return pd.DataFrame({"truth": truth, "prediction": prediction, "residual": prediction - truth})


def plot_all() -> dict[str, go.Figure]:
    """One of every picture."""
    values, epochs = build_values(), build_epochs()
    confusion = pd.DataFrame(
        {
            "truth": ["no", "no", "yes", "yes"],
            "predicted": ["no", "yes"] * 2,
            "n": [900, 50, 80, 170],
        }
    )
    recall = pd.DataFrame(
        {"series": "mlp", "recall": np.linspace(0, 1, 20), "precision": np.linspace(1, 0.24, 20)}
    )
    deciles = pd.DataFrame(
        {"low": np.arange(10.0), "high": np.arange(10.0) + 1, "mae": np.arange(10.0) + 1, "n": 30}
    )
    histogram = pd.DataFrame({"low": np.arange(10.0) - 5, "high": np.arange(10.0) - 4, "n": 12})
    several = pd.concat(
        [build_epochs(trial, 4 + trial).assign(state="pruned" if trial % 2 else "complete") for trial in range(6)]
    )  # fmt: skip
    return {
        "roc": plot_roc(pd.concat([build_roc("MLP 12"), build_roc("Linear", 20)])),
        "precision_recall": plot_precision_recall(recall, 0.24),
        "confusion": plot_confusion(confusion),
        "leaderboard": plot_leaderboard(build_board(), "AUC, select part"),
        "reliability": plot_reliability(*build_reliability()),
        "learning_curves": plot_learning_curves(epochs.assign(series="#3 mlp")),
        "history": plot_search_history(compute_history(build_trials(60)), "AUC"),
        "intermediate": plot_intermediate_values(several, "AUC"),
        "predicted_actual": plot_predicted_actual(values, "price"),
        "residuals": plot_residuals(values, "price"),
        "residual_histogram": plot_residual_histogram(histogram, "price"),
        "error_deciles": plot_error_deciles(deciles, "price"),
        "architecture": plot_architecture(compute_layers(LAYERS)),
    }
