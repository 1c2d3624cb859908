"""What a set of pictures looks like: classes with samples, sizes and colours, what was left out."""

from typing import TYPE_CHECKING

import streamlit as st

from app import pictures
from app.components.gallery import TileGroup, show_gallery
from app.components.numbers import format_count, format_share
from app.components.picture_gallery import show_picture
from app.wording import say, say_plain
from automl.data.dataset import Dataset

if TYPE_CHECKING:
    import pandas as pd

SAMPLES = 8
CLASSES_AT_ONCE = 12
MAX_BARS = 60


def show_classes(dataset: Dataset, label: str | None) -> None:
    """Pictures per class and part, and a few of each class."""
    if label is None:
        st.caption(say("pictures.no_target"))
        return
    from app.components.figure import show_figure
    from app.components.picture_figures import compute_class_counts, plot_class_counts

    index = pictures.read_index(dataset, label)
    counts = compute_class_counts(index, by_part=bool(pictures.list_parts(dataset)))
    drawn = counts[counts["class"].isin(list(dict.fromkeys(counts["class"]))[:MAX_BARS])]
    show_figure(
        plot_class_counts(drawn), key="class_counts", frame=counts,
        alt=say_plain("pictures.classes_alt"), sentence=_describe_classes(index),
    )  # fmt: skip
    n_classes = counts["class"].nunique()
    if n_classes > MAX_BARS:
        st.caption(say("pictures.classes_drawn", shown=MAX_BARS, all=format_count(n_classes)))
    _show_samples(dataset, index)


def _describe_classes(index: "pd.DataFrame") -> str:
    counts = index["label"].replace("", None).value_counts()
    if counts.empty:
        return say_plain("pictures.no_labels")
    key = "pictures.classes_even" if counts.iloc[0] == counts.iloc[-1] else "pictures.classes_said"
    return say_plain(
        key, classes=format_count(len(counts)), most=counts.index[0],
        n_most=format_count(counts.iloc[0]), least=counts.index[-1],
        n_least=format_count(counts.iloc[-1]),
    )  # fmt: skip


def _show_samples(dataset: Dataset, index: "pd.DataFrame") -> None:
    st.markdown(f"#### {say('pictures.samples')}")
    labels = sorted(set(index["label"]) - {""})
    page = 1
    n_pages = -(-len(labels) // CLASSES_AT_ONCE)
    if n_pages > 1:
        page = st.pagination(n_pages, key="class_page")
    groups = []
    for label in labels[(page - 1) * CLASSES_AT_ONCE : page * CLASSES_AT_ONCE]:
        rows = spread_rows(index, label, SAMPLES)
        tiles = pictures.build_tiles(dataset, rows, index, captions=[""] * len(rows))
        count = format_count(int((index["label"] == label).sum()))
        title = say_plain("pictures.class_title", name=label, count=count)
        groups.append(TileGroup(tiles=tiles, title=title))
    picked = show_gallery(
        groups, key="class_samples", label=say_plain("pictures.samples"), layout="samples",
        side=dataset.images.side if dataset.images else 0,
    )  # fmt: skip
    if picked is not None:
        show_picture(dataset, picked, index)


def spread_rows(index: "pd.DataFrame", label: str, count: int) -> list[int]:
    """Some rows of a class, spread evenly over the order in which they are stored."""
    rows = index.index[index["label"] == label].to_numpy()
    step = max(1, len(rows) // count)
    return [int(row) for row in rows[::step][:count]]


def show_sizes(dataset: Dataset) -> None:
    """Sizes of the originals, and their formats and colour modes; one size or kind is said, not drawn."""
    from app.components.picture_figures import compute_sizes, count_kinds

    originals = pictures.read_originals(dataset)
    kept = originals[originals["row"] >= 0]
    _show_sizes(dataset, kept, compute_sizes(kept))
    _show_kinds(count_kinds(kept), len(kept))


def _show_sizes(dataset: Dataset, kept: "pd.DataFrame", sizes: "pd.DataFrame") -> None:
    if len(sizes) == 1:
        width, height = sizes["width"].iloc[0], sizes["height"].iloc[0]
        st.markdown(say("pictures.sizes_one", width=width, height=height))
        return
    from app.components.figure import show_figure
    from app.components.picture_figures import plot_sizes

    show_figure(
        plot_sizes(sizes, dataset.images.side if dataset.images else 0), key="sizes", frame=sizes,
        alt=say_plain("pictures.sizes_alt"), sentence=_describe_sizes(dataset, kept),
        title=say_plain("pictures.sizes"),
    )  # fmt: skip


def _describe_sizes(dataset: Dataset, kept: "pd.DataFrame") -> str:
    short = kept[["width", "height"]].min(axis=1)
    side = dataset.images.side if dataset.images else 0
    return say_plain(
        "pictures.sizes_said", low=format_count(short.min()), high=format_count(short.max()),
        middle=format_count(short.median()), side=side,
        smaller=format_share(float((short < side).mean())),
    )  # fmt: skip


def _show_kinds(kinds: "pd.DataFrame", n_pictures: int) -> None:
    top = kinds.iloc[0]
    if len(kinds) == 1:
        st.markdown(say("pictures.kinds_one", format=top["format"], mode=top["mode"]))
        return
    from app.components.figure import show_figure
    from app.components.picture_figures import plot_kinds

    sentence = say_plain(
        "pictures.kinds_said", format=top["format"], mode=top["mode"],
        share=format_share(top["pictures"] / max(1, n_pictures)),
    )  # fmt: skip
    show_figure(
        plot_kinds(kinds), key="kinds", frame=kinds, alt=say_plain("pictures.kinds_alt"),
        sentence=sentence, title=say_plain("pictures.kinds"),
    )  # fmt: skip


def show_left_out(dataset: Dataset) -> None:
    """Members of the upload that are no pictures of the data set, each with its reason."""
    from app.components.figure import show_csv

    originals = pictures.read_originals(dataset)
    left = originals.loc[originals["row"] < 0, ["file", "part", "label", "bytes", "reason"]]
    left = left.fillna({"part": "", "label": ""})
    if left.empty:
        st.write(say("pictures.left_none"))
        return
    reasons = left["reason"].value_counts()
    for reason, count in reasons.items():
        st.markdown(f"- {say('pictures.left_line', count=format_count(count), reason=reason)}")
    column = st.column_config
    st.dataframe(
        left.head(2_000),
        key="left_out",
        hide_index=True,
        alt=say_plain("pictures.left_alt"),
        column_config={
            "file": column.TextColumn(say("pictures.col_file"), width="large"),
            "part": column.TextColumn(say("pictures.col_part")),
            "label": column.TextColumn(say("pictures.col_class")),
            "bytes": column.NumberColumn(say("pictures.col_bytes"), format="localized"),
            "reason": column.TextColumn(say("pictures.col_reason"), width="large"),
        },
    )
    show_csv(left, key="left_out")
