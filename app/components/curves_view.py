"""The Curves tab: what the opened models do on the test part, by kind of task."""

from collections.abc import Sequence

import pandas as pd
import streamlit as st

from app import results
from app.components.figure import show_csv, show_figure
from app.components.numbers import ABSENT, format_estimate, format_number
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
from fairness.intervals import compute_wilson

SHARES = ("row", "column", "total")


def show_curves(opened: Sequence[Opened], target: str) -> None:
    """ROC, precision-recall and confusion of a classification, or the views of a regression."""
    if not opened:
        st.info(say("curves.none"))
        return
    kind = opened[0].evaluation.task_type
    if kind == "regression":
        _show_regression(_pick_model(opened), target)
    elif kind == "multiclass":
        model = _pick_model(opened)
        st.caption(say("curves.one_rest"))
        _show_ranking([model])
        _show_confusion([model])
        _show_classes(model)
    else:
        _show_ranking(opened)
        _show_confusion(opened)
    show_metric_table(opened)


def show_metric_table(opened: Sequence[Opened]) -> None:
    """Metrics down, models across, each with its interval; why one is missing stands in the CSV."""
    st.subheader(say("curves.metrics"), anchor=False)
    long = results.build_metric_table(opened)
    plain = long.astype(object).where(long.notna(), None)
    text = [
        say_plain("audit.not_estimable") if value is None else format_estimate(value, low, high)
        for value, low, high in zip(plain["value"], plain["low"], plain["high"], strict=True)
    ]
    wide = long.assign(text=text).pivot_table(
        index="metric", columns="name", values="text", aggfunc="first", sort=False
    )
    ordered = wide[[model.name for model in opened if model.name in wide]].fillna(ABSENT)
    st.dataframe(
        ordered.reset_index(), key="metric_table", hide_index=True, height="content",
        column_config={"metric": st.column_config.TextColumn(say_plain("audit.metric"), pinned=True)},
    )  # fmt: skip
    show_csv(long, key="metrics")


def stack_curves(opened: Sequence[Opened], name: str) -> pd.DataFrame:
    """The curve of that name: models overlaid for two classes, the first one's classes for more.

    A constant has no curve: it is the reference line.
    """
    if opened[0].evaluation.task_type == "multiclass":
        return opened[0].evaluation.curves.get(name, pd.DataFrame())
    frames = [
        model.evaluation.curves[name].assign(series=model.name)
        for model in opened
        if model.family != "constant" and len(model.evaluation.curves.get(name, ()))
    ]
    return pd.concat(frames, ignore_index=True) if frames else pd.DataFrame()


def _pick_model(opened: Sequence[Opened]) -> Opened:
    names = [model.name for model in opened]
    if len(names) == 1:
        return opened[0]
    picked = st.selectbox(say("curves.model"), names, key="curves_model", width=320)
    return opened[names.index(picked)]


def _show_ranking(opened: Sequence[Opened]) -> None:
    is_binary = opened[0].evaluation.task_type == "binary"
    base_rate = opened[0].evaluation.facts.get("base_rate") if is_binary else None
    left, right = st.columns(2, gap="medium")
    roc, recall = stack_curves(opened, "roc"), stack_curves(opened, "precision_recall")
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
        model = _pick_model(opened)
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


def _show_classes(model: Opened) -> None:
    frame = model.evaluation.curves.get("confusion")
    if frame is None or frame.empty:
        return
    st.markdown(f"#### {say('curves.classes')}")
    st.dataframe(build_class_table(frame), key="class_table", hide_index=True)


def build_class_table(confusion: pd.DataFrame) -> pd.DataFrame:
    """Per class of ``truth, predicted, n``: rows, decisions, precision and recall (Wilson), F1."""
    rows = []
    for name in dict.fromkeys(confusion["truth"]):
        is_true, is_decided = confusion["truth"] == name, confusion["predicted"] == name
        n, n_decided = int(confusion["n"][is_true].sum()), int(confusion["n"][is_decided].sum())
        right = int(confusion["n"][is_true & is_decided].sum())
        f1 = 2 * right / (n + n_decided) if n + n_decided else None
        cells = (
            name, n, n_decided, _render_share(right, n_decided), _render_share(right, n),
            ABSENT if f1 is None else format_number(f1),
        )  # fmt: skip
        keys = ("class", "n", "n_predicted", "precision", "recall", "f1")
        rows.append(
            {say_plain(f"curves.{key}"): cell for key, cell in zip(keys, cells, strict=True)}
        )
    return pd.DataFrame(rows)


def _render_share(k: int, n: int) -> str:
    share = compute_wilson(k, n)
    if share.value is None:
        return say_plain("audit.not_estimable")
    return format_estimate(share.value, share.low, share.high)


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
