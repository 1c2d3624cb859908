"""A network for pictures as a drawing: stages as frames, layers as boxes with shape, parameters, multiply-adds."""

from collections.abc import Mapping, Sequence
from itertools import groupby
from typing import Any

import pandas as pd
import plotly.graph_objects as go

from automl.figures.reading import render_count
from automl.figures.style import COLORS, NEUTRAL, find_highest, label, lay_out

MAX_BOXES = 36  # more are drawn as one box per stage
BOX, DETAIL, GAP, HEAD, FOOT = 48, 17, 16, 42, 12  # pixels
BAR = 5
COLUMNS = ("stage", "name", "kind", "output", "parameters", "macs", "detail")
KIND_COLORS = (
    (("head", "linear", "classif", "dense layer"), COLORS[2]),
    (("pool", "norm", "sums"), COLORS[4]),
    (("attention", "mixer", "token"), COLORS[5]),
    (("stem", "patch"), COLORS[1]),
)


def has_stages(rows: Sequence[Mapping[str, Any]]) -> bool:
    """Whether these layers are of a network for pictures: they name stages and count multiply-adds."""
    return any("macs" in row for row in rows)


def compute_boxes(rows: Sequence[Mapping[str, Any]]) -> pd.DataFrame:
    """One row per box: ``stage, name, kind, output, parameters, macs, detail, repeats``.

    Equal neighbours of one stage share a box (``repeats`` > 1); its parameters and multiply-adds are those of
    all of them. ``output`` is ``channels×height×width``.
    """
    boxes: list[dict[str, Any]] = []
    for row in rows:
        given = {name: row.get(name) for name in COLUMNS}
        given |= {name: str(given[name] or "") for name in ("stage", "name", "kind", "output", "detail")}  # fmt: skip
        given |= {name: int(given[name] or 0) for name in ("parameters", "macs")}
        known = {name: given[name] for name in COLUMNS if name != "name"}
        last = boxes[-1] if boxes else None
        if last is not None and known["stage"] and last["known"] == known:
            last["repeats"] += 1
        else:
            boxes.append({**given, "repeats": 1, "known": known})
    frame = pd.DataFrame(boxes, columns=[*COLUMNS, "repeats"])
    for name in ("parameters", "macs"):
        frame[name] = frame[name].astype("int64") * frame["repeats"]
    return frame


def compute_stages(frame: pd.DataFrame) -> pd.DataFrame:
    """One row per stage in order: ``stage, n_layers, output, parameters, macs`` and both shares of the whole.

    Neighbours without a stage stand under the name of their only layer, or of the first and the last.
    """
    rows = []
    for stage, part in _list_groups(frame):
        name = stage or part[0]["name"]
        if not stage and len(part) > 1:
            name = f"{part[0]['name']} … {part[-1]['name']}"
        rows.append(
            {
                "stage": name,
                "n_layers": sum(box["repeats"] for box in part),
                "output": part[-1]["output"],
                "parameters": sum(box["parameters"] for box in part),
                "macs": sum(box["macs"] for box in part),
            }
        )
    stages = pd.DataFrame(rows, columns=["stage", "n_layers", "output", "parameters", "macs"])
    for name in ("parameters", "macs"):
        stages[f"share_of_{name}"] = stages[name] / max(int(stages[name].sum()), 1)
    return stages


def plot_stages(frame: pd.DataFrame) -> go.Figure:
    """Boxes from the top (picture) to the bottom (classes), framed by stage; the frame is ``compute_boxes``'.

    The two bars at the foot of a box are its parameters and its multiply-adds against the largest box.
    """
    shown = frame if len(frame) <= MAX_BOXES else _fold_stages(frame)
    fig = go.Figure()
    most = {name: max(int(shown[name].max()), 1) if len(shown) else 1 for name in ("parameters", "macs")}  # fmt: skip
    y, previous = 8.0, None
    for stage, part in _list_groups(shown):
        top = y
        if stage and previous is not None:
            _add_arrow(fig, previous, top)
            previous = None
        y += HEAD if stage else 0
        for box in part:
            height = BOX + (DETAIL if box["detail"] else 0)
            if previous is not None:
                _add_arrow(fig, previous, y)
            _add_box(fig, box, top=y, height=height, most=most)
            previous = y + height
            y += height + GAP
        if stage:
            y += FOOT - GAP
            _add_frame(fig, stage, part, top=top, bottom=y)
            previous = y
            y += GAP
    lay_out(fig, x="", y="", height=round(y) + 8)
    fig.update_layout(margin={"l": 4, "r": 4, "t": 0, "b": 0})
    fig.update_xaxes(visible=False, range=[0, 1], fixedrange=True)
    return fig.update_yaxes(visible=False, range=[y + 8, 0], fixedrange=True)


def describe_stages(frame: pd.DataFrame) -> str:
    """Boxes, parameters and multiply-adds in all, and which stage holds most of each."""
    if frame.empty:
        return "This model has no layers to draw."
    stages = compute_stages(frame)
    total = {name: int(frame[name].sum()) for name in ("parameters", "macs")}
    steps = f" in {len(stages)} steps" if len(stages) > 1 else ""
    text = (
        f"{int(frame['repeats'].sum())} layers{steps}, {total['parameters']:,} parameters,"
        f" {render_count(total['macs'])} multiply-adds for one picture."
    )
    for name, words in (("parameters", "parameters"), ("macs", "multiply-adds")):
        if total[name] and len(stages) > 1:
            top = find_highest(stages, name)
            text += f" {top['stage']} holds {100 * top[name] / total[name]:.0f} % of the {words}."
    folded = " Drawn by stage; the table has every layer." if len(frame) > MAX_BOXES else ""
    return text + " Bars: parameters below, multiply-adds above, against the largest box." + folded


