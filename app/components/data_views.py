"""Pictures of single columns and of how numbers go together."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import streamlit as st

from app import services
from app.choices import get_kind
from app.components.numbers import format_count, format_number, format_share
from app.wording import say, say_plain
from automl.data.dataset import Dataset, Kind
from automl.data.profile import ColumnProfile, Profile, to_label
from automl.data.setup import Setup
from automl.data.task import Task, TaskType

if TYPE_CHECKING:
    import pandas as pd

MAX_ROWS = 200_000
MAX_BARS = 20
MAX_CLASSES = 6
MAX_RELATED = 20
N_BINS = 20


@dataclass(frozen=True, kw_only=True, slots=True)
class _Pick:
    column: str
    by_target: bool


def show_distribution(dataset: Dataset, profile: Profile, task: Task | None) -> None:
    """How the values of one column are spread, by the target where that is cheap."""
    pick = _pick_column(dataset, task)
    found = profile.column(pick.column)
    if found is None or not (found.histogram or found.values):
        st.caption(say("set.view_none"))
        return
    if pick.by_target and task is not None:
        frame = _count_by_target(dataset, pick.column, task, found)
    else:
        frame = _count_from_profile(found)
    _draw(frame, found)


def _pick_column(dataset: Dataset, task: Task | None) -> _Pick:
    names = [column.name for column in dataset.columns]
    left, right = st.columns(2, vertical_alignment="bottom", gap="medium")
    start = names.index(task.target) if task is not None else 0
    name = left.selectbox(say("set.view_column"), names, index=start, key="view_column")
    can_split = (
        task is not None
        and task.type is not TaskType.REGRESSION
        and len(task.classes) <= MAX_CLASSES
        and name != task.target
        and dataset.n_rows <= MAX_ROWS
    )
    by_target = can_split and right.toggle(say("set.view_by"), value=True, key="view_by")
    return _Pick(column=str(name), by_target=bool(by_target))


def _count_from_profile(found: ColumnProfile) -> "pd.DataFrame":
    import pandas as pd

    if found.histogram:
        rows = [
            {"value": (bar.low + bar.high) / 2, "width": bar.high - bar.low, "rows": bar.count}
            for bar in found.histogram
        ]
    else:
        rows = [{"value": value.value, "rows": value.count} for value in found.values[:MAX_BARS]]
    return pd.DataFrame(rows)


def _count_by_target(
    dataset: Dataset, name: str, task: Task, found: ColumnProfile
) -> "pd.DataFrame":
    """Rows per bar and class of the target; the bars are those of the profile."""
    import numpy as np
    import pandas as pd

    from app.components.distribution_figure import to_days

    frame = services.read_frame(dataset.id, (name, task.target)).dropna()
    target = frame[task.target].map(to_label)
    if not found.histogram:
        shown = [value.value for value in found.values[:MAX_BARS]]
        counts = pd.crosstab(frame[name].map(to_label), target)
        counts = counts.reindex(index=shown, fill_value=0)
        counts.index.name, counts.columns.name = "value", "target"
        return counts.reset_index().melt(id_vars="value", value_name="rows")
    edges = np.array([bar.low for bar in found.histogram] + [found.histogram[-1].high])
    numbers = to_days(frame[name])
    rows = []
    for label in task.classes:
        counts, _ = np.histogram(numbers[(target == label).to_numpy()], bins=edges)
        middles, widths = (edges[:-1] + edges[1:]) / 2, np.diff(edges)
        rows.append(
            pd.DataFrame({"value": middles, "width": widths, "target": label, "rows": counts})
        )
    return pd.concat(rows, ignore_index=True)


def _draw(frame: "pd.DataFrame", found: ColumnProfile) -> None:
    from app.components.distribution_figure import plot_distribution
    from app.components.figure import show_figure

    show_figure(
        plot_distribution(frame, found.name),
        key="distribution",
        alt=f"{found.name}: number of rows per value",
        sentence=_describe(found),
        frame=frame,
    )
    hidden = found.n_distinct - MAX_BARS
    if not found.histogram and hidden > 0:
        st.caption(say("set.view_others", count=format_count(hidden)))


def _describe(found: ColumnProfile) -> str:
    if found.quantiles and found.kind is not Kind.DATETIME:
        points = {name: format_number(value) for name, value in found.quantiles.items()}
        return say_plain(
            "set.view_sentence_numeric",
            column=found.name,
            low=points["min"],
            high=points["max"],
            q1=points["q25"],
            q3=points["q75"],
        )
    if found.values:
        top = found.values[0]
        share = top.count / max(1.0, _count_present(found))
        return say_plain(
            "set.view_sentence_category",
            column=found.name,
            value=top.value,
            share=format_share(share),
        )
    return found.name


def _count_present(found: ColumnProfile) -> float:
    if found.missing_share >= 1:
        return 0.0
    if found.n_missing:
        return found.n_missing / found.missing_share * (1 - found.missing_share)
    return float(sum(value.count for value in found.values))


def show_related(dataset: Dataset, setup: Setup) -> None:
    """How numeric columns go together: correlations of at most twenty of them."""
    names = [
        c.name for c in dataset.columns if get_kind(setup, c) is Kind.NUMERIC and c.n_distinct > 1
    ]
    if len(names) < 2:
        st.caption(say("set.related_none"))
        return
    method = st.segmented_control(
        say("set.related_method"),
        ("pearson", "spearman"),
        default="pearson",
        required=True,
        format_func=str.capitalize,
        key="related_method",
    )
    from app.components.distribution_figure import compute_related, plot_related
    from app.components.figure import show_figure

    frame = services.read_frame(dataset.id, names[:MAX_RELATED])
    related = compute_related(frame.head(MAX_ROWS), str(method))
    strongest = related[related["a"] < related["b"]].sort_values(
        "value", key=lambda values: values.abs(), ascending=False
    )
    if strongest.empty:
        st.caption(say("set.related_none"))
        return
    top = strongest.iloc[0]
    show_figure(
        plot_related(related, names[:MAX_RELATED]),
        key="related",
        alt=f"{str(method).capitalize()} correlation of each pair of numeric columns",
        sentence=say_plain(
            "set.related_sentence", a=top["a"], b=top["b"], value=f"{top['value']:+.2f}"
        ),
        frame=strongest,
    )
    st.caption(
        say("set.related_note", limit=MAX_RELATED, rows=format_count(min(len(frame), MAX_ROWS)))
    )
