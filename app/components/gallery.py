"""A grid of pictures: each is a button that can be reached with the keyboard and is read aloud by its words."""

import hashlib
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal

import streamlit as st

from app.pictures import LOSSLESS_SIDE, Tile

Layout = Literal["grid", "samples", "groups"]
_FOLDER = Path(__file__).resolve().parent / "assets"


@dataclass(frozen=True, kw_only=True, slots=True)
class TileGroup:
    """Pictures that belong together, under a title where there is one."""

    tiles: Sequence[Tile]
    title: str = ""


def show_gallery(
    groups: Sequence[TileGroup],
    *,
    key: str,
    label: str,
    side: int,
    layout: Layout = "grid",
    small: bool = False,
) -> int | None:
    """Draw pictures; the row of the one that was pressed, in the run that follows the press.

    ``label`` names the whole for a screen reader; ``side`` is the stored side: small pictures are enlarged
    in whole squares. ``layout``: one grid, or groups side by side, of small ``samples`` or of few pictures;
    ``small`` makes the pictures of a grid smaller.
    """
    described = [asdict(group) for group in groups]
    result = _build_component()(
        key=key,
        data={
            "groups": described,
            "label": label,
            "sharp": side <= LOSSLESS_SIDE,
            "layout": f"{layout} small" if small else layout,
            "version": hashlib.sha256(repr(described).encode()).hexdigest()[:16],
        },
        on_picked_change=lambda: None,
    )
    row: Any = result.get("picked")
    return None if row is None else int(row)


@lru_cache(maxsize=1)
def _build_component() -> Any:
    return st.components.v2.component(
        "fairloom_gallery",
        html='<div class="gallery"></div>',
        css=(_FOLDER / "gallery.css").read_text(encoding="utf-8"),
        js=(_FOLDER / "gallery.js").read_text(encoding="utf-8"),
    )
