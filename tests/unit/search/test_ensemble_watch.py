"""The live ensemble: when it is built, and what it may cost."""

from dataclasses import replace

import pytest
from search_simulation import Bench

from automl.jobs.records import Trial, TrialState
from automl.search.ensemble import Ensemble
from automl.search.ensemble_watch import EVERY_SECONDS, SHARE, EnsembleWatch
from automl.search.ledger import SEARCH

FOUND = Ensemble(
    weights={3: 0.6, 4: 0.4}, single=3, picked_by="log_loss", measure="roc_auc", n_candidates=2, n_rows=100, n_guard=20,
    guard_score=0.9, guard_single=0.8, guard_error=0.01,
)  # fmt: skip
ENDED = Trial(number=4, family="mlp", config={}, state=TrialState.COMPLETE, stage=SEARCH, seed=0)


class _Ensembler:
    """Takes logical time to build the same ensemble; counts how often."""

    def __init__(self, bench: Bench, seconds: float) -> None:
        self.spec, self.seconds, self.time, self.built = bench.spec, seconds, 0.0, 0
        self.found = FOUND
        self.counted: list[float] = []

    def build(self) -> Ensemble:
        self.time += self.seconds
        self.built += 1
        return self.found

    def describe(self, _ensemble: Ensemble) -> dict:
        return {"value": 0.91, "low": 0.88, "high": 0.94}


def _watch(tmp_path, seconds: float = 0.01):
    ensembler, shown = _Ensembler(Bench(tmp_path), seconds), []
    watch = EnsembleWatch(
        ensembler, shown.append, ensembler.counted.append, now=lambda: ensembler.time
    )
    watch.look()
    return ensembler, watch, shown


def test_it_is_built_again_only_when_a_trial_has_ended_with_a_score(tmp_path):
    ensembler, watch, shown = _watch(tmp_path)
    ensembler.time += 60
    watch.look()
    assert ensembler.built == 1
    watch.note(replace(ENDED, state=TrialState.PRUNED))
    watch.look()
    assert ensembler.built == 1
    watch.note(ENDED)
    watch.look()
    assert ensembler.built == 2
    assert shown[-1] == {
        "name": "Ensemble of 2 models", "metric": "roc_auc", "value": 0.91, "low": 0.88, "high": 0.94,
    }  # fmt: skip
    assert watch.latest is FOUND


def test_it_waits_at_least_five_seconds_and_never_takes_more_than_its_share(tmp_path):
    for seconds in (0.01, 3.0):
        ensembler, watch, _ = _watch(tmp_path, seconds)
        while ensembler.time < 1_000:
            watch.note(ENDED)
            watch.look()
            ensembler.time += 0.5
        assert ensembler.built * seconds <= SHARE * ensembler.time + seconds
        assert ensembler.built <= ensembler.time / EVERY_SECONDS + 1
        assert ensembler.built > 2
        assert sum(ensembler.counted) == pytest.approx(ensembler.built * seconds)


def test_where_one_model_is_better_alone_nothing_is_shown(tmp_path):
    ensembler, watch, shown = _watch(tmp_path)
    ensembler.found = replace(FOUND, guard_score=0.7)
    ensembler.time += 60
    watch.note(ENDED)
    watch.look()
    assert shown[-1] is None
