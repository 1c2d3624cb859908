"""What a model of a table relies on: one view per question, of which only the open one is drawn."""

from collections.abc import Callable, Mapping

import streamlit as st

from app import results
from app.components.effect_view import show_effects
from app.components.importance_view import show_importance
from app.components.shap_view import show_shap
from app.components.what_if_view import show_what_if
from app.wording import say, say_plain
from automl.jobs.records import Job

VIEWS: Mapping[str, Callable[[Job], None]] = {
    "importance": show_importance,
    "effects": show_effects,
    "shap": show_shap,
    "what_if": show_what_if,
}


def show_explanations(search: Job) -> None:
    """The chosen view; where there is no model to ask, the reason."""
    if not results.get_result_file(search.id, "bundle").is_dir():
        st.info(say("explained.no_model"))
        return
    if results.read_predictions(search.id) is None:
        st.info(say("explained.no_rows"))
        return
    view = st.segmented_control(
        say("explained.view"), list(VIEWS), default="importance", required=True, key="explain_view",
        format_func=lambda name: say_plain(f"explained.view_{name}"),
    )  # fmt: skip
    VIEWS[str(view or "importance")](search)
