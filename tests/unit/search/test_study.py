"""The Optuna study: rebuilt from rows it goes on as if nothing had happened."""

import json
import math

from hypothesis import given, settings
from hypothesis import strategies as st
from search_simulation import build_spec

from automl.jobs.records import Trial, TrialState
from automl.search.ledger import SEARCH
from automl.search.spec import Pruner
from automl.search.study import Study

FAMILIES = ("mlp", "resnet", "boosting")


def _run(study: Study, n: int, first: int = 0) -> list[Trial]:
    spec = build_spec()
    rows = []
    for number in range(first, first + n):
        family = FAMILIES[number % 3]
        config = study.ask(number, family, spec.spaces[family])
        score = math.sin(7 * number) * 0.1 + 0.8
        pruned = family != "boosting" and study.report(number, 1, score)
        state = TrialState.PRUNED if pruned else TrialState.COMPLETE
        study.tell(number, state, score)
        rows.append(
            Trial(
                number=number,
                family=family,
                config=config,
                state=state,
                stage=SEARCH,
                seed=0,
                score=score,
                optuna=json.loads(json.dumps(study.describe(number))),
            )
        )
    return rows


def _facts(rows: list[Trial]) -> list[tuple]:
    return [(row.number, row.family, dict(row.config), row.state) for row in rows]


@settings(max_examples=8, deadline=None)
@given(cut=st.integers(min_value=0, max_value=29))
def test_a_rebuilt_study_proposes_and_prunes_the_same(cut):
    whole = _run(Study("s", build_spec(), 1), 30)
    rebuilt = Study("s", build_spec(), 1)
    rebuilt.rebuild(whole[:cut])
    assert _facts(_run(rebuilt, 30 - cut, first=cut)) == _facts(whole[cut:])


def test_names_are_qualified_by_the_family_but_configurations_are_not():
    study = Study("s", build_spec(), 1)
    config = study.ask(0, "mlp", build_spec().spaces["mlp"])
    assert all(name.startswith("mlp.") for name in study.describe(0)["params"])
    assert not any(name.startswith("mlp.") for name in config)


def test_a_trial_that_was_lost_keeps_its_rungs_and_can_be_told_again():
    spec = build_spec()
    study = Study("s", spec, 1)
    config = study.ask(0, "mlp", spec.spaces["mlp"])
    study.report(0, 1, 0.7)
    row = Trial(
        number=0, family="mlp", config=config, state=TrialState.WAITING, stage=SEARCH, seed=0,
        attempt=2, optuna=study.describe(0),
    )  # fmt: skip
    again = Study("s", spec, 1)
    again.rebuild([row])
    assert again.report(0, 1, 0.9) is False
    again.tell(0, TrialState.COMPLETE, 0.9)
    assert again.describe(0)["intermediate"] == {"1": 0.7}


def test_a_score_that_is_no_number_ends_the_trial():
    spec = build_spec()
    study = Study("s", spec, 1)
    study.ask(0, "mlp", spec.spaces["mlp"])
    assert study.report(0, 1, float("nan"))
    study.tell(0, TrialState.COMPLETE, float("inf"))
    assert len(study) == 1


def test_without_a_pruner_nothing_is_ended():
    spec = build_spec(pruner=Pruner.NONE)
    study = Study("s", spec, 1)
    for number in range(6):
        study.ask(number, "mlp", spec.spaces["mlp"])
        assert not study.report(number, 1, -float(number))


def test_a_fixed_configuration_is_registered_as_it_is():
    from automl.models.catalog import FAMILIES as ALL

    spec = build_spec()
    study = Study("s", spec, 1)
    config = study.ask(0, "mlp", spec.spaces["mlp"], ALL["mlp"].default)
    assert config == dict(ALL["mlp"].default)


def test_a_trial_that_was_cut_hears_the_verdicts_of_its_first_attempt_again():
    spec = build_spec()
    study = Study("s", spec, 1)
    for number in (0, 1):
        study.ask(number, "mlp", spec.spaces["mlp"])
    assert study.report(0, 1, 0.5) is False  # nobody was better yet
    assert study.report(1, 1, 0.9) is False
    study.tell(1, TrialState.COMPLETE, 0.9)
    rows = [
        Trial(
            number=number,
            family="mlp",
            config={},
            state=state,
            stage=SEARCH,
            seed=0,
            score=score,
            optuna=json.loads(json.dumps(study.describe(number))),
        )
        for number, state, score in (
            (0, TrialState.WAITING, None),
            (1, TrialState.COMPLETE, 0.9),
        )
    ]
    rebuilt = Study("s", spec, 1)
    rebuilt.rebuild(rows)
    assert rebuilt.report(0, 1, 0.5) is False
    assert rebuilt.report(0, 3, 0.6) == study.report(0, 3, 0.6)
    study.tell(0, TrialState.COMPLETE, 0.7)
    rebuilt.tell(0, TrialState.COMPLETE, 0.7)
    assert rebuilt.describe(0) == study.describe(0)
