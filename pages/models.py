"""Models: which are finished, and how to use one."""

import streamlit as st

from app import finished_models
from app.components.models_view import (
    pick_model,
    show_bundle,
    show_list,
    show_prediction,
)
from app.components.states import show_empty, show_title
from app.wording import say

show_title(say("models.title"), say("models.question"))
models = finished_models.list_models()
if not models:
    show_empty(
        say("models.none_title"),
        say("models.none_text"),
        page="data",
        label=say("search.empty_button"),
    )
    st.stop()
show_list(models)
model = pick_model(models)
left, right = st.columns(2, gap="large")
with left:
    show_bundle(model)
with right:
    show_prediction(model)
