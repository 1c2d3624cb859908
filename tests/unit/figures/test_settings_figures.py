"""Pictures of settings: importance, one setting, several together."""

import numpy as np
import pandas as pd
import pytest

from automl.figures.importance import MOST_BARS, describe_importance, plot_importance
from automl.figures.parallel import (
    MOST_AXES,
    compute_settings,
    describe_parallel,
    is_wide,
    list_settings,
    plot_parallel,
    select_complete,
)
from automl.figures.slices import describe_slice, plot_slice


def build_rows(n: int = 40) -> list[dict[str, object]]:
    generator = np.random.default_rng(0)
    rows: list[dict[str, object]] = []
    for number in range(n):
        config = {
            "lr": float(10 ** generator.uniform(-4, -1)),
            "depth": int(generator.integers(1, 5)),
            "norm": str(generator.choice(["none", "batch"])),
            "residual": bool(number % 2),
            "fixed": 1,
        }
        if config["norm"] == "batch":
            config["momentum"] = 0.1 * number
        rows.append(
            {
                "number": number, "family": "mlp", "stage": "search", "config": config, "score": 0.8 + number / 1000,
                "state": "pruned" if number % 5 == 0 else "complete",
            }
        )  # fmt: skip
    rows.append({**rows[0], "family": "resnet"})
    rows.append({**rows[0], "stage": "refit"})
    rows.append({**rows[0], "state": "failed", "score": None})
    return rows


@pytest.fixture
def frame() -> pd.DataFrame:
    return compute_settings(build_rows(), "mlp")


def test_settings_hold_the_finished_trials_of_one_family(frame: pd.DataFrame) -> None:
    assert len(frame) == 40
    assert list_settings(frame) == ["lr", "depth", "norm", "residual", "momentum"]


def test_an_axis_is_logarithmic_where_values_span_much(frame: pd.DataFrame) -> None:
    assert is_wide(frame["lr"])
    assert not is_wide(frame["depth"])
    assert not is_wide(pd.Series([0.0, 100.0]))
    assert plot_slice(frame, "lr", "AUC").layout.xaxis.type == "log"


def test_whole_numbers_have_no_ticks_between_them(frame: pd.DataFrame) -> None:
    assert list(plot_slice(frame, "depth", "AUC").layout.xaxis.tickvals) == [1, 2, 3, 4]
    assert plot_slice(frame, "momentum", "AUC").layout.xaxis.tickvals is None


def test_names_stand_side_by_side_with_their_ticks(frame: pd.DataFrame) -> None:
    fig = plot_slice(frame, "residual", "AUC")
    assert list(fig.layout.xaxis.ticktext) == ["False", "True"]
    assert {trace.name for trace in fig.data} == {"completed", "ended early"}
    spread = np.asarray(fig.data[0].x)
    assert np.abs(spread - np.round(spread)).max() < 0.2


def test_the_slice_sentence_names_the_best_trial_and_the_best_tenth(frame: pd.DataFrame) -> None:
    text = describe_slice(frame, "depth", "AUC")
    assert "n = 32 completed trials" in text
    assert f"depth = {frame['depth'].iloc[39]}" in text
    assert "the best 3 lie between" in text
    assert "and so have the best 3" in describe_slice(frame.assign(depth=2), "depth", "AUC")
    lower = describe_slice(frame, "depth", "RMSE", sign=-1.0)
    assert "RMSE -0.839" in lower or "RMSE −0.839" in lower


def test_parallel_draws_completed_trials_that_have_all_settings(frame: pd.DataFrame) -> None:
    chosen = ["lr", "norm", "momentum"]
    shown = select_complete(frame, chosen)
    assert (shown["norm"] == "batch").all()
    assert (shown["state"] == "complete").all()
    fig = plot_parallel(frame, chosen, "AUC")
    assert list(fig.layout.xaxis.ticktext) == [*chosen, "AUC"]
    assert [trace.name for trace in fig.data] == ["worse half", "other better half", "best tenth"]
    lines = np.concatenate([np.reshape(trace.y, (-1, 5)) for trace in fig.data])
    assert lines.shape[0] == len(shown)
    assert np.isnan(lines[:, -1]).all()  # a gap behind every line
    assert np.nanmin(lines) == 0.0
    assert np.nanmax(lines) == 1.0
    best = np.reshape(fig.data[-1].y, (-1, 5))
    assert best[:, 3].min() >= np.sort(lines[:, 3])[-len(best)]
    assert f"n = {len(shown)} completed trials" in describe_parallel(frame, chosen)
    alike = frame.assign(norm="batch", lr=0.01)
    assert "The best 3 share lr = 0.01, norm = batch" in describe_parallel(alike, ["lr", "norm"])
    assert describe_parallel(frame.iloc[:0], chosen).startswith("No completed trial")


def test_parallel_shows_the_best_of_few_trials_in_front(frame: pd.DataFrame) -> None:
    few = frame[frame["state"] == "complete"].head(3)
    fig = plot_parallel(few, ["lr", "depth"], "AUC")
    assert [trace.name for trace in fig.data] == ["worse half", "best tenth"]
    assert set(fig.data[-1].customdata) == {few.loc[few["score"].idxmax(), "number"]}


def test_parallel_has_at_most_eight_settings() -> None:
    wide = pd.DataFrame({f"s{i}": np.arange(9.0) for i in range(12)})
    wide = wide.assign(number=range(9), state="complete", score=np.arange(9.0))
    fig = plot_parallel(wide, [f"s{i}" for i in range(12)], "AUC")
    assert len(fig.layout.xaxis.tickvals) == MOST_AXES + 1


def test_importance_draws_the_leading_bars_with_their_intervals() -> None:
    rows = pd.DataFrame(
        {
            "family": "mlp", "label": [f"setting {i}" for i in range(20)], "n": 50,
            "share": np.linspace(0.1, 0.0, 20), "low": 0.0, "high": 0.2,
        }
    )  # fmt: skip
    bars = plot_importance(rows).data[0]
    assert len(bars.x) == MOST_BARS
    assert bars.y[-1] == "setting 0"
    assert bars.error_x.array[-1] == pytest.approx(10.0)
    text = describe_importance(rows)
    assert "setting 0 10 % [0, 20]" in text
    assert "n = 50 trials" in text
    assert "first 12 of 20" in text
    assert "No setting" in describe_importance(rows.assign(share=0.0))
    long = plot_importance(rows.assign(label="numeric_embedding.pbld.sigma"))
    assert set(long.data[0].y) == {"numeric_embedding<br>.pbld.sigma"}
    assert long.layout.height > plot_importance(rows).layout.height


def test_markup_in_a_setting_stays_text(frame: pd.DataFrame) -> None:
    evil = frame.assign(norm="<b>x</b>").assign(
        norm=lambda f: f["norm"].where(f["number"] > 3, "y")
    )
    assert "<b>" not in str(plot_slice(evil, "norm", "AUC").layout.xaxis.ticktext)
    written = [note.text for note in plot_parallel(evil, ["norm"], "AUC").layout.annotations]
    assert "y" in written
    assert not any("<b>" in text for text in written)
