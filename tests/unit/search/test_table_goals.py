"""Several objectives and limits for tables: measured once trained, told to the sampler, shown in the result."""

import pytest
from search_simulation import Bench, build_spec

from automl.data.dataset import DataKind
from automl.errors import SpecError
from automl.jobs.records import TrialState
from automl.search.goals import ModelLimits, Objective, get_unit, render_fact
from automl.search.ledger import BASELINE, SEARCH
from automl.search.offers import Sampler
from automl.search.search_record import build_search_record
from automl.search.spec import Budget

TWO = (Objective.SCORE, Objective.PARAMETERS)
THREE = (*TWO, Objective.LATENCY)


def _run(tmp_path, **changes):
    spec = build_spec(budget=Budget(trials=20), **changes)
    bench = Bench(tmp_path, spec=spec)
    bench.run()
    return spec, bench


def test_nothing_is_measured_where_nothing_costs(tmp_path):
    _, bench = _run(tmp_path)
    assert not any(command.measure for command in bench.trainers.trained)
    assert not any("latency_ms" in row.facts for row in bench.rows.values())


def test_the_front_of_a_table_has_its_baselines_and_units(tmp_path):
    spec, bench = _run(tmp_path, objectives=THREE)
    record = build_search_record(spec, bench.ledger)
    names = {row["name"] for row in record["pareto"]}
    assert {"Linear (default)", "Boosted trees (default)"} <= names
    assert "Constant" not in names
    front = [row for row in record["pareto"] if row["on_front"]]
    best = max(record["pareto"], key=lambda row: row["values"]["score"]["value"])
    assert best in front
    assert len(front) < len(record["pareto"])
    assert front[0]["values"]["latency"]["unit"] == "ms for 1,000 rows"
    assert "limits" not in record


def test_with_several_objectives_every_network_trains_to_its_end_and_it_is_said(tmp_path):
    _, bench = _run(tmp_path, objectives=TWO)
    assert not any(row.state is TrialState.PRUNED for row in bench.rows.values())
    assert any("trains to its own end" in text for text in bench.warnings.texts)


def test_what_is_over_a_limit_never_wins_and_the_sampler_hears_of_it(tmp_path):
    limits = ModelLimits(parameters=5_000)
    spec, bench = _run(tmp_path, limits=limits)
    trained = [row for row in bench.ledger.list_scored() if row.stage == SEARCH]
    over = [row for row in trained if row.facts["parameters"] > 5_000]
    assert over
    assert bench.ledger.find_best() not in over
    name = "constraints:parameters"
    excess = {row.number: row.optuna["system_attrs"].get(name) for row in trained}
    assert all((excess[row.number] > 0) == (row in over) for row in trained)
    record = build_search_record(spec, bench.ledger)["limits"]
    assert record["over_limit"] == len(over)
    assert "the limit is 5 k" in record["reasons"][0]["reason"]


def test_a_limit_that_nothing_keeps_still_ends_with_a_model(tmp_path):
    spec, bench = _run(tmp_path, limits=ModelLimits(latency_ms=1e-6))
    best = bench.ledger.find_best()
    assert (best.family, best.stage) == ("constant", BASELINE)
    assert not spec.is_repeatable


@pytest.mark.parametrize("sampler", [Sampler.NSGA3, Sampler.TPE, Sampler.QMC, Sampler.GP])
def test_a_search_for_a_front_finds_one_with_every_sampler(tmp_path, sampler):
    spec, bench = _run(tmp_path, objectives=THREE, sampler=sampler)
    rows = bench.ledger.list_trials(SEARCH)
    assert len(rows) == 20
    assert all(row.state is TrialState.COMPLETE for row in rows)
    assert build_search_record(spec, bench.ledger)["pareto"]


def test_cma_es_is_refused_where_there_are_limits():
    space = {"boosting": build_spec().spaces["boosting"]}
    spec = build_spec(families=("boosting",), spaces=space, sampler=Sampler.CMA_ES)
    assert spec.sampler is Sampler.CMA_ES
    with pytest.raises(SpecError, match="does not heed limits"):
        build_spec(
            families=("boosting",), spaces=space, sampler=Sampler.CMA_ES, limits=ModelLimits(parameters=9)
        )  # fmt: skip


def test_a_fact_says_what_it_is_of():
    assert render_fact("latency_ms", 4.25, DataKind.TABLE) == "4.25 ms for 1,000 rows"
    assert render_fact("latency_ms", 4.25, DataKind.IMAGES) == "4.25 ms for one picture"
    assert get_unit(Objective.LATENCY, DataKind.IMAGES) == "ms a picture"
    assert get_unit(Objective.SCORE, DataKind.TABLE) == ""
