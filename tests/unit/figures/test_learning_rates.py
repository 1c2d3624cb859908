"""The picture of a learning-rate test and its sentence."""

from dataclasses import replace

import numpy as np
import pytest

from automl.figures.learning_rates import (
    compute_rate_frame,
    describe_learning_rates,
    plot_learning_rates,
)
from automl.training.learning_rates import (
    RateTest,
    compute_smoothed,
    judge,
    list_rates,
    render_losses,
)
from fairness.template import PALETTE


def build_test(wild: float = 0.3) -> RateTest:
    """Losses that fall towards a rate of 0.01 and explode from ``wild`` on."""
    rates = list_rates()
    fall = np.exp(-(np.log10(np.array(rates) / 0.01) ** 2))
    losses = 1 - 0.9 * fall[:, None] * np.linspace(0, 1, 60)
    losses[np.array(rates) >= wild, 2:] = [50.0] * 57 + [np.nan]
    verdict = judge(rates, losses)
    return RateTest(
        network="MLP 7", family="mlp", optimizer="adamw", chosen=0.005, rates=rates,
        losses=render_losses(losses), smoothed=render_losses(compute_smoothed(losses)),
        first_diverging=verdict.first_diverging, suggested=verdict.suggested, reason=verdict.reason,
        n_rows=2400, batch_size=256, seed=0,
    )  # fmt: skip


def test_the_frame_has_a_row_per_rate_and_knows_what_diverges() -> None:
    test = build_test()
    frame = compute_rate_frame(test)
    assert len(frame) == 32
    assert frame["diverges"].tolist() == [rate >= 0.3 for rate in frame["rate"]]
    assert frame.loc[frame["diverges"], "loss"].isna().all()
    assert (frame["highest"] >= frame["loss"])[~frame["diverges"]].all()


def test_the_picture_marks_the_suggested_and_the_chosen_rate_on_a_log_axis() -> None:
    test = build_test()
    fig = plot_learning_rates(compute_rate_frame(test), test)
    assert tuple(fig.layout.template.layout.colorway) == PALETTE
    assert fig.layout.xaxis.type == "log"
    names = [trace.name for trace in fig.data]
    assert names == [
        "loss after the last step", "diverges", f"suggested: {test.suggested:.2g}", "chosen: 0.005",
    ]  # fmt: skip
    assert list(fig.data[3].x) == [0.005, 0.005]
    assert fig.layout.yaxis.range[1] < 1.5  # what explodes flattens nothing


def test_the_sentence_has_n_the_reason_and_the_chosen_rate() -> None:
    test = build_test()
    text = describe_learning_rates(compute_rate_frame(test), test)
    assert "n = 2,400 training rows" in text
    assert test.reason in text
    assert f"Suggested: {test.suggested:.2g} (loss" in text
    assert "Chosen for MLP 7 was 0.005" in text
    assert "No rate diverges" not in text
    calm = build_test(wild=2.0)
    assert "No rate diverges." in describe_learning_rates(compute_rate_frame(calm), calm)


@pytest.mark.parametrize("loss", [1.0, None])
def test_a_test_that_suggests_nothing_is_drawn_too(loss: float | None) -> None:
    rows = ((loss,) * 60,) * 32
    test = replace(
        build_test(), losses=rows, smoothed=rows, suggested=None, reason="No rate lowers the loss.",
        first_diverging=None if loss else 1e-5,
    )  # fmt: skip
    frame = compute_rate_frame(test)
    assert plot_learning_rates(frame, test).to_json()
    text = describe_learning_rates(frame, test)
    assert "No rate lowers the loss." in text
    assert "Suggested" not in text
