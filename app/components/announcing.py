"""Words for people who do not see the page change: read aloud once, when they change."""

from functools import lru_cache
from typing import Any

import streamlit as st


def announce(text: str, *, key: str) -> None:
    """Have a screen reader say ``text`` (plain) as soon as it differs from what was said there before."""
    _build_component()(key=key, data={"text": text}, width="content", height="content")


@lru_cache(maxsize=1)
def _build_component() -> Any:
    # the element stays while its words change: only then are they read aloud
    return st.components.v2.component(
        "fairloom_announcing",
        html='<div role="status"></div>',
        css="div { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }",
        js="""export default function ({ parentElement, data }) {
          const place = parentElement.querySelector("[role=status]");
          if (place.textContent !== data.text) place.textContent = data.text;
        }""",
    )