def _list_groups(frame: pd.DataFrame) -> list[tuple[str, list[dict[str, Any]]]]:
    boxes = [{str(key): value for key, value in box.items()} for box in frame.to_dict("records")]
    return [(stage, list(part)) for stage, part in groupby(boxes, key=lambda box: box["stage"])]


def _fold_stages(frame: pd.DataFrame) -> pd.DataFrame:
    """One box per stage, for networks of a hundred layers."""
    stages = compute_stages(frame)
    return pd.DataFrame(
        [
            {
                "stage": "", "name": stage["stage"], "kind": f"{stage['n_layers']} layers",
                "output": stage["output"], "parameters": stage["parameters"], "macs": stage["macs"],
                "detail": "", "repeats": 1,
            }
            for stage in stages.to_dict("records")
        ]
    )  # fmt: skip


def _add_box(
    fig: go.Figure, box: Mapping[str, Any], *, top: float, height: float, most: Mapping[str, int]
) -> None:
    left, right = (0.03, 0.97) if box["stage"] else (0.0, 1.0)
    words = f"{box['kind']} {box['name']}".lower()
    color = next((c for keys, c in KIND_COLORS if any(key in words for key in keys)), COLORS[0])
    place = {"type": "rect", "x0": left, "layer": "below"}
    fig.add_shape(**place, x1=right, y0=top, y1=top + height, fillcolor=color, opacity=0.14, line={"width": 0})  # fmt: skip
    fig.add_shape(**place, x1=right, y0=top, y1=top + height, line={"color": color, "width": 1.4})
    bottom = top + height
    for lift, name, opacity in ((0, "parameters", 1.0), (BAR, "macs", 0.5)):
        end = left + box[name] / most[name] * (right - left)
        fig.add_shape(
            **place, x1=end, y0=bottom - lift - BAR, y1=bottom - lift, fillcolor=color, opacity=opacity,
            line={"width": 0},
        )  # fmt: skip
    fig.add_annotation(
        x=left + 0.012, y=top + (height - 2 * BAR) / 2, text="<br>".join(_write_lines(box)), showarrow=False,
        xanchor="left", align="left", font={"size": 12},
    )  # fmt: skip
    fig.add_trace(
        go.Scatter(
            x=[(left + right) / 2], y=[top + height / 2], mode="markers", showlegend=False,
            marker={"size": 30, "color": color, "opacity": 0}, text=["<br>".join(_write_hover(box))],
            hovertemplate="%{text}<extra></extra>",
        )
    )  # fmt: skip


def _write_lines(box: Mapping[str, Any]) -> list[str]:
    times = f"{box['repeats']} × " if box["repeats"] > 1 else ""
    output = f" → {label(box['output'], 14)}" if box["output"] else ""
    lines = [f"<b>{times}{label(box['name'], 18)}</b> {label(box['kind'], 20)}{output}"]
    if box["detail"]:
        lines.append(label(box["detail"], 46))
    return [*lines, _write_counts(box) or "nothing to learn"]


def _write_counts(box: Mapping[str, Any]) -> str:
    """``148 k parameters · 37.7 M multiply-adds``: short enough for a phone."""
    parts = [
        f"{render_count(box['parameters'])} parameters" if box["parameters"] else "",
        f"{render_count(box['macs'])} multiply-adds" if box["macs"] else "",
    ]
    return " · ".join(part for part in parts if part)


def _write_hover(box: Mapping[str, Any]) -> list[str]:
    lines = [f"<b>{label(box['name'], 60)}</b>", label(box["kind"], 60), label(box["detail"], 120)]
    if box["output"]:
        lines.append(f"→ {label(box['output'], 40)}")
    counts = f"{box['parameters']:,} parameters, {box['macs']:,} multiply-adds"
    return [line for line in (*lines, counts) if line]


def _add_frame(
    fig: go.Figure, stage: str, part: Sequence[Mapping[str, Any]], *, top: float, bottom: float
) -> None:
    fig.add_shape(
        type="rect", x0=0, x1=1, y0=top, y1=bottom, layer="below",
        line={"color": NEUTRAL, "width": 1, "dash": "dot"},
    )  # fmt: skip
    numbers = {name: sum(box[name] for box in part) for name in ("parameters", "macs")}
    output = f" → {label(part[-1]['output'], 14)}" if part[-1]["output"] else ""
    text = f"<b>{label(stage, 24)}</b>{output}<br>{_write_counts(numbers)}"
    fig.add_annotation(
        x=0.012, y=top + HEAD / 2, text=text, showarrow=False,
        xanchor="left", align="left", font={"size": 12},
    )  # fmt: skip


def _add_arrow(fig: go.Figure, start: float, end: float) -> None:
    fig.add_annotation(
        x=0.5, y=end, ax=0.5, ay=start, xref="x", yref="y", axref="x", ayref="y", text="",
        showarrow=True, arrowhead=2, arrowsize=0.8, arrowwidth=1.5, arrowcolor=NEUTRAL,
    )  # fmt: skip
