"""Choosing a file: in 8 MB chunks to our own route, or through Streamlit's uploader where there is none."""

from dataclasses import dataclass
from functools import lru_cache
from html import escape as escape_html
from pathlib import Path
from typing import Any

import streamlit as st

from app import services, session
from app.components.numbers import format_bytes
from app.wording import say, say_plain

TABLES = ("csv", "tsv", "txt", "parquet", "xlsx", "gz")
ARCHIVES = ("zip",)
SINGLE = ("png", "jpg", "jpeg", "webp", "bmp", "tif", "tiff")
CHUNK_BYTES = 8_000_000
BUTTONS = ("choose", "cancel", "again")
_FOLDER = Path(__file__).resolve().parent / "assets"


@dataclass(frozen=True, kw_only=True, slots=True)
class Upload:
    """A file that arrived whole: its id in ``incoming/``, the name it had, its size."""

    id: str
    name: str
    size_bytes: int


def pick_upload(
    key: str, *, label: str, pictures: bool = False, tables: bool = True
) -> Upload | None:
    """A place to drop one file; the upload in the run in which it is complete, then None again.

    With ``pictures`` a ZIP is taken too, up to a limit of its own; without ``tables`` a single picture
    instead of a table.
    """
    suffixes = (*(TABLES if tables else SINGLE), *(ARCHIVES if pictures else ()))
    if services.has_routes():
        return _pick_chunked(key, _describe(session.get_ticket(key), label, suffixes))
    return _pick_in_memory(key, label, suffixes)


def _pick_chunked(key: str, description: dict[str, Any]) -> Upload | None:
    upload = session.get_ticket(key)
    with st.container(key=key):
        result = _build_component()(
            key=f"{key}_component",
            data=description,
            on_done_change=lambda: None,
        )
    done: dict[str, Any] | None = result.get("done")
    if not done or done.get("upload") != upload:
        return None
    part = services.require_upload(upload, str(done["name"]))
    session.renew_ticket(key)
    return Upload(id=upload, name=str(done["name"]), size_bytes=part.stat().st_size)


def _pick_in_memory(key: str, label: str, suffixes: tuple[str, ...]) -> Upload | None:
    limit = _fallback_megabytes()
    file = st.file_uploader(label, type=list(suffixes), key=key, max_upload_size=limit)
    if file is None or session.recall(f"seen_{key}") == file.file_id:
        return None
    session.remember(f"seen_{key}", file.file_id)
    upload = services.save_upload(file.getvalue())
    return Upload(id=upload, name=file.name, size_bytes=file.size)


def _fallback_megabytes() -> int:
    return max(1, min(200, services.get_settings().max_table_bytes // 1_000_000))


def _describe(upload: str, label: str, suffixes: tuple[str, ...]) -> dict[str, Any]:
    """What the browser needs: an address and a cap per kind of file, and every word it may say."""
    settings = services.get_settings()
    caps = {"table": settings.max_table_bytes}
    archives = [f".{suffix}" for suffix in suffixes if suffix in ARCHIVES]
    if archives:
        caps["archive"] = settings.max_archive_bytes
    types = "upload.types_pictures" if archives else "upload.types"
    return {
        "upload": upload,
        "kinds": {kind: _describe_kind(upload, kind, cap) for kind, cap in caps.items()},
        "archives": archives,
        "chunk_bytes": CHUNK_BYTES,
        "accept": ",".join(f".{suffix}" for suffix in suffixes),
        "words": {
            "label": label,
            "types": say_plain(
                types if TABLES[0] in suffixes else "upload.types_single",
                size=format_bytes(settings.max_table_bytes),
                archive_size=format_bytes(settings.max_archive_bytes),
            ),
            "sending": say_plain("upload.sending"),
            "retrying": say_plain("upload.retrying"),
            "lost": say_plain("upload.lost"),
            "failed": say_plain("upload.failed"),
        },
    }


def _describe_kind(upload: str, kind: str, cap: int) -> dict[str, Any]:
    token = session.recall_token(f"{upload}:{kind}", lambda _: services.sign_upload(upload, cap))
    smaller = say_plain("upload.smaller_archive" if kind == "archive" else "upload.smaller")
    return {
        "address": f"/api/uploads/{token}",
        "max_bytes": cap,
        "too_large": f"{say_plain('upload.too_large', limit=format_bytes(cap))} {smaller}",
    }


def render_html() -> str:
    """The component's markup with the words of its buttons, which so have a name before any script runs."""
    markup = (_FOLDER / "upload.html").read_text(encoding="utf-8")
    for word in BUTTONS:
        markup = markup.replace(f"{{{{{word}}}}}", escape_html(say_plain(f"upload.{word}")))
    return markup


@lru_cache(maxsize=1)
def _build_component() -> Any:
    return st.components.v2.component(
        "fairloom_upload",
        html=render_html(),
        css=(_FOLDER / "upload.css").read_text(encoding="utf-8"),
        js=(_FOLDER / "upload.js").read_text(encoding="utf-8"),
    )


def show_upload_done(upload: Upload) -> None:
    """One line that says the file is here."""
    st.caption(say("upload.done", name=upload.name, size=format_bytes(upload.size_bytes)))
