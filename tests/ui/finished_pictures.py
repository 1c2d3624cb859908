"""A finished search on pictures as a worker leaves it: data set, predictions with files, result, audit, explanations."""

import io
import json
import zipfile
from dataclasses import asdict, dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pandas as pd
from PIL import Image

from app import services
from automl.data.dataset import Dataset
from automl.data.importing import ImportRequest
from automl.data.task import Task, TaskType
from automl.evaluation.calibration import Temperature, fit_temperature
from automl.evaluation.calibration_table import compute_calibration_table
from automl.evaluation.evaluate import EvaluationInput, evaluate
from automl.evaluation.outputs import build_output_frame, decode_labels
from automl.files import append_jsonl, write_json
from automl.jobs.records import Job, JobKind, JobState, NewJob, Outcome
from automl.reports.audit_files import write_class_audit
from automl.reports.audit_rows import build_class_rows
from automl.settings import Settings
from fairness.class_audit import ClassOptions, compute_class_audit
from fairness.context import ReportContext
from tests.ui.finished import get_store

LAYERS: tuple[dict[str, Any], ...] = (
    {"stage": "Stem", "name": "stem", "kind": "convolution 3×3", "output": "32×16×16", "parameters": 896, "macs": 221_184, "detail": "batch norm, ReLU"},
    {"stage": "Stage 1", "name": "block 1", "kind": "residual", "output": "64×16×16", "parameters": 57_728, "macs": 14_680_064, "detail": "3×3, ReLU"},
    {"stage": "Stage 1", "name": "block 2", "kind": "residual", "output": "64×16×16", "parameters": 73_984, "macs": 18_874_368, "detail": "3×3, ReLU"},
    {"stage": "Stage 1", "name": "block 3", "kind": "residual", "output": "64×16×16", "parameters": 73_984, "macs": 18_874_368, "detail": "3×3, ReLU"},
    {"stage": "Stage 2", "name": "block 1", "kind": "residual", "output": "128×8×8", "parameters": 230_144, "macs": 14_680_064, "detail": "3×3, ReLU, stride 2"},
    {"stage": "Head", "name": "pool", "kind": "global average pooling", "output": "128", "parameters": 0, "macs": 0, "detail": ""},
    {"stage": "Head", "name": "classes", "kind": "linear", "output": "3", "parameters": 387, "macs": 384, "detail": ""},
)  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What kind of finished search on pictures is wanted; dark pictures are decided worse by ``planted``."""

    n_per_class: int = 120
    n_test_rows: int = 240
    side: int = 16
    planted: float = 0.4
    sensitive: tuple[str, ...] = ("picture_brightness",)
    classes: tuple[str, ...] = ("cat", "dog", "ship")
    skill: float = 1.6
    has_audit_files: bool = False
    extra: tuple[tuple[str, Any], ...] = ()


def finish(plan: Plan = Plan()) -> Job:
    """A succeeded search with every file a worker writes, the bundle excepted."""
    dataset = _import(plan)
    task = Task(
        target="label", type=TaskType.MULTICLASS if len(plan.classes) > 2 else TaskType.BINARY,
        metric="accuracy", classes=plan.classes, positive=None if len(plan.classes) > 2 else plan.classes[0],
    )  # fmt: skip
    spec = {
        "data": dataset.id, "task": json.loads(json.dumps(asdict(task))),
        "split": {"test_given": plan.n_test_rows > 0}, "audit": {"min_group_size": 30, "references": {}},
    }  # fmt: skip
    store = get_store()
    job = store.submit_job(
        NewJob(kind=JobKind.SEARCH, title="animals.zip · label", dataset=dataset.id, spec=spec)
    )
    lease = store.claim_submitted(job.id, "tester")
    assert lease is not None
    store.finish_job(lease, JobState.SUCCEEDED, {})
    found = store.read_job(job.id)
    store.close()
    assert found is not None
    _write_files(found, dataset, task, plan)
    return found


def _import(plan: Plan) -> Dataset:
    """A ZIP with train and test folders through the engine's own import; some pictures are dark."""
    from automl.data.intake import import_file

    services.prepare_workspace()
    n_test = plan.n_test_rows // len(plan.classes)
    with TemporaryDirectory() as folder:
        path = Path(folder) / "animals.zip"
        with zipfile.ZipFile(path, "w") as archive:
            for part, count in (("train", plan.n_per_class - n_test), ("test", n_test)):
                for number in range(count * len(plan.classes)):
                    label = plan.classes[number % len(plan.classes)]
                    top = f"{part}/" if n_test else ""
                    archive.writestr(f"{top}{label}/{part}_{number:04}.png", _draw(plan, number))
        settings = Settings()
        request = ImportRequest(path=str(path), name="animals.zip")
        return import_file(request, settings.workspace, settings)


