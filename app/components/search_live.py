"""One search as it runs, and as it stands when it has ended."""

import time
from typing import TYPE_CHECKING, Any

import streamlit as st

from app import live, services, session
from app.components.announcing import announce
from app.components.live_charts import show_curves, show_history
from app.components.live_machine import show_log, show_machine
from app.components.naming import show_naming, show_note
from app.components.numbers import (
    format_clock,
    format_count,
    format_duration,
    format_estimate,
    format_when,
)
from app.components.search_actions import show_actions
from app.components.states import show_error, show_state, show_title
from app.wording import escape, say, say_plain
from automl.jobs.records import Job, JobState, Trial
from fairness.errors import FairloomError

if TYPE_CHECKING:
    import pandas as pd

TABLE_ROWS = 100
ROUGH_SECONDS = 120  # an estimate of more is told in whole minutes


def show_search(search: Job) -> None:
    """Draw a search; the live part refreshes every 2 s while it is active, and never after."""
    show_title(escape(search.title), say("search.question_live"))
    show_note(search)
    show_actions(search)
    show_naming(search)

    @st.fragment(run_every="2s" if search.state.is_active else None)
    def show_live() -> None:
        now = services.read_search(search.id)
        if now is None or (now.state, now.stop_mode) != (search.state, search.stop_mode):
            st.rerun()
        else:
            _show_now(now)

    show_live()


def _show_now(search: Job) -> None:
    _show_state_line(search)
    total = services.count_trials(search.id)
    if total or search.state is JobState.RUNNING:
        _show_trials(search, total)
    show_machine(search)
    show_log(search)


def _show_trials(search: Job, total: int) -> None:
    """Numbers, charts and the table; of a search without a trial that waits or has ended there is none."""
    _show_numbers(search)
    first = max(0, total - live.MAX_HISTORY)
    trials = services.list_trials(search.id, limit=live.MAX_HISTORY, offset=first)
    _show_screened(trials)
    metric = read_metric(search)
    left, right = st.columns(2, gap="medium")
    with left:
        show_history(live.build_history(trials, search.started_at), metric)
        if first:
            shown = format_count(len(trials))
            st.caption(say("live.history_newest", shown=shown, all=format_count(total)))
    with right:
        numbers = live.pick_curves(search, trials)
        epochs = live.read_epochs(search.id, numbers)
        show_curves(epochs, is_active=search.state.is_active)
        _show_pace(search, epochs)
    if trials:
        _show_table(search, trials, total)


def read_metric(search: Job) -> str:
    """The primary metric of a search."""
    return str(search.spec.get("task", {}).get("metric", ""))


def compute_elapsed(search: Job) -> float:
    """Seconds of the budget used so far, running on between two reports."""
    reported = float(search.progress.get("elapsed_seconds") or search.consumed_seconds)
    if search.state is not JobState.RUNNING or search.started_at is None:
        return reported
    # the report is at most a heartbeat old; a clock that jumps cannot add more than that
    return reported + min(2.0, max(0.0, time.time() - search.started_at - reported))


def _show_state_line(search: Job) -> None:
    progress = search.progress
    elapsed = compute_elapsed(search)
    parts = []
    if search.finished_at is not None:
        parts.append(say("live.ended", when=format_when(search.finished_at)))
    elif search.started_at is not None:
        budget = progress.get("budget_seconds")
        words = (
            say("live.of", elapsed=format_clock(elapsed), budget=format_clock(budget))
            if budget
            else say("live.elapsed", elapsed=format_clock(elapsed))
        )
        parts.append(words)
    if search.state is JobState.RUNNING:
        parts.append(escape(progress.get("words") or say("live.preparing")))
    with st.container(horizontal=True, vertical_alignment="center", key="state"):
        show_state(search.state)
        st.markdown(" · ".join(parts) or _describe_wait(search))
        announce(_describe_state(search), key="announce_state")
    if search.state.is_active and search.stop_mode is not None:
        st.info(say("live.stopping"))
    if search.state.is_active and not services.has_worker():
        is_running = search.state is JobState.RUNNING
        st.warning(say("live.worker_silent" if is_running else "frame.no_worker"))
    if search.state is JobState.FAILED and search.outcome is not None:
        show_error(FairloomError(search.outcome.message, hint=search.outcome.hint))
    if search.state is JobState.STOPPED and not services.has_result(search.id):
        has_model = bool(progress.get("best"))
        st.info(say("live.stopped_unfinished" if has_model else "live.stopped_empty"))
    _show_warnings(progress.get("warnings") or ())


def _describe_state(search: Job) -> str:
    """The state in plain words, without what changes every second."""
    return say_plain("live.announced", title=search.title, state=say_plain(f"state.{search.state}"))


def _describe_wait(search: Job) -> str:
    if search.state is not JobState.QUEUED:
        return ""
    others = (job for job in services.list_searches(limit=50) if job.id != search.id)
    is_busy = services.has_worker() and any(job.state is JobState.RUNNING for job in others)
    return say("live.waiting_turn" if is_busy else "live.waiting")


def _show_warnings(warnings: Any) -> None:
    if warnings:
        with st.expander(say("live.warnings"), expanded=True, key="warnings"):
            for text in warnings:
                st.markdown(f"- {escape(text)}")


