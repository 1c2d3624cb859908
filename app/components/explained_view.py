"""Why a picture was decided so: the map of what the network looked at beside the picture, made by a job."""

import streamlit as st

from app import explanations, picture_results, pictures, services
from app.components.gallery import TileGroup, show_gallery
from app.components.numbers import format_number, format_share
from app.components.picture_errors import open_explanation
from app.components.states import show_error
from app.explanations import Explanation
from app.picture_results import PictureResults
from app.wording import escape, say, say_plain
from automl.jobs.records import Job, JobState
from fairness.errors import FairloomError

SHOWN_SIDE = 320
EVERY = "1s"


def show_explained(found: PictureResults, row: int | None) -> None:
    """Find a picture by its name, and the explanation of the one that was chosen."""
    if found.dataset is None:
        return
    _show_search(found)
    if row is None or not 0 <= int(row) < found.dataset.n_rows:
        st.info(say("explain.choose"))
        _show_known(found)
        return
    _show_picture(found, int(row))
    _show_known(found)


def _show_search(found: PictureResults) -> None:
    text = st.text_input(say("explain.find"), key="explain_find", max_chars=200, width=420)
    if not text:
        return
    rows = picture_results.search_files(found, text)
    if not rows:
        st.caption(say("explain.not_found", text=text))
        return
    _show_rows(found, rows, key="found_gallery", label=say_plain("explain.found"))


def _show_known(found: PictureResults) -> None:
    """Pictures that were explained already: nothing is computed twice."""
    done = [
        row
        for job in explanations.list_explanations(found.search)
        if job.state is JobState.SUCCEEDED and (row := explanations.get_row(job)) is not None
    ]
    rows = list(dict.fromkeys(done))[: picture_results.MAX_FOUND]
    if rows:
        st.markdown(f"#### {say('explain.known')}")
        _show_rows(found, rows, key="known_gallery", label=say_plain("explain.known"))


def _show_rows(found: PictureResults, rows: list[int], *, key: str, label: str) -> None:
    images = found.dataset.images if found.dataset else None
    pressed = show_gallery(
        [TileGroup(tiles=picture_results.build_found_tiles(found, rows))], key=key, label=label,
        side=images.side if images else 0, small=True,
    )  # fmt: skip
    if pressed is not None:
        open_explanation(pressed)


def _show_picture(found: PictureResults, row: int) -> None:
    assert found.dataset is not None  # noqa: S101 - the caller has asked
    index = pictures.read_index(found.dataset, found.target or None)
    decision = found.find(row)
    with st.container(border=True, key="explained"):
        st.markdown(f"#### {escape(index['file'].iloc[row])}")
        if decision is None:
            st.markdown(say("explain.not_tested", truth=index["label"].iloc[row]))
        else:
            key = "right" if decision["truth"] == decision["prediction"] else "wrong"
            share = format_share(decision["confidence"])
            st.markdown(say(f"explain.{key}", **{**decision, "probability": share}))
            if key == "wrong":
                true_share = format_share(decision["truth_probability"])
                st.caption(say("explain.true_share", truth=decision["truth"], share=true_share))
        left, right = st.columns(2, gap="medium")
        with left:
            _show_original(found.dataset.id, row, str(index["file"].iloc[row]))
        with right:
            _show_state(found.search, row)


def _show_original(dataset_id: str, row: int, file: str) -> None:
    image = pictures.to_image(pictures.read_pixels(dataset_id, [row])[0])
    factor = max(1, SHOWN_SIDE // image.width)
    shown = image.resize((image.width * factor, image.height * factor), 0)
    st.image(
        shown, alt=say_plain("explain.picture_alt", file=file), width=SHOWN_SIDE,
        caption=say_plain("explain.picture"), output_format="PNG",
    )  # fmt: skip


def _show_state(search_id: str, row: int) -> None:
    job = explanations.find_explanation(search_id, row)
    if job is None:
        _offer(search_id, row, say("explain.start"))
    elif job.state.is_active:
        _show_live(search_id, row)
    else:
        _show_end(job, search_id, row)


def _offer(search_id: str, row: int, label: str) -> None:
    st.markdown(say("explain.what"))
    if not services.has_worker():
        st.caption(say("frame.no_worker"))
    if st.button(label, key="explain_start", type="primary", icon=":material/visibility:"):
        explanations.submit_explanation(search_id, row)
        st.rerun()


def _show_live(search_id: str, row: int) -> None:
    @st.fragment(run_every=EVERY)
    def live() -> None:
        job = explanations.find_explanation(search_id, row)
        if job is None or not job.state.is_active:
            st.rerun()
        _show_progress(job)

    live()


def _show_progress(job: Job) -> None:
    fraction = min(max(float(job.progress.get("fraction", 0.0)), 0.0), 1.0)
    state = "queued" if job.state is JobState.QUEUED else "running"
    words = str(job.progress.get("words") or say_plain("explain.working"))
    st.progress(fraction, text=say(f"explain.{state}", words=words))


def _show_end(job: Job, search_id: str, row: int) -> None:
    explained = explanations.read_explanation(job, row)
    if job.state is JobState.SUCCEEDED and explained is not None:
        show_explanation(explained)
        return
    if job.outcome is not None:
        show_error(FairloomError(job.outcome.message, hint=job.outcome.hint))
    else:
        st.info(say("explain.absent"))
    _offer(search_id, row, say("explain.again"))


def show_explanation(explained: Explanation) -> None:
    """The overlay, the class and its probability, the raw maximum, the method and what it cannot tell."""
    with st.container(horizontal=True, key="explain_maps"):
        st.image(
            explained.path.read_bytes(), alt=say_plain("explain.map_alt", label=explained.label),
            width=SHOWN_SIDE, caption=say_plain("explain.map", label=explained.label),
        )  # fmt: skip
        if explained.covered is not None:
            st.image(
                explained.covered.read_bytes(), width=SHOWN_SIDE,
                alt=say_plain("explain.covered_alt", label=explained.label),
                caption=say_plain("explain.covered", label=explained.label),
            )  # fmt: skip
    facts = [
        say("explain.class", label=explained.label, share=format_share(explained.probability)),
        say("explain.maximum", value=format_number(explained.maximum)),
        say("explain.method", method=explained.method) if explained.method else "",
        say("explain.drop", share=format_share(explained.largest_drop))
        if explained.covered is not None
        else "",
    ]
    st.markdown("  \n".join(fact for fact in facts if fact))
    for text in (explained.note, explained.limits, explained.covered_limits):
        if text:
            st.caption(escape(text))
    if explained.document is not None:
        st.download_button(
            say("explained.json"), data=explained.document.read_bytes, key="explain_json",
            file_name="explained.json", mime="application/json", icon=":material/download:",
            on_click="ignore",
        )  # fmt: skip