def _draw(plan: Plan, number: int) -> bytes:
    """Noise with a bright bar whose height tells the class."""
    rng = np.random.default_rng(number)
    side, k = plan.side, len(plan.classes)
    light = rng.integers(30, 130)
    picture = rng.integers(light - 20, light, (side, side, 3)).astype(np.uint8)
    start = (number % k) * side // (2 * k)
    picture[start : start + side // 2, side // 4 : -side // 4] += np.uint8(light // 2)
    buffer = io.BytesIO()
    Image.fromarray(picture).save(buffer, "PNG")
    return buffer.getvalue()


def explain(
    search: str, row: int, state: JobState = JobState.SUCCEEDED, outcome: Outcome | None = None
) -> Job:
    """An explanation of one picture as the worker leaves it."""
    store = get_store()
    spec = {"search": search, "rows": [row], "classes": "predicted"}
    job = store.submit_job(NewJob(kind=JobKind.EXPLAIN, title=str(row), dataset="", spec=spec))
    lease = store.claim_submitted(job.id, "tester")
    assert lease is not None
    if state is JobState.SUCCEEDED:
        folder = Settings().workspace.job(job.id)
        (folder / "explained").mkdir(parents=True)
        for name in (f"{row}.png", f"{row}-occlusion.png"):
            Image.new("RGB", (16, 16), (200, 60, 0)).save(folder / "explained" / name)
        write_json(folder / "explained.json", {
            "method": "Grad-CAM, last convolution stage",
            "limits": "It explains the model, not causes.",
            "occlusion_limits": "A covered square is new to the model.",
            "rows": [
                {"row": row, "class": "cat", "probability": 0.913, "maximum": 2.75, "largest_drop": 0.25}
            ],
        })  # fmt: skip
    if state is not JobState.RUNNING:
        store.finish_job(lease, state, {}, outcome)
    store.close()
    return job


def _write_files(job: Job, dataset: Dataset, task: Task, plan: Plan) -> None:
    out = Settings().workspace.result(job.id)
    frame = pd.read_parquet(Settings().workspace.dataset(dataset.id) / "table.parquet")
    rows = np.arange(len(frame))[-plan.n_test_rows :] if plan.n_test_rows else np.arange(0, len(frame), 3)  # fmt: skip
    part = frame.iloc[rows].reset_index(drop=True)
    truth, models = _predict(part, task, plan)
    opened = []
    for name, family, raw in models:
        temperature = fit_temperature(truth, raw)
        final = temperature.apply(raw)
        evaluation = evaluate(
            EvaluationInput(task=task, truth=truth, prediction=final, uncalibrated=raw)
        )
        opened.append((name, family, final, evaluation))
        if name == models[0][0]:
            fitted = compute_calibration_table(task, truth, raw, temperature)
            winners = temperature
    predictions = build_output_frame(task, opened[0][2])
    predictions.insert(0, "truth", decode_labels(task, truth))
    predictions.insert(0, "file", part["file"])
    predictions.insert(0, "row_id", rows - (dataset.n_train_rows if plan.n_test_rows else 0))
    for name in plan.sensitive:
        predictions[f"sensitive_{name}"] = part[name]
    out.mkdir(parents=True)
    predictions.to_parquet(out / "predictions.parquet", index=False)
    _build_calibrate(frame, task, plan, winners).to_parquet(
        out / "calibrate_predictions.parquet", index=False
    )
    write_json(out / "evaluation.json", {"models": [
        {"name": name, "family": family, "trial": 0, "roles": ["winner"], "evaluation": e.to_json()}
        for name, family, _, e in opened
    ]})  # fmt: skip
    write_json(out / "result.json", _build_result(task, opened, fitted, len(part), plan))
    for trial in (3, 7):
        for epoch in range(1, 7):
            append_jsonl(Settings().workspace.job(job.id) / "epochs.jsonl", {
                "trial": trial, "epoch": epoch, "train_loss": 1.5 / epoch, "select_loss": 1.6 / epoch,
                "score": 0.5 + epoch / 20, "learning_rate": 1e-2, "seconds": 3.2, "at": 0.0,
            })  # fmt: skip
    if plan.has_audit_files:
        audited = build_class_rows(task.classes, predictions)
        audit = compute_class_audit(audited, ClassOptions(references={}))
        context = ReportContext(
            title="Audit of the prediction of label", model_name="CNN 7", data_name="animals.zip"
        )
        write_class_audit(out, audit, audited, opened[0][3], context)


def _build_calibrate(
    frame: pd.DataFrame, task: Task, plan: Plan, temperature: Temperature
) -> pd.DataFrame:
    """Other rows of the data set as the winner predicts them, the temperature being given."""
    rows = np.arange(1, len(frame) - plan.n_test_rows, 3)
    part = frame.iloc[rows].reset_index(drop=True)
    truth, models = _predict(part, task, plan)
    predictions = build_output_frame(task, temperature.apply(models[0][2]))
    predictions.insert(0, "truth", decode_labels(task, truth))
    predictions.insert(0, "file", part["file"])
    predictions.insert(0, "row_id", rows)
    return predictions.assign(**{f"sensitive_{name}": part[name] for name in plan.sensitive})


def _predict(part: pd.DataFrame, task: Task, plan: Plan) -> tuple[np.ndarray, list[Any]]:
    rng = np.random.default_rng(3)
    k = len(task.classes)
    truth = part["label"].map({name: i for i, name in enumerate(task.classes)}).to_numpy()
    noise = rng.normal(0, 1, (len(part), k))
    is_dark = (part["picture_brightness"] < part["picture_brightness"].quantile(0.25)).to_numpy()
    models = []
    for name, family, skill in (
        ("CNN 7", "cnn", plan.skill), ("Linear", "linear", 0.6), ("Constant", "constant", 0.0),
    ):  # fmt: skip
        logits = 1.6 * (skill * np.eye(k)[truth] + noise * (skill > 0))
        hit = is_dark & (rng.random(len(part)) < plan.planted) & (skill > 1)
        logits[hit] = np.roll(logits[hit], 1, axis=1)
        shares = np.exp(logits - logits.max(axis=1, keepdims=True))
        models.append((name, family, shares / shares.sum(axis=1, keepdims=True)))
    return truth, models


def _build_result(task: Task, opened: list[Any], fitted: Any, n: int, plan: Plan) -> dict[str, Any]:
    winner = opened[0]
    model = {
        "name": winner[0], "family": "cnn", "trial": 7, "is_network": True, "layers": LAYERS,
        "architecture": "CNN 32 · 3 × residual 64 · residual 128 · average pooling",
        "config": {"stages": 2, "width": 64, "optimizer": "muon"},
    }  # fmt: skip
    board = [
        {
            "name": name, "family": family, "trial": index, "architecture": "", "device": "cpu:0",
            "is_network": index == 0, "is_baseline": index > 0, "parameters": 437_123 if index == 0 else None,
            "select_score": 0.8 - index / 5, "select_low": 0.78 - index / 5, "select_high": 0.82 - index / 5,
            "tier": index + 1, "fit_seconds": 63.2, "predict_seconds": 0.9,
            "test": {key: _shorten(each) for key, each in evaluation.metrics.items()},
        }
        for index, (name, family, _, evaluation) in enumerate(opened)
    ]  # fmt: skip
    return {
        "schema_version": "1.0", "task": {**asdict(task), "type": str(task.type)},
        "metric": task.metric, "wall_seconds": 178.3, "trials": _build_trials(), "winner": model,
        "best_network": model, "leaderboard": board, "looks": 1,
        "test": board[0]["test"], "warnings": [], "calibration": fitted.to_json(),
        "comparison": {}, "gain": {}, "seeds": {},
        "n_rows": {"train": 252, "select": 65, "calibrate": 43, "test": n},
        "protocol": {"split": "stratified"}, "versions": {}, "hashes": {}, "devices": {"cpu:0": 9},
        **dict(plan.extra),
    }  # fmt: skip


def _build_trials() -> list[dict[str, Any]]:
    return [
        {
            "number": number, "name": f"CNN {number}", "family": "cnn", "stage": "baseline" if number < 3 else "search",
            "state": "pruned" if number == 5 else "complete", "score": 0.5 + number / 25, "config": {"width": 32},
            "architecture": "CNN 32", "n_epochs": 6, "best_epoch": 6, "device": "cpu:0", "parameters": 40_000 * (number + 1),
            "fit_seconds": 20.0, "predict_seconds": 0.2, "failure_kind": "", "failure_message": "",
        }
        for number in range(9)
    ]  # fmt: skip


def _shorten(estimate: Any) -> dict[str, Any]:
    return {key: getattr(estimate, key) for key in ("value", "low", "high", "n")}
