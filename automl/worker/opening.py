"""The one look at the test part: predict, calibrate on the calibrate part, evaluate."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from automl.data.preparing import load_prepared
from automl.data.task import Task, TaskType
from automl.data.views import Part, Prepared
from automl.evaluation.calibration import Temperature, fit_temperature
from automl.evaluation.calibration_table import compute_calibration_table
from automl.evaluation.calibrator_choice import Choice, choose_calibrator
from automl.evaluation.evaluate import EvaluationInput, compute_metrics, evaluate
from automl.evaluation.evaluation import Evaluation
from automl.evaluation.mixing import mix
from automl.evaluation.outcomes import build_outcomes
from automl.search.opened_model import Member, OpenedModel
from automl.search.preparation import REFIT_ROWS, SEARCH_ROWS
from automl.training.predictor import load_predictor
from automl.training.rows import get_weight

Floats = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True, slots=True)
class Opened:
    """A final model and what it showed.

    ``prediction``: final test probabilities ``(n, K)`` or values ``(n,)``; ``uncalibrated``: before the
    calibration; ``calibrate_prediction``: the final ones of the calibrate part, which no model learned from but the
    calibrator was fitted on; ``choice``: of the winner's calibrator, the others have the temperature; ``member_values``: the primary metric of each member on the calibrate part.
    """

    model: OpenedModel
    name: str
    family: str
    prediction: Floats
    uncalibrated: Floats
    calibrate_prediction: Floats
    temperature: Temperature | None
    choice: Choice | None
    evaluation: Evaluation
    member_values: tuple[float | None, ...]
    average_value: float | None
    predict_seconds: float


class Opener:
    """Opens the models of one search; the rows of both encoders are loaded when first needed.

    What a saved model predicts is computed once: those of an ensemble are opened alone too.
    """

    def __init__(self, task: Task, folder: Path, seed: int) -> None:
        self._task = task
        self._folder = folder
        self._seed = seed
        self._prepared: dict[str, Prepared] = {}
        self._predicted: dict[tuple[str, Part], tuple[Floats, float]] = {}

    def load_rows(self, *, is_refit: bool) -> Prepared:
        """The rows as the final models read them, or as the search's own did."""
        name = REFIT_ROWS if is_refit else SEARCH_ROWS
        if name not in self._prepared:
            self._prepared[name] = load_prepared(self._folder / "prepared" / name)
        return self._prepared[name]

    def get_truth(self, part: Part) -> NDArray[np.generic]:
        """The encoded target of a part; the same for both encoders."""
        prepared = self.load_rows(is_refit=True)
        return np.asarray(prepared.target[prepared.parts[part]])

    def get_weight(self, part: Part) -> Floats | None:
        """The weights of a part, None where all rows count the same."""
        prepared = self.load_rows(is_refit=True)
        return get_weight(prepared, prepared.parts[part])

    def open(
        self, model: OpenedModel, name: str, family: str, *, is_winner: bool = False
    ) -> Opened:
        """Predict the calibrate part, mend the probabilities, then predict and evaluate the test part.

        The winner's calibrator is chosen among four, the others get a temperature.
        """
        calibrate = [self._predict(member, Part.CALIBRATE)[0] for member in model.members]
        average = mix(calibrate, model.weights)
        temperature = self._fit_temperature(average)
        choice = self._choose(average) if is_winner and temperature is not None else None
        mend = _pick_mending(temperature, choice)
        tested = [self._predict(member, Part.TEST) for member in model.members]
        uncalibrated = mix([prediction for prediction, _ in tested], model.weights)
        final = mend(uncalibrated)
        return Opened(
            model=model,
            name=name,
            family=family,
            prediction=final,
            uncalibrated=uncalibrated,
            calibrate_prediction=mend(average),
            temperature=temperature,
            choice=choice,
            evaluation=self._evaluate(final, uncalibrated if temperature else None),
            member_values=tuple(self._score_calibrate(each) for each in calibrate),
            average_value=self._score_calibrate(average),
            predict_seconds=sum(seconds for _, seconds in tested),
        )

    def _predict(self, member: Member, part: Part) -> tuple[Floats, float]:
        """Predictions of a saved model, ``(n, K)`` or ``(n,)``, and the seconds they took."""
        key = (member.folder, part)
        if key not in self._predicted:
            prepared = self.load_rows(is_refit=member.is_refit)
            predictor = load_predictor(self._folder / member.folder)
            views = prepared.views.take(prepared.parts[part])
            started = time.perf_counter()
            prediction = np.asarray(predictor.predict(views))
            self._predicted[key] = (prediction, time.perf_counter() - started)
        return self._predicted[key]

    def _fit_temperature(self, probability: Floats) -> Temperature | None:
        if self._task.type is TaskType.REGRESSION:
            return None
        truth = self.get_truth(Part.CALIBRATE).astype(np.int64)
        return fit_temperature(truth, probability, self.get_weight(Part.CALIBRATE))

    def _choose(self, probability: Floats) -> Choice:
        truth = self.get_truth(Part.CALIBRATE).astype(np.int64)
        weight = self.get_weight(Part.CALIBRATE)
        return choose_calibrator(truth, probability, weight=weight, seed=self._seed)

    def _evaluate(self, final: Floats, uncalibrated: Floats | None) -> Evaluation:
        floor = None
        if self._task.type is TaskType.REGRESSION:
            floor = float(np.percentile(np.abs(self.get_truth(Part.TRAIN).astype(float)), 1))
        return evaluate(
            EvaluationInput(
                task=self._task,
                truth=self.get_truth(Part.TEST),
                prediction=final,
                uncalibrated=uncalibrated,
                mape_floor=floor,
                seed=self._seed,
                weight=self.get_weight(Part.TEST),
            )
        )

    def _score_calibrate(self, prediction: Floats) -> float | None:
        truth, weight = self.get_truth(Part.CALIBRATE), self.get_weight(Part.CALIBRATE)
        outcomes = build_outcomes(self._task, truth, prediction, weight=weight)
        name = self._task.metric
        return compute_metrics(self._task, outcomes, (name,), seed=self._seed)[name].value

    def build_calibration(self, opened: Opened) -> dict[str, Any]:
        """Test metrics before and after the calibration; empty for a regression."""
        if opened.temperature is None:
            return {}
        table = compute_calibration_table(
            self._task,
            self.get_truth(Part.TEST),
            opened.uncalibrated,
            opened.temperature,
            choice=opened.choice,
            seed=self._seed,
            weight=self.get_weight(Part.TEST),
        )
        return table.to_json()


def _pick_mending(
    temperature: Temperature | None, choice: Choice | None
) -> Callable[[Floats], Floats]:
    """What turns the average of the members into the final prediction."""
    if choice is not None:
        return choice.calibrator.apply
    return (lambda prediction: prediction) if temperature is None else temperature.apply
