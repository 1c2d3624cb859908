"""The curves of several searches over each other: ROC, precision and recall, reliability; of values the residuals."""

from collections.abc import Sequence
from dataclasses import replace

import pandas as pd
import streamlit as st

from app import results
from app.comparison import Side
from app.components.figure import show_figure
from app.results import Opened
from app.wording import say, say_plain
from automl.figures.precision_recall import describe_precision_recall, plot_precision_recall
from automl.figures.reliability import describe_reliability, plot_reliability
from automl.figures.residual_density import describe_residual_density, plot_residual_density
from automl.figures.roc import describe_roc, plot_roc


def show_compared_curves(sides: Sequence[Side]) -> None:
    """The winners of all searches in one picture of each kind; what not every search has is left out."""
    winners = {
        side.name: opened[0] for side in sides if (opened := results.read_opened(side.job.id))
    }
    kinds = {winner.evaluation.task_type for winner in winners.values()}
    if len(kinds) != 1 or len(winners) < 2:
        st.info(say("compare.no_curves"))
        return
    if kinds == {"regression"}:
        _show_residuals(winners, sides[0].task.target)
        return
    _show_ranking(winners, is_multiclass=kinds == {"multiclass"})
    _show_reliability(winners)


def join_curves(winners: dict[str, Opened], name: str) -> pd.DataFrame:
    """The curve of that name of every winner, ``series`` naming the search."""
    frames = [
        winner.evaluation.curves[name].assign(series=title)
        for title, winner in winners.items()
        if len(winner.evaluation.curves.get(name, ()))
    ]
    return pd.concat(frames, ignore_index=True) if frames else pd.DataFrame()


def pick_class_rows(winners: dict[str, Opened], name: str, label: str) -> pd.DataFrame:
    """The curve of one class of every winner, ``series`` naming the search."""
    found = {title: winner.evaluation.curves.get(name) for title, winner in winners.items()}
    frames = [
        frame[frame["series"] == label].assign(series=title)
        for title, frame in found.items()
        if frame is not None and len(frame)
    ]
    return pd.concat(frames, ignore_index=True) if frames else pd.DataFrame()


def _show_ranking(winners: dict[str, Opened], *, is_multiclass: bool) -> None:
    base_rate = None
    if is_multiclass:
        known = [winner.evaluation.curves["roc"]["series"] for winner in winners.values()]
        classes = list(dict.fromkeys(label for each in known for label in each))
        label = str(st.selectbox(say("compare.class"), classes, key="compare_class", width=320))
        roc, recall = (
            pick_class_rows(winners, name, label) for name in ("roc", "precision_recall")
        )
    else:
        roc, recall = (join_curves(winners, name) for name in ("roc", "precision_recall"))
        rates = {winner.evaluation.facts.get("base_rate") for winner in winners.values()}
        base_rate = rates.pop() if len(rates) == 1 else None
    left, right = st.columns(2, gap="medium")
    with left:
        show_figure(
            plot_roc(roc), key="compare_roc", title=say_plain("curves.roc"), frame=roc,
            alt=say_plain("curves.roc_alt", n=len(winners)), sentence=describe_roc(roc),
        )  # fmt: skip
    with right:
        show_figure(
            plot_precision_recall(recall, base_rate), key="compare_pr", title=say_plain("curves.pr"),
            alt=say_plain("curves.pr_alt", n=len(winners)), frame=recall,
            sentence=describe_precision_recall(recall, base_rate),
        )  # fmt: skip


def _show_reliability(winners: dict[str, Opened]) -> None:
    """The final probabilities of every winner: a curve each, dots with intervals of the last."""
    final = {title: _keep_final(winner) for title, winner in winners.items()}
    bins, curve = (join_curves(final, name) for name in ("reliability_bins", "reliability"))
    if bins.empty:
        return
    sentences = [describe_reliability(rows) for _, rows in bins.groupby("series", sort=False)]
    show_figure(
        plot_reliability(bins, curve), key="compare_reliability", title=say_plain("calibration.reliability"),
        alt=say_plain("calibration.reliability_alt"), sentence=" ".join(sentences), frame=bins,
    )  # fmt: skip


def _keep_final(winner: Opened) -> Opened:
    """The winner with the reliability of its final probabilities alone: the last series is what leaves the product."""
    curves = {
        name: frame[frame["series"] == frame["series"].iloc[-1]]
        for name in ("reliability_bins", "reliability")
        if len(frame := winner.evaluation.curves.get(name, pd.DataFrame()))
    }
    return replace(winner, evaluation=replace(winner.evaluation, curves=curves))


def _show_residuals(winners: dict[str, Opened], target: str) -> None:
    frame = join_curves(winners, "residual_histogram")
    show_figure(
        plot_residual_density(frame, target), key="compare_residuals", frame=frame,
        title=say_plain("compare.residuals"), alt=say_plain("compare.residuals_alt"),
        sentence=describe_residual_density(frame),
    )  # fmt: skip
