"""Choosing a file: in 8 MB chunks to our own route, or through Streamlit's uploader where there is none."""

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import streamlit as st

from app import services, session
from app.components.numbers import format_bytes
from app.wording import say, say_plain

SUFFIXES = ("csv", "tsv", "txt", "parquet", "xlsx", "gz")
CHUNK_BYTES = 8_000_000
_FOLDER = Path(__file__).resolve().parent / "assets"


@dataclass(frozen=True, kw_only=True, slots=True)
class Upload:
    """A file that arrived whole: its id in ``incoming/``, the name it had, its size."""

    id: str
    name: str
    size_bytes: int


def pick_upload(key: str, *, label: str) -> Upload | None:
    """A place to drop one file; the upload in the run in which it is complete, then None again."""
    return _pick_chunked(key, label) if services.has_routes() else _pick_in_memory(key, label)


def _pick_chunked(key: str, label: str) -> Upload | None:
    upload = session.get_ticket(key)
    with st.container(key=key):
        result = _build_component()(
            key=f"{key}_component",
            data=_describe(upload, label),
            on_done_change=lambda: None,
        )
    done: dict[str, Any] | None = result.get("done")
    if not done or done.get("upload") != upload:
        return None
    part = services.require_upload(upload, str(done["name"]))
    session.renew_ticket(key)
    return Upload(id=upload, name=str(done["name"]), size_bytes=part.stat().st_size)


def _pick_in_memory(key: str, label: str) -> Upload | None:
    file = st.file_uploader(
        label, type=list(SUFFIXES), key=key, max_upload_size=_fallback_megabytes()
    )
    if file is None or session.recall(f"seen_{key}") == file.file_id:
        return None
    session.remember(f"seen_{key}", file.file_id)
    upload = services.save_upload(file.getvalue())
    return Upload(id=upload, name=file.name, size_bytes=file.size)


def _fallback_megabytes() -> int:
    return max(1, min(200, services.get_settings().max_table_bytes // 1_000_000))


def _describe(upload: str, label: str) -> dict[str, Any]:
    max_bytes = services.get_settings().max_table_bytes
    return {
        "upload": upload,
        "address": f"/api/uploads/{session.recall_token(upload, services.sign_upload)}",
        "chunk_bytes": CHUNK_BYTES,
        "max_bytes": max_bytes,
        "accept": ",".join(f".{suffix}" for suffix in SUFFIXES),
        "words": {
            "label": label,
            "choose": say_plain("upload.choose"),
            "types": say_plain("upload.types", size=format_bytes(max_bytes)),
            "cancel": say_plain("upload.cancel"),
            "sending": say_plain("upload.sending"),
            "retrying": say_plain("upload.retrying"),
            "too_large": say_plain("upload.too_large", limit=format_bytes(max_bytes)),
            "smaller": say_plain("upload.smaller"),
            "lost": say_plain("upload.lost"),
            "again": say_plain("upload.again"),
            "failed": say_plain("upload.failed"),
        },
    }


@lru_cache(maxsize=1)
def _build_component() -> Any:
    return st.components.v2.component(
        "fairloom_upload",
        html=(_FOLDER / "upload.html").read_text(encoding="utf-8"),
        css=(_FOLDER / "upload.css").read_text(encoding="utf-8"),
        js=(_FOLDER / "upload.js").read_text(encoding="utf-8"),
    )


def show_upload_done(upload: Upload) -> None:
    """One line that says the file is here."""
    st.caption(say("upload.done", name=upload.name, size=format_bytes(upload.size_bytes)))
