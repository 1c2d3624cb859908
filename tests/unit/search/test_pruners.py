"""One suite for every pruner: the weak end, the best never does, and a rebuilt study rules the same."""

import json

import pytest
from search_simulation import Bench, build_spec

from automl.jobs.records import Trial, TrialState
from automl.search.ledger import SEARCH
from automl.search.offers import PRUNERS, Pruner, Resampling, Situation, list_refused
from automl.search.optuna_parts import build_pruner, compute_most_resource
from automl.search.spec import Budget
from automl.search.study import Study
from automl.space.dimensions import Int

RUNGS = (1, 3, 9)
ENDING = [pruner for pruner in Pruner if pruner not in (Pruner.NONE, Pruner.WILCOXON)]
OFFERED = [*ENDING, Pruner.NONE]


def _climb(study: Study, number: int, level: float) -> tuple[TrialState, float]:
    """Report at every rung until told to end; a weak trial (below 0) falls from rung to rung."""
    score = level
    for epoch in RUNGS:
        score = level + 0.01 * epoch * (1 if level > 0 else -1)
        if study.report(number, epoch, score):
            study.tell(number, TrialState.PRUNED, score)
            return TrialState.PRUNED, score
    study.tell(number, TrialState.COMPLETE, score)
    return TrialState.COMPLETE, score


def _play(study: Study, spec, numbers) -> list[Trial]:
    rows = []
    for number in numbers:
        family = ("mlp", "resnet")[number % 2]
        config = study.ask(number, family, spec.spaces[family])
        level = 0.5 + 0.001 * number if number % 3 else -0.5 - 0.001 * number
        state, score = _climb(study, number, level)
        rows.append(
            Trial(
                number=number, family=family, config=config, state=state, stage=SEARCH, seed=0,
                score=score, optuna=json.loads(json.dumps(study.describe(number))),
            )
        )  # fmt: skip
    return rows


def _states(rows):
    return [(row.number, row.state, row.optuna["verdicts"]) for row in rows]


@pytest.mark.parametrize("pruner", ENDING)
def test_the_weak_end_early_and_the_best_never_does(pruner):
    spec = build_spec(pruner=pruner)
    rows = _play(Study("s", spec, 1), spec, range(24))
    ended = [row.number for row in rows if row.state is TrialState.PRUNED]
    best = max(rows, key=lambda row: row.score)
    assert any(number % 3 == 0 for number in ended)
    assert best.number not in ended


@pytest.mark.parametrize("pruner", OFFERED)
@pytest.mark.parametrize("cut", [1, 13])
def test_a_rebuilt_study_rules_as_the_undisturbed_one(pruner, cut):
    spec = build_spec(pruner=pruner)
    study = Study("s", spec, 1)
    before = _play(study, spec, range(cut))
    again = Study("other name", spec, 1)
    again.rebuild(before)
    assert _states(_play(again, spec, range(cut, 24))) == _states(
        _play(study, spec, range(cut, 24))
    )


@pytest.mark.parametrize("pruner", OFFERED)
def test_two_searches_of_trials_end_the_same_trials(pruner, tmp_path):
    spec = build_spec(pruner=pruner, budget=Budget(trials=14))
    first, second = (Bench(tmp_path / name, spec=spec) for name in "ab")
    facts = [
        [(row.number, row.config, row.state, row.n_epochs) for row in bench.run()]
        for bench in (first, second)
    ]
    assert facts[0] == facts[1]
    if pruner is Pruner.NONE:
        assert all(row[2] is not TrialState.PRUNED for row in facts[0])


def test_families_compete_with_each_other():
    spec = build_spec()
    study = Study("s", spec, 1)
    for number, family in enumerate(("mlp", "resnet")):
        study.ask(number, family, spec.spaces[family])
    assert study.report(0, 1, 0.9) is False
    assert study.report(1, 1, 0.1) is True  # the first of its family, and yet the weaker of two


def test_wilcoxon_is_for_folds_and_ends_what_is_worse_on_all_of_them():
    import optuna

    epochs = Situation(spaces={})
    folds = Situation(spaces={}, resampling=Resampling.FOLDS)
    assert "independent folds" in list_refused(PRUNERS, epochs)[Pruner.WILCOXON]
    assert Pruner.WILCOXON not in list_refused(PRUNERS, folds)
    spec = build_spec()
    object.__setattr__(spec, "pruner", Pruner.WILCOXON)  # as a search over folds would have it
    study = optuna.create_study(direction="maximize", pruner=build_pruner(spec, 1))
    good, bad = study.ask(), study.ask()
    for fold in range(6):
        good.report(0.9 + fold / 100, fold)
    study.tell(good, 0.92)
    for fold in range(6):
        bad.report(0.5 + fold / 100, fold)
    assert bad.should_prune()


def test_every_pruner_stands_in_the_table():
    assert set(PRUNERS) == set(Pruner)
    assert all(offer.title and offer.summary.endswith(".") for offer in PRUNERS.values())


@pytest.mark.parametrize(
    ("first", "end", "most"), [(1, 40, 28), (1, 27, 10), (1, 243, 82), (2, 8, 7), (5, 4, 6)]
)
def test_the_last_rung_below_the_horizon_decides_the_brackets(first, end, most):
    spaces = {"mlp": {"epochs": Int(low=1, high=end)}, "boosting": {}}
    assert compute_most_resource(spaces, first) == most
