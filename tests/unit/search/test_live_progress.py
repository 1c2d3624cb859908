"""The live progress: what it calls best, how it cuts warnings."""

from hypothesis import given
from hypothesis import strategies as st
from image_simulation import build_bench, build_image_spec

from automl.search.goals import ModelLimits
from automl.search.ledger import BASELINE
from automl.search.progress import MOST_WARNING_LENGTH, build_progress, shorten_warnings
from automl.search.spec import Budget


def test_a_baseline_over_a_limit_is_not_the_live_best(tmp_path):
    limits = ModelLimits(parameters=2_500)
    bench = build_bench(tmp_path, build_image_spec(limits=limits, budget=Budget(trials=4)))
    bench.run()
    small = next(row for row in bench.ledger.list_trials(BASELINE) if row.family == "small_cnn")
    bench.ledger.update(small.number, score=0.99)
    first = bench.ledger.list_scored()[0]
    assert first.number == small.number
    assert not bench.ledger.is_within_limits(first)
    best = build_progress("search", bench.context, bench.ledger, bench.crew)["best"]
    assert best["trial"] == bench.ledger.find_best().number
    assert best["trial"] != first.number


def test_without_a_model_within_the_limits_there_is_no_live_best(tmp_path):
    bench = build_bench(tmp_path)
    bench.build()
    assert build_progress("search", bench.context, bench.ledger, bench.crew)["best"] is None


def test_a_cut_warning_ends_at_a_word_and_shows_it():
    text = "The column has a very long name and is not used. " * 10
    (short,) = shorten_warnings([text])
    assert short.endswith("…")
    assert len(short) <= MOST_WARNING_LENGTH
    assert text.startswith(f"{short[:-1]} ")
    assert shorten_warnings(["short", "x" * MOST_WARNING_LENGTH]) == [
        "short",
        "x" * MOST_WARNING_LENGTH,
    ]


def test_a_word_that_is_too_long_is_cut_itself():
    text = "a " * 50 + "x" * 300
    (short,) = shorten_warnings([text])
    assert len(short) == MOST_WARNING_LENGTH
    assert short[:-1] == text[: MOST_WARNING_LENGTH - 1]


@given(st.text("ab ä", max_size=500))
def test_a_warning_keeps_its_beginning(text):
    (short,) = shorten_warnings([text])
    assert len(short) <= MOST_WARNING_LENGTH
    assert short == text or (short[-1] == "…" and text.startswith(short[:-1]))
