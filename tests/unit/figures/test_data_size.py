"""The curve over data size: what is drawn, and what its sentence says."""

from dataclasses import replace

import pytest

from automl.evaluation.data_size import SizeCurve, SizePoint
from automl.figures.data_size import compute_size_frame, describe_sizes, plot_sizes


def build_curve(*points):
    return SizeCurve(
        model="MLP 12", family="mlp", metric="roc_auc", n_judged=750, seed=0, device="cpu",
        points=points or (
            SizePoint(n_rows=750, value=0.9, low=0.88, high=0.92),
            SizePoint(n_rows=1_500, value=None, low=None, high=None, failure="It diverged."),
            SizePoint(n_rows=3_000, value=0.92, low=0.9, high=0.94, change=0.02, change_low=0.01, change_high=0.03),
        ),
    )  # fmt: skip


def test_sizes_that_failed_are_in_the_table_and_not_in_the_picture():
    frame = compute_size_frame(build_curve())
    assert frame["failure"].tolist() == ["", "It diverged.", ""]
    fig = plot_sizes(frame, "ROC AUC")
    assert list(fig.data[0].x) == [750, 3_000]
    assert list(fig.data[0].error_y.array) == pytest.approx([0.02, 0.02])
    assert fig.layout.xaxis.ticktext == ("750", "3,000")


def test_the_sentence_has_numbers_and_no_verdict():
    text = describe_sizes(build_curve(), "ROC AUC")
    assert "n = 750 rows of the select part" in text
    assert "From 750 to 3,000 rows it changed by 0.020 [0.010, 0.030]." in text
    assert "Were 6,000 rows to change it as much again, it would be 0.940 [0.930, 0.950]" in text
    assert "1 of 3 sizes could not be trained" in text
    close = SizePoint(
        n_rows=60, value=0.99, low=0.98, high=1, change=0.02, change_low=0, change_high=0.04
    )
    near = describe_sizes(
        build_curve(SizePoint(n_rows=30, value=0.97, low=0.9, high=1), close), "ROC AUC"
    )
    assert "it would be 1.000 [0.990, 1.000]" in near  # an AUC ends at 1
    assert "the select part may also have ended it" in text
    planned = replace(build_curve(), epochs=12)
    assert "with about as many steps as 12 epochs of all rows" in describe_sizes(planned, "ROC AUC")
    one = SizePoint(n_rows=30, value=0.7, low=0.5, high=0.8)
    assert "changed" not in describe_sizes(build_curve(one), "ROC AUC")
    none = SizePoint(n_rows=30, value=None, low=None, high=None, failure="x")
    assert describe_sizes(build_curve(none), "ROC AUC") == "No size could be trained."