def _show_numbers(search: Job) -> None:
    progress = search.progress
    title = live.get_metric_title(read_metric(search))
    with st.container(horizontal=True, key="numbers"):
        best, baseline, trials, left = (st.container(key=f"number_{n}") for n in range(4))
    with best:
        _show_model(
            say("live.best" if search.state.is_active else "live.best_ended"),
            progress.get("best"),
            say("live.best_help", title=title),
            "best",
        )
        _show_ensemble(progress.get("ensemble"))
    with baseline:
        _show_model(
            say("live.baseline"),
            progress.get("baseline_best"),
            say("live.baseline_help"),
            "baseline",
        )
    done, total = progress.get("n_finished") or 0, progress.get("budget_trials")
    with trials, st.container(key="n_trials"):
        value = f"{format_count(done)} / {format_count(total)}" if total else format_count(done)
        st.metric(say("live.trials"), value, help=say("live.trials_help"))
    with left, st.container(key="time_left"):
        _show_left(search)


def _show_screened(trials: list[Trial]) -> None:
    """How many networks were left out before they were trained, and why; nothing where none was measured."""
    n_measured = live.count_measured(trials)
    if not n_measured:
        return
    parts = [
        say_plain(f"screened.{kind}", count=format_count(count))
        for kind, count in live.count_screened(trials).items()
    ]
    key = f"live.screened{'' if parts else '_none'}{'_one' if n_measured == 1 else ''}"
    st.caption(say(key, count=format_count(n_measured), left=", ".join(parts)))


def _show_pace(search: Job, epochs: "pd.DataFrame") -> None:
    """Seconds of an epoch, for pictures: there an epoch is what one waits for."""
    seconds = epochs["seconds"].dropna() if live.is_about_pictures(search) else []
    if len(seconds):
        st.caption(say("live.pace", seconds=format_duration(float(seconds.median()))))


def _show_model(label: str, model: dict[str, Any] | None, help_text: str, key: str) -> None:
    with st.container(key=key):
        if not model:
            st.metric(label, say("live.none"), help=help_text)
            return
        text = format_estimate(model.get("value"), model.get("low"), model.get("high"))
        value, _, interval = text.partition(" ")
        st.metric(label, value, help=help_text)
        title = live.get_metric_title(str(model.get("metric", "")))
        st.caption(f"{escape(title)} {escape(interval)} · {escape(model.get('name', ''))}")


def _show_ensemble(ensemble: dict[str, Any] | None) -> None:
    """What the best models reach together, where that is more than the best one alone."""
    if not ensemble or ensemble.get("value") is None:
        return
    value = format_estimate(ensemble["value"], ensemble.get("low"), ensemble.get("high"))
    st.caption(say("live.ensemble", name=ensemble["name"], value=value))


def _show_left(search: Job) -> None:
    if not search.state.is_active or search.stop_mode is not None:
        st.metric(say("live.used"), format_duration(compute_elapsed(search)))
        return
    seconds, is_estimate = live.compute_left(search.progress, compute_elapsed(search))
    if is_estimate and seconds is not None and seconds > ROUGH_SECONDS:
        seconds = 60 * round(seconds / 60)  # an estimate knows no seconds
    text = say("live.none") if seconds is None else format_duration(round(seconds))
    st.metric(say("live.left_about" if is_estimate else "live.left"), text)


def _show_table(search: Job, trials: list[Trial], total: int) -> None:
    sign = live.get_sign(read_metric(search))
    st.header(say("live.table"), anchor=False)
    frame = live.build_trial_table(
        live.order_newest(trials)[:TABLE_ROWS], sign, of_pictures=live.is_about_pictures(search)
    )
    column = st.column_config
    with st.container(key="trials"):
        st.dataframe(
            frame,
            key="trials_table",
            hide_index=True,
            lazy=False,
            placeholder="–",
            height=320 if len(frame) > 7 else "auto",
            alt=say("live.table_alt"),
            column_config={
                "number": column.NumberColumn(say("col.number"), width=50),
                "family": column.TextColumn(say("col.family"), width=130),
                "stage": column.TextColumn(say("col.stage"), width=90),
                "state": column.TextColumn(say("col.state"), width=115),
                "value": column.NumberColumn(
                    live.get_metric_title(read_metric(search)), format="%.4f"
                ),
                "epochs": column.NumberColumn(say("col.epochs")),
                "parameters": column.NumberColumn(say("col.parameters"), format="localized"),
                "macs": column.NumberColumn(say("col.macs"), format="localized"),
                "device": column.TextColumn(say("col.device")),
                "seconds": column.NumberColumn(say("col.seconds"), format="%.1f s"),
                "epoch_seconds": column.NumberColumn(say("col.epoch_seconds"), format="%.1f s"),
                "settings": column.TextColumn(say("col.settings"), width="large"),
                "note": column.TextColumn(say("col.note")),
            },
        )
    if total > len(frame):
        st.caption(say("live.table_more", shown=len(frame), all=format_count(total)))


def close_search() -> None:
    """Back to the form and the list."""
    session.set_open("search", None)
