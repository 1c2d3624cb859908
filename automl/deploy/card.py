"""The README of a bundle: a short model card and the recipe to load it."""

from collections.abc import Mapping
from typing import Any

from automl.data.dataset import Kind
from automl.data.task import TaskType
from automl.deploy.coverage import render_coverage
from automl.deploy.manifest import Manifest
from fairness.definitions import METRICS

NOT_STATED = "not stated"
SHOWN = (
    "roc_auc", "average_precision", "accuracy", "balanced_accuracy", "precision", "recall", "f1",
    "roc_auc_ovr", "f1_macro", "log_loss", "brier_score", "ece",
    "rmse", "mae", "median_absolute_error", "r2", "mape",
)  # fmt: skip


def render_card(manifest: Manifest) -> str:
    """The card as Markdown; what nobody stated prints "not stated"."""
    parts = [
        f"# {_escape(manifest.name)}",
        _render_purpose(manifest),
        _render_use(manifest),
        _render_training(manifest.training),
        _render_metrics(manifest),
        _render_inputs(manifest),
        _render_warnings(manifest.warnings),
        _render_open_points(),
    ]
    return "\n\n".join(parts) + "\n"


def _render_purpose(manifest: Manifest) -> str:
    task = manifest.task
    lines = [f"Predicts {_code(task.target)} ({task.type.value})."]
    if task.type is not TaskType.REGRESSION:
        classes = ", ".join(_code(name) for name in task.classes)
        lines.append(f"Classes, in the order of the probabilities: {classes}.")
    if task.type is TaskType.BINARY:
        lines.append(
            f"The positive class is {_code(str(task.positive))}, decided from a probability of "
            f"{manifest.threshold:g} on. {_describe_threshold(manifest)}Beneficial outcome: "
            f"{_code(task.beneficial) if task.beneficial else NOT_STATED}."
        )
    if manifest.temperature is not None:
        lines.append(f"Probabilities are scaled with temperature {manifest.temperature:.4g}.")
    if manifest.calibrator is not None:
        lines.append(
            f"Probabilities are mended by {manifest.calibrator.method} calibration, fitted on "
            f"{manifest.calibrator.n:,} rows."
        )
    if len(manifest.members) > 1:
        how = " by their weights" if "ensemble" in manifest.training else ""
        lines.append(f"The predictions of {len(manifest.members)} models are averaged{how}.")
    if manifest.conformal:
        lines.append(render_coverage(manifest))
    return " ".join(lines)


def _describe_threshold(manifest: Manifest) -> str:
    """Who set another threshold than the default, when and why."""
    said = manifest.training.get("threshold")
    return f"Threshold {_escape(str(said)).rstrip('.')}. " if said else ""


_ROWS_RECIPE = """from pathlib import Path

import pandas as pd
from automl.deploy.bundle import load_bundle

bundle = load_bundle(Path("bundle"))
predictions = bundle.predict(pd.read_csv("new_rows.csv"))"""

_PICTURES_RECIPE = """from pathlib import Path

from automl.deploy.bundle import load_bundle
from automl.deploy.pictures import predict_pictures

bundle = load_bundle(Path("bundle"))
predictions, notes = predict_pictures(bundle, Path("new_pictures.zip"))"""


def _is_for_pictures(manifest: Manifest) -> bool:
    return any(column.kind is Kind.IMAGE for column in manifest.columns)


def _render_use(manifest: Manifest) -> str:
    version = manifest.versions.get("fairloom", NOT_STATED)
    reads_pictures = _is_for_pictures(manifest)
    recipe = _PICTURES_RECIPE if reads_pictures else _ROWS_RECIPE
    file = "new_pictures.zip" if reads_pictures else "new_rows.csv"
    return f"""## Use it

Fairloom {version} must be importable: run this in its checkout, or put the checkout on `PYTHONPATH`. `bundle` is
this folder or its ZIP.

```python
{recipe}
```

or in a shell, from the same place: `python -m automl predict bundle {file} --out predictions.csv`

Weights are safetensors and JSON; nothing in here is a pickle."""


def _render_training(training: Mapping[str, Any]) -> str:
    rows = training.get("n_rows")
    sizes = (
        ", ".join(f"{name} {count:,}" for name, count in rows.items())
        if isinstance(rows, Mapping)
        else NOT_STATED
    )
    facts = [
        ("Data", training.get("data_name")),
        ("Data id", training.get("data")),
        ("Spec hash", training.get("spec_hash")),
        ("Rows", sizes),
        ("Seed", training.get("seed")),
        *_list_weights(training.get("weights")),
    ]
    lines = [
        f"- {name}: {NOT_STATED if value is None else _escape(str(value))}" for name, value in facts
    ]
    return "\n".join(["## Training", "", *lines, *_list_ensemble(training.get("ensemble"))])


