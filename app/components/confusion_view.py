"""Which classes are taken for which: a matrix and a list of pairs, with the pictures behind each."""

from typing import Any

import pandas as pd
import streamlit as st

from app import picture_results, session
from app.components.figure import show_csv, show_figure
from app.components.numbers import format_count, format_share
from app.components.picture_errors import show_page_of_tiles
from app.picture_results import PictureResults
from app.wording import say, say_plain
from automl.figures.confusion import compute_shares, describe_confusion, plot_confusion

MAX_PAIRS = 500  # offered in the list; the table below has them all
PICKED, SEEN = "error_pair", "seen_confusion"


def show_confusion_pairs(found: PictureResults) -> None:
    """The matrix, the list of pairs sorted by count, and the pictures of the chosen pair."""
    pairs = picture_results.build_pairs(found.frame)
    if pairs.empty:
        st.info(say("errors.none", n=format_count(len(found.frame))))
        return
    right = picture_results.build_pairs(found.frame, are_confused=False)
    cells = pd.concat([pairs.head(MAX_PAIRS), right], ignore_index=True)
    names = [_name(pair) for pair in cells[["truth", "predicted"]].itertuples(index=False)]
    _show_matrix(found, names)
    if session.recall(PICKED) not in names:
        session.forget(PICKED)
    labels = dict(zip(names, _describe_pairs(cells), strict=True))
    picked = st.selectbox(
        say("errors.pair"), names, key=PICKED, width=620,
        format_func=lambda name: labels.get(name, name),
    )  # fmt: skip
    place = names.index(str(picked))
    pair = cells.iloc[place]
    key = "errors.pair_title" if pair["truth"] != pair["predicted"] else "errors.right_title"
    show_page_of_tiles(
        found, found.select_pair(pair["truth"], pair["predicted"]), key="pair",
        title=say_plain(key, truth=pair["truth"], prediction=pair["predicted"]),
    )  # fmt: skip
    with st.expander(say("errors.pairs_table", n=format_count(len(pairs))), key="pairs_expander"):
        st.dataframe(build_pair_table(pairs), key="pairs_table", hide_index=True)
        show_csv(pairs, key="confusion_pairs")


def build_pair_table(pairs: pd.DataFrame) -> pd.DataFrame:
    """Pairs as people read them: share of the true class with its interval."""
    return pd.DataFrame(
        {
            say_plain("errors.truth"): pairs["truth"],
            say_plain("errors.prediction"): pairs["predicted"],
            say_plain("errors.pictures"): pairs["n"],
            say_plain("errors.of"): pairs["of"],
            say_plain("errors.share"): [_render_share(pair) for pair in pairs.to_dict("records")],
        }
    )


def _show_matrix(found: PictureResults, names: list[str]) -> None:
    frame = count_cells(found)
    event = show_figure(
        plot_confusion(frame, "row", is_pickable=True), key="picture_confusion", is_pickable=True,
        title=say_plain("curves.confusion"), alt=say_plain("curves.confusion_alt"),
        sentence=f"{describe_confusion(frame)} {say_plain('errors.press')}",
        frame=compute_shares(frame, "row"),
    )  # fmt: skip
    chosen = read_pressed(event)
    if chosen != session.recall(SEEN):
        session.remember(SEEN, chosen)
        if chosen in names:
            session.put_widget(PICKED, chosen)
            session.put_widget("pair_page", 1)


def read_pressed(event: Any) -> str | None:
    """The pair whose cell was pressed, None where none is."""
    points = (event or {}).get("selection", {}).get("points") or []
    data = points[0].get("customdata") if points else None
    return _name((str(data[0]), str(data[1]))) if data and len(data) >= 2 else None


def count_cells(found: PictureResults) -> pd.DataFrame:
    """``truth, predicted, n`` for every pair of classes, in the order of the classes."""
    counts = found.frame.groupby(["truth", "prediction"]).size()
    pairs = [(truth, predicted) for truth in found.classes for predicted in found.classes]
    return pd.DataFrame(
        [(*pair, int(counts.get(pair, 0))) for pair in pairs], columns=["truth", "predicted", "n"]
    )


def _name(pair: tuple[Any, ...]) -> str:
    return f"{pair[0]} → {pair[1]}"


def _describe_pairs(pairs: pd.DataFrame) -> list[str]:
    return [
        say_plain(
            "errors.pair_said", truth=pair["truth"], prediction=pair["predicted"],
            n=format_count(pair["n"]), of=format_count(pair["of"]), share=_render_share(pair),
        )
        for pair in pairs.to_dict("records")
    ]  # fmt: skip


def _render_share(pair: Any) -> str:
    return f"{format_share(pair['share'])} [{100 * pair['low']:.1f}, {100 * pair['high']:.1f}]"
