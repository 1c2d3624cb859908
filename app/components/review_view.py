"""The review queue: rows that the model is not sure of, what leaving them to people gives, and for whom."""

from collections.abc import Mapping
from typing import Any

import pandas as pd
import streamlit as st

from app import picture_results, uncertainty
from app.components.address import bind_number
from app.components.figure import show_csv, show_figure
from app.components.numbers import format_count, format_number, format_share
from app.uncertainty import Decisions
from app.wording import escape, say, say_plain
from automl.evaluation.review import LIMIT, Review, compute_coverage_accuracy, compute_review
from automl.figures.coverage_accuracy import describe_coverage_accuracy, plot_coverage_accuracy
from automl.figures.group_shares import describe_abstention, plot_group_shares
from automl.jobs.records import Job
from fairness.estimates import Estimate
from fairness.group_shares import ALL

MOST_ROWS = 200  # listed on the page; the CSV has all
HIGHEST = 99  # per cent


def show_review(job: Job, result: Mapping[str, Any], classes: tuple[str, ...]) -> None:
    """The limit, what it leads to, the curve, the groups, and the rows themselves."""
    decisions = uncertainty.read_decisions(job.id, classes, "test")
    if decisions is None:
        st.info(say("uncertainty.no_predictions"))
        return
    for key, numbers in uncertainty.find_doubts(result):
        values = {name: format_number(value) for name, value in numbers.items()}
        st.warning(say(key, **values), icon=":material/warning:")
    limit = _pick_limit(len(classes))
    found = compute_review(
        decisions.confidence, decisions.is_right, limit, decisions.part.groupings
    )
    st.markdown(_describe(found))
    _show_curve(job.id, classes, decisions, found)
    _show_groups(found)
    for reason in uncertainty.list_left_out(job.id, classes):
        st.caption(escape(reason))
    _show_queue(job, result, decisions, limit)


