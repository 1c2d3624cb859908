"""Weight sharing: the supernet first, its candidates as ordinary trials, both methods in one view."""

import json
from dataclasses import replace
from itertools import islice

import pytest
from image_simulation import ImageTrainers, build_bench, build_image_spec

from automl.jobs.records import StopMode, TrialState
from automl.models.catalog import get_space
from automl.search.goals import Method
from automl.search.ledger import SEARCH, SUPERNET
from automl.search.screens import is_screened_out
from automl.search.search_record import build_search_record
from automl.search.sharing import MOST_ALONE, MOST_BESIDE, WEIGHT_SHARING
from automl.search.spec import Budget, Resources

ONE_SLOT = Resources(devices=("cpu:0",), threads=2, batch_size=64)


def build_spec(**changes):
    """The real space of the searched CNN: the supernet's paths come from it."""
    base = build_image_spec()
    spaces = {**base.spaces, "cnn": get_space("cnn", side=32)}
    return replace(base, spaces=spaces, method=Method.BOTH, **changes)


def build_candidates(n):
    from automl.models.image.path_space import build_base, build_config, build_path_space

    space = get_space("cnn", side=32)
    paths = list(islice(build_path_space(space).iterate(), 0, None, 37))[:n]
    configs = [build_config(path, build_base(space)) for path in paths]
    return [
        {"config": config, "score": 0.9 - index / 100, "rank": index + 1}
        for index, config in enumerate(configs)
    ]


def test_the_supernet_comes_first_and_its_best_are_trained_alone(tmp_path):
    found = build_candidates(10)
    spec = build_spec(budget=Budget(trials=12))
    bench = build_bench(tmp_path, spec, candidates=list(reversed(found)))
    rows = bench.run()
    (supernet,) = [row for row in rows if row.stage == SUPERNET]
    assert supernet.number == 3
    assert supernet.score is None
    searched = [row for row in rows if row.stage == SEARCH]
    shared = [row for row in searched if row.origin == WEIGHT_SHARING]
    assert searched[: len(shared)] == shared
    assert [dict(row.config) for row in shared] == [
        entry["config"] for entry in found[:MOST_BESIDE]
    ]
    assert [row.facts["shared_score"] for row in shared] == pytest.approx([0.9, 0.89, 0.88, 0.87])
    assert all(row.score != row.facts["shared_score"] for row in shared)
    counted = [row for row in searched if not is_screened_out(row)]
    assert len(counted) - len(shared) == 12 - MOST_BESIDE
    assert bench.ledger.find_best().stage != SUPERNET


def test_alone_it_trains_nothing_but_its_candidates(tmp_path):
    spec = replace(build_spec(budget=Budget(trials=30)), method=Method.WEIGHT_SHARING)
    bench = build_bench(tmp_path, spec, candidates=build_candidates(20))
    searched = [row for row in bench.run() if row.stage == SEARCH]
    assert len(searched) == MOST_ALONE
    assert {row.origin for row in searched} == {WEIGHT_SHARING}
    assert {row.family for row in searched} == {"cnn"}


def test_both_methods_stand_in_one_view(tmp_path):
    spec = build_spec(budget=Budget(trials=10))
    bench = build_bench(tmp_path, spec, candidates=build_candidates(6))
    bench.run()
    methods = build_search_record(spec, bench.ledger)["methods"]
    assert set(methods) == {"plain", WEIGHT_SHARING}
    n_left_out = sum(map(is_screened_out, bench.ledger.list_trials(SEARCH)))
    assert methods["plain"]["n_trials"] + methods[WEIGHT_SHARING]["n_trials"] == 10 + n_left_out
    assert methods[WEIGHT_SHARING]["seconds"] >= methods[WEIGHT_SHARING]["supernet_seconds"]
    for method in methods.values():
        assert method["best"]["score"] == bench.ledger[method["best"]["trial"]].score
    json.dumps(methods)


def test_a_plain_search_has_no_view_of_methods(tmp_path):
    bench = build_bench(tmp_path)
    bench.run()
    assert "methods" not in build_search_record(bench.spec, bench.ledger)


@pytest.mark.parametrize("method", [Method.BOTH, Method.WEIGHT_SHARING])
@pytest.mark.parametrize("candidates", [None, "no json", "{}", [], [{"config": {"width": -1}}]])
def test_a_supernet_that_proposes_nothing_is_said(tmp_path, method, candidates):
    spec = replace(build_spec(budget=Budget(trials=3)), method=method)
    bench = build_bench(tmp_path, spec, candidates=candidates)
    searched = [row for row in bench.run() if row.stage == SEARCH]
    (text,) = [text for text in bench.warnings.texts if "no candidates" in text]
    assert ("goes on alone" in text) == (method is Method.BOTH)
    assert len(searched) == (3 if method is Method.BOTH else 0)


def test_a_supernet_that_fails_is_said(tmp_path):
    spec = build_spec(budget=Budget(trials=3))
    bench = build_bench(tmp_path, spec, fails=frozenset({"supernet"}))
    bench.run()
    assert any("gave no candidates: It died." in text for text in bench.warnings.texts)
    methods = build_search_record(spec, bench.ledger)["methods"]
    assert methods[WEIGHT_SHARING]["failure"] == "It died."


