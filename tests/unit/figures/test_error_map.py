"""The map of errors as a picture: a series per colour, six at most, text that cannot be markup."""

import numpy as np
import pandas as pd

from automl.figures.error_map import OTHERS, describe_error_map, plot_error_map


def build(n=300, n_series=2):
    rng = np.random.default_rng(0)
    names = np.array([f"<i>{number}</i>" for number in range(n_series)], dtype=object)
    frame = {"row": range(n), "x": rng.normal(size=n), "y": rng.normal(size=n)}
    more = {"series": names[np.arange(n) % n_series], "truth": "a<b", "prediction": 1.5}
    return pd.DataFrame(frame | more)


def test_a_trace_per_series_that_needs_no_webgl_and_no_markup():
    fig = plot_error_map(build(), x="t-SNE 1", y="t-SNE 2")
    assert [trace.type for trace in fig.data] == ["scatter"] * 2
    assert fig.data[0].name == "&lt;i&gt;0&lt;/i&gt;"
    assert fig.data[0].customdata[0][1] == "a&lt;b"
    assert len({trace.marker.symbol for trace in fig.data}) == 2


def test_many_series_are_joined_and_many_rows_thinned():
    frame = build(n=20_000, n_series=9)
    fig = plot_error_map(frame, x="", y="")
    assert len(fig.data) == 6
    assert OTHERS in [trace.name for trace in fig.data]
    assert max(len(trace.x) for trace in fig.data) <= 2_000
    text = describe_error_map(frame)
    assert text.startswith("20,000 rows:")
    assert OTHERS in text
