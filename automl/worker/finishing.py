"""The end of a search, in a child process: open the test part once and write everything but ``result.json``."""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from automl.data.preparing import load_prepared
from automl.data.views import Part
from automl.data.weights import find_weight
from automl.files import write_json
from automl.models.catalog import describe_layers
from automl.reports.predictions import CALIBRATE_PREDICTIONS, write_predictions
from automl.reports.search_report import SearchReport, write_search_report
from automl.search.ensembling import FAMILY, build_ensemble_name
from automl.search.importance import compute_importance
from automl.search.opened_model import OpenedModel
from automl.search.preparation import REFIT_ROWS
from automl.search.ranking import rank_trials
from automl.search.spec import SearchSpec
from automl.worker.ensemble_record import build_ensemble_row, describe_ensemble
from automl.worker.finish import Finish, parse_finish
from automl.worker.opening import Opened, Opener
from automl.worker.result_record import SCHEMA_VERSION, build_leaderboard_row, collect_versions
from automl.worker.weights_record import build_weights_record
from automl.worker.winner_files import (
    build_winner_predictions,
    write_uncalibrated,
    write_winner_bundle,
)
from automl.worker.worth import build_worth
from fairness.definitions import METRICS
from fairness.estimates import Estimate

MOST_ROWS = 60  # lines of the leaderboard beside the baselines


def run_finishing(
    arguments: Mapping[str, Any], report: Callable[[float, str], None]
) -> dict[str, Any]:
    """Evaluate the opened models, audit the winner, write report and bundle; the result's contents."""
    finish = parse_finish(arguments)
    opener = Opener(finish.spec.task, finish.folder, finish.spec.seed)
    opened = []
    for index, model in enumerate(finish.models):
        report(0.6 * index / len(finish.models), "Looking at the test part")
        opened.append(opener.open(model, *_name_model(model, finish.trials), is_winner=index == 0))
    winner = opened[0]
    report(0.6, "Writing predictions, evaluation and bundle")
    result = _build_result(finish, opened, opener)
    result["seeds"] = _build_seeds(opened)
    finish.out.mkdir(parents=True, exist_ok=True)
    write_json(
        finish.out / "evaluation.json", {"models": [_render_opened(each) for each in opened]}
    )
    write_winner_bundle(finish, winner, result)
    write_predictions(
        finish.out,
        build_winner_predictions(finish, winner, Part.CALIBRATE),
        CALIBRATE_PREDICTIONS,
    )
    write_uncalibrated(finish, winner)
    report(0.8, "Auditing")
    write_search_report(
        finish.out,
        SearchReport(
            spec=finish.spec,
            result=result,
            predictions=build_winner_predictions(finish, winner),
            evaluation=winner.evaluation,
            created_at=result["created_at"],
        ),
    )
    return result


def _name_model(model: OpenedModel, trials: Mapping[int, Mapping[str, Any]]) -> tuple[str, str]:
    """Name and family."""
    if model.trial is None:
        return build_ensemble_name(len({member.trial for member in model.members})), FAMILY
    return str(trials[model.trial]["name"]), str(trials[model.trial]["family"])


def _build_result(finish: Finish, opened: Sequence[Opened], opener: Opener) -> dict[str, Any]:
    spec, winner = finish.spec, opened[0]
    network = next((each for each in opened if "network" in each.model.roles), None)
    described = _describe_model(finish, winner)
    return {
        "schema_version": SCHEMA_VERSION,
        "task": _build_task(spec),
        "metric": spec.task.metric,
        "select_metric_label": _label_score(spec.task.metric),
        "wall_seconds": None,
        "trials": [
            {key: value for key, value in trial.items() if key != "folder"}
            for trial in finish.trials.values()
        ],
        "winner": described,
        "best_network": None if network is None else _describe_model(finish, network),
        "leaderboard": _build_leaderboard(finish, opened),
        "test": _render_metrics(winner.evaluation.metrics),
        "looks": finish.looks,
        "warnings": list(finish.warnings),
        "calibration": opener.build_calibration(winner),
        **build_worth(finish, opened, opener),
        "n_rows": dict(finish.preparation["n_rows"]),
        "repeats": dict(finish.preparation.get("repeats") or {}),
        "protocol": _build_protocol(spec),
        **spec.corrections.describe(),
        "versions": collect_versions(),
        "hashes": {
            "data": spec.data,
            "spec": finish.preparation["spec_hash"],
            "split": finish.preparation["split_hash"],
            "test_part": finish.preparation["test_fingerprint"],
            **_hash_weights(described),
        },
        "importance": compute_importance(spec, list(finish.trials.values())),
        "created_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "seed": spec.seed,
        "is_repeatable": spec.is_repeatable,
        **finish.search,
    }


def _build_task(spec: SearchSpec) -> dict[str, Any]:
    task = spec.task
    return {
        "type": str(task.type),
        "target": task.target,
        "classes": list(task.classes),
        "positive": task.positive,
        "beneficial": task.beneficial,
        "reason": task.reason,
        "data": spec.data_name,
        "sensitive": list(spec.sensitive),
    }


def _label_score(metric: str) -> str:
    title = METRICS[metric].title
    return f"minus {title}" if METRICS[metric].direction == "lower" else title


def _render_metrics(metrics: Mapping[str, Estimate]) -> dict[str, dict[str, Any]]:
    return {
        name: {"value": each.value, "low": each.low, "high": each.high, "n": each.n}
        for name, each in metrics.items()
    }


