"""Every picture draws what its frame says, in the one template, and its sentence reads the numbers."""

import numpy as np
import pandas as pd
import plotly.graph_objects as go
import pytest
from hypothesis import given
from hypothesis import strategies as st

from automl.figures import reading
from automl.figures.architecture import compute_layers, describe_architecture, plot_architecture
from automl.figures.confusion import compute_shares, describe_confusion, plot_confusion
from automl.figures.ensemble import describe_ensemble_weights, plot_ensemble
from automl.figures.error_deciles import describe_error_deciles, plot_error_deciles
from automl.figures.intermediate_values import (
    describe_intermediate_values,
    plot_intermediate_values,
)
from automl.figures.leaderboard import describe_leaderboard, plot_leaderboard
from automl.figures.learning_curve import describe_learning_curves, plot_learning_curves
from automl.figures.precision_recall import describe_precision_recall, plot_precision_recall
from automl.figures.predicted_actual import describe_predicted_actual, plot_predicted_actual
from automl.figures.reliability import describe_reliability, plot_reliability
from automl.figures.residuals import (
    describe_residual_histogram,
    describe_residuals,
    plot_residual_histogram,
    plot_residuals,
)
from automl.figures.roc import describe_roc, plot_roc
from automl.figures.search_history import (
    compute_history,
    describe_search_history,
    plot_search_history,
)
from automl.figures.style import MAX_SERIES, get_style, label, thin
from fairness.template import PALETTE, SYMBOLS
from tests.unit.figures import frames


def test_every_picture_has_the_template_and_titles_on_its_axes() -> None:
    pictures = frames.plot_all()
    assert len(pictures) == 13
    for name, fig in pictures.items():
        assert tuple(fig.layout.template.layout.colorway) == PALETTE, name
        assert fig.to_json(), name


def test_roc_draws_at_most_six_series_told_apart_without_colour() -> None:
    frame = pd.concat([frames.build_roc(f"model {i}") for i in range(9)])
    lines = [trace for trace in plot_roc(frame).data if trace.showlegend is not False]
    assert len(lines) == MAX_SERIES
    assert len({trace.line.dash for trace in lines}) == MAX_SERIES


def test_a_colour_that_comes_again_has_another_symbol() -> None:
    styles = [get_style(index) for index in range(3 * len(SYMBOLS))]
    assert len({(style.color, style.symbol) for style in styles}) == len(styles)


def test_roc_sentence_reads_the_first_series_at_a_tenth() -> None:
    frame = pd.DataFrame(
        {"series": "A", "false_positive_rate": [0, 0.2, 1], "true_positive_rate": [0, 0.8, 1]}
    )
    assert "A finds 40.0 % of the positives" in describe_roc(frame)
    assert describe_roc(frame.iloc[:0]) == "There is no curve to draw."


def test_precision_recall_shows_the_base_rate_it_is_given() -> None:
    frame = pd.DataFrame({"series": "A", "recall": [0.2, 0.9, 1], "precision": [1, 0.6, 0.25]})
    fig = plot_precision_recall(frame, 0.25)
    assert fig.layout.shapes[0].y0 == 0.25
    assert "60.0 %" in describe_precision_recall(frame, 0.25)
    assert "25.0 %" in describe_precision_recall(frame, 0.25)
    assert not plot_precision_recall(frame).layout.shapes


def test_confusion_shares_of_an_empty_row_are_absent_and_rows_add_up() -> None:
    frame = pd.DataFrame(
        {"truth": ["a", "a", "b", "b"], "predicted": ["a", "b", "a", "b"], "n": [3, 1, 0, 0]}
    )
    shares = compute_shares(frame, "row")["share"]
    assert shares.iloc[:2].tolist() == [0.75, 0.25]
    assert shares.iloc[2:].isna().all()
    heat = plot_confusion(frame).data[0]
    assert "3<br>75.0 %" in heat.text[0][0]
    assert heat.text[1][0].endswith("–")
    assert "3 of 4 decisions (75.0 %)" in describe_confusion(frame)
    assert "a taken for b (1 time)" in describe_confusion(frame)


