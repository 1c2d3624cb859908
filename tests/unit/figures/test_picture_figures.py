"""Pictures of searches on pictures: stages, trade-off, methods, pickable confusions, rates of classes by group."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from automl.figures.confusion import plot_confusion
from automl.figures.methods import compute_method_history, describe_methods, plot_methods
from automl.figures.reading import render_count
from automl.figures.stages import (
    MAX_BOXES,
    compute_boxes,
    compute_stages,
    describe_stages,
    has_stages,
    plot_stages,
)
from automl.figures.trade_off import (
    build_front,
    compute_trade_off,
    describe_trade_off,
    plot_trade_off,
)
from fairness.class_audit import ClassInput, ClassOptions, compute_class_audit
from fairness.class_figures import plot_class_rates
from fairness.class_tables import build_class_frame
from tests.ui.finished_pictures import LAYERS


def write_all(figure) -> str:
    return " ".join(str(note.text) for note in figure.layout.annotations)


def test_equal_neighbours_of_a_stage_share_a_box_and_sums_stay() -> None:
    frame = compute_boxes(LAYERS)
    assert len(frame) == len(LAYERS) - 1
    assert frame["repeats"].tolist() == [1, 1, 2, 1, 1, 1]
    assert frame["parameters"].sum() == sum(row["parameters"] for row in LAYERS)
    assert frame["macs"].sum() == sum(row["macs"] for row in LAYERS)
    stages = compute_stages(frame)
    assert stages["stage"].tolist() == ["Stem", "Stage 1", "Stage 2", "Head"]
    assert stages["n_layers"].tolist() == [1, 3, 1, 2]
    assert stages["output"].tolist() == ["32×16×16", "64×16×16", "128×8×8", "3"]
    assert stages["share_of_macs"].sum() == pytest.approx(1)


def test_the_drawing_writes_shapes_and_counts_and_fits_its_height() -> None:
    fig = plot_stages(compute_boxes(LAYERS))
    text = write_all(fig)
    assert "2 × block 2" in text
    assert "residual → 64×16×16" in text
    assert "148 k parameters · 37.7 M multiply-adds" in text
    assert "Stage 1" in text
    low, high = fig.layout.yaxis.range
    assert high == 0
    assert all(0 <= shape.y0 <= low and 0 <= shape.y1 <= low for shape in fig.layout.shapes)
    assert fig.layout.height == pytest.approx(low, abs=2)
    said = describe_stages(compute_boxes(LAYERS))
    assert "7 layers in 4 steps, 437,123 parameters, 67.3 M multiply-adds" in said
    assert "Stage 2 holds 53 % of the parameters" in said


def test_a_very_deep_network_is_drawn_by_stage() -> None:
    deep = [
        {**LAYERS[1], "stage": f"Stage {i // 30}", "detail": str(i)} for i in range(MAX_BOXES + 60)
    ]
    frame = compute_boxes(deep)
    fig = plot_stages(frame)
    assert len(fig.data) == len(compute_stages(frame)) == 4
    assert "Drawn by stage" in describe_stages(frame)


def test_names_are_inert_and_layers_without_a_stage_are_drawn() -> None:
    rows = [{"stage": "", "name": "<b>x", "kind": "conv", "output": "", "parameters": None, "macs": None}]  # fmt: skip
    fig = plot_stages(compute_boxes(rows))
    assert "<b>&lt;b&gt;x" in write_all(fig)
    assert compute_stages(compute_boxes(rows))["stage"].tolist() == ["<b>x"]
    assert describe_stages(compute_boxes([])) == "This model has no layers to draw."
    assert not has_stages([{"name": "a", "output": 3, "parameters": 1}])


@given(st.integers(0, 10**13))
def test_counts_have_three_digits_and_keep_their_size(count: int) -> None:
    text = render_count(count)
    digits, _, unit = text.partition(" ")
    size = {"": 1, "k": 1e3, "M": 1e6, "G": 1e9, "T": 1e12}[unit]
    assert "e" not in digits
    assert float(digits) * size == pytest.approx(count, rel=0.006)


def test_pressable_cells_are_those_with_pictures() -> None:
    frame = pd.DataFrame(
        {"truth": ["a", "a", "b", "b"], "predicted": ["a", "b", "a", "b"], "n": [5, 2, 0, 4]}
    )
    marks = plot_confusion(frame, is_pickable=True).data[1]
    assert [list(each) for each in marks.customdata] == [["a", "a"], ["a", "b"], ["b", "b"]]
    assert (list(marks.x), list(marks.y)) == ([0, 1, 1], [0, 0, 1])
    assert marks.marker.opacity == marks.selected.marker.opacity == marks.unselected.marker.opacity == 0  # fmt: skip
    assert len(plot_confusion(frame).data) == 1


FRONT = [
    {
        "trial": i, "name": f"CNN {i}", "family": "cnn", "is_baseline": False, "on_front": i < 2,
        "values": {
            "score": {"value": 0.9 - i / 10, "unit": ""},
            "parameters": {"value": 10_000 * (3 - i), "unit": "parameters"},
            "latency": {"value": 2.0 + i, "unit": "ms a picture"},
        },
    }
    for i in range(3)
]  # fmt: skip


def test_a_trade_off_has_a_panel_per_cost_and_says_its_ends() -> None:
    frame = compute_trade_off(FRONT)
    assert len(frame) == 6
    fig = plot_trade_off(frame, "Accuracy")
    assert len(fig.data) == 4
    assert fig.data[1].name == "front"
    said = describe_trade_off(frame, "Accuracy")
    assert said.startswith("2 of n = 3 networks")
    assert "Parameters: from 20 k with 0.800 to 30 k with 0.900" in said
    assert "None of the networks" in describe_trade_off(compute_trade_off([]), "Accuracy")


def test_of_a_table_the_axes_speak_of_rows_and_nodes() -> None:
    frame = compute_trade_off(FRONT)
    fig = plot_trade_off(frame, "Accuracy", is_table=True)
    titles = [axis.title.text for axis in fig.select_xaxes()]
    assert titles == ["Parameters (of trees: nodes)", "Milliseconds for 1,000 rows"]
    assert "2 of n = 3 models" in describe_trade_off(frame, "Accuracy", is_table=True)


def test_where_only_limits_are_set_the_front_is_of_what_is_within_them() -> None:
    base = {
        "is_network": True,
        "stage": "search",
        "state": "complete",
        "name": "CNN",
        "family": "cnn",
    }
    rows = [(0, 0.9, 900), (1, 0.8, 500), (2, 0.7, 600), (3, 0.95, 2_000), (4, 0.8, 500)]
    trials = [{**base, "number": i, "score": score, "parameters": n} for i, score, n in rows]
    trials.append({**base, "number": 5, "score": 0.99, "parameters": 10, "state": "pruned"})
    front = build_front(trials, {"parameters": 1_000, "macs": None})
    assert {row["trial"]: row["on_front"] for row in front} == {0: True, 1: True, 2: False, 4: True}
    assert set(compute_trade_off(front)["cost"]) == {"parameters"}
    assert build_front(trials, {}) == []


TRIALS = [
    {"number": 0, "stage": "baseline", "score": 0.2, "state": "complete", "fit_seconds": 1.0},
    {"number": 1, "stage": "search", "score": 0.6, "state": "complete", "fit_seconds": 10.0},
    {"number": 2, "stage": "search", "score": 0.9, "state": "pruned", "fit_seconds": 5.0},
    {"number": 3, "stage": "search", "score": 0.7, "state": "complete", "fit_seconds": 10.0, "origin": "weight_sharing"},
    {"number": 4, "stage": "search", "score": 0.5, "state": "complete", "fit_seconds": 10.0, "origin": "sampler"},
]  # fmt: skip


def test_each_method_pays_for_its_own_seconds_and_the_supernet() -> None:
    history = compute_method_history(TRIALS, 40.0)
    assert history["number"].tolist() == [1, 3, 4]
    assert history["seconds"].tolist() == [10.0, 50.0, 25.0]
    assert history["best_so_far"].tolist() == [0.6, 0.7, 0.6]
    assert len(plot_methods(history, "Accuracy").data) == 4
    said = describe_methods(history, "Accuracy")
    assert "Plain search: Accuracy 0.600 after 10 s (trial 1, n = 2 networks)" in said
    assert "Weight sharing: Accuracy 0.700 after 50 s" in said
    alone = describe_methods(history[history["method"] == "Plain search"], "Accuracy")
    assert "Weight sharing: no network was trained to its end" in alone


@pytest.mark.parametrize("k", [3, 30])
def test_rates_of_classes_stand_where_they_belong(k: int) -> None:
    rng = np.random.default_rng(0)
    truth = rng.integers(0, k, 900)
    rows = ClassInput(
        truth=truth, prediction=np.where(rng.random(900) < 0.7, truth, 0),
        classes=tuple(f"class {i}" for i in range(k)),
        attributes=pd.DataFrame({"g": rng.choice(["x", "y"], 900, p=[0.7, 0.3])}),
    )  # fmt: skip
    audit = compute_class_audit(rows, ClassOptions(references={}))
    frame = build_class_frame(audit, "g", "true_positive_rate")
    heat = plot_class_rates(frame).data[0]
    assert np.shape(heat.z) == (k, 2)
    for i, label in enumerate(rows.classes):
        for j, group in enumerate(("x", "y")):
            cell = next(c for c in audit.by_class if (c.label, c.group) == (label, group))
            value = cell.metrics["true_positive_rate"].value
            assert np.isnan(heat.z[i][j]) if value is None else heat.z[i][j] == value
    assert (heat.texttemplate is None) == (k > 12)