def _pick_limit(n_classes: int) -> float:
    """In whole per cent, so that address and figure agree; no row is less sure than one in the number of classes."""
    ends = (-(-100 // n_classes), HIGHEST)
    keep = bind_number("review", "review_limit", ends, round(100 * LIMIT))
    percent = st.slider(
        say("review.limit"), *ends, key="review_limit", format="%d %%", on_change=keep,
        help=say("review.limit_help"), width=420,
    )  # fmt: skip
    return percent / 100


def _describe(found: Review) -> str:
    return say(
        "review.found", n=format_count(found.queued.numerator), of=format_count(found.queued.n),
        share=_render(found.queued), limit=f"{100 * found.limit:g} %",
        kept=_render(found.kept_accuracy), queued=_render(found.queued_accuracy),
    )  # fmt: skip


def _render(estimate: Estimate) -> str:
    """``93.1 % [91.0 %, 94.8 %], n = 500``."""
    if estimate.value is None:
        return say_plain("audit.not_estimable")
    ends = f"{format_share(estimate.low)}, {format_share(estimate.high)}"
    return f"{format_share(estimate.value)} [{ends}], n = {format_count(estimate.n)}"


def _show_curve(
    search_id: str, classes: tuple[str, ...], decisions: Decisions, found: Review
) -> None:
    parts = {"calibrate": uncertainty.read_decisions(search_id, classes, "calibrate"), "test": decisions}  # fmt: skip
    frames = [
        compute_coverage_accuracy(each.confidence, each.is_right).assign(
            series=say_plain(f"review.part_{name}")
        )
        for name, each in parts.items()
        if each is not None
    ]
    frame = pd.concat(frames, ignore_index=True)
    show_figure(
        plot_coverage_accuracy(frame, 1 - float(found.queued.value or 0)), key="coverage_accuracy",
        title=say_plain("review.curve"), alt=say_plain("review.curve_alt"), frame=frame,
        sentence=describe_coverage_accuracy(frame),
    )  # fmt: skip
    if parts["calibrate"] is not None:
        st.caption(say("review.choose"))


def _show_groups(found: Review) -> None:
    """Who is left to people how often, and how right the model is where it decides."""
    attributes = list(dict.fromkeys(found.groups["attribute"].iloc[1:]))
    if not attributes:
        st.caption(say("review.no_groups"))
        return
    st.markdown(f"#### {say('review.groups')}")
    column = attributes[0]
    if len(attributes) > 1:
        column = str(
            st.segmented_control(
                say("uncertainty.column"), attributes, default=column, required=True, key="review_column"
            )
        )  # fmt: skip
    part = found.groups[found.groups["attribute"] == column].reset_index(drop=True)
    share = float(found.queued.value or 0)
    show_figure(
        plot_group_shares(
            part, title=say_plain("review.groups_axis"),
            reference=(share, say_plain("review.all_rows", share=format_share(share))),
        ),
        key="abstention", sentence=describe_abstention(part), frame=part,
        alt=say_plain("review.groups_alt", column=column),
    )  # fmt: skip
    table = build_review_table(found)
    st.dataframe(table, key="review_groups", hide_index=True, alt=say_plain("review.groups"))
    show_csv(table, key="review_by_group")


def build_review_table(found: Review) -> pd.DataFrame:
    """All rows and every group: n, share left to people, share right among those decided."""
    names = ("uncertainty.column", "uncertainty.group", "uncertainty.n", "review.left", "review.kept")  # fmt: skip
    rows = [
        (
            left["attribute"] or "–",
            ALL if not left["attribute"] else left["group"],
            left["n"],
            _render_row(left),
            f"{_render_row(kept)}, n = {format_count(kept['n'])}",
        )
        for (_, left), (_, kept) in zip(
            found.groups.iterrows(), found.kept_groups.iterrows(), strict=True
        )
    ]
    return pd.DataFrame(rows, columns=[say_plain(name) for name in names])


def _render_row(row: "pd.Series[Any]") -> str:
    if not row["n"]:
        return say_plain("audit.not_estimable")
    return f"{format_share(row['share'])} [{format_share(row['low'])}, {format_share(row['high'])}]"


def _show_queue(job: Job, result: Mapping[str, Any], decisions: Decisions, limit: float) -> None:
    queue = uncertainty.build_queue(job.id, decisions, limit)
    st.markdown(f"#### {say('review.queue')}")
    if queue.empty:
        st.info(say("review.empty", limit=f"{100 * limit:g} %"))
        return
    words = "shown" if len(queue) > MOST_ROWS else "shown_all"
    n, of = format_count(min(MOST_ROWS, len(queue))), format_count(len(queue))
    st.caption(say(f"review.{words}", n=n, of=of))
    head = queue.head(MOST_ROWS)
    inputs = uncertainty.read_inputs(job, head["row_id"])
    if inputs is None:
        st.info(say("review.gone"))
    pictures = picture_results.read_picture_results(job, result)
    if pictures is not None:
        _show_pictures(pictures, queue)
    listed = uncertainty.add_inputs(head, inputs)
    st.dataframe(
        listed, key="review_queue", hide_index=True, alt=say_plain("review.queue"),
        column_config={
            "confidence": st.column_config.NumberColumn(
                say_plain("review.confidence"), format="%.3f", pinned=True
            ),
            "row_id": st.column_config.NumberColumn(pinned=True),
        },
    )  # fmt: skip

    def build_all() -> pd.DataFrame:
        return uncertainty.add_inputs(queue, uncertainty.read_inputs(job, queue["row_id"]))

    show_csv(build_all, key="review_rows")


def _show_pictures(found: picture_results.PictureResults, queue: pd.DataFrame) -> None:
    """The pictures of the queue, a page at a time; a press opens the map of where the network looked."""
    from app.components.picture_errors import show_page_of_tiles

    part = found.frame.iloc[queue.index]
    show_page_of_tiles(
        found, part, key="review", title=say_plain("review.tiles"), shown_words="review.tiles_shown"
    )