def test_candidates_outside_the_space_are_left_out_and_counted(tmp_path):
    found = build_candidates(3)
    broken = [{"config": {"block": "spiral"}, "rank": 0}, {"score": 1}, found[0]]
    spec = build_spec(budget=Budget(trials=6))
    bench = build_bench(tmp_path, spec, candidates=[*broken, *found[1:]])
    shared = [row for row in bench.run() if row.origin == WEIGHT_SHARING]
    assert len(shared) == 3
    assert any("2 of 5 candidates" in text for text in bench.warnings.texts)


@pytest.mark.parametrize("cut_after", [4, 20, 60])
def test_a_cut_search_trains_the_same_candidates_once(tmp_path, cut_after):
    spec = build_spec(budget=Budget(trials=8), resources=ONE_SLOT)
    found = build_candidates(5)
    whole = build_bench(tmp_path / "a", spec, slots=("cpu:0",), candidates=found).run()
    bench = build_bench(tmp_path / "b", spec, slots=("cpu:0",), candidates=found)
    for _ in islice(bench.build().run(), cut_after):
        pass
    fresh = build_bench(tmp_path / "b", spec, slots=("cpu:0",), candidates=found)
    again = type(fresh)(fresh.folder, spec=spec, trainers=fresh.trainers, rows=dict(bench.rows))
    again.ledger.revive()
    key = lambda rows: [(r.number, r.origin, dict(r.config), r.state, r.score) for r in rows]  # noqa: E731
    assert key(again.run()) == key(whole)


def test_the_supernet_has_its_share_of_the_time(tmp_path):
    trainers = ImageTrainers(
        slots=("cpu:0",), seconds_per_poll=0.25, candidates=build_candidates(4)
    )
    spec = build_spec(budget=Budget(seconds=600), resources=ONE_SLOT)
    bench = build_bench(tmp_path, spec, trainers=trainers)
    bench.run()
    (command,) = [each for each in trainers.trained if each.family == "supernet"]
    assert command.deadline_seconds == pytest.approx(0.4 * 0.6 * 600)
    assert not command.screen
    assert command.config["candidates"] == MOST_BESIDE
    assert not [
        row for row in bench.ledger.list_trials(SUPERNET) if row.state is not TrialState.COMPLETE
    ]


def test_a_supernet_that_a_person_stopped_trains_when_the_search_goes_on(tmp_path):
    spec = build_spec(budget=Budget(trials=8))
    bench = build_bench(tmp_path, spec, deaf=frozenset({SUPERNET}))
    steps = bench.build().run()
    while 3 not in bench.crew.running or bench.ledger.find_best() is None:
        next(steps)
    bench.stop = StopMode.KEEP_BEST
    for _ in steps:
        pass
    assert not bench.crew.running
    supernet = bench.ledger[3]
    assert (supernet.stage, supernet.state, supernet.attempt) == (SUPERNET, TrialState.WAITING, 2)
    resumed = build_bench(tmp_path, spec, candidates=build_candidates(4))
    resumed.rows.update(bench.rows)
    resumed.__post_init__()
    rows = resumed.run()
    assert rows[3].state is TrialState.COMPLETE
    assert sum(row.origin == WEIGHT_SHARING for row in rows) >= 2


def test_weight_sharing_begins_though_every_baseline_failed(tmp_path):
    spec = replace(build_spec(budget=Budget(trials=6)), method=Method.WEIGHT_SHARING)
    fails = frozenset({"constant", "linear", "small_cnn"})
    rows = build_bench(tmp_path, spec, fails=fails, candidates=build_candidates(3)).run()
    assert [row.state for row in rows if row.stage == SUPERNET] == [TrialState.COMPLETE]
    assert sum(row.origin == WEIGHT_SHARING for row in rows) == 3


@pytest.mark.parametrize("trials", [2, 3, 4, 5, 8, 12])
def test_both_methods_train_in_a_small_budget(tmp_path, trials):
    bench = build_bench(
        tmp_path, build_spec(budget=Budget(trials=trials)), candidates=build_candidates(10)
    )
    searched = [row for row in bench.run() if row.stage == SEARCH]
    n_shared = sum(row.origin == WEIGHT_SHARING for row in searched)
    assert n_shared == min(MOST_BESIDE, trials // 2)
    assert len(searched) - n_shared >= 1
    (supernet,) = bench.ledger.list_trials(SUPERNET)
    assert supernet.config["candidates"] == n_shared


def test_one_trial_leaves_weight_sharing_out_and_it_is_said(tmp_path):
    spec = build_spec(budget=Budget(trials=1))
    bench = build_bench(tmp_path, spec, candidates=build_candidates(10))
    (only,) = [row for row in bench.run() if row.stage == SEARCH]
    assert only.origin != WEIGHT_SHARING
    assert not bench.ledger.list_trials(SUPERNET)
    (text,) = [text for text in bench.warnings.texts if "leaves weight sharing out" in text]
    assert "Two trials" in text
    methods = build_search_record(spec, bench.ledger)["methods"]
    assert methods[WEIGHT_SHARING]["n_trials"] == 0
    alone = replace(spec, method=Method.WEIGHT_SHARING)
    bench = build_bench(tmp_path / "alone", alone, candidates=build_candidates(10))
    (only,) = [row for row in bench.run() if row.stage == SEARCH]
    assert only.origin == WEIGHT_SHARING
