"""The map of errors: asked for, watched, cancelled, and shown in the colours that are chosen."""

from itertools import pairwise

import numpy as np
import pandas as pd
import streamlit as st

from app import error_map, services
from app.components.figure import show_figure
from app.components.numbers import format_count, format_number, format_share
from app.components.states import show_error
from app.error_map import ErrorMap
from app.error_rows import ErrorRows
from app.wording import escape, say, say_plain
from automl.figures.error_map import describe_error_map, plot_error_map
from automl.jobs.records import Job, JobState
from fairness.errors import FairloomError

EVERY = "1s"
METHODS = ("tsne", "pca")
ERROR, TRUTH = "error", "truth"


def show_map(found: ErrorRows) -> None:
    """The job of the search in its present state; the reason where there can be none."""
    search = services.read_search(found.source.search)
    if search is None or found.dataset is None:
        st.info(say("map.gone"))
        return
    with st.container(key="error_map_job"):
        job = error_map.find_map(search.id)
        if job is None:
            _offer(search, found, say("map.start"))
        elif job.state.is_active:
            _show_live(search)
        else:
            _show_end(job, search, found)


def _offer(search: Job, found: ErrorRows, label: str) -> None:
    st.markdown(say("map.what"))
    if not services.has_worker():
        st.caption(say("frame.no_worker"))
    if st.button(label, key="map_start", icon=":material/scatter_plot:"):
        error_map.submit_map(search, found)
        st.rerun()


def _show_live(search: Job) -> None:
    @st.fragment(run_every=EVERY)
    def live() -> None:
        job = error_map.find_map(search.id)
        if job is None or not job.state.is_active:
            st.rerun()
        _show_progress(job)

    live()


def _show_progress(job: Job) -> None:
    fraction = min(max(float(job.progress.get("fraction", 0.0)), 0.0), 1.0)
    is_queued = job.state is JobState.QUEUED
    words = str(job.progress.get("words") or say_plain("labels.working"))
    st.progress(fraction, text=say("labels.queued") if is_queued else escape(words))
    if job.stop_mode is not None:
        st.caption(say("labels.stopping"))
        return
    st.button(
        say("labels.cancel"), key="map_cancel", icon=":material/close:",
        on_click=services.stop_job, args=(job.id,),
    )  # fmt: skip


def _show_end(job: Job, search: Job, found: ErrorRows) -> None:
    drawn = error_map.read_map(job) if job.state is JobState.SUCCEEDED else None
    if drawn is not None:
        show_points(found, drawn)
        return
    if job.outcome is not None and job.state is JobState.FAILED:
        show_error(FairloomError(job.outcome.message, hint=job.outcome.hint))
    else:
        st.info(say("map.stopped" if job.state is JobState.STOPPED else "map.absent"))
    _offer(search, found, say("map.again"))


def show_points(found: ErrorRows, drawn: ErrorMap) -> None:
    """The scatter in the chosen projection and colours, with what may be read from it."""
    groups = {each.attribute: each for each in found.groups}
    with st.container(horizontal=True, vertical_alignment="bottom", key="map_choices"):
        method = st.segmented_control(
            say("map.method"), METHODS, default=METHODS[0], required=True, key="map_method",
            format_func=lambda name: say_plain(f"map.{name}"),
        )  # fmt: skip
        colour = st.selectbox(
            say("map.colour"), (ERROR, TRUTH, *(f"group {name}" for name in groups)), key="map_colour", width=260,
            format_func=_name_colour,
        )  # fmt: skip
    frame = build_points(found, drawn, str(method), str(colour))
    axes = [say_plain(f"map.axis_{method}", number=number) for number in (1, 2)]
    if method == "pca":
        axes = [f"{axis}, {format_share(share)}" for axis, share in zip(axes, drawn.explained, strict=True)]  # fmt: skip
    show_figure(
        plot_error_map(frame, x=axes[0], y=axes[1]), key="error_map", frame=frame,
        alt=say_plain("map.alt", method=say_plain(f"map.{method}")), sentence=describe_error_map(frame),
    )  # fmt: skip
    facts = {
        "what": say_plain(f"map.of_{drawn.what}", n=format_count(drawn.n_inputs)),
        "n": format_count(drawn.n_rows), "all": format_count(drawn.n_all), "seed": drawn.seed,
        "perplexity": format_number(drawn.perplexity, 0),
    }  # fmt: skip
    st.caption(say("map.limits", **facts))


def _name_colour(name: str) -> str:
    return name.removeprefix("group ") if name.startswith("group ") else say_plain(f"map.by_{name}")


def build_points(found: ErrorRows, drawn: ErrorMap, method: str, colour: str) -> pd.DataFrame:
    """``row, x, y, series, truth, prediction``; mistakes come last, so that they are drawn on top."""
    places = pd.Series(np.arange(len(found.rows)), index=found.rows["row"]).reindex(
        drawn.points["row"]
    )
    is_known = places.notna().to_numpy()
    at = places[is_known].to_numpy(dtype=np.int64)
    rows, points = found.rows.iloc[at], drawn.points[is_known]
    frame = pd.DataFrame(
        {
            "row": rows["row"].to_numpy(), "x": points[f"{method}_x"].to_numpy(), "y": points[f"{method}_y"].to_numpy(),
            "series": _list_series(found, colour)[at], "truth": rows["truth"].to_numpy(),
            "prediction": rows["prediction"].to_numpy(), "error": rows["error"].to_numpy(),
        }
    )  # fmt: skip
    return frame.sort_values("error", kind="stable").drop(columns="error").reset_index(drop=True)


def _list_series(found: ErrorRows, colour: str) -> np.ndarray:
    """The name of every test row in the chosen colours; values and their errors in four parts of equal size."""
    if colour.startswith("group "):
        group = next(
            each for each in found.groups if each.attribute == colour.removeprefix("group ")
        )
        return np.array(group.names, dtype=object)[group.codes]
    if not found.is_value:
        if colour == TRUTH:
            return found.rows["truth"].to_numpy(dtype=object)
        words = [say_plain("rows.which_right"), say_plain("rows.which_wrong")]
        return np.array(words, dtype=object)[(found.errors > 0).astype(int)]
    values = found.rows["truth" if colour == TRUTH else "error"].to_numpy(dtype=float)
    edges = np.unique(np.quantile(values, [0, 0.25, 0.5, 0.75, 1]))
    names = [f"{low:,.3g} to {high:,.3g}" for low, high in pairwise(edges)]
    bins = np.searchsorted(edges[1:-1], values, side="left")
    return np.array(names or [f"{values[0]:,.3g}"], dtype=object)[bins]