@given(st.lists(st.integers(0, 50), min_size=9, max_size=9))
def test_confusion_shares_stay_within_0_and_1(counts: list[int]) -> None:
    names = ["x", "y", "z"]
    frame = pd.DataFrame(
        {"truth": np.repeat(names, 3), "predicted": np.tile(names, 3), "n": counts}
    )
    for by in ("row", "column", "total"):
        share = compute_shares(frame, by)["share"].dropna()
        assert ((share >= 0) & (share <= 1)).all()


def test_reliability_draws_bins_of_the_last_series_only_and_counts_the_inside() -> None:
    bins, curve, histogram = frames.build_reliability()
    fig = plot_reliability(bins, curve, histogram)
    marked = [trace for trace in fig.data if getattr(trace, "mode", "") == "markers"]
    assert [trace.name for trace in marked] == ["after · 95 % intervals"]
    rows = bins[bins["series"] == "after"]
    inside = int(((rows["low"] <= rows["mean_score"]) & (rows["mean_score"] <= rows["high"])).sum())
    assert f"after: in {inside} of {len(rows)} bins" in describe_reliability(bins)


def test_learning_curves_mark_the_best_epoch_and_dash_the_select_loss() -> None:
    frame = frames.build_epochs().assign(series="mlp")
    fig = plot_learning_curves(frame)
    select = next(trace for trace in fig.data if trace.name == "mlp · select")
    best = next(trace for trace in fig.data if trace.name == "best epoch")
    assert select.line.dash == "dash"
    assert best.x[0] == frame.loc[frame["score"].idxmax(), "epoch"]
    assert fig.layout.yaxis.type == "log"
    assert "best at epoch 7 of 10" in describe_learning_curves(frame)


def test_ticks_of_a_log_axis_are_whole_numbers_of_the_loss() -> None:
    frame = frames.build_epochs().assign(series="mlp")
    ticks = plot_learning_curves(frame).layout.yaxis
    assert len(ticks.tickvals) >= 3
    assert list(ticks.ticktext) == [f"{value:g}" for value in ticks.tickvals]
    narrow = frame.assign(train_loss=0.5, select_loss=0.6)
    assert plot_learning_curves(narrow).layout.yaxis.type != "log"


def test_learning_curves_with_a_loss_of_zero_are_not_on_a_log_axis() -> None:
    frame = frames.build_epochs().assign(series="mlp", train_loss=0.0)
    assert plot_learning_curves(frame).layout.yaxis.type != "log"


def test_the_legend_of_the_history_shows_a_filled_mark_where_a_trial_was_completed() -> None:
    trials = pd.DataFrame(
        {
            "number": [1, 2, 3], "family": ["a", "a", "b"], "score": [0.9, 0.8, 0.7],
            "state": ["pruned", "complete", "pruned"],
        }
    )  # fmt: skip
    first, second, _ = plot_search_history(compute_history(trials), "AUC").data
    assert list(first.marker.symbol) == ["circle", "circle-open"]
    assert list(first.customdata) == [2, 1]
    assert list(second.marker.symbol) == ["square-open"]


def test_history_counts_no_pruned_trial_as_best() -> None:
    trials = pd.DataFrame(
        {
            "number": [0, 1, 2, 3],
            "family": "mlp",
            "state": ["complete", "pruned", "complete", "failed"],
            "score": [0.7, 0.9, 0.8, np.nan],
        }
    )
    history = compute_history(trials)
    assert history["best_so_far"].tolist() == [0.7, 0.7, 0.8]
    assert "0.8" in describe_search_history(history, "AUC")
    assert "trial 2" in describe_search_history(history, "AUC")
    assert "1 trial was ended early" in describe_search_history(history, "AUC")
    assert describe_search_history(history.iloc[:0], "AUC") == "No trial has a score yet."


@pytest.mark.parametrize("n", [1, 10, 10_000])
def test_search_pictures_draw_any_number_of_trials(n: int) -> None:
    history = compute_history(frames.build_trials(n))
    fig = plot_search_history(history, "AUC")
    assert sum(len(trace.x) for trace in fig.data) <= 2 * 4_000
    epochs = pd.DataFrame({"trial": range(n), "epoch": 1, "score": 0.5, "state": "complete"})
    assert len(plot_intermediate_values(epochs, "AUC").data) <= 100
    assert f"{n:,} trials" in describe_intermediate_values(epochs)


