"""Streamlit's own scripts, styles and fonts, each read and sent in one piece."""

import mimetypes
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path

import streamlit
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

_CACHED = "public, immutable, max-age=31536000"  # their names hold a hash, as Streamlit says it too
_LEFT_TO_STREAMLIT = {b"range", b"if-none-match", b"if-modified-since"}


class Assets:
    """Answer a plain GET of a file below ``/static``; all else goes on to Streamlit.

    A first page needs eighty of them. Streamlit sends each in blocks of 64 KB by way of a thread, behind its
    sessions and its compression, which leaves these files out anyway.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        path = find_assets().get(scope["path"]) if _is_plain_get(scope) else None
        answer = self.app if path is None else _build_answer(path)
        await answer(scope, receive, send)


@lru_cache(maxsize=1)
def find_assets() -> Mapping[str, Path]:
    """Every file whose name holds a hash, by its address."""
    root = Path(streamlit.__file__).parent / "static"
    files = (path for path in (root / "static").rglob("*") if path.is_file())
    return {f"/{path.relative_to(root).as_posix()}": path for path in files}


def _is_plain_get(scope: Scope) -> bool:
    if scope["type"] != "http" or scope["method"] != "GET":
        return False
    return _LEFT_TO_STREAMLIT.isdisjoint(name for name, _ in scope["headers"])


def _build_answer(path: Path) -> Response:
    kind, _ = mimetypes.guess_type(path.name)
    return Response(
        path.read_bytes(),
        media_type=kind or "application/octet-stream",
        headers={"Cache-Control": _CACHED},
    )
