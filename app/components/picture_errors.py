"""The Pictures tab: confused pairs, the most confidently wrong, any picture by name, and why it was decided so."""

import pandas as pd
import streamlit as st

from app import picture_results, session
from app.components.gallery import TileGroup, show_gallery
from app.components.numbers import format_count
from app.picture_results import PAGE_TILES, PictureResults
from app.wording import escape, say, say_plain

VIEWS = ("pairs", "confident", "explain")
VIEW, CHOSEN = "pictures_view", "explain_row"


def show_picture_errors(found: PictureResults) -> None:
    """One of three views; a press on a picture opens the third for it."""
    from app.components.confusion_view import show_confusion_pairs
    from app.components.explained_view import show_explained

    if found.dataset is None:
        st.info(say("errors.gone"))
    asked = session.recall("explain_asked")
    if (
        asked is not None
    ):  # pressed in the run before: widgets can be set only before they are drawn
        session.forget("explain_asked")
        session.put_widget(VIEW, "explain")
        session.remember(CHOSEN, asked)
    if session.recall(VIEW) is None:
        session.put_widget(VIEW, VIEWS[0])
    view = st.segmented_control(
        say("errors.view"), VIEWS, required=True, key=VIEW,
        format_func=lambda name: say_plain(f"errors.view_{name}"), label_visibility="collapsed",
    )  # fmt: skip
    if view == "pairs":
        show_confusion_pairs(found)
    elif view == "confident":
        show_confident(found)
    else:
        show_explained(found, session.recall(CHOSEN))


def show_confident(found: PictureResults) -> None:
    """The mistakes with the highest probability of the decision."""
    wrong = found.wrong
    if wrong.empty:
        st.info(say("errors.none", n=format_count(len(found.frame))))
        return
    n, of = format_count(len(wrong)), format_count(len(found.frame))
    st.caption(say("errors.confident_help", n=n, of=of))
    show_page_of_tiles(found, wrong, key="confident", title=say_plain("errors.view_confident"))


def show_page_of_tiles(
    found: PictureResults,
    part: pd.DataFrame,
    *,
    key: str,
    title: str,
    shown_words: str = "errors.shown",
) -> None:
    """Decisions a page at a time, as pictures, or as a table where the pictures are gone."""
    n_pages = max(1, -(-len(part) // PAGE_TILES))
    page = min(max(1, int(session.recall(f"{key}_page", 1) or 1)), n_pages)
    shown = part.iloc[(page - 1) * PAGE_TILES : page * PAGE_TILES]
    st.markdown(f"#### {escape(title)}")
    first = (page - 1) * PAGE_TILES + 1
    st.caption(
        say(
            shown_words, first=format_count(first), last=format_count(first + len(shown) - 1),
            all=format_count(len(part)),
        )
    )  # fmt: skip
    if found.dataset is None or found.dataset.images is None:
        st.dataframe(build_decision_table(shown), key=f"{key}_decisions", hide_index=True)
    else:
        pressed = show_gallery(
            [TileGroup(tiles=picture_results.build_result_tiles(found, shown))],
            key=f"{key}_gallery", label=title, side=found.dataset.images.side,
        )  # fmt: skip
        if pressed is not None:
            open_explanation(pressed)
    if n_pages > 1:
        st.pagination(n_pages, key=f"{key}_page")


def open_explanation(row: int) -> None:
    """Go to the third view for a picture."""
    session.remember("explain_asked", row)
    st.rerun()


def build_decision_table(part: pd.DataFrame) -> pd.DataFrame:
    """Decisions as a table: file, truth, decision and its probability."""
    return pd.DataFrame(
        {
            say_plain("errors.file"): part["file"],
            say_plain("errors.truth"): part["truth"],
            say_plain("errors.prediction"): part["prediction"],
            say_plain("errors.probability"): part["confidence"].round(3),
        }
    )
