"""Small spaces and a known function, for every sampler and pruner alike."""

import json
import math
from collections.abc import Sequence

from search_simulation import build_spec

from automl.jobs.records import Trial, TrialState
from automl.search.goals import Objective
from automl.search.ledger import SEARCH
from automl.search.offers import Sampler
from automl.search.spec import SearchSpec
from automl.search.study import Study
from automl.space.dimensions import Choice, Float, Int, Switch

NUMBERS = {
    "lr": Float(low=1e-4, high=1e-1, log=True),
    "dropout": Float(low=0.0, high=0.5),
    "width": Int(low=32, high=256, step=32),
    "bins": Int(low=4, high=64, log=True),
    "fixed": Int(low=3, high=3),
}
BRANCHES = {
    "lr": Float(low=1e-4, high=1e-1, log=True),
    "norm": Choice(options=("none", "batch")),
    "optimizer": Switch(
        branches={
            "adamw": {"decay": Float(low=1e-6, high=1e-1, log=True)},
            "sgd": {"momentum": Float(low=0.0, high=0.99)},
        }
    ),
}
THREE = (Objective.SCORE, Objective.PARAMETERS, Objective.MACS)
OBJECTIVES = {Sampler.NSGA2: THREE[:2], Sampler.NSGA3: THREE}


def build_small_spec(sampler: Sampler, **changes) -> SearchSpec:
    """A spec the sampler is valid for: numbers alone for CMA-ES, several objectives for the genetic ones."""
    families = ("mlp", "resnet")
    spaces = dict.fromkeys(families, NUMBERS if sampler is Sampler.CMA_ES else BRANCHES)
    if sampler in OBJECTIVES:
        from image_simulation import build_image_spec

        spec = {"families": ("cnn", "classic"), "spaces": {"cnn": BRANCHES, "classic": BRANCHES}}
        return build_image_spec(**spec, sampler=sampler, objectives=OBJECTIVES[sampler], **changes)
    return build_spec(families=families, spaces=spaces, sampler=sampler, **changes)


def compute_score(config) -> float:
    """Best at lr 0.01, and a little better with batch norm and without dropout."""
    return (
        0.9
        - 0.05 * (math.log10(config["lr"]) + 2) ** 2
        - 0.05 * (config.get("norm") == "none")
        - 0.05 * config.get("dropout", 0.0)
        - 0.02 * abs(config.get("decay", config.get("optimizer.sgd.momentum", 0.0)))
    )


def play(study: Study, spec: SearchSpec, numbers: Sequence[int], *, ahead: int = 1) -> list[Trial]:
    """Ask for every number, families taking turns; a trial is told when ``ahead`` more were asked."""
    rows: dict[int, Trial] = {}
    waiting: list[int] = []
    families = list(spec.situation.spaces)
    for number in numbers:
        family = families[number % len(families)]
        config = study.ask(number, family, spec.spaces[family])
        rows[number] = Trial(
            number=number, family=family, config=config, state=TrialState.RUNNING, stage=SEARCH,
            seed=0, optuna=json.loads(json.dumps(study.describe(number))),
        )  # fmt: skip
        waiting.append(number)
        while len(waiting) >= ahead:
            _tell(study, rows, waiting.pop(0))
    for number in waiting:
        _tell(study, rows, number)
    return [rows[number] for number in numbers]


def _tell(study: Study, rows: dict[int, Trial], number: int) -> None:
    from dataclasses import replace

    row = rows[number]
    score = compute_score(row.config)
    facts = {"parameters": 1e3 / row.config["lr"], "macs": 1e4 + number % 7}
    study.tell(number, TrialState.COMPLETE, score, facts)
    rows[number] = replace(
        row, state=TrialState.COMPLETE, score=score, facts=facts,
        optuna=json.loads(json.dumps(study.describe(number))),
    )  # fmt: skip
