"""One suite for every sampler on offer, and what is particular to each."""

import json

import numpy as np
import pytest
from sampling_simulation import BRANCHES, NUMBERS, build_small_spec, compute_score, play
from search_simulation import Bench, build_spec

from automl.errors import SpecError
from automl.jobs.records import Trial, TrialState
from automl.search.goals import ModelLimits
from automl.search.offers import SAMPLERS, Sampler
from automl.search.own_samplers import (
    POINT,
    Ask,
    Past,
    propose_child,
    propose_gaussian,
    propose_point,
)
from automl.search.spec import Budget
from automl.search.study import Study
from automl.space.sampling import validate_config

ASKED = [sampler for sampler in Sampler if sampler is not Sampler.GRID]  # a grid asks nobody
LEARNING = (Sampler.TPE, Sampler.GP, Sampler.CMA_ES, Sampler.EVOLUTION)


def _study(sampler: Sampler, **changes) -> tuple[Study, object]:
    spec = build_small_spec(sampler, **changes)
    return Study("s", spec, 1), spec


def _configs(rows):
    return [(row.number, row.family, dict(row.config)) for row in rows]


@pytest.mark.parametrize("sampler", ASKED)
def test_what_is_proposed_lies_in_the_space_and_is_new(sampler):
    study, spec = _study(sampler)
    rows = play(study, spec, range(20 if sampler is Sampler.GP else 30), ahead=3)
    for row in rows:
        validate_config(spec.spaces[row.family], row.config)
    for family in spec.situation.spaces:
        texts = [json.dumps(row.config, sort_keys=True) for row in rows if row.family == family]
        assert len(set(texts)) == len(texts)


@pytest.mark.parametrize("sampler", ASKED)
def test_the_same_seed_proposes_the_same_and_another_seed_does_not(sampler):
    first = play(*_study(sampler), range(16))
    assert _configs(play(*_study(sampler), range(16))) == _configs(first)
    assert _configs(play(*_study(sampler, seed=1), range(16))) != _configs(first)


