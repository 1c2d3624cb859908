"""Gain, lift and the distance of the classes: what is drawn and what the sentences say."""

import numpy as np
import pandas as pd

from automl.evaluation.curves import compute_roc
from automl.evaluation.gains import compute_gain, compute_gain_table, compute_separation
from automl.figures.gain import describe_gain, describe_lift, plot_gain, plot_lift
from automl.figures.separation import describe_separation, plot_separation

POSITIVE = np.arange(1_000) % 10 < 3
SCORE = np.where(POSITIVE, 0.6, 0.3) + np.linspace(-0.2, 0.2, 1_000)


def test_both_pictures_draw_every_series_and_the_line_of_chance():
    frame = pd.concat([compute_gain(POSITIVE, SCORE, name) for name in ("a", "b")])
    gain, lift = plot_gain(frame), plot_lift(frame)
    assert [trace.name for trace in gain.data] == ["chance", "a", "b"]
    assert [trace.name for trace in lift.data] == ["a", "b"]
    assert lift.layout.annotations[0].text == "chance"
    assert min(lift.data[0].x) >= 0.005  # fewer rows are mostly noise
    assert max(gain.data[1].y) == 1


def test_the_sentences_have_numbers_intervals_and_n():
    table = compute_gain_table(POSITIVE, SCORE, "a")
    gain, lift = describe_gain(table), describe_lift(table)
    assert "10.0 % of the rows with the highest score (n = 100)" in gain
    assert "of the 300 positives; chance finds 10.0 %" in gain
    assert "33.3 [" in gain
    assert "3.33 [" in lift
    assert "times as many positives" in lift
    assert describe_gain(table.head(0)) == describe_lift(table.head(0))


def test_the_distance_is_marked_where_it_is_largest():
    row = compute_separation(POSITIVE, SCORE, "a").iloc[0]
    fig = plot_separation(compute_roc(POSITIVE, SCORE, "a"), row)
    marked = fig.data[2]
    assert marked.x == (row["threshold"], row["threshold"])
    assert abs(marked.y[0] - marked.y[1] - row["ks"]) < 1e-12
    text = describe_separation(row)
    assert "300 positives" in text
    assert "700 negatives" in text
    assert f"(KS) of {row['ks']:.3f} [" in text
