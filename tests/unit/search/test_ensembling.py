"""The ensemble of a search: who is a candidate, what is trained again, what happens when time is short."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from image_simulation import build_image_spec
from search_simulation import Bench, SimulatedTrainers, build_spec

from automl.data.preparing import PrepareRequest, prepare, save_prepared
from automl.data.views import Part
from automl.jobs.records import StopMode, Trial, TrialState
from automl.search import ensembling
from automl.search.crew import find_trial_folder
from automl.search.ensembling import Ensembler, may_ensemble, pick_candidates
from automl.search.ledger import BASELINE, REFIT
from automl.search.progress import build_progress
from automl.search.refit_plan import estimate_refits, plan_refits
from automl.search.refits import Refitter
from automl.search.spec import Budget, SearchSpec

N_ROWS = 1_500


class _Predicting:
    """Leaves select predictions behind for every trial that ended: each right in its own way."""

    def __init__(self, bench: Bench, truth: np.ndarray) -> None:
        self._bench, self._truth, self._write = bench, truth, bench.write
        bench.ledger._write = self

    def __call__(self, trials: list[Trial]) -> None:
        self._write(trials)
        for trial in trials:
            folder = find_trial_folder(self._bench.folder, trial)
            if trial.finished_at and not folder.exists():
                noise = np.random.default_rng(trial.number).normal(0, 1.5, len(self._truth))
                share = 1 / (1 + np.exp(-(2 * self._truth - 1 + noise)))
                folder.mkdir(parents=True)
                np.save(folder / "select_prediction.npy", np.column_stack([1 - share, share]))


def _prepare(folder: Path, spec: SearchSpec) -> np.ndarray:
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({"age": rng.normal(size=N_ROWS)})
    frame["income"] = np.where(frame["age"] + rng.normal(size=N_ROWS) > 0.5, "yes", "no")
    result = prepare(
        PrepareRequest(frame=frame, columns=spec.columns, task=spec.task, split_plan=spec.split)
    )
    save_prepared(folder / "prepared" / "search", result.prepared)
    return np.asarray(result.prepared.target[result.prepared.parts[Part.SELECT]])


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    """A finished search of twelve trials."""
    bench = Bench(tmp_path)
    _Predicting(bench, _prepare(tmp_path, bench.spec))
    bench.run()
    return bench


def _build(bench: Bench):
    return Ensembler(bench.spec, bench.folder, bench.ledger).build()


def _refit(bench: Bench):
    refitter = Refitter(bench.context, bench.ledger, bench.crew)
    steps = refitter.run()
    while True:
        try:
            next(steps)
        except StopIteration as end:
            return refitter.ensemble, end.value


def test_the_ensemble_of_a_search_is_built_from_its_predictions_and_repeats(bench):
    ensemble = _build(bench)
    assert ensemble.is_delivered
    assert ensemble.single == bench.ledger.find_best().number
    assert ensemble == _build(bench)


def test_without_predictions_there_is_none(tmp_path):
    bench = Bench(tmp_path)
    bench.run()
    assert _build(bench) is None


def test_candidates_are_the_best_and_the_best_of_every_family(bench, monkeypatch):
    monkeypatch.setattr(ensembling, "MOST_CANDIDATES", 2)
    rows = pick_candidates(bench.ledger)
    assert [row.number for row in rows[:2]] == [
        row.number for row in bench.ledger.list_scored()[:2]
    ]
    tried = {row.family for row in bench.ledger.list_scored()}
    assert len(tried) > 3
    assert {row.family for row in rows} == tried - {"constant"}


def test_several_models_never_predict_where_size_or_time_counts():
    assert may_ensemble(build_spec())
    assert not may_ensemble(build_image_spec())


def test_members_are_trained_again_and_all_seeds_of_one_share_its_weight(bench):
    ensemble, models = _refit(bench)
    first = models[0]
    assert first.trial is None
    assert first.roles == ("winner",)
    assert first.is_refit
    assert bench.context.milestones.ensemble_seconds > 0
    assert sum(first.weights) == pytest.approx(1)
    shares = dict.fromkeys(ensemble.weights, 0.0)
    for member in first.members:
        shares[member.trial] += member.weight
    assert shares == pytest.approx(dict(ensemble.weights))
    alone = [number for number in ensemble.weights if number not in {m.trial for m in models}]
    assert alone
    assert all(sum(m.trial == number for m in first.members) == 1 for number in alone)
    assert "single" in models[1].roles


def test_a_repeated_refit_adopts_what_is_there(bench):
    first = _refit(bench)
    n_rows = len(bench.ledger.list_trials(REFIT))
    assert _refit(bench) == first
    assert len(bench.ledger.list_trials(REFIT)) == n_rows


def test_what_does_not_fit_into_the_time_enters_with_its_model_of_the_search(tmp_path):
    trainers = SimulatedTrainers(seconds_per_poll=0.05)
    bench = Bench(tmp_path, spec=build_spec(budget=Budget(seconds=60)), trainers=trainers)
    _Predicting(bench, _prepare(tmp_path, bench.spec))
    bench.run()
    for row in bench.ledger.list_trials():
        bench.ledger.put(replace(row, fit_seconds=500.0))
    ensemble, models = _refit(bench)
    assert ensemble.is_delivered
    old = {member.trial for member in models[0].members if not member.is_refit}
    only = {refit.source.number for refit in plan_refits(bench.ledger, 3, ensemble) if refit.is_member_only}  # fmt: skip
    assert only
    assert only <= old
    (said,) = [text for text in bench.warnings.texts if "of the ensemble" in text]
    assert f"{len(old)} of {len(ensemble.weights)}" in said


def test_a_stop_ends_with_the_ensemble(bench):
    bench.stop = StopMode.KEEP_BEST
    _, models = _refit(bench)
    assert models[0].trial is None


def test_the_reserve_counts_the_members(bench):
    ensemble = _build(bench)
    alone = estimate_refits(bench.ledger, bench.context)
    assert estimate_refits(bench.ledger, bench.context, ensemble) > alone


def test_an_ensemble_that_lost_changes_no_plan(bench):
    ensemble = _build(bench)
    lost = replace(ensemble, guard_score=ensemble.guard_single - 2 * ensemble.guard_error)
    assert not lost.is_delivered
    assert plan_refits(bench.ledger, 3, lost) == plan_refits(bench.ledger, 3)


def test_what_failed_or_was_ended_early_is_no_candidate(bench):
    best = bench.ledger.find_best()
    bench.ledger.put(replace(best, state=TrialState.PRUNED))
    assert best.number not in {row.number for row in pick_candidates(bench.ledger)}
    assert all(row.family != "constant" for row in pick_candidates(bench.ledger))
    assert any(row.stage == BASELINE for row in pick_candidates(bench.ledger))


def test_the_live_ensemble_stands_beside_the_best_one_alone(tmp_path):
    bench = Bench(tmp_path, trainers=SimulatedTrainers(seconds_per_poll=1.0))
    _Predicting(bench, _prepare(tmp_path, bench.spec))
    bench.run()
    described = bench.context.milestones.ensemble
    assert described["name"].startswith("Ensemble of")
    assert described["low"] < described["value"] < described["high"]
    progress = build_progress("search", bench.context, bench.ledger, bench.crew)
    assert progress["ensemble"] == described
    assert progress["best"]["trial"] == bench.ledger.find_best().number
