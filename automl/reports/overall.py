"""The report on several classes or on a value, and the JSON twin where no group is audited."""

from collections.abc import Hashable, Mapping
from pathlib import Path
from typing import Any

import pandas as pd
from jinja2 import Environment, FileSystemLoader, StrictUndefined

import fairness
from automl.evaluation.evaluation import Evaluation
from automl.figures.reading import render_interval, render_number, render_percent
from automl.reports.class_sections import build_group_sections
from automl.reports.predictions import PREDICTIONS
from automl.reports.tables import Table
from fairness.audit import SCHEMA_VERSION
from fairness.class_audit import ClassAudit
from fairness.context import NOT_STATED, ReportContext
from fairness.definitions import METRICS
from fairness.estimates import Estimate
from fairness.notices import NO_ATTRIBUTE
from fairness.report_parts import render_time
from fairness.wording import CANNOT_TELL, FLOOR_HELP, NOTICE, OVERLAP, describe_cross_check

SCOPE = (
    "Group audits cover classes, not values, so far. This report gives the overall results and the protocol; "
    "it says nothing about differences between groups of people."
)
MAX_CONFUSIONS = 30  # rows of the table of confused classes
_TEMPLATES = (
    Path(__file__).parent / "templates",
    Path(str(fairness.__file__)).parent / "templates",
)


def build_overall_json(evaluation: Evaluation, context: ReportContext) -> dict[str, Any]:
    """The audit schema with empty groups, and a warning that says why."""
    return {
        "schema_version": SCHEMA_VERSION,
        "provenance": {
            "created_at": context.created_at,
            "model": context.model_name,
            "data": context.data_name,
            "seed": context.seed,
            "versions": dict(context.versions),
            "hashes": dict(context.hashes),
            **context.provenance,
        },
        "task": {**context.task, "type": evaluation.task_type},
        "positive": None,
        "beneficial": None,
        "threshold": None,
        "protocol": {**context.protocol, "looks": context.looks, "level": 0.95},
        "overall": {
            "n": evaluation.n,
            "metrics": {name: each.to_json() for name, each in evaluation.metrics.items()},
        },
        "by_group": [],
        "counts": [],
        "gaps": [],
        "extremes": [],
        "calibration": {"status": "not_estimable", "reason": SCOPE, "groups": []},
        "cross_check": None,
        "mitigation": [],
        "definitions": {name: METRICS[name].to_json() for name in evaluation.metrics},
        "warnings": [SCOPE, *context.warnings],
    }


def build_class_json(
    audit: ClassAudit, evaluation: Evaluation, context: ReportContext
) -> dict[str, Any]:
    """The audit of several classes with every overall metric of the model beside those of the audit."""
    value = audit.to_json(context)
    own = {**audit.overall.metrics, **evaluation.metrics}
    value["overall"] = {
        **audit.overall.to_json(),
        "metrics": {name: each.to_json() for name, each in own.items()},
    }
    return value


def render_overall_report(
    evaluation: Evaluation, context: ReportContext, audit: ClassAudit | None = None
) -> str:
    """One self-contained page without scripts: results with intervals, groups, models, errors, protocol.

    ``audit`` is that of several classes; without it the page says that no group was compared.
    """
    scope = SCOPE if audit is None else f"{NOTICE} {OVERLAP}"
    if audit is not None and not audit.attributes:
        scope = NO_ATTRIBUTE
    environment = Environment(
        loader=FileSystemLoader(_TEMPLATES), autoescape=True, undefined=StrictUndefined,
        trim_blocks=True,
    )  # fmt: skip
    return environment.get_template("overall.html").render(
        context=context,
        n=evaluation.n,
        not_stated=NOT_STATED,
        scope=scope,
        sections=[] if audit is None else build_group_sections(audit),
        floor_help=FLOOR_HELP,
        cannot_tell=CANNOT_TELL,
        cross_check=describe_cross_check(context.cross_check.to_json())
        if context.cross_check
        else "",
        predictions=PREDICTIONS,
        cover=_build_cover(evaluation, context),
        results=_build_results(evaluation, context),
        models=_build_models(evaluation, context),
        details=_build_details(evaluation),
        protocol=list(context.protocol.items()),
        warnings=[
            *((SCOPE,) if audit is None else audit.warnings),
            *context.warnings,
            *evaluation.notes,
        ],
        definitions=_build_definitions(evaluation),
        limits=_build_limits(context),
        appendix=[
            *((f"Hash of {name}", value) for name, value in context.hashes.items()),
            *((f"Version of {name}", value) for name, value in context.versions.items()),
        ],
    )


