"""What a report says around the numbers, from a finished search."""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from automl.data.split_plan import SplitPlan
from automl.data.task import TaskType
from automl.evaluation.evaluation import parse_estimate
from automl.evaluation.outcomes import THRESHOLD
from automl.evaluation.threshold_change import describe_change, read_changes, read_threshold
from automl.models.catalog import FAMILIES
from automl.reports.predictions import PREDICTIONS
from automl.search.offers import PRUNERS, SAMPLERS
from automl.search.spec import Budget, SearchSpec, compute_spec_hash
from fairness.context import NOT_STATED, ModelRow, ReportContext
from fairness.definitions import METRICS
from fairness.estimates import Estimate


def build_report_context(
    result: Mapping[str, Any],
    spec: SearchSpec,
    *,
    predictions_sha256: str,
    created_at: str | None = None,
) -> ReportContext:
    """Names, provenance, protocol and overall results of a search.

    ``result`` is the content of ``result.json``; what it does not say prints "not stated". ``created_at``
    is ISO 8601 in UTC, now by default.
    """
    task = spec.task
    winner = result.get("winner") or {}
    n_rows = result.get("n_rows") or {}
    return ReportContext(
        title=f"Audit of the prediction of {task.target}",
        model_name=winner.get("name") or NOT_STATED,
        data_name=spec.data_name or NOT_STATED,
        n_rows=sum(n_rows.values()) if n_rows else None,
        created_at=created_at or get_now(),
        seed=spec.seed,
        versions=dict(result.get("versions") or {}),
        hashes={
            **{name: str(value) for name, value in (result.get("hashes") or {}).items()},
            "data": spec.data,
            "spec": compute_spec_hash(spec),
        },
        provenance={"predictions": describe_predictions(predictions_sha256)},
        task={
            "target": task.target,
            "type": task.type.value,
            "metric": task.metric,
            "classes": list(task.classes),
            "reason": task.reason,
        },
        protocol=_build_protocol(result, spec, winner, n_rows),
        models=build_model_rows(result.get("leaderboard") or ()),
        looks=result.get("looks"),
        warnings=(*(str(text) for text in result.get("warnings") or ()), *_warn_thresholds(result)),
    )


def get_now() -> str:
    """The time in UTC, ISO 8601, whole seconds."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def describe_predictions(digest: str) -> dict[str, str]:
    """Path and SHA-256 of the predictions, for the provenance."""
    return {"path": PREDICTIONS, "sha256": digest}


def build_model_rows(leaderboard: Sequence[Mapping[str, Any]]) -> tuple[ModelRow, ...]:
    """The models whose test results were opened, in the order of the leaderboard."""
    return tuple(
        ModelRow(
            name=row["name"],
            metrics={name: _read_estimate(value) for name, value in row["test"].items()},
            is_baseline=bool(row.get("is_baseline")),
        )
        for row in leaderboard
        if row.get("test")
    )


def _read_estimate(value: Mapping[str, Any]) -> Estimate:
    """A whole estimate, or the ``value, low, high, n`` of ``result.json``."""
    defaults = {
        "method": "",
        "status": "not_estimable" if value.get("value") is None else "ok",
        "reason": "",
        "numerator": None,
        "denominator": None,
    }
    return parse_estimate({**defaults, **value})


def _build_protocol(
    result: Mapping[str, Any],
    spec: SearchSpec,
    winner: Mapping[str, Any],
    n_rows: Mapping[str, int],
) -> dict[str, str]:
    """Facts in reading order."""
    compared = result.get("cross_validation")
    titles = [FAMILIES[name].title if name in FAMILIES else name for name in spec.families]
    facts = {
        "Split": _describe_split(spec.split),
        "Rows by part": ", ".join(f"{part} {count:,}" for part, count in n_rows.items()),
        "Families": ", ".join(titles),
        "Search": f"{SAMPLERS[spec.sampler].title}, weak trials ended by {PRUNERS[spec.pruner].title}, preset "
        f"{spec.preset.value}",
        "Budget": _describe_budget(spec.budget),
        "Trials": _describe_trials(result.get("trials") or ()),
        "Chosen by": f"{METRICS[spec.task.metric].title} {'out of fold' if spec.folds else 'on the select part'} "
        "(optimistic: the best of all trials)",
        **({"Cross-validation": compared["sentence"]} if compared else {}),
        "Architecture": str(winner.get("architecture") or ""),
        "Gain and cost": str((result.get("worth") or {}).get("sentence") or ""),
        "Calibration": _describe_calibration(result.get("calibration")),
        **_describe_threshold(result, spec),
        "Sensitive columns as inputs": ", ".join(
            column.name for column in spec.columns if column.is_input
        )
        or "none; audit only",
    }
    return {name: text or NOT_STATED for name, text in facts.items()}


def _describe_split(plan: SplitPlan) -> str:
    shares = "/".join(
        f"{100 * share:.0f}"
        for share in (plan.train, plan.select, plan.calibrate, plan.test)
        if share
    )
    how = f"by {plan.group}" if plan.group else plan.strategy.value
    how = f"in the order of {plan.time}" if plan.time else how
    if plan.test_given:
        return f"{shares} % train/select/calibrate, {how}, with a given test part; seed {plan.seed}"
    return f"{shares} % train/select/calibrate/test, {how}; seed {plan.seed}"


def _describe_budget(budget: Budget) -> str:
    parts = [] if budget.seconds is None else [f"{budget.seconds:,.0f} s"]
    parts += [] if budget.trials is None else [f"{budget.trials:,} trials"]
    return " and ".join(parts)


def _describe_trials(trials: Sequence[Mapping[str, Any]]) -> str:
    """How many were searched, and how many models were trained beside them."""
    if not trials:
        return ""
    n = Counter(trial.get("stage", "search") for trial in trials)
    searched = [trial for trial in trials if trial.get("stage", "search") == "search"]
    networks = sum(bool(trial.get("is_network")) for trial in searched)
    beside = [f"{n[key]:,} {key}{'s' * (n[key] > 1)}" for key in ("baseline", "refit") if n[key]]
    return "; ".join([f"{len(searched):,}, {networks:,} of them networks", *beside])


def _describe_calibration(calibration: Mapping[str, Any] | None) -> str:
    value = (calibration or {}).get("temperature")
    chosen = ((calibration or {}).get("choice") or {}).get("chosen", "temperature")
    if chosen != "temperature":
        return f"{chosen} calibration, fitted and chosen on the calibrate part"
    if value is None:
        return "none"
    return f"temperature {value:.4g}, fitted on the calibrate part"


def _describe_threshold(result: Mapping[str, Any], spec: SearchSpec) -> dict[str, str]:
    """By which probability two classes are told apart, and why; nothing for other targets."""
    if spec.task.type is not TaskType.BINARY:
        return {}
    changes = read_changes(result)
    return {
        "Decision threshold": describe_change(changes[-1]) if changes else f"{THRESHOLD:g}, default"
    }


def _warn_thresholds(result: Mapping[str, Any]) -> tuple[str, ...]:
    """Models are compared at the default; decisions that are cut elsewhere are another thing."""
    threshold = read_threshold(result)
    if threshold == THRESHOLD:
        return ()
    return (
        f"Decisions are cut at {threshold:g}; the table of models compares decisions at {THRESHOLD:g}.",
    )
