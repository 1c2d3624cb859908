"""Weights on disk: only of what may still be needed."""

import pytest
from search_simulation import Bench

from automl.search import ensembling
from automl.search.crew import find_trial_folder
from automl.search.ledger import BASELINE, SEARCH


class _Writing:
    """Leaves files behind for every finished trial, as a trainer does."""

    def __init__(self, bench: Bench) -> None:
        self._bench = bench
        self._write = bench.write
        bench.ledger._write = self

    def __call__(self, trials):
        self._write(trials)
        for trial in trials:
            folder = find_trial_folder(self._bench.folder, trial)
            if trial.finished_at and not folder.exists():
                folder.mkdir(parents=True)
                for name in ("model.json", "model.safetensors", "select_prediction.npy"):
                    (folder / name).write_text("x")


@pytest.mark.parametrize("most", [1, 3])
def test_weights_stay_for_candidates_and_baselines_only(tmp_path, monkeypatch, most):
    monkeypatch.setattr(ensembling, "MOST_CANDIDATES", most)
    bench = Bench(tmp_path)
    _Writing(bench)
    rows = bench.run()
    ledger = bench.ledger
    wanted = {ledger.find_best().number, ledger.find_best_network().number}
    candidates = {row.number for row in ensembling.pick_candidates(ledger)}
    assert len(candidates) >= most
    assert candidates & {row.number for row in rows if row.stage == SEARCH}
    wanted |= candidates
    wanted |= {row.number for row in rows if row.stage == BASELINE}
    has_weights = {
        row.number
        for row in rows
        if (find_trial_folder(tmp_path, row) / "model.safetensors").exists()
    }
    assert has_weights == wanted
    searched = [row for row in rows if row.stage == SEARCH]
    assert all(
        (find_trial_folder(tmp_path, r) / "select_prediction.npy").exists() for r in searched
    )