def _build_cover(evaluation: Evaluation, context: ReportContext) -> list[tuple[str, str]]:
    looks = NOT_STATED if context.looks is None else _count_looks(context.looks)
    return [
        ("Model", context.model_name),
        ("Data", context.data_name),
        ("Task", evaluation.task_type),
        ("Target", str(context.task.get("target", NOT_STATED))),
        ("Rows in the data", NOT_STATED if context.n_rows is None else f"{context.n_rows:,}"),
        ("Made at (UTC)", render_time(context.created_at)),
        ("Made by", context.operator),
        ("Test set used", looks),
        ("Intended use", context.intended_use),
        ("Who is affected", context.affected),
    ]


def _count_looks(looks: int) -> str:
    return "once" if looks == 1 else f"{looks} times; results are optimistic"


def _build_results(evaluation: Evaluation, context: ReportContext) -> Table:
    rows: list[tuple[str, ...]] = [
        (METRICS[name].title, _render(each), f"{each.n:,}", each.method or "–", each.reason)
        for name, each in evaluation.metrics.items()
    ]
    header: tuple[str, ...] = ("Metric", "Value [95 % interval]", "n", "Method", "Remark")
    if not any(row[-1] for row in rows):
        header, rows = header[:-1], [row[:-1] for row in rows]
    return Table(
        caption=f"Every metric of this model on the {context.rows_from}", header=header, rows=rows
    )


def _build_models(evaluation: Evaluation, context: ReportContext) -> Table | None:
    if not context.models:
        return None
    names = [
        name
        for name in evaluation.metrics
        if any(name in model.metrics for model in context.models)
    ]
    titles = [
        f"{model.name} (baseline)" if model.is_baseline else model.name for model in context.models
    ]
    rows = [
        (METRICS[name].title, *(_render(model.metrics.get(name)) for model in context.models))
        for name in names
    ]
    return Table(
        caption="All models whose test results were opened, on the same rows",
        header=("Metric", *titles),
        rows=rows,
        note="Overlapping intervals do not mean that two models are equally good.",
    )


def _build_details(evaluation: Evaluation) -> list[Table]:
    tables = []
    if "confusion" in evaluation.curves:
        tables.append(_build_confusions(evaluation.curves["confusion"]))
    if "error_by_decile" in evaluation.curves:
        tables.append(_build_deciles(evaluation.curves["error_by_decile"]))
    return tables


def _build_confusions(confusion: pd.DataFrame) -> Table:
    """The most frequent pairs of true and predicted class that differ, as shares of all rows."""
    total = int(confusion["n"].sum())
    is_missed = (confusion["n"] > 0) & (confusion["truth"] != confusion["predicted"])
    seen = confusion[is_missed].sort_values("n", ascending=False, kind="stable")
    rows = [
        (
            str(row["truth"]),
            str(row["predicted"]),
            f"{row['n']:,}",
            render_percent(row["n"] / total),
        )
        for row in seen.head(MAX_CONFUSIONS).to_dict("records")
    ]
    note = (
        f"The {MAX_CONFUSIONS} most frequent of {len(seen):,} pairs."
        if len(seen) > len(rows)
        else ("" if rows else "Every row was decided as it is.")
    )
    header = ("True class", "Predicted class", "Rows", "Share of all")
    return Table(caption="Classes taken for another", header=header, rows=rows, note=note)


def _build_deciles(deciles: pd.DataFrame) -> Table:
    rows = [
        (
            f"{render_number(row['low'])} to {render_number(row['high'])}",
            f"{row['n']:,}",
            render_number(row["mae"]),
            render_interval(row["mean_residual"], *_get_ends(row)),
        )
        for row in deciles.to_dict("records")
    ]
    header = ("True value", "Rows", "Mean absolute error", "Mean residual [95 % interval]")
    return Table(caption="Errors by tenth of the true value", header=header, rows=rows)


def _get_ends(row: Mapping[Hashable, Any]) -> tuple[float | None, float | None]:
    """Ends of the interval of the mean residual; None where there is one row only."""
    ends = (row["mean_residual_low"], row["mean_residual_high"])
    return (None, None) if any(pd.isna(end) for end in ends) else ends


def _build_definitions(evaluation: Evaluation) -> Table:
    rows = [
        (METRICS[name].title, METRICS[name].formula, METRICS[name].help)
        for name in evaluation.metrics
    ]
    return Table(caption="Metrics", header=("Metric", "Formula", "Meaning"), rows=rows)


def _build_limits(context: ReportContext) -> list[tuple[str, str]]:
    return [
        ("Origin of the data", context.origin),
        ("Labelling", context.labelling),
        ("Sampling", context.sampling),
        ("Harms considered", context.harms),
        ("Human oversight", context.oversight),
        ("Appeal contact", context.appeal),
        ("Review date", context.review_date),
    ]


def _render(estimate: Estimate | None) -> str:
    if estimate is None:
        return "–"
    if estimate.value is None:
        return "not estimable"
    return render_interval(estimate.value, estimate.low, estimate.high)
