"""Handing a file of the workspace to the person: by our own route, or through memory where there is none."""

from functools import lru_cache
from pathlib import Path
from typing import Any

import streamlit as st

from app import services
from app.wording import escape

_FOLDER = Path(__file__).resolve().parent / "assets"


def show_download(label: str, path: Path, *, filename: str, key: str) -> None:
    """A button that downloads ``path`` as ``filename``; disabled when the file is not there.

    With our routes the file is streamed with ETag and Range; without them it goes through memory.
    """
    if not path.is_file():
        st.button(escape(label), key=key, disabled=True, icon=":material/download:")
        return
    if not services.has_routes():
        st.download_button(
            escape(label), path.read_bytes(), file_name=filename, key=key, on_click="ignore",
            icon=":material/download:",
        )  # fmt: skip
        return
    with st.container(key=key, width="content"):
        address = services.sign_artifact(path, filename)
        _build_component()(
            key=f"{key}_link",
            data={"label": label, "address": address, "filename": filename},
            width="content",
        )


@lru_cache(maxsize=1)
def _build_component() -> Any:
    return st.components.v2.component(
        "fairloom_download",
        html='<a class="link" download><span class="sign" aria-hidden="true">↓</span> <span class="words"></span></a>',
        css=(_FOLDER / "download.css").read_text(encoding="utf-8"),
        js=(_FOLDER / "download.js").read_text(encoding="utf-8"),
    )
