"""Finished searches side by side: sentence, paired differences, one table, curves over each other, settings that differ."""

from collections.abc import Sequence

import streamlit as st

from app import comparison, session
from app.comparison import Difference, Side
from app.comparison_facts import build_fact_table, list_changes
from app.components.comparison_curves import show_compared_curves
from app.components.figure import show_csv
from app.components.finished import open_page
from app.components.numbers import format_count, format_estimate, format_when
from app.components.states import show_empty, show_title
from app.results import get_metric_title
from app.wording import escape, say, say_plain
from fairness.wording import format_p

VIEW = "compare"  # the page state in the address: ids with commas between
PICK = "compare_pick"


def open_comparison(ids: Sequence[str]) -> None:
    """Go to the comparison of these searches."""
    session.forget(PICK)
    session.set_view(**{VIEW: ",".join(ids)})
    open_page("results")


def show_comparison(text: str) -> None:
    """The whole page for the ids that the address has; one id is a beginning."""
    show_title(say("compare.title"), say("compare.question"))
    jobs = {job.id: job for job in comparison.list_comparable()}
    if len(jobs) < 2:
        show_empty(
            say("compare.none_title"), say("compare.none_text"), page="search",
            label=say("results.to_search"),
        )  # fmt: skip
        return
    wanted = comparison.parse_ids(text)
    sides = comparison.read_sides(wanted)
    labels = {each.id: f"{each.title} · {format_when(each.finished_at)}" for each in jobs.values()}
    labels |= {
        side.job.id: f"{side.job.title} · {format_when(side.job.finished_at)}" for side in sides
    }
    _pick(labels, [side.job.id for side in sides])
    if len(sides) < len(wanted):
        st.warning(say("compare.gone", n=len(wanted) - len(sides)), icon=":material/warning:")
    if len(sides) < 2:
        st.info(say("compare.too_few", n=comparison.MOST))
        return
    _show_sides(sides)


def _pick(labels: dict[str, str], chosen: list[str]) -> None:
    with st.container(horizontal=True, vertical_alignment="bottom", key="compare_choice"):
        session.put_widget(PICK, chosen)
        st.multiselect(
            say("compare.pick"), list(labels), key=PICK, max_selections=comparison.MOST,
            format_func=lambda key: labels[key], placeholder=say_plain("compare.pick_hint"),
            on_change=_keep_choice,
        )  # fmt: skip
        if st.button(say("compare.back"), key="compare_back", icon=":material/arrow_back:"):
            session.set_view(**{VIEW: ""})
            st.rerun()


def _keep_choice() -> None:
    """What is chosen is the page's state; with nothing chosen the address still says that it compares."""
    session.set_view(**{VIEW: ",".join(session.recall(PICK, ())) or ","})


def _show_sides(sides: Sequence[Side]) -> None:
    st.markdown(f"**{escape(comparison.describe_comparable(sides))}**")
    st.subheader(say("compare.differences"), anchor=False)
    differences = comparison.compute_differences(sides)
    for difference in differences:
        st.markdown(describe_paired(difference, sides[0], len(differences)))
    has_weights = any((side.result.get("protocol") or {}).get("weight") for side in sides)
    weighted = say("compare.weighted") if has_weights else ""
    st.caption(f"{say('compare.note')} {weighted}")
    st.subheader(say("compare.table"), anchor=False)
    table = build_fact_table(sides)
    st.dataframe(
        table, key="compare_table", hide_index=True, height="content", alt=say_plain("compare.table"),
        column_config={say_plain("compare.fact"): st.column_config.TextColumn(pinned=True)},
    )  # fmt: skip
    show_csv(table, key="compare")
    st.subheader(say("compare.curves"), anchor=False)
    show_compared_curves(sides)
    st.subheader(say("compare.changes"), anchor=False)
    changes = list_changes(sides)
    if changes.empty:
        st.caption(say("compare.no_changes"))
        return
    st.dataframe(
        changes, key="compare_changes", hide_index=True, alt=say_plain("compare.changes"),
        column_config={say_plain("compare.setting"): st.column_config.TextColumn(pinned=True)},
    )  # fmt: skip
    show_csv(changes, key="compare_changes")


def describe_paired(difference: Difference, first: Side, n_compared: int) -> str:
    """Who is ahead on the same rows, by how much, how sure that is; or why nobody can say."""
    name = difference.side.name
    estimate = difference.estimate
    if estimate is None or estimate.value is None:
        reason = difference.reason or (estimate.reason if estimate else "")
        return say("compare.no_pair", name=name, first=first.letter, reason=reason)
    value, low, high = estimate.value, estimate.low, estimate.high
    key = "ahead" if value >= 0 else "behind"
    if low is not None and high is not None and (low > 0 or high < 0):
        key = "better" if low > 0 else "worse"
    ends = (-high, -low) if value < 0 and low is not None and high is not None else (low, high)
    text = say(
        f"compare.{key}", name=name, first=first.letter, metric=get_metric_title(difference.metric),
        difference=format_estimate(abs(value), *ends), n=format_count(estimate.n), method=estimate.method,
    )  # fmt: skip
    test = difference.mcnemar
    if test is None:
        return text
    p = format_p(difference.p_holm)
    counted = say(
        "compare.mcnemar_holm" if n_compared > 1 else "compare.mcnemar", name=name, first=first.letter,
        only=format_count(test.only_first), other=format_count(test.only_second), n=n_compared,
        p=p if p.startswith("<") else f"= {p}",
    )  # fmt: skip
    return f"{text} {counted}"
