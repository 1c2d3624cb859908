"""Finished searches as a worker leaves them, made from synthetic predictions by the engine's own functions."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from automl.data.task import Task, TaskType
from automl.evaluation.calibration import fit_temperature
from automl.evaluation.calibration_table import compute_calibration_table
from automl.evaluation.calibrator_choice import choose_calibrator
from automl.evaluation.comparison import ComparisonInput, compute_difference
from automl.evaluation.evaluate import EvaluationInput, evaluate
from automl.evaluation.outputs import build_output_frame, decode_labels
from automl.files import append_jsonl, write_json
from automl.jobs.records import Job, JobKind, JobState, NewJob, Outcome
from automl.jobs.store import JobStore
from automl.settings import Settings
from fairness.audit import AuditInput, AuditOptions, compute_audit
from fairness.context import ReportContext
from fairness.report import render_counts_csv, render_metrics_csv, render_report

LAYERS = (
    {"name": "Numbers", "kind": "piecewise embedding", "output": 96, "parameters": 900, "detail": "12 bins, 16 per column"},
    {"name": "Categories", "kind": "embedding", "output": 64, "parameters": 300, "detail": "8 per column"},
    {"name": "Inputs", "kind": "concatenation", "output": 160, "parameters": 0, "detail": ""},
    {"name": "layer1", "kind": "linear", "output": 128, "parameters": 20_480, "detail": "LayerNorm, ReLU, dropout 0.1"},
    {"name": "layer2", "kind": "residual layer", "output": 128, "parameters": 16_384, "detail": "LayerNorm, ReLU, dropout 0.1"},
    {"name": "head", "kind": "linear", "output": 2, "parameters": 258, "detail": ""},
)  # fmt: skip
TASKS = {
    "binary": Task(
        target="income", type=TaskType.BINARY, metric="roc_auc", classes=("<=50K", ">50K"),
        positive=">50K", beneficial=">50K",
    ),
    "multiclass": Task(
        target="wine", type=TaskType.MULTICLASS, metric="log_loss", classes=("red", "rosé", "white")
    ),
    "regression": Task(target="price", type=TaskType.REGRESSION, metric="rmse"),
}  # fmt: skip
N_CALIBRATE = 500
METRICS = {"binary": "roc_auc", "multiclass": "log_loss", "regression": "rmse"}


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What kind of finished search is wanted."""

    kind: str = "binary"
    n: int = 600
    n_trials: int = 30
    groups: tuple[str, ...] = ("Female", "Male")
    second: tuple[str, ...] = ("White", "Black", "Other")
    dataset: str = "d" * 64
    title: str = "adult_train.csv · income"
    winner: str = "MLP 12"
    looks: int = 1
    seed: int = 0  # another one divides other rows
    skill: float = 1.5  # of the winner
    state: JobState = JobState.SUCCEEDED
    has_audit_files: bool = False  # audit.json and the report as they are, which takes a second
    has_importance: bool = False
    has_ensemble: bool = False
    warnings: tuple[str, ...] = ("2,399 rows have `?` in three columns; treated as missing.",)


def get_store() -> JobStore:
    """The store of the test's workspace."""
    return JobStore(Settings().workspace.database)


def submit(state: JobState, plan: Plan | None = None, outcome: Outcome | None = None) -> Job:
    """A search in the given state, without a result."""
    plan = plan or Plan()
    task = json.loads(json.dumps(asdict(TASKS[plan.kind])))
    spec = {"task": task, "audit": {"min_group_size": 30, "references": {}}}
    store = get_store()
    job = store.submit_job(
        NewJob(kind=JobKind.SEARCH, title=plan.title, dataset=plan.dataset, spec=spec)
    )
    if state is not JobState.QUEUED:
        lease = store.claim_submitted(job.id, "tester")
        assert lease is not None
        if state is not JobState.RUNNING:
            store.finish_job(lease, state, {}, outcome)
    found = store.read_job(job.id)
    assert found is not None
    store.close()
    return found