def _describe_model(finish: Finish, opened: Opened) -> dict[str, Any]:
    if opened.model.trial is None:
        return describe_ensemble(opened.name, opened.model, finish.trials)
    trial = finish.trials[opened.model.trial]
    prepared = finish.folder / "prepared"
    shape = load_prepared(prepared / REFIT_ROWS).shape
    weights = build_weights_record(opened.family, trial["config"], finish.spec.weights, prepared)
    return {
        "name": opened.name,
        "family": opened.family,
        "trial": opened.model.trial,
        "architecture": trial["architecture"],
        "config": dict(trial["config"]),
        "is_network": trial["is_network"],
        "is_refit": opened.model.is_refit,
        "epochs": opened.model.epochs,
        "members": len(opened.model.members),
        "layers": describe_layers(opened.family, trial["config"], shape),
        **({"weights": weights} if weights else {}),
    }


def _hash_weights(described: Mapping[str, Any]) -> dict[str, str]:
    """The hash of the weights that a pretrained winner started from; the report lists it with the others."""
    sha256 = (described.get("weights") or {}).get("sha256")
    return {"weights": sha256} if sha256 else {}


def _build_leaderboard(finish: Finish, opened: Sequence[Opened]) -> list[dict[str, Any]]:
    by_trial = {each.model.trial: each for each in opened}
    scored = [
        trial
        for trial in finish.trials.values()
        if trial["stage"] != "refit" and trial["score"] is not None
        and (trial["state"] == "complete" or trial["number"] in by_trial)
    ]  # fmt: skip
    scored.sort(key=lambda trial: (-trial["score"], trial["number"]))
    shown = [
        trial
        for index, trial in enumerate(scored)
        if index < MOST_ROWS or trial["number"] in by_trial
    ]
    ensemble = by_trial.get(None)
    weights = _weigh_trials(finish, None if ensemble is None else ensemble.model)
    standings = rank_trials(finish.spec, finish.folder, shown, weights)
    rows = []
    if ensemble is not None:
        described = describe_ensemble(ensemble.name, ensemble.model, finish.trials)
        row = build_ensemble_row(described, standings[None])
        rows.append(row | _render_opened_row(ensemble))
    for trial in shown:
        row = build_leaderboard_row(trial) | standings.get(trial["number"], {})
        if each := by_trial.get(trial["number"]):
            row |= _render_opened_row(each)
            n_members = len(each.model.members)  # all of them predict
            for name in ("parameters", "macs", "latency_ms"):
                row[name] = None if row[name] is None else row[name] * n_members
        rows.append(row)
    return sorted(rows, key=lambda row: -row["select_score"])  # stable: equals keep their order


def _weigh_trials(
    finish: Finish, ensemble: OpenedModel | None
) -> tuple[tuple[Mapping[str, Any], float], ...]:
    """The trials of the ensemble, each with its weight."""
    members = () if ensemble is None else ensemble.members
    weights: dict[int, float] = {}
    for member in members:
        weights[member.trial] = weights.get(member.trial, 0.0) + member.weight
    return tuple((finish.trials[number], weight) for number, weight in weights.items())


def _render_opened_row(opened: Opened) -> dict[str, Any]:
    """What a line of the leaderboard has more where the test results were opened."""
    return {
        "test": _render_metrics(opened.evaluation.metrics),
        "fit_seconds": opened.model.fit_seconds,
        "predict_seconds": opened.predict_seconds,
        "roles": list(opened.model.roles),
    }


def _build_seeds(opened: Sequence[Opened]) -> dict[str, Any]:
    """Of every averaged model: each member's primary metric on the calibrate part, and the average's."""
    return {
        each.name: {
            "part": "calibrate",
            "values": list(each.member_values),
            "average": each.average_value,
            "epochs": each.model.epochs,
        }
        for each in opened
        if len(each.model.members) > 1 and not each.model.is_ensemble
    }


def _build_protocol(spec: SearchSpec) -> dict[str, Any]:
    shares = {"train": spec.split.train, "select": spec.split.select,
              "calibrate": spec.split.calibrate}  # fmt: skip
    return {
        "split": str(spec.split.strategy),
        "shares": shares if spec.split.test_given else {**shares, "test": spec.split.test},
        "test": "given file" if spec.split.test_given else "held out",
        **({"validation": "given part"} if spec.split.val_given else {}),
        "group": spec.split.group,
        **({"time_column": spec.split.time} if spec.split.time else {}),
        **({"weight": weight} if (weight := find_weight(spec.columns)) else {}),
        "budget_seconds": spec.budget.seconds,
        "budget_trials": spec.budget.trials,
        "preset": str(spec.preset),
        "sampler": str(spec.sampler),
        "pruner": str(spec.pruner),
        "families": list(spec.families),
        **({"folds": spec.folds} if spec.folds else {}),
        "batch_size": spec.resources.batch_size,
        "threads": spec.resources.threads,
        "method": str(spec.method),
        "objectives": list(map(str, spec.objectives)),
        "limits": spec.limits.list_set(),
        "repeatable": _describe_repeatable(spec),
    }


def _describe_repeatable(spec: SearchSpec) -> str:
    if spec.is_repeatable:
        return "yes"
    if spec.budget.is_repeatable:
        return "no: latency is measured, and it decides"
    return "no: a time budget depends on the clock"


def _render_opened(opened: Opened) -> dict[str, Any]:
    return {
        "name": opened.name,
        "family": opened.family,
        "trial": opened.model.trial,
        "roles": list(opened.model.roles),
        "evaluation": opened.evaluation.to_json(),
    }
