"""All pictures of a data set, a page at a time, by class, part, finding and order; the address keeps the place."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import streamlit as st

from app import pictures, session
from app.components.gallery import TileGroup, show_gallery
from app.components.numbers import format_bytes, format_count, format_number
from app.wording import escape, say, say_plain
from automl.data.dataset import Dataset

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    from numpy.typing import NDArray

PAGE_PICTURES = 60
ALL = ""
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
    order: str = ALL


def show_pictures(dataset: Dataset, label: str | None) -> None:
    """The paged gallery; ``label`` is the column of the classes."""
    index = pictures.read_index(dataset, label)
    chosen = _pick_filter(dataset, index)
    rows = select_rows(dataset, index, chosen)
    if not len(rows):
        st.info(say("pictures.none"))
        return
    n_pages = -(-len(rows) // PAGE_PICTURES)
    page = min(max(1, int(session.recall("page", 1) or 1)), n_pages)
    shown = rows[(page - 1) * PAGE_PICTURES : page * PAGE_PICTURES]
    st.caption(
        say(
            "pictures.shown", first=format_count((page - 1) * PAGE_PICTURES + 1),
            last=format_count((page - 1) * PAGE_PICTURES + len(shown)), all=format_count(len(rows)),
        )
    )  # fmt: skip
    tiles = pictures.build_tiles(dataset, [int(row) for row in shown], index)
    picked = show_gallery(
        [TileGroup(tiles=tiles)], key="gallery", label=say_plain("pictures.gallery"),
        side=dataset.images.side if dataset.images else 0,
    )  # fmt: skip
    if n_pages > 1:
        st.pagination(n_pages, key="page", bind="query-params")
    if picked is not None:
        show_picture(dataset, picked, index)


def _pick_filter(dataset: Dataset, index: "pd.DataFrame") -> Filter:
    labels = sorted(set(index["label"]) - {""})
    parts = pictures.list_parts(dataset)
    varying = pictures.list_varying(dataset)
    orders = [name for name, (column, _) in ORDERS.items() if column in varying]
    with st.container(horizontal=True, key="gallery_filter"):
        label = _pick("class", labels) if labels else ALL
        part = _pick("part", parts) if parts else ALL
        order = _pick("order", orders)
    return Filter(label=label, part=part, order=order)


def _pick(name: str, options: list[str]) -> str:
    chosen = st.selectbox(
        say(f"pictures.{name}"),
        (ALL, *options),
        key=name,
        format_func=lambda value: _name_option(name, value),
        on_change=lambda: session.put_widget("page", 1),
        bind="query-params",
        width=220,
    )
    return str(chosen or ALL)


def _name_option(name: str, value: str) -> str:
    if not value:
        return say_plain(f"pictures.{name}_all")
    return value if name == "class" else say_plain(f"pictures.{name}_{value}")


def select_rows(dataset: Dataset, index: "pd.DataFrame", chosen: Filter) -> "NDArray[np.int64]":
    """Rows that a filter lets through, in its order."""
    import numpy as np

    keep = np.ones(len(index), dtype=bool)
    if chosen.label:
        keep &= (index["label"] == chosen.label).to_numpy()
    if chosen.part:
        keep &= (index["part"] == chosen.part).to_numpy()
    rows = np.flatnonzero(keep)
    if not chosen.order:
        return rows
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
        for line in describe_picture(dataset, row, index):
            st.markdown(line)

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
            value = format_number(float(pictures.read_values(dataset, name)[row]))
            lines.append(say(f"pictures.fact_{name}", value=value))
    return lines
