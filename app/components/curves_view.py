"""The Curves tab: what the opened models do on the test part, by kind of task."""

from collections.abc import Sequence

import streamlit as st

from app import results
from app.components.figure import show_figure
from app.components.gains_view import show_gains
from app.results import Opened
from app.wording import say, say_plain
from automl.figures.confusion import compute_shares, describe_confusion, plot_confusion
from automl.figures.error_deciles import describe_error_deciles, plot_error_deciles
from automl.figures.precision_recall import describe_precision_recall, plot_precision_recall
from automl.figures.predicted_actual import describe_predicted_actual, plot_predicted_actual
from automl.figures.residuals import (
    describe_residual_histogram,
    describe_residuals,
    plot_residual_histogram,
    plot_residuals,
)
from automl.figures.roc import describe_roc, plot_roc

SHARES = ("row", "column", "total")


def show_curves(opened: Sequence[Opened], target: str) -> None:
    """ROC, precision-recall and confusion of a classification, or the views of a regression."""
    if not opened:
        st.info(say("curves.none"))
        return
    kind = opened[0].evaluation.task_type
    if kind == "regression":
        _show_regression(pick_model(opened), target)
    elif kind == "multiclass":
        model = pick_model(opened)
        st.caption(say("curves.one_rest"))
        _show_ranking([model])
        show_gains([model])
        _show_confusion([model])
    else:
        _show_ranking(opened)
        show_gains(opened)
        _show_confusion(opened)


def pick_model(opened: Sequence[Opened], key: str = "curves_model") -> Opened:
    """One of the opened models; preset: the winner."""
    names = [model.name for model in opened]
    if len(names) == 1:
        return opened[0]
    picked = st.selectbox(say("curves.model"), names, key=key, width=320)
    return opened[names.index(picked)]


def _show_ranking(opened: Sequence[Opened]) -> None:
    is_binary = opened[0].evaluation.task_type == "binary"
    base_rate = opened[0].evaluation.facts.get("base_rate") if is_binary else None
    left, right = st.columns(2, gap="medium")
    roc, recall = (
        results.stack_curves(opened, "roc"),
        results.stack_curves(opened, "precision_recall"),
    )
    if len(roc):
        with left:
            show_figure(
                plot_roc(roc), key="roc", title=say_plain("curves.roc"), frame=roc,
                alt=say_plain("curves.roc_alt", n=roc["series"].nunique()),
                sentence=describe_roc(roc),
            )  # fmt: skip
    if len(recall):
        with right:
            show_figure(
                plot_precision_recall(recall, base_rate), key="precision_recall",
                title=say_plain("curves.pr"), frame=recall,
                alt=say_plain("curves.pr_alt", n=recall["series"].nunique()),
                sentence=describe_precision_recall(recall, base_rate),
            )  # fmt: skip


def _show_confusion(opened: Sequence[Opened]) -> None:
    st.markdown(f"#### {say('curves.confusion')}")
    with st.container(horizontal=True, vertical_alignment="bottom"):
        model = pick_model(opened)
        by = st.segmented_control(
            say("curves.confusion_by"), SHARES, default="row", required=True, key="confusion_by",
            format_func=lambda value: say_plain(f"curves.by_{value}"),
        )  # fmt: skip
    frame = model.evaluation.curves.get("confusion")
    if frame is None or frame.empty:
        return
    shares = compute_shares(frame, by)
    show_figure(
        plot_confusion(frame, by), key="confusion", alt=say_plain("curves.confusion_alt"),
        sentence=f"{model.name}: {describe_confusion(frame)}", frame=shares,
    )  # fmt: skip


def _show_regression(model: Opened, target: str) -> None:
    curves, facts = model.evaluation.curves, model.evaluation.facts
    points = curves["predicted_vs_actual"]
    left, right = st.columns(2, gap="medium")
    with left:
        show_figure(
            plot_predicted_actual(points, target), key="predicted_actual",
            title=say_plain("curves.predicted"), alt=say_plain("curves.predicted_alt"),
            sentence=describe_predicted_actual(points, facts.get("slope")), frame=points,
        )  # fmt: skip
    with right:
        show_figure(
            plot_residuals(points, target), key="residuals", title=say_plain("curves.residuals"),
            alt=say_plain("curves.residuals_alt"), sentence=describe_residuals(points),
            frame=points,
        )  # fmt: skip
    left, right = st.columns(2, gap="medium")
    histogram, deciles = curves["residual_histogram"], curves["error_by_decile"]
    with left:
        show_figure(
            plot_residual_histogram(histogram, target), key="residual_histogram",
            title=say_plain("curves.histogram"), alt=say_plain("curves.histogram_alt"),
            sentence=describe_residual_histogram(histogram), frame=histogram,
        )  # fmt: skip
    with right:
        show_figure(
            plot_error_deciles(deciles, target), key="error_deciles",
            title=say_plain("curves.deciles"), alt=say_plain("curves.deciles_alt"),
            sentence=describe_error_deciles(deciles), frame=deciles,
        )  # fmt: skip
