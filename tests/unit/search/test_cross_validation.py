"""Folds in a search: who gets them, what they rule out, and how trials are judged by them."""

import json

import pytest
from search_simulation import Bench, SimulatedTrainers, build_spec, simulate_score

from automl.arguments import parse_folds
from automl.data.dataset import DataKind
from automl.data.split_plan import build_split_plan
from automl.errors import SpecError
from automl.execution.messages import EpochDone
from automl.jobs.records import TrialState
from automl.search.coordinator import Coordinator
from automl.search.cross_validation import choose_folds, describe_folds, without_folds
from automl.search.ledger import SEARCH
from automl.search.offers import PRUNERS, Pruner, list_refused
from automl.search.rungs import build_fold_plan
from automl.search.spec import Resources, parse_spec, render_spec
from automl.training.epoch import Epoch, Verb
from automl.worker.result_record import build_trial_rows

STRATIFIED = build_split_plan(test_given=False, group=None)
N_FOLDS = 5


class FoldTrainers(SimulatedTrainers):
    """Every poll ends a fold of five: its score is that of the configuration, and a little more in each fold."""

    def _step(self, job):
        command, fold, _, verb = job
        if verb is not Verb.CONTINUE or fold >= N_FOLDS:
            return self._finish(command, fold, verb)
        job[1] = fold = fold + 1
        job[2] = awaits = fold in command.rungs
        epoch = Epoch(
            number=1, train_loss=1.0, select_loss=1.0, score=0.0, learning_rate=0.0, seconds=0.1,
            is_best=False, fold=fold, closes_fold=True,
            fold_score=simulate_score(command, 50) + fold / 1000,
        )  # fmt: skip
        return EpochDone(trial=command.trial, awaits=awaits, epoch=epoch)


def run(folder, **changes):
    """A simulated search on five folds, and its coordinator's rows."""
    bench = Bench(folder, spec=build_spec(folds=N_FOLDS, **changes), trainers=FoldTrainers())
    plan = build_fold_plan(N_FOLDS, is_each=bench.spec.pruner is Pruner.WILCOXON)
    for _ in Coordinator(bench.context, bench.ledger, bench.crew, plan).run():
        pass
    return bench, bench.ledger.list_trials(SEARCH)


def test_small_tables_get_five_folds_and_the_reason_is_said():
    assert choose_folds(DataKind.TABLE, STRATIFIED, 1_999)[0] == 5
    assert "fewer than 2,000" in choose_folds(DataKind.TABLE, STRATIFIED, 150)[1]
    assert choose_folds(DataKind.TABLE, STRATIFIED, 2_000)[0] == 0
    assert choose_folds(DataKind.IMAGES, STRATIFIED, 150)[0] == 0
    by_time = build_split_plan(test_given=False, group=None, time="day")
    assert choose_folds(DataKind.TABLE, by_time, 150) == (
        0,
        "a model would learn from newer rows than those it predicts",
    )
    given = build_split_plan(test_given=False, group=None, val_given=True)
    assert "validation part is given" in choose_folds(DataKind.TABLE, given, 150)[1]


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"folds": 2}, "2 folds"),
        ({"folds": 11}, "11 folds"),
        (
            {"folds": 5, "split": build_split_plan(test_given=False, group=None, time="age")},
            "newer rows",
        ),
        (
            {
                "folds": 5,
                "resources": Resources(devices=("cpu:0",), threads=1, batch_size=128, pack_size=8),
            },
            "pack size is 8",
        ),
        ({"pruner": Pruner.WILCOXON}, "independent folds"),
    ],
)
def test_what_folds_rule_out_is_a_spec_error(changes, named):
    with pytest.raises(SpecError, match=named):
        build_spec(**changes)


def test_a_spec_of_an_earlier_release_has_no_folds():
    old = json.loads(render_spec(build_spec()))
    del old["folds"]
    assert parse_spec(json.dumps(old)).folds == 0
    assert parse_spec(render_spec(build_spec(folds=5))).folds == 5


def test_the_signed_rank_test_is_offered_exactly_where_there_are_folds():
    assert Pruner.WILCOXON in list_refused(PRUNERS, build_spec().situation)
    assert Pruner.WILCOXON not in list_refused(PRUNERS, build_spec(folds=5).situation)
    spec = build_spec(folds=5, pruner=Pruner.WILCOXON)
    assert without_folds(spec).pruner is Pruner.SUCCESSIVE_HALVING
    assert without_folds(build_spec(folds=5, pruner=Pruner.MEDIAN)).pruner is Pruner.MEDIAN


@pytest.mark.parametrize("pruner", [Pruner.SUCCESSIVE_HALVING, Pruner.WILCOXON, Pruner.HYPERBAND])
def test_trials_are_judged_by_their_folds_and_repeat(tmp_path, pruner):
    bench, rows = run(tmp_path / "a", pruner=pruner)
    _, again = run(tmp_path / "b", pruner=pruner)
    facts = [
        [(row.config, row.state, row.score, row.facts) for row in each] for each in (rows, again)
    ]
    assert facts[0] == facts[1]
    whole = [row for row in rows if row.state is TrialState.COMPLETE]
    ended = [row for row in rows if row.state is TrialState.PRUNED]
    assert whole
    assert ended
    for row in whole:
        assert [name for name in row.facts if name.startswith("fold_")] == [
            f"fold_{fold}" for fold in range(1, N_FOLDS + 1)
        ]
    networks = [row for row in whole if row.optuna["intermediate"]]
    for row in networks:
        scores = [row.facts[f"fold_{fold}"] for fold in range(1, N_FOLDS + 1)]
        told = [row.optuna["intermediate"][step] for step in sorted(row.optuna["intermediate"])]
        if pruner is Pruner.WILCOXON:
            assert told == scores[:4]
        else:
            assert told == pytest.approx([sum(scores[:n]) / n for n in (2, 3, 4)])
    assert networks
    (shown,) = (row for row in build_trial_rows(bench.ledger) if row["number"] == whole[0].number)
    assert shown["fold_scores"] == [whole[0].facts[f"fold_{fold}"] for fold in range(1, 6)]


def test_curves_are_those_of_epochs_and_not_of_what_closes_a_fold(tmp_path):
    run(tmp_path)
    assert not (tmp_path / "epochs.jsonl").exists()


def test_the_result_says_how_models_were_compared():
    said = describe_folds({"n_folds": 5, "n_judged": 1_427, "n_train": 900})
    assert (said["folds"], said["n"]) == (5, 1_427)
    assert "5-fold out-of-fold predictions, n = 1,427" in said["sentence"]


def test_what_is_written_on_a_command_line():
    assert [parse_folds(text) for text in (None, "auto", "none", " 7 ")] == [None, None, 0, 7]
    with pytest.raises(SpecError, match="'-3'"):
        parse_folds("-3")