def test_history_range_leaves_a_diverged_trial_out_and_says_so() -> None:
    trials = frames.build_trials(20)
    trials.loc[0, "score"] = -1e9
    history = compute_history(trials)
    assert plot_search_history(history, "AUC").layout.yaxis.range[0] > -10
    assert "1 worse score lies outside the picture" in describe_search_history(history, "AUC")


def test_leaderboard_tells_tiers_by_shape_and_counts_ties() -> None:
    board = frames.build_board()
    fig = plot_leaderboard(board, "AUC")
    assert {trace.marker.symbol for trace in fig.data} == {"circle", "square-open"}
    text = describe_leaderboard(board, "AUC")
    assert text.startswith("MLP 12 leads with AUC 0.927 [0.923, 0.931]")
    assert "1 other model is within noise" in text


def test_a_long_leaderboard_says_how_many_are_drawn() -> None:
    board = pd.concat([frames.build_board()] * 20, ignore_index=True)
    assert f"The best 20 of {len(board)} are drawn" in describe_leaderboard(board, "AUC")
    assert "are drawn" not in describe_leaderboard(frames.build_board(), "AUC")


def test_the_axis_of_equal_models_stays_near_them() -> None:
    board = frames.build_board().assign(value=1.0, low=1.0, high=1.0)
    low, high = plot_leaderboard(board, "AUC").layout.xaxis.range
    assert 0.9 < low < 1 < high < 1.1


def test_predicted_actual_thins_marks_but_says_the_slope_of_all() -> None:
    frame = frames.build_values(9_000)
    dots = plot_predicted_actual(frame, "price").data[0]
    assert len(dots.x) <= 3_000
    both = frame[["truth", "prediction"]].to_numpy()
    for axis in (
        plot_predicted_actual(frame, "price").layout.xaxis,
        plot_predicted_actual(frame, "price").layout.yaxis,
    ):
        assert axis.range[0] <= both.min() <= both.max() <= axis.range[1]  # no label widens it
    assert "0.90" in describe_predicted_actual(frame, 0.9)
    assert "too extreme" in describe_predicted_actual(frame, 0.9)
    assert "all predictions are equal" in describe_predicted_actual(frame, None)


def test_a_slope_that_noise_explains_is_not_read_as_an_error() -> None:
    generator = np.random.default_rng(0)
    prediction = generator.normal(0, 1, 40)
    frame = pd.DataFrame(
        {"prediction": prediction, "truth": prediction + generator.normal(0, 3, 40)}
    )
    text = describe_predicted_actual(frame, 0.8)
    assert "within noise of right" in text
    assert "0.80 [" in text
    assert "too extreme" in describe_predicted_actual(frame.assign(truth=0.8 * prediction), 0.8)


def test_residual_sentence_gives_the_middle_half() -> None:
    frame = pd.DataFrame({"prediction": [1.0, 2, 3, 4], "residual": [-1.0, 0, 1, 2]})
    assert "median 0.5" in describe_residuals(frame)
    assert "50.0 % are predicted too high" in describe_residuals(frame)
    assert isinstance(plot_residuals(frame, "price"), go.Figure)
    bars = plot_residual_histogram(pd.DataFrame({"low": [0.0], "high": [2.0], "n": [4]}), "price")
    assert bars.data[0].x[0] == 1.0


@pytest.mark.parametrize(("n", "n_bars"), [(66, 10), (600, 20), (20_000, 40)])
def test_few_residuals_are_not_spread_over_many_bars(n: int, n_bars: int) -> None:
    edges = np.linspace(-5, 5, 41)
    counts = np.bincount(np.arange(n) % 40, minlength=40)
    frame = pd.DataFrame({"low": edges[:-1], "high": edges[1:], "n": counts})
    bars = plot_residual_histogram(frame, "price").data[0]
    assert len(bars.y) == n_bars
    assert sum(bars.y) == n


def test_the_histogram_sentence_gives_the_fullest_bar_and_both_sides() -> None:
    frame = pd.DataFrame({"low": [-2.0, -1.0, 0.0], "high": [-1.0, 0.0, 1.0], "n": [1, 6, 3]})
    text = describe_residual_histogram(frame)
    assert "10 rows" in text
    assert "from −2.00 to 1.00" in text
    assert "6 rows" in text