def _list_ensemble(members: Any) -> list[str]:
    """The trials of an ensemble as a table; nothing for a model of one trial."""
    if not isinstance(members, (list, tuple)):
        return []
    lines = ["", "| Model of the ensemble | Weight | Architecture | Seeds | Trained on |"]
    lines.append("|---|---|---|---|---|")
    for each in members:
        rows = "train and select" if each.get("is_refit") else "train"
        name, architecture = (_escape(str(each.get(key, ""))) for key in ("name", "architecture"))
        share = f"{float(each.get('weight', 0)):.1%}"
        lines.append(f"| {name} | {share} | {architecture} | {each.get('seeds', 1)} | {rows} |")
    return lines


def _list_weights(weights: Any) -> list[tuple[str, Any]]:
    """What a pretrained model started from; nothing for one that was trained from scratch."""
    if not isinstance(weights, Mapping):
        return []
    source = {"hub": "timm's hub", "folder": "a folder"}.get(str(weights.get("source")))
    return [
        ("Started from the weights", weights.get("tag")),
        ("Licence of these weights", weights.get("licence")),
        ("Source of these weights", source),
        ("SHA-256 of these weights", weights.get("sha256")),
    ]


def _render_metrics(manifest: Manifest) -> str:
    """The primary metric first, then the usual ones; all of them are in ``bundle.json``."""
    metrics, primary = manifest.metrics, manifest.task.metric
    names = [
        name for name in (primary, *(each for each in SHOWN if each != primary)) if name in metrics
    ]
    lines = ["## Results on the test part", ""]
    if not metrics:
        return "\n".join([*lines, f"Results: {NOT_STATED}."])
    if manifest.threshold is not None:
        lines += [f"Rates of decisions are at a threshold of {manifest.threshold:g}.", ""]
    lines += ["| Metric | Value | 95 % interval | n |", "|---|---|---|---|"]
    for name in names:
        estimate = metrics[name]
        title = METRICS[name].title if name in METRICS else name
        low, high = estimate.get("low"), estimate.get("high")
        interval = f"{low:.4g} to {high:.4g}" if low is not None and high is not None else "–"
        value = estimate.get("value")
        shown = "not estimable" if value is None else f"{value:.4g}"
        lines.append(f"| {title} | {shown} | {interval} | {estimate.get('n', 0):,} |")
    return "\n".join(lines)


def _render_inputs(manifest: Manifest) -> str:
    if _is_for_pictures(manifest):
        return "\n".join(["## Inputs", "", _render_pictures(manifest.training.get("pictures"))])
    lines = [f"| {_code(each.name)} | {each.kind.value} |" for each in manifest.columns]
    return "\n".join(["## Inputs", "", "| Column | Kind |", "|---|---|", *lines])


def _render_pictures(facts: Any) -> str:
    """What a picture becomes before a model sees it."""
    if not isinstance(facts, Mapping):
        return f"Pictures; their size in training: {NOT_STATED}."
    side = facts.get("side", NOT_STATED)
    excluded = ", ".join(_code(str(code)) for code in facts.get("excluded", ()))
    without = f" Left out of training on request: {excluded}." if excluded else ""
    colours = "grey values" if facts.get("channels") == 1 else "red, green and blue"
    return (
        f"Pictures (PNG, JPEG, WebP, BMP, TIFF; a ZIP, a folder or one file) of any size. Each is turned upright, "
        f"put on white where it is transparent, scaled so that its short side has {side} pixels, and "
        f"cut to the square in its middle: {side} × {side} pixels, {colours}. The model was trained on pictures "
        f"that were made so; what lies outside of the middle square it does not see.{without}"
    )


def _render_warnings(warnings: tuple[str, ...]) -> str:
    lines = [f"- {_escape(text)}" for text in warnings] or ["None were noted."]
    return "\n".join(["## Warnings", "", *lines])


def _render_open_points() -> str:
    names = (
        "Intended use", "Out of scope", "Who is affected", "Human oversight",
        "Appeal contact", "External review",
    )  # fmt: skip
    return "\n".join(["## Not filled in", "", *(f"- {name}: {NOT_STATED}" for name in names)])


def _code(text: str) -> str:
    """A name as a code span, in which Markdown and HTML are inert; a bar would end a table cell."""
    return "`" + " ".join(text.split()).replace("`", "'").replace("|", "\\|") + "`"


def _escape(text: str) -> str:
    """A name as inert text inside Markdown."""
    clean = " ".join(text.split()).replace("\\", "\\\\").replace("`", "'").replace("|", "\\|")
    return clean.replace("<", "&lt;").replace(">", "&gt;")