def finish(plan: Plan | None = None) -> Job:
    """A succeeded search with every file a worker writes, the bundle excepted."""
    plan = plan or Plan()
    job = submit(plan.state, plan)
    out = Settings().workspace.result(job.id)
    truth, models = _predict(plan, plan.n, plan.seed)
    calibrate_truth, calibrated = _predict(plan, N_CALIBRATE, seed=plan.seed + 5)
    calibrate_final = calibrated[0][2]
    task = TASKS[plan.kind]
    is_value = plan.kind == "regression"
    opened = []
    fitted = uncalibrated = None
    for index, (name, family, prediction) in enumerate(models):
        final, raw = prediction, None
        if not is_value:
            temperature = fit_temperature(calibrate_truth, calibrated[index][2])
            raw, final = prediction, temperature.apply(prediction)
            if index == 0:
                choice = choose_calibrator(calibrate_truth, calibrate_final)
                final = choice.calibrator.apply(prediction)
                calibrate_final = choice.calibrator.apply(calibrate_final)
                uncalibrated = raw
                fitted = compute_calibration_table(task, truth, raw, temperature, choice=choice)
        evaluation = evaluate(
            EvaluationInput(task=task, truth=truth, prediction=final, uncalibrated=raw)
        )
        roles = ["winner", "network"] if index == 0 else ["baseline"]
        opened.append((name, family, final, evaluation, roles))
    winner = opened[0]
    difference = compute_difference(
        ComparisonInput(
            task=task, truth=truth, metric=task.metric,
            predictions={"model": winner[2], "baseline": opened[1][2]},
        ),
        "model", "baseline",
    )  # fmt: skip
    trials = _build_trials(plan)
    model = {
        "name": plan.winner, "family": "mlp", "trial": 12, "is_network": True, "layers": LAYERS,
        "architecture": "MLP 2×128 relu, layer norm, residual, piecewise 12×16, categories 8",
        "config": {"depth": 2, "width": 128, "dropout": 0.1, "residual": True},
    }  # fmt: skip
    board = [
        {
            "name": name, "family": family, "trial": index, "architecture": "", "device": "cpu:0",
            "is_network": index == 0, "is_baseline": index > 0, "parameters": 38_322 if index == 0 else None,
            "select_score": score, "select_low": score - 0.004, "select_high": score + 0.004,
            "tier": 1 if index < 2 else index, "fit_seconds": 3.2, "predict_seconds": 0.031,
            "behind": 0.927 - score, "behind_low": 0.92 - score, "behind_high": 0.934 - score,
            "p_holm": 1.0 if index < 2 else 0.001, "tier_test": "delong paired",
            "test": {key: _shorten(each) for key, each in evaluation.metrics.items()},
        }
        for index, ((name, family, _, evaluation, _), score) in enumerate(
            zip(opened, (0.927, 0.925, 0.906, 0.5), strict=True)
        )
    ]  # fmt: skip
    board.insert(
        1, {**board[0], "name": "MLP 19", "test": None, "select_score": 0.926, "trial": 19}
    )
    result: dict[str, Any] = {
        "schema_version": "1.0", "task": {**asdict(task), "type": str(task.type)},
        "metric": task.metric, "wall_seconds": 178.3, "trials": trials, "winner": model,
        "best_network": model, "leaderboard": board, "looks": plan.looks,
        "test": {key: _shorten(each) for key, each in winner[3].metrics.items()},
        "warnings": list(plan.warnings), "calibration": fitted.to_json() if fitted else {},
        "comparison": {**difference.to_json(), "model": winner[0], "baseline": opened[1][0]},
        "gain": {"sentence": "MLP 12 against Boosted trees (default): no measurable gain."},
        "worth": {"baseline": opened[1][0], "search_seconds": 131.0, "n_trials": 27, "sentence": ""},
        "n_rows": {"train": 3_000, "select": 750, "calibrate": N_CALIBRATE, "test": plan.n},
        "protocol": {"split": "stratified", "budget_seconds": 180.0, "sampler": "tpe"},
        "versions": {"fairloom": "0.1.0"}, "seed": plan.seed,
        "hashes": {"data": "d" * 64, "split": f"{plan.seed}" * 64, "test_part": f"{plan.seed}{plan.n}" * 8},
        "devices": {"cpu:0": 20, "cpu:1": 18},
        "importance": [
            {"family": "mlp", "label": label, "share": share, "low": share / 2, "high": min(1.0, 1.5 * share), "n": 12}
            for label, share in (("depth", 0.8), ("width", 0.2))
        ] if plan.has_importance else [],
        "seeds": {plan.winner: {"part": "calibrate", "values": [0.92, 0.93], "average": 0.931, "epochs": 9}},
    }  # fmt: skip
    if plan.has_ensemble:
        result |= _build_ensemble(model, board)
    predictions = _build_predictions(plan, truth, winner[2])
    out.mkdir(parents=True)
    predictions.to_parquet(out / "predictions.parquet", index=False)
    _build_predictions(plan, calibrate_truth, calibrate_final, seed=6).to_parquet(
        out / "calibrate_predictions.parquet", index=False
    )
    if uncalibrated is not None:
        named = build_output_frame(task, uncalibrated).drop(columns="prediction")
        named.to_parquet(out / "uncalibrated.parquet", index=False)
    write_json(out / "evaluation.json", {"models": [
        {"name": name, "family": family, "trial": 0, "roles": roles, "evaluation": evaluation.to_json()}
        for name, family, _, evaluation, roles in opened
    ]})  # fmt: skip
    if plan.kind == "binary" and plan.groups and plan.has_audit_files:
        _write_audit(out, predictions)
    for trial in (3, 7, 12):
        for epoch in range(1, 9):
            append_jsonl(Settings().workspace.job(job.id) / "epochs.jsonl", {
                "trial": trial, "epoch": epoch, "train_loss": 0.5 / epoch, "select_loss": 0.6 / epoch,
                "score": 0.9 + epoch / 1_000, "learning_rate": 1e-3, "seconds": 0.2, "at": 0.0,
            })  # fmt: skip
    write_json(out / "result.json", result)
    return job