def test_error_by_decile_names_the_worst_tenth() -> None:
    frame = pd.DataFrame({"low": [0.0, 1.0], "high": [1.0, 9.0], "mae": [0.1, 0.7], "n": [5, 5]})
    assert list(plot_error_deciles(frame, "price").data[0].x) == [0.1, 0.7]
    assert "between 1 and 9" in describe_error_deciles(frame)


def test_architecture_puts_the_inputs_beside_each_other() -> None:
    frame = compute_layers(frames.LAYERS)
    assert frame["level"].tolist() == [0, 0, 1, 2, 3]
    fig = plot_architecture(frame)
    boxes = [shape for shape in fig.layout.shapes if shape.opacity is not None]
    assert len(boxes) == len(frames.LAYERS)
    assert boxes[0].x1 < boxes[1].x0
    assert "4 layers with 3,300 parameters; first holds 61 % of them" in describe_architecture(
        frame
    )


def test_a_block_keeps_every_line_short_enough_for_a_phone() -> None:
    layer = {
        "name": "Numbers", "kind": "piecewise embedding", "output": 192, "parameters": 70_560,
        "detail": "96 bins, 12 per column",
    }  # fmt: skip
    texts = [note.text for note in plot_architecture(compute_layers([layer])).layout.annotations]
    lines = next(text for text in texts if "Numbers" in text).split("<br>")
    assert len(lines) == 3
    assert all(len(line) <= 46 for line in lines)


def test_architecture_of_nothing_is_an_empty_picture() -> None:
    frame = compute_layers([])
    assert not plot_architecture(frame).layout.shapes
    assert "no layers" in describe_architecture(frame)


def test_labels_carry_no_markup_and_are_cut() -> None:
    assert label("<b>x</b>") == "&lt;b&gt;x&lt;/b&gt;"
    assert label("y" * 60).endswith("…")
    frame = frames.build_roc("<script>alert(1)</script>")
    assert all("<script>" not in trace.name for trace in plot_roc(frame).data)


@given(st.integers(0, 6_000), st.integers(2, 2_000))
def test_thin_keeps_the_ends(n: int, limit: int) -> None:
    shown = thin(pd.DataFrame({"x": range(n)}), limit)
    assert len(shown) <= max(limit, 0) or n <= limit
    if n:
        assert shown["x"].iloc[0] == 0
        assert shown["x"].iloc[-1] == n - 1


@pytest.mark.parametrize(
    ("numbers", "text"),
    [
        ((0.9268, 0.9231, 0.9309), "0.927 [0.923, 0.931]"),
        ((0.004, 0.001, 0.181), "0.004 [0.001, 0.181]"),
        ((0.00431, -0.0027, 0.01137), "0.004 [−0.003, 0.011]"),
        ((1.25, -0.9, 3.4), "1.25 [−0.90, 3.40]"),
        ((45_210.4, 44_100.0, 46_300.0), "45,210 [44,100, 46,300]"),
        ((0.5, None, None), "0.500"),
        ((None, 0.1, 0.2), "–"),
    ],
)
def test_numbers_have_the_digits_their_interval_deserves(
    numbers: tuple[float | None, float | None, float | None], text: str
) -> None:
    assert reading.render_interval(*numbers) == text


@given(st.floats(-1e6, 1e6), st.floats(0, 1e6))
def test_an_interval_never_loses_its_value(value: float, half: float) -> None:
    text = reading.render_interval(value, value - half, value + half)
    assert "nan" not in text
    assert text.count("[") <= 1


def test_an_ensemble_is_bars_from_the_heaviest_down() -> None:
    frame = pd.DataFrame(
        {"name": ["MLP 3", "Linear"], "weight": [0.75, 0.25], "family": ["MLP", "Linear"]}
    )
    (bars,) = plot_ensemble(frame).data
    assert list(bars.y) == ["Linear", "MLP 3"]
    assert list(bars.x) == [25, 75]
    assert "2 models of 2 families; MLP 3 says most, 75 %" in describe_ensemble_weights(frame)
    assert "one family" in describe_ensemble_weights(frame.head(1))