@pytest.mark.parametrize("sampler", ASKED)
def test_a_study_that_was_rebuilt_from_rows_goes_on_as_the_undisturbed_one(sampler, monkeypatch):
    for name in ("automl.search.offers", "automl.search.optuna_parts"):
        monkeypatch.setattr(f"{name}.GENETIC_POPULATION", 6)  # several generations
    study, spec = _study(sampler)
    cut = 16 if sampler is Sampler.GP else 40
    before = play(study, spec, range(cut), ahead=2)
    again = Study("s", spec, 1)
    again.rebuild(before)
    after = range(cut, cut + cut // 4)
    assert _configs(play(again, spec, after)) == _configs(play(study, spec, after))


@pytest.mark.parametrize("sampler", ASKED)
def test_what_is_kept_of_a_trial_is_small_and_no_pickle(sampler):
    study, spec = _study(sampler)
    for row in play(study, spec, range(16)):
        text = json.dumps(row.optuna)
        assert len(text) < 4_000
        assert "optimizer:" not in text
        assert "8004" not in text  # the first bytes of a pickle in hexadecimal digits


@pytest.mark.parametrize("sampler", LEARNING)
def test_who_claims_to_learn_does_better_with_time(sampler):
    n = 28 if sampler is Sampler.GP else 60
    scores = [row.score for row in play(*_study(sampler), range(n))]
    chance = [row.score for row in play(*_study(Sampler.RANDOM), range(60))]
    late = np.mean(scores[-8:])
    assert late > np.mean(scores[:8])
    assert late > np.mean(chance)


def test_the_grid_and_every_other_sampler_stand_in_one_table():
    assert set(SAMPLERS) == set(Sampler)
    assert all(offer.title and offer.summary.endswith(".") for offer in SAMPLERS.values())


def test_sobol_points_fill_every_cell_before_they_return():
    asks, past = [], []
    for _ in range(16):
        proposal = propose_point(Ask(space=NUMBERS, past=past, root=7, seed=0))
        past.append(Past(config=proposal.config, notes=proposal.notes))
        asks.append(proposal.config)
    assert [each.notes[POINT] for each in past] == list(range(16))
    halves = {(config["dropout"] >= 0.25, config["width"] > 128) for config in asks}
    assert len(halves) == 4
    assert sorted(int(config["dropout"] / 0.5 * 16) for config in asks) == list(range(16))


def test_a_child_differs_from_its_parent_in_one_gene():
    rng = np.random.default_rng(0)
    past = []
    for number in range(8):
        first = propose_child(Ask(space=BRANCHES, past=past[:4], root=0, seed=number))
        past.append(Past(config=first.config, merit=(0.0, np.inf, rng.random())))
    parents = [each.config for each in past]
    for seed in range(30):
        child = propose_child(Ask(space=BRANCHES, past=past, root=0, seed=seed)).config
        assert min(_count_changes(parent, child) for parent in parents) == 1


def _count_changes(parent, child) -> int:
    """Genes that differ; a new branch brings labels of its own and counts once."""
    return sum(parent[label] != child[label] for label in parent.keys() & child.keys())


def test_the_oldest_is_no_parent_however_good_it_was():
    best = {"lr": 1e-2, "norm": "batch", "optimizer": "sgd", "optimizer.sgd.momentum": 0.5}
    old = Past(config=best, merit=(0.0, np.inf, 9.0))
    young = [
        Past(config={**best, "norm": "none", "lr": 1e-3 + n / 1e4}, merit=(0.0, np.inf, 0.1))
        for n in range(20)
    ]
    for seed in range(20):
        child = propose_child(Ask(space=BRANCHES, past=[old, *young], root=0, seed=seed)).config
        assert child["lr"] != best["lr"] or child["norm"] == "none"


def test_what_keeps_the_limits_wins_a_tournament_against_what_scores_more():
    study, spec = _study(Sampler.EVOLUTION)
    for number in range(3):
        study.ask(number, "mlp", spec.spaces["mlp"])
    study.constrain(0, {"parameters": 0.5})
    for number, score in enumerate((0.9, 0.5, 0.4)):
        study.tell(number, TrialState.COMPLETE, score)
    merits = [past.merit for past in study._list_past("mlp")]
    assert sorted(range(3), key=lambda index: merits[index]) == [0, 2, 1]


def test_cma_es_walks_towards_the_better_end():
    past = []
    for seed in range(120):
        proposal = propose_gaussian(Ask(space=NUMBERS, past=past, root=3, seed=seed))
        score = compute_score(proposal.config)
        past.append(Past(config=proposal.config, score=score, notes=proposal.notes))
    first = np.mean([each.score for each in past[:16]])
    last = np.mean([each.score for each in past[-16:]])
    assert last > first + 0.5 * (0.9 - first)


@pytest.mark.parametrize(
    ("sampler", "changes", "words"),
    [
        (Sampler.CMA_ES, {"spaces": {"mlp": BRANCHES}, "families": ("mlp",)}, "choice 'norm'"),
        (Sampler.CMA_ES, {"spaces": {"mlp": {}}, "families": ("mlp",)}, "nothing is left"),
        (Sampler.NSGA2, {}, "only the score"),
        (Sampler.NSGA3, {}, "3 objectives"),
    ],
)
def test_a_spec_refuses_what_is_not_valid_with_the_reason(sampler, changes, words):
    with pytest.raises(SpecError, match=words):
        build_spec(sampler=sampler, **changes)


def test_what_to_expect_is_said_in_the_result(tmp_path):
    bench = Bench(tmp_path, spec=build_spec(sampler=Sampler.GRID, budget=Budget(trials=5)))
    bench.run()
    (said,) = [text for text in bench.warnings.texts if "grid" in text]
    assert "the first 5 of them" in said


@pytest.mark.parametrize("sampler", ASKED)
def test_what_is_fixed_stays_and_the_rest_is_proposed(sampler):
    study, spec = _study(sampler)
    family, space = next(iter(spec.situation.spaces.items()))
    play(study, spec, range(12))
    fixed = {"width": 64} if "width" in space else {"optimizer": "sgd"}
    config = study.ask(12, family, space, fixed)
    validate_config(space, config)
    assert fixed.items() <= config.items()


@pytest.mark.parametrize("sampler", [Sampler.TPE, Sampler.GP, Sampler.EVOLUTION, Sampler.NSGA2])
def test_limits_of_which_not_every_trial_knows_all_are_heeded(sampler):
    study, spec = _study(sampler, limits=ModelLimits(parameters=9, latency_ms=9.0))
    family, space = next(iter(spec.situation.spaces.items()))
    for number in range(12):
        config = study.ask(number, family, space)
        known = {"parameters": 0.2 if number % 3 else -0.2, "seconds": -0.1}
        if number != 5:
            study.constrain(number, dict(list(known.items())[: 1 + number % 2]))
        study.tell(number, TrialState.COMPLETE, 0.5 + number / 100, {"parameters": 1.0 + number})
        validate_config(space, config)
    again = Study("s", spec, 1)
    rows = [
        Trial(
            number=number, family=family, config={}, state=TrialState.COMPLETE, stage="search", seed=0,
            score=0.5 + number / 100, optuna=study.describe(number), facts={"parameters": 1.0 + number},
        )
        for number in range(12)
    ]  # fmt: skip
    again.rebuild(rows)
    assert again.ask(12, family, space) == study.ask(12, family, space)
