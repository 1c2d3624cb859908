"""The pages in the order of the work, and the ways between them."""

from dataclasses import dataclass
from pathlib import Path

import streamlit as st
from streamlit.navigation.page import Page

from app.wording import say

ROOT = Path(__file__).resolve().parent.parent


@dataclass(frozen=True, kw_only=True, slots=True)
class Place:
    """One page: the stem of its file is its address."""

    name: str
    icon: str

    @property
    def file(self) -> str:
        """The path as Streamlit wants it, relative to the entry point."""
        return f"../pages/{self.name}.py"

    @property
    def exists(self) -> bool:
        return (ROOT / "pages" / f"{self.name}.py").is_file()


PLACES = (
    Place(name="data", icon=":material/table:"),
    Place(name="search", icon=":material/search:"),
    Place(name="results", icon=":material/insights:"),
    Place(name="audit", icon=":material/balance:"),
    Place(name="models", icon=":material/deployed_code:"),
    Place(name="system", icon=":material/monitor_heart:"),
)


def build_pages() -> list[Page]:
    """The pages for ``st.navigation``, Data first, behind a hidden one that has the empty address.

    Streamlit gives the default page no other address; Data is to have one as all pages have.
    """
    home = st.Page(_go_to_data, title=say("nav.data"), default=True, visibility="hidden")
    places = [
        st.Page(place.file, title=say(f"nav.{place.name}"), icon=place.icon)
        for place in PLACES
        if place.exists
    ]
    return [home, *places]


def _go_to_data() -> None:
    query = {name: st.query_params[name] for name in st.query_params}
    st.switch_page(get_file("data"), query_params=query)


def get_file(name: str) -> str:
    """The file of a page by its name, for ``st.switch_page`` and ``st.page_link``."""
    return next(place.file for place in PLACES if place.name == name)


def get_name(page: Page) -> str:
    """Which of our pages is shown; empty for the one that only leads to Data."""
    return page.url_path
