"""All pictures of a data set, a page at a time, by class, part, finding and order; the address keeps the place."""

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

import streamlit as st

from app import pictures, session
from app.components.gallery import TileGroup, show_gallery
from app.components.numbers import format_bytes, format_count, format_number
from app.wording import escape, say, say_plain
from automl.data.dataset import Dataset

if TYPE_CHECKING:
    from collections.abc import Iterable

    import numpy as np
    import pandas as pd
    from numpy.typing import NDArray

    Pieces = NDArray[np.int64] | list[tuple[int, ...]]

PAGE_PICTURES = 60
PAGE_GROUPS = 12
GROUP_SHOWN = 12  # of one group of copies
ALL = ""
STORED = "stored"
PLACES = ("class", "part", "finding", "order", "page")  # what the address keeps
# words → the computed column to sort by, and whether the lowest comes first
ORDERS: dict[str, tuple[str, bool]] = {
    "darkest": ("picture_brightness", True),
    "brightest": ("picture_brightness", False),
    "blurred": ("picture_sharpness", True),
    "flat": ("picture_contrast", True),
    "small": ("picture_width", True),
    "wide": ("picture_aspect", False),
    "tall": ("picture_aspect", True),
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Filter:
    """Which pictures are shown, and in which order; empty means all, and as they are stored."""

    label: str = ALL
    part: str = ALL
    finding: str = ALL
    order: str = ALL


def open_finding(code: str) -> None:
    """Show the pictures of a finding: a callback of the remark about it."""
    session.put_widget("set_view", "pictures")
    session.set_view(**{**dict.fromkeys(PLACES, ALL), "finding": code})


def show_pictures(dataset: Dataset, label: str | None) -> None:
    """The paged gallery; ``label`` is the column of the classes."""
    index = pictures.read_index(dataset, label)
    findings = pictures.read_findings(dataset)
    chosen = _pick_filter(dataset, index, list(findings))
    finding = findings.get(chosen.finding)
    rows = select_rows(dataset, index, chosen, finding)
    if finding is not None and finding.groups and not chosen.order:
        kept = set(rows.tolist())
        groups = [group for group in finding.groups if kept.intersection(group)]
        _show_page(dataset, index, groups, PAGE_GROUPS, "groups")
        return
    _show_page(dataset, index, rows, PAGE_PICTURES, "shown")


def _show_page(
    dataset: Dataset, index: "pd.DataFrame", pieces: "Pieces", per_page: int, words: str
) -> None:
    """One page of single rows, or of groups of rows."""
    if not len(pieces):
        st.info(say("pictures.none"))
        return
    n_pages = -(-len(pieces) // per_page)
    page = read_page(n_pages)
    first = (page - 1) * per_page
    shown = pieces[first : first + per_page]
    st.caption(
        say(
            f"pictures.{words}", first=format_count(first + 1),
            last=format_count(first + len(shown)), all=format_count(len(pieces)),
        )
    )  # fmt: skip
    is_grouped = words == "groups"
    picked = show_gallery(
        _build_groups(dataset, index, shown) if is_grouped else _build_grid(dataset, index, shown),
        key="gallery", label=say_plain("pictures.gallery"), layout="groups" if is_grouped else "grid",
        side=dataset.images.side if dataset.images else 0,
    )  # fmt: skip
    if n_pages > 1:
        # the key goes with the filter: another filter begins at its first page
        key = f"gallery_page_{_mark_filter()}"
        st.pagination(n_pages, default=page, key=key, on_change=_keep_page, args=(key,))
    if picked is not None:
        show_picture(dataset, picked, index)


def _build_grid(dataset: Dataset, index: "pd.DataFrame", rows: "Iterable[int]") -> list[TileGroup]:
    return [TileGroup(tiles=pictures.build_tiles(dataset, [int(row) for row in rows], index))]


def _build_groups(
    dataset: Dataset, index: "pd.DataFrame", shown: "Iterable[tuple[int, ...]]"
) -> list[TileGroup]:
    """Copies side by side, with the class and, where parts were given, the part of each."""
    groups = []
    has_parts = bool(pictures.list_parts(dataset))
    for group in shown:
        rows = list(group[:GROUP_SHOWN])
        captions = [_describe_place(index, row, has_parts=has_parts) for row in rows]
        tiles = pictures.build_tiles(dataset, rows, index, captions=captions)
        title = say_plain("pictures.copies", count=format_count(len(group)))
        groups.append(TileGroup(tiles=tiles, title=title))
    return groups


def _describe_place(index: "pd.DataFrame", row: int, *, has_parts: bool) -> str:
    label = str(index["label"].iloc[row])
    part = say_plain(f"pictures.part_{index['part'].iloc[row]}") if has_parts else ""
    return " · ".join(filter(None, (label, part)))


def _pick_filter(dataset: Dataset, index: "pd.DataFrame", findings: list[str]) -> Filter:
    labels = sorted(set(index["label"]) - {""})
    parts = pictures.list_parts(dataset)
    varying = pictures.list_varying(dataset)
    orders = [name for name, (column, _) in ORDERS.items() if column in varying]
    with st.container(horizontal=True, key="gallery_filter"):
        label = _pick("class", labels) if labels else ALL
        part = _pick("part", parts) if parts else ALL
        finding = _pick("finding", findings) if findings else ALL
        order = _pick("order", [STORED, *orders])
    return Filter(label=label, part=part, finding=finding, order=order)


def read_page(n_pages: int) -> int:
    """The page of the address, from 1, as far as there are pages."""
    text = session.get_view("page")
    return min(max(1, int(text)), n_pages) if text.isdecimal() and len(text) < 9 else 1


def _pick(name: str, options: list[str]) -> str:
    key = f"gallery_{name}"
    chosen = session.get_view(name)
    chosen = chosen if chosen in options else ALL
    session.put_widget(key, chosen)
    st.selectbox(
        say(f"pictures.{name}"),
        (ALL, *options),
        key=key,
        format_func=lambda value: _name_option(name, value),
        on_change=lambda: session.set_view(**{name: session.recall(key) or ALL, "page": ALL}),
        width=220,
    )
    return chosen


def _mark_filter() -> str:
    """A short text that differs from filter to filter."""
    said = [session.get_view(name) for name in PLACES if name != "page"]
    return hashlib.sha256("\n".join(said).encode()).hexdigest()[:10]


def _keep_page(key: str) -> None:
    page = int(session.recall(key, 1))
    session.set_view(page=str(page) if page > 1 else ALL)


def _name_option(name: str, value: str) -> str:
    if not value:
        return say_plain(f"pictures.{name}_all")
    return value if name == "class" else say_plain(f"pictures.{name}_{value}")


def select_rows(
    dataset: Dataset, index: "pd.DataFrame", chosen: Filter, finding: "pictures.Finding | None"
) -> "NDArray[np.int64]":
    """Rows that a filter lets through, in its order; without one, mixed but always in the same way."""
    import numpy as np

    keep = np.ones(len(index), dtype=bool)
    if chosen.label:
        keep &= (index["label"] == chosen.label).to_numpy()
    if chosen.part:
        keep &= (index["part"] == chosen.part).to_numpy()
    if finding is not None:
        keep &= np.isin(np.arange(len(index)), finding.rows)
    rows = np.flatnonzero(keep)
    if chosen.order == STORED:
        return rows
    if not chosen.order:
        return np.random.default_rng(0).permutation(rows)
    column, is_ascending = ORDERS[chosen.order]
    values = pictures.read_values(dataset, column)[rows]
    order = np.argsort(values if is_ascending else -values, kind="stable")
    return rows[order]


def show_picture(dataset: Dataset, row: int, index: "pd.DataFrame") -> None:
    """One picture by itself, as large as it is stored, with what is known about it."""

    @st.dialog(say("pictures.one"))
    def show() -> None:
        pixels = pictures.read_pixels(dataset.id, [row])[0]
        image = pictures.to_image(pixels)
        file = str(index["file"].iloc[row])
        scale = max(1, 288 // image.width)
        shown = image.resize((image.width * scale, image.height * scale), 0)
        st.image(shown, alt=file, output_format="PNG")
        st.markdown("  \n".join(describe_picture(dataset, row, index)))

    show()


def describe_picture(dataset: Dataset, row: int, index: "pd.DataFrame") -> list[str]:
    """What is known about a picture, as lines of Markdown."""
    file, label = str(index["file"].iloc[row]), str(index["label"].iloc[row])
    lines = [f"**{escape(file)}**"]
    if label:
        lines.append(say("pictures.fact_class", value=label))
    if pictures.list_parts(dataset):
        part = say_plain(f"pictures.part_{index['part'].iloc[row]}")
        lines.append(say("pictures.fact_part", value=part))
    original = pictures.describe_original(dataset, row)
    if original:
        lines.append(
            say(
                "pictures.fact_original", width=format_count(original["width"]),
                height=format_count(original["height"]), format=original["format"],
                mode=original["mode"], size=format_bytes(original["bytes"]),
            )
        )  # fmt: skip
    for name in ("picture_brightness", "picture_contrast", "picture_sharpness"):
        if dataset.column(name) is not None:
            number = float(pictures.read_values(dataset, name)[row])
            value = format_number(number, 0 if number >= 10 else 2)
            lines.append(say(f"pictures.fact_{name}", value=value))
    return lines
