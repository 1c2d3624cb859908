"""Inside the child: load the model and its rows, ask it by one method, write what was found."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from automl.data.cells import cells_to_numbers
from automl.data.dataset import DataKind
from automl.data.store import load_dataset, load_frame
from automl.data.task import TaskType
from automl.data.weights import find_weight
from automl.deploy.batch import write_frame
from automl.deploy.bundle import Bundle, load_bundle
from automl.errors import BundleError, DataError, SpecError
from automl.evaluation.explaining import (
    counterfactual,
    effects,
    permutation,
    shapley,
    what_if,
)
from automl.evaluation.explaining.asking import AskedModel, HeldRows, Steps, draw_rows
from automl.evaluation.outcomes import THRESHOLD
from automl.files import write_json
from automl.reports.predictions import PREDICTIONS
from automl.search.spec import parse_spec
from automl.settings import Settings, Workspace
from automl.worker.explain_spec import (
    LIMITS,
    RECORD,
    RECORD_ADAPTER,
    VALUES,
    ExplainSpec,
    ExplanationRecord,
    Method,
    parse_explain_spec,
)

LOADED = 0.1  # the share of the work that loading is


@dataclass(frozen=True, kw_only=True, slots=True)
class Case:
    """One model, the rows it may be asked about, and the question.

    ``rest``: numbers of the rows of ``frame`` (the whole table) outside the test part.
    """

    asked: ExplainSpec
    bundle: Bundle
    model: AskedModel
    tested: HeldRows
    frame: pd.DataFrame
    rest: NDArray[np.int64]

    def draw_tested(self, most: int) -> HeldRows:
        """A sample of the test part, the same for the same seed."""
        return self.tested.take(draw_rows(len(self.tested), most, self.asked.seed))

    def find_tested(self) -> HeldRows:
        """The test rows that were named, in that order."""
        places = {int(row): place for place, row in enumerate(self.tested.row_id)}
        unknown = [row for row in self.asked.rows if row not in places]
        if unknown:
            raise SpecError(
                f"Row {unknown[0]} is not in the test part.",
                hint="Choose a row of the table of predictions.",
            )
        return self.tested.take(np.array([places[row] for row in self.asked.rows], dtype=np.int64))

    def draw_background(self, most: int) -> pd.DataFrame:
        """Rows outside the test part, drawn at random: what is usual."""
        rows = self.rest[draw_rows(len(self.rest), most, self.asked.seed)]
        return self.frame.iloc[rows].reset_index(drop=True)


def run_table_explanation(
    arguments: Mapping[str, Any], report: Callable[[float, str], None]
) -> dict[str, Any]:
    """Ask the model of a search; ``explanation.json`` comes last."""
    asked = parse_explain_spec(arguments["asked"])
    workspace, out = Settings(**arguments["settings"]).workspace, Path(arguments["out"])
    report(0.0, "Loading the model")
    with load_bundle(Path(arguments["bundle"])) as bundle:
        case = load_case(asked, bundle, Path(arguments["job"]), workspace)
        steps = METHODS[asked.method](case)
        try:
            while True:
                share, words = next(steps)
                report(LOADED + (1 - LOADED) * share, words)
        except StopIteration as end:
            found = end.value
        record = ExplanationRecord(
            method=asked.method,
            settings=dict(arguments["asked"]),
            model=bundle.manifest.name,
            model_hash=bundle.manifest.checksum,
            data=str(bundle.manifest.training.get("data", "")),
            outputs=case.model.outputs,
            limits=LIMITS[asked.method],
            task_type=str(bundle.task.type),
            facts=found.facts,
        )
    write_frame(found.frame, out / VALUES)
    write_json(out / RECORD, RECORD_ADAPTER.dump_python(record, mode="json"))
    return {"out": RECORD, "n_values": len(found.frame)}


def load_case(asked: ExplainSpec, bundle: Bundle, job: Path, workspace: Workspace) -> Case:
    """The model with the rows that its search kept for the test."""
    if bundle.kind is DataKind.IMAGES:
        raise BundleError(
            "This model reads pictures, not rows of a table.",
            hint="Open a picture in the tab Pictures of the results.",
        )
    columns = bundle.manifest.columns
    model = AskedModel(
        task=bundle.task,
        columns=columns,
        predict=bundle.predict_array,
        threshold=THRESHOLD if bundle.manifest.threshold is None else bundle.manifest.threshold,
    )
    predictions = _read_predictions(job / "result" / PREDICTIONS)
    spec = parse_spec((job / "spec.json").read_bytes())
    dataset = load_dataset(workspace, spec.data)
    weight = find_weight(spec.columns)
    frame = load_frame(workspace, spec.data)
    first = dataset.n_train_rows if spec.split.test_given else 0
    rows = predictions["row_id"].to_numpy(dtype=np.int64) + first
    is_rest = np.ones(len(frame), dtype=bool)
    is_rest[rows] = False
    weights = None if weight is None else cells_to_numbers(frame[weight].iloc[rows])
    names = list(model.names)
    return Case(
        asked=asked,
        bundle=bundle,
        model=model,
        tested=HeldRows(
            frame=frame[names].iloc[rows].reset_index(drop=True),
            truth=_read_truth(predictions["truth"], model),
            row_id=rows - first,
            weight=weights,
        ),
        frame=frame[names],
        rest=np.flatnonzero(is_rest & frame[bundle.task.target].notna().to_numpy()),
    )


def _read_predictions(path: Path) -> pd.DataFrame:
    if not path.is_file():
        raise DataError("The test rows of this search are not here any more.", hint="Search again.")
    return pd.read_parquet(path, columns=["row_id", "truth"])


def _read_truth(truth: "pd.Series[Any]", model: AskedModel) -> NDArray[Any]:
    if model.task.type is TaskType.REGRESSION:
        return truth.to_numpy(dtype=np.float64)
    index = {label: number for number, label in enumerate(model.task.classes)}
    return truth.map(index).to_numpy(dtype=np.int64)


def explain_importance(case: Case) -> Steps:
    """Permutation importance on a sample of the test part."""
    rows = case.draw_tested(permutation.limit_rows(len(case.model.names)))
    return permutation.compute_importance(case.model, rows, case.asked.seed)


def explain_effects(case: Case) -> Steps:
    """Partial dependence, single rows and local effects on a sample of the test part."""
    rows = case.draw_tested(effects.MOST_ROWS)
    return effects.compute_effects(case.model, rows, case.asked.columns, case.asked.seed)


def explain_shap(case: Case) -> Steps:
    """SHAP values of the named rows, else of a sample of the test part."""
    most = shapley.limit_rows(len(case.model.names))
    rows = case.find_tested() if case.asked.rows else case.draw_tested(most)
    background = case.draw_background(shapley.N_BACKGROUND)
    return shapley.compute_shapley(case.model, rows, background, case.asked.seed)


def explain_gradients(case: Case) -> Steps:
    """Integrated gradients of the named rows, else of a sample of the test part."""
    from automl.worker import gradient_explaining as gradients

    rows = case.find_tested() if case.asked.rows else case.draw_tested(gradients.MOST_ROWS)
    background = case.draw_background(gradients.N_BACKGROUND)
    return gradients.explain_networks(case.bundle, case.model, rows, background)


def explain_what_if(case: Case) -> Steps:
    """The named row as it is and with other cells."""
    return what_if.answer_what_if(case.model, case.find_tested(), case.asked.changes)


def explain_counterfactual(case: Case) -> Steps:
    """The nearest changes of the named row to a wished answer."""
    asked, task = case.asked, case.model.task
    if task.type is not TaskType.REGRESSION and asked.output not in task.classes:
        raise SpecError(
            f"There is no class {asked.output!r}.", hint=f"Choose {', '.join(task.classes[:20])}."
        )
    low, high = asked.between
    wish = counterfactual.Wish(
        output=asked.output, low=low, high=high, locked=asked.locked, ranges=asked.ranges
    )
    background = case.draw_background(counterfactual.MOST_ROWS)
    return counterfactual.find_counterfactuals(case.model, case.find_tested(), background, wish)


METHODS: Mapping[Method, Callable[[Case], Steps]] = {
    Method.IMPORTANCE: explain_importance,
    Method.EFFECTS: explain_effects,
    Method.SHAP: explain_shap,
    Method.GRADIENTS: explain_gradients,
    Method.WHAT_IF: explain_what_if,
    Method.COUNTERFACTUAL: explain_counterfactual,
}