def _build_ensemble(network: dict[str, Any], board: list[dict[str, Any]]) -> dict[str, Any]:
    """The winner as three models together; the network stays in the leaderboard."""
    members = [
        {
            "trial": number, "name": name, "family": family, "architecture": architecture, "config": {},
            "is_network": family == "mlp", "is_baseline": False, "parameters": 38_322, "weight": weight,
            "seeds": seeds, "is_refit": number != 7,
        }
        for number, name, family, architecture, weight, seeds in (
            (12, "MLP 12", "mlp", "MLP 2×128 relu", 0.5, 3),
            (5, "Boosted trees 5", "boosting", "63 leaves, rate 0.05", 0.3125, 1),
            (7, "Linear 7", "linear", "Linear", 0.1875, 1),
        )
    ]  # fmt: skip
    name = "Ensemble of 3 models"
    board.insert(0, {**board[0], "name": name, "family": "ensemble", "trial": None})
    winner = {
        **network, "name": name, "family": "ensemble", "trial": None, "config": {}, "layers": [],
        "is_network": False, "architecture": "MLP 12 50%", "members": 5, "ensemble": members,
    }  # fmt: skip
    choice = {
        "is_winner": True, "picked_by": "log_loss", "measure": "log_loss",
        "members": [{"trial": each["trial"], "weight": each["weight"]} for each in members], "n_candidates": 23, "n_rows": 638,
        "n_guard": 112, "guard_score": -0.281, "guard_single": -0.287, "guard_error": 0.004,
    }  # fmt: skip
    return {"winner": winner, "ensemble": choice}


