"""Where nothing beats the constant, the constant is what one gets, and it is said."""

from dataclasses import replace

from search_simulation import Bench, build_spec

from automl.search.floor import warn_of_floor
from automl.search.goals import ModelLimits


def _run(tmp_path, worst=0.0, **changes):
    """A finished search; every score above the constant's is lowered to ``worst``, if that is not 0."""
    bench = Bench(tmp_path, spec=build_spec(**changes))
    bench.run()
    for row in bench.ledger.list_scored():
        if row.family != "constant" and worst:
            bench.ledger.put(replace(row, score=worst))
    warn_of_floor(bench.context, bench.ledger)
    return bench


def test_a_search_that_beats_the_constant_says_nothing_of_it(tmp_path):
    bench = _run(tmp_path)
    assert bench.ledger.find_best().family != "constant"
    assert not any("constant" in text for text in bench.warnings.texts)


def test_the_constant_is_delivered_aloud_where_nothing_scores_higher(tmp_path):
    constant = _run(tmp_path / "first").ledger[0]
    for place, score in enumerate((0.1, constant.score)):  # who is only as good does not beat it
        bench = _run(tmp_path / str(place), worst=score)
        assert bench.ledger.find_best().family == "constant"
        (text,) = (text for text in bench.warnings.texts if "the constant is delivered" in text)
        n_others = len(bench.ledger.list_scored()) - 1
        assert f"None of the {n_others} other models scored higher" in text
        assert "n = 150 select rows" in text
        assert "ROC AUC" in text


def test_where_only_the_limits_leave_the_constant_that_is_the_reason(tmp_path):
    bench = _run(tmp_path, limits=ModelLimits(parameters=1))
    assert bench.ledger.find_best().family == "constant"
    assert any("No model within the limits" in text for text in bench.warnings.texts)
