"""The two charts of a running search."""

import pandas as pd
import streamlit as st

from app import live
from app.wording import say, say_plain


def show_history(history: pd.DataFrame, metric: str) -> None:
    """Scores of the trials over time, with the best so far."""
    st.markdown(f"**{say('live.history')}**")
    if history.empty:
        st.caption(say("live.history_none"))
        return
    from app.components.figure import show_figure
    from automl.figures.search_history import (
        compute_history,
        describe_search_history,
        plot_search_history,
    )

    title, sign = live.get_metric_title(metric), live.get_sign(metric)
    frame = compute_history(history.assign(family=history["family"].map(live.get_family_title)))
    show_figure(
        plot_search_history(frame, title, sign=sign).update_layout(uirevision="live"),
        key="history",
        alt=say_plain("live.history_alt"),
        sentence=describe_search_history(frame, title, sign=sign),
        frame=live.in_metric(frame, sign),
    )


def show_curves(epochs: pd.DataFrame, *, is_active: bool) -> None:
    """Losses of the running trials per epoch."""
    st.markdown(f"**{say('live.curves' if is_active else 'live.curves_ended')}**")
    if epochs.empty:
        st.caption(say("live.curves_none" if is_active else "live.curves_ended_none"))
        return
    from app.components.figure import show_figure
    from automl.figures.learning_curve import describe_learning_curves, plot_learning_curves

    show_figure(
        plot_learning_curves(epochs).update_layout(uirevision="live"),
        key="curves",
        alt=say_plain("live.curves_alt"),
        sentence=describe_learning_curves(epochs),
        frame=epochs,
    )
