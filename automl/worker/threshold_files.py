"""One threshold in everything that a finished search left: decisions, audit, report, bundle and ``result.json``."""

import json
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pandas as pd

from automl.data.task import Task, TaskType
from automl.data.weights import find_weight
from automl.deploy.bundle import read_manifest
from automl.deploy.threshold import change_bundle
from automl.errors import DataError, SpecError
from automl.evaluation.costs import Costs
from automl.evaluation.cuts import Cuts, build_cuts
from automl.evaluation.evaluate import compute_metrics
from automl.evaluation.evaluation import Evaluation
from automl.evaluation.operating_point import SHOWN, compute_at
from automl.evaluation.outcomes import THRESHOLD
from automl.evaluation.outputs import decide_anew, read_scores
from automl.evaluation.threshold_change import (
    ThresholdChange,
    ThresholdRequest,
    add_change,
    build_change,
    describe_change,
    read_threshold,
)
from automl.evaluation.thresholds import find_best_threshold
from automl.files import load_json, sync_folder, write_json
from automl.reports.predictions import CALIBRATE_PREDICTIONS, PREDICTIONS, write_predictions
from automl.reports.search_report import SearchReport, write_search_report
from automl.search.spec import SearchSpec, parse_spec
from fairness.definitions import METRICS
from fairness.outcomes import Outcomes

WEIGHTED = "Rows have weights; at a threshold of its own every row is counted once."
NO_RESULT = "Name the folder of a finished search: what --out wrote, with spec.json in it."
NO_CALIBRATE = (
    "Search again, or give the threshold itself: searches keep these rows since thresholds exist."
)


@dataclass(frozen=True, kw_only=True, slots=True)
class ResultFiles:
    """What a finished search of two classes left in ``folder``, read."""

    folder: Path
    spec: SearchSpec
    result: Mapping[str, Any]
    test: pd.DataFrame
    calibrate: pd.DataFrame | None

    @property
    def task(self) -> Task:
        """What is predicted."""
        return self.spec.task

    def get_cuts(self, frame: pd.DataFrame) -> Cuts:
        """The counts of its rows at every threshold."""
        return build_cuts(*read_scores(self.task, frame))


def load_result_files(folder: Path, spec_file: Path) -> ResultFiles:
    """Read what a threshold touches; no finished search, or one without two classes, is a ``SpecError``."""
    try:
        result = load_json(folder / "result.json")
        spec = parse_spec(spec_file.read_text(encoding="utf-8"))
        test = pd.read_parquet(folder / PREDICTIONS)
    except (OSError, json.JSONDecodeError) as error:
        raise SpecError(
            f"There is no finished search in {str(folder)!r}: {error}.", hint=NO_RESULT
        ) from error
    if spec.task.type is not TaskType.BINARY:
        raise SpecError(
            f"{spec.task.target!r} is a {spec.task.type} target: only a decision between two classes has a threshold.",
            hint="Use the most probable class, or the predicted value, as it is.",
        )
    calibrate = folder / CALIBRATE_PREDICTIONS
    return ResultFiles(
        folder=folder,
        spec=spec,
        result=result,
        test=test,
        calibrate=pd.read_parquet(calibrate) if calibrate.is_file() else None,
    )


def plan_change(files: ResultFiles, request: ThresholdRequest) -> ThresholdChange:
    """The change that a request comes to; a rule is looked for on the calibrate part alone."""
    rule = request.rule
    best = None
    if rule is not None:
        if files.calibrate is None:
            raise DataError(
                "The predictions of the calibrate part were not kept by this search.",
                hint=NO_CALIBRATE,
            )
        best = find_best_threshold(files.get_cuts(files.calibrate), rule, files.spec.seed)
    return build_change(
        request,
        best,
        previous=read_threshold(files.result),
        at=datetime.now(UTC).isoformat(timespec="seconds"),
    )


def apply_change(
    files: ResultFiles,
    change: ThresholdChange,
    report: Callable[[float, str], None] = lambda _share, _words: None,
) -> None:
    """Write the threshold into every file.

    All that is computed is computed aside first; then files are replaced, ``result.json`` last, so that a
    torn change is made again whole.
    """
    folder, threshold = files.folder, change.threshold
    result = add_change(files.result, change)
    read_manifest(folder / "bundle")  # or say that there is none before anything is written
    decided = _compute_decided(files, threshold)
    with tempfile.TemporaryDirectory(dir=folder, prefix=".threshold-") as name:
        draft = Path(name)
        _write_decisions(draft, files, result, report)
        report(0.9, "Replacing decisions, audit, report and bundle")
        for path in sorted(draft.iterdir()):
            path.replace(folder / path.name)
    sync_folder(folder)
    said = "" if change.is_reset else describe_change(change)
    change_bundle(folder / "bundle", threshold, said, decided)
    write_json(folder / "result.json", result)


def _write_decisions(
    draft: Path,
    files: ResultFiles,
    result: Mapping[str, Any],
    report: Callable[[float, str], None],
) -> None:
    """Predictions, audit and report at the threshold of ``result``."""
    folder, task, threshold = files.folder, files.task, read_threshold(result)
    evaluation = load_json(folder / "evaluation.json")["models"][0]["evaluation"]
    report(0.1, "Deciding the rows anew")
    if files.calibrate is not None:
        write_predictions(
            draft, decide_anew(task, files.calibrate, threshold), CALIBRATE_PREDICTIONS
        )
    report(0.2, "Auditing at the new threshold")
    write_search_report(
        draft,
        SearchReport(
            spec=files.spec,
            result=result,
            predictions=decide_anew(task, files.test, threshold),
            evaluation=Evaluation.from_json(evaluation),
        ),
    )


def _compute_decided(files: ResultFiles, threshold: float) -> dict[str, Mapping[str, Any]]:
    """The test results that depend on the decision; at the default those that the search found."""
    names = tuple(
        name for name in files.result["test"] if name in METRICS and METRICS[name].needs == "label"
    )
    if threshold == THRESHOLD:
        return {name: files.result["test"][name] for name in names}
    is_positive, score = read_scores(files.task, files.test)
    outcomes = Outcomes("binary", is_positive.astype(int), (score >= threshold).astype(int))
    found = compute_metrics(files.task, outcomes, names, seed=files.spec.seed)
    return {
        name: {"value": each.value, "low": each.low, "high": each.high, "n": each.n}
        for name, each in found.items()
    }


def describe_parts(files: ResultFiles, threshold: float, costs: Costs) -> dict[str, dict[str, Any]]:
    """What a threshold gives on the calibrate and the test part: measure → estimate as plain values."""
    parts = {"calibrate": files.calibrate, "test": files.test}
    found = {}
    for part, frame in parts.items():
        if frame is not None:
            table = files.get_cuts(frame).count_at(threshold)
            estimates = {name: compute_at(name, table, costs, files.spec.seed) for name in SHOWN}
            found[part] = {name: each.to_json() for name, each in estimates.items()}
    return found


def list_notes(files: ResultFiles, change: ThresholdChange) -> list[str]:
    """What a reader of the new numbers must know."""
    is_weighted = find_weight(files.spec.columns) is not None and change.threshold != THRESHOLD
    return [WEIGHTED] if is_weighted else []