def _predict(
    plan: Plan, n: int, seed: int = 0
) -> tuple[np.ndarray, list[tuple[str, str, np.ndarray]]]:
    generator = np.random.default_rng(seed)
    names = [
        (plan.winner, "mlp", plan.skill),
        ("Boosted trees (default)", "boosting", 1.4),
        ("Linear (default)", "linear", 0.9),
        ("Constant", "constant", 0.0),
    ]
    if plan.kind == "regression":
        truth = generator.normal(100, 20, n)
        models = [
            (name, family, 100 + (truth - 100) * skill / 1.6 + generator.normal(0, 4, n) * (skill > 0))
            for name, family, skill in names
        ]  # fmt: skip
        return truth, models
    k = 2 if plan.kind == "binary" else 3
    truth = generator.choice(k, n, p=[0.75, 0.25] if k == 2 else [0.5, 0.3, 0.2])
    noise = generator.normal(0, 1, (n, k))
    models = []
    for name, family, skill in names:
        logits = 1.6 * (skill * np.eye(k)[truth] + noise * (skill > 0))
        shares = np.exp(logits - logits.max(axis=1, keepdims=True))
        models.append((name, family, shares / shares.sum(axis=1, keepdims=True)))
    return truth, models


def _build_predictions(
    plan: Plan, truth: np.ndarray, prediction: np.ndarray, seed: int = 1
) -> pd.DataFrame:
    generator = np.random.default_rng(seed)
    task = TASKS[plan.kind]
    frame = build_output_frame(task, prediction)
    frame.insert(0, "row_id", range(len(truth)))
    frame.insert(1, "truth", truth if plan.kind == "regression" else decode_labels(task, truth))
    for column, groups in (("sex", plan.groups), ("race", plan.second)):
        if groups:
            weight = np.arange(len(groups), 0, -1) ** 2.0
            frame[f"sensitive_{column}"] = generator.choice(
                groups, len(truth), p=weight / weight.sum()
            )
    return frame


def _build_trials(plan: Plan) -> list[dict[str, Any]]:
    generator = np.random.default_rng(2)
    trials = []
    for number in range(plan.n_trials):
        state = "pruned" if number % 4 == 3 else "failed" if number % 11 == 10 else "complete"
        trials.append(
            {
                "number": number, "name": f"MLP {number}", "family": "mlp" if number % 2 else "resnet",
                "config": {"depth": number % 5, "width": 128}, "architecture": f"MLP {number % 5}×128",
                "stage": "baseline" if number < 3 else "search", "state": state,
                "score": None if state == "failed" else 0.9 + 0.027 * float(generator.random()),
                "n_epochs": 8, "best_epoch": 7, "device": f"cpu:{number % 2}", "parameters": 38_322,
                "fit_seconds": 1.5, "predict_seconds": 0.03, "failure_kind": "", "failure_message": "",
            }
        )  # fmt: skip
    return trials


def _shorten(estimate: Any) -> dict[str, Any]:
    return {key: getattr(estimate, key) for key in ("value", "low", "high", "n")}


def _write_audit(out: Path, predictions: pd.DataFrame) -> None:
    columns = [name for name in predictions if name.startswith("sensitive_")]
    attributes = predictions[columns].rename(columns=lambda name: name.removeprefix("sensitive_"))
    audit = compute_audit(
        AuditInput(
            truth=(predictions["truth"] == ">50K").to_numpy(int),
            prediction=(predictions["prediction"] == ">50K").to_numpy(int),
            score=predictions["probability_>50K"].to_numpy(float),
            attributes=attributes,
        ),
        AuditOptions(positive=">50K", beneficial=">50K", threshold=0.5),
    )
    context = ReportContext(model_name="MLP 12", data_name="adult_train.csv")
    write_json(out / "audit.json", audit.to_json(context))
    (out / "report.html").write_text(render_report(audit, context), encoding="utf-8")
    (out / "audit_counts.csv").write_text(render_counts_csv(audit), encoding="utf-8")
    (out / "audit_metrics.csv").write_text(render_metrics_csv(audit), encoding="utf-8")
