"""The Streamlit entry point: page config, navigation and the frame around every page."""

import streamlit as st

from app import navigation, session, theme
from app.components.frame import show_frame
from app.components.states import show_error
from fairness.errors import FairloomError

st.set_page_config(
    page_title="Fairloom",
    page_icon=str(theme.ICON),
    layout="wide",
    initial_sidebar_state="auto",
)

st.logo(theme.LOGO, icon_image=theme.ICON, size="large")
st.html(theme.STYLE)
page = st.navigation(navigation.build_pages(), position="sidebar")
session.restore_address()
try:
    if name := navigation.get_name(page):
        show_frame(name)
    page.run()
except FairloomError as error:
    show_error(error)
