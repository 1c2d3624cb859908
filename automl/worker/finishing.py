"""The end of a search, in a child process: open the test part once and write everything but ``result.json``."""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from automl.data.preparing import load_prepared
from automl.data.views import Part
from automl.data.weights import find_weight
from automl.evaluation.comparison import ComparisonInput, compute_difference
from automl.files import write_json
from automl.models.catalog import describe_layers
from automl.reports.search_report import SearchReport, write_search_report
from automl.search.importance import compute_importance
from automl.search.preparation import REFIT_ROWS
from automl.search.ranking import rank_trials
from automl.search.spec import SearchSpec
from automl.worker.finish import Finish, parse_finish
from automl.worker.opening import Opened, Opener
from automl.worker.result_record import SCHEMA_VERSION, build_leaderboard_row, collect_versions
from automl.worker.weights_record import build_weights_record
from automl.worker.winner_files import build_winner_predictions, write_winner_bundle
from fairness.definitions import METRICS
from fairness.estimates import Estimate

YARDSTICKS = ("boosting", "small_cnn")  # one per kind of data
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
        opened.append(opener.open(model, finish.trials[model.trial]))
    winner = opened[0]
    report(0.6, "Writing predictions, evaluation and bundle")
    result = _build_result(finish, opened, opener)
    result["seeds"] = _build_seeds(opened)
    finish.out.mkdir(parents=True, exist_ok=True)
    write_json(
        finish.out / "evaluation.json", {"models": [_render_opened(each) for each in opened]}
    )
    write_winner_bundle(finish, winner, result)
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
        "comparison": _compare(finish, opened, winner, opener),
        "gain": {} if network is None else _compare(finish, opened, network, opener),
        "n_rows": dict(finish.preparation["n_rows"]),
        "protocol": _build_protocol(spec),
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
        "members": len(opened.model.folders),
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
    standings = rank_trials(finish.spec, finish.folder, shown)
    rows = []
    for trial in shown:
        row = build_leaderboard_row(trial) | standings.get(trial["number"], {})
        if each := by_trial.get(trial["number"]):
            row["test"] = _render_metrics(each.evaluation.metrics)
            row["fit_seconds"] = each.model.fit_seconds
            row["predict_seconds"] = each.predict_seconds
            row["roles"] = list(each.model.roles)
            if row["parameters"] is not None:
                n_members = len(each.model.folders)  # all of them predict
                row["parameters"] *= n_members
                for name in ("macs", "latency_ms"):
                    row[name] = None if row[name] is None else row[name] * n_members
        rows.append(row)
    return rows


def _compare(
    finish: Finish, opened: Sequence[Opened], model: Opened, opener: Opener
) -> dict[str, Any]:
    """A model against the yardstick on the test part, as a number and a sentence.

    For a table that is boosted trees with default settings, for pictures the small network.
    """
    baseline = next(
        (
            each
            for each in opened
            if each.family in YARDSTICKS and "baseline" in each.model.roles and each is not model
        ),
        None,
    )
    if baseline is None:
        return {}
    task = finish.spec.task
    difference = compute_difference(
        ComparisonInput(
            task=task,
            truth=opener.get_truth(Part.TEST),
            predictions={"model": model.prediction, "baseline": baseline.prediction},
            metric=task.metric,
            seed=finish.spec.seed,
            weight=opener.get_weight(Part.TEST),
        ),
        "model",
        "baseline",
    )
    return {
        **difference.to_json(),
        "model": model.name,
        "baseline": baseline.name,
        "sentence": render_gain(task.metric, model.name, baseline.name, difference),
    }


def render_gain(metric: str, name: str, baseline: str, difference: Estimate) -> str:
    """Was it worth it: the gain over a baseline with its interval, also when there is none."""
    title = METRICS[metric].title
    if difference.value is None or difference.low is None or difference.high is None:
        return f"Whether {name} gains over {baseline} cannot be estimated: {difference.reason}"
    interval = f"{difference.value:+.4f} [{difference.low:+.4f}, {difference.high:+.4f}]"
    if difference.low > 0:
        verdict = "a measurable gain"
    elif difference.high < 0:
        verdict = "a measurable loss"
    else:
        verdict = "no measurable gain"
    sign = (
        ", lower is better, so the sign is turned" if METRICS[metric].direction == "lower" else ""
    )
    return f"{name} against {baseline}: {interval} ({title}{sign}), {verdict}."


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
        if len(each.model.folders) > 1
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
