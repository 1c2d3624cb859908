"""The widgets of the Threshold tab: what is looked at, all of it in the address, so that a link shows the same."""

import streamlit as st

from app import session, thresholds
from app.components.threshold_tables import describe_best, get_negative
from app.thresholds import View
from app.wording import say, say_plain
from automl.data.task import Task
from automl.evaluation.costs import NAMES, Costs
from automl.evaluation.goal import Goal
from automl.evaluation.thresholds import BestThreshold

ROWS = (("tp", "fn"), ("fp", "tn"))  # positives above, right decisions on the diagonal


def pick_threshold(view: View, task: Task) -> None:
    """A slider, and beside it the same number exactly."""
    wide, narrow = st.columns([3, 1], gap="medium", vertical_alignment="bottom")
    session.put_widget("threshold_slider", view.threshold)
    session.put_widget("threshold_exact", view.threshold)
    with wide:
        st.slider(
            say("threshold.slider"), 0.0, 1.0, step=0.005, format="%.3f", key="threshold_slider",
            help=say("threshold.slider_help", positive=str(task.positive)),
            on_change=_take_threshold, args=("threshold_slider",),
        )  # fmt: skip
    with narrow:
        st.number_input(
            say("threshold.exact"), 0.0, 1.0, step=0.01, format="%.6g", key="threshold_exact",
            on_change=_take_threshold, args=("threshold_exact",),
        )  # fmt: skip


def edit_costs(view: View, task: Task) -> None:
    """The cost of each of the four outcomes, and the threshold that follows from them."""
    st.markdown(f"**{say('threshold.costs')}**")
    names = {"positive": str(task.positive), "negative": get_negative(task)}
    for row in ROWS:
        for name, column in zip(row, st.columns(2, gap="small"), strict=True):
            key = f"cost_{name}"
            session.put_widget(key, float(getattr(view.costs, name)))
            with column:
                st.number_input(
                    say(f"threshold.cost_{name}", **names), min_value=-1e9, max_value=1e9,
                    format="%.6g", step=1.0, key=key, on_change=_take_costs,
                )  # fmt: skip
    implied = view.costs.implied_threshold
    st.caption(
        say("threshold.implied_none")
        if implied is None
        else say("threshold.implied", value=f"{implied:.3g}")
    )
    st.caption(say("threshold.costs_help"))


def pick_rule(view: View) -> None:
    """By what the best threshold is best, and the level that some rules keep."""
    goal, level = view.rule.goal, view.rule.level
    with st.container(horizontal=True, vertical_alignment="bottom", key="threshold_rule"):
        session.put_widget("threshold_goal", goal.value)
        st.selectbox(
            say("threshold.goal"), [each.value for each in Goal], key="threshold_goal", width=300,
            format_func=lambda name: say_plain(f"threshold.goal_{name}"), on_change=_take_goal,
            help=say("threshold.goal_help"),
        )  # fmt: skip
        if level is not None:
            session.put_widget("threshold_level", level)
            st.number_input(
                say(f"threshold.level_{goal}"), 0.0, 1.0, step=0.05, format="%.6g",
                key="threshold_level", on_change=_take_level, width=240,
            )  # fmt: skip


def show_best(best: BestThreshold | None) -> None:
    """What was found on the calibrate part, and the button that moves the slider there."""
    if best is None:
        st.info(say("threshold.no_calibrate"))
        return
    st.markdown(describe_best(best))
    if best.threshold is not None:
        text = f"{best.threshold:g}"
        st.button(
            say("threshold.use", threshold=text), key="threshold_use", icon=":material/target:",
            on_click=thresholds.write_view, kwargs={"threshold": f"{best.threshold!r}"},
        )  # fmt: skip


def _take_threshold(key: str) -> None:
    thresholds.write_view(threshold=f"{float(session.recall(key, 0.5)):.12g}")


def _take_costs() -> None:
    given = {name: float(session.recall(f"cost_{name}") or 0.0) for name in NAMES}
    thresholds.write_view(costs=Costs(**given).render())


def _take_goal() -> None:
    thresholds.write_view(goal=str(session.recall("threshold_goal")), level="")


def _take_level() -> None:
    thresholds.write_view(level=f"{float(session.recall('threshold_level', 0.0)):.12g}")
