"""What a finished search leaves of its winner: its rows of the test and calibrate part with their predictions, its bundle."""

import shutil
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from automl.data.dataset import Kind
from automl.data.encoding import AnyEncoder, load_encoder
from automl.data.preparing import load_prepared
from automl.data.store import load_dataset, load_frame
from automl.data.views import Part
from automl.deploy.bundle import BundleParts, save_bundle
from automl.deploy.pictures import FILE
from automl.evaluation.calibrators import Method
from automl.evaluation.conformal_quantiles import ConformalQuantile, fit_quantiles
from automl.reports.predictions import (
    UNCALIBRATED,
    PredictedRows,
    build_predictions,
    write_predictions,
)
from automl.search.preparation import REFIT_ROWS, SEARCH_ROWS
from automl.worker.finish import Finish
from automl.worker.opening import Opened


def build_winner_predictions(
    finish: Finish, winner: Opened, part: Literal[Part.TEST, Part.CALIBRATE] = Part.TEST
) -> pd.DataFrame:
    """The frame of ``build_predictions``; for pictures the name of the file follows ``row_id``.

    The rows are numbered from 0 in the file they came from (a given test file's own).
    """
    spec, workspace = finish.spec, finish.settings.workspace
    prepared = load_prepared(finish.folder / "prepared" / REFIT_ROWS)
    rows = np.asarray(prepared.parts[part])
    is_own_file = part is Part.TEST and spec.split.test_given
    first = load_dataset(workspace, spec.data).n_train_rows if is_own_file else 0
    tested = PredictedRows(
        row_id=rows - first,
        truth=np.asarray(prepared.target[rows]),
        prediction=winner.prediction if part is Part.TEST else winner.calibrate_prediction,
        sensitive=_load_sensitive(finish, rows),
    )
    predictions = build_predictions(spec.task, tested)
    pictures = [column.name for column in spec.columns if column.kind is Kind.IMAGE]
    if pictures:
        frame = load_frame(workspace, spec.data, (pictures[0],))
        predictions.insert(1, FILE, frame[pictures[0]].to_numpy()[rows])
    return predictions


def write_uncalibrated(finish: Finish, winner: Opened) -> None:
    """``uncalibrated.parquet``: probabilities of the test rows before calibration; of a value nothing."""
    (finish.out / UNCALIBRATED).unlink(missing_ok=True)
    if winner.temperature is None:
        return
    raw = replace(winner, prediction=winner.uncalibrated)
    frame = build_winner_predictions(finish, raw)
    named = [name for name in frame if str(name).startswith("probability_")]
    write_predictions(finish.out, frame[["row_id", *named]], UNCALIBRATED)


def _load_sensitive(finish: Finish, rows: NDArray[np.int64]) -> pd.DataFrame:
    spec = finish.spec
    if not spec.sensitive:
        return pd.DataFrame(index=range(len(rows)))
    frame = load_frame(finish.settings.workspace, spec.data, spec.sensitive)
    return frame.iloc[rows].reset_index(drop=True)


def _describe_pictures(finish: Finish) -> dict[str, Any]:
    """Side, channels and fit of the pictures that were learned from; nothing for a table."""
    facts = load_dataset(finish.settings.workspace, finish.spec.data).images
    if facts is None:
        return {}
    return {
        "pictures": {
            "side": facts.side,
            "channels": facts.channels,
            "fit": facts.fit,
            "n_left_out": facts.n_left_out,
            "excluded": list(finish.spec.excluded),
        }
    }


def _load_encoder(finish: Finish, rows: str) -> AnyEncoder:
    return load_encoder(finish.folder / "prepared" / rows / "encoder")


def _fit_quantiles(finish: Finish, winner: Opened) -> tuple[ConformalQuantile, ...]:
    """From the calibrate part: no model learned from it."""
    prepared = load_prepared(finish.folder / "prepared" / REFIT_ROWS)
    truth = np.asarray(prepared.target[prepared.parts[Part.CALIBRATE]])
    return fit_quantiles(finish.spec.task, truth, winner.calibrate_prediction)


def _describe_calibration(winner: Opened) -> dict[str, Any]:
    """What a bundle mends its probabilities by: the temperature, or the calibrator that was chosen instead."""
    choice, temperature = winner.choice, winner.temperature
    if choice is not None and choice.chosen is not Method.TEMPERATURE:
        return {"calibrator": choice.calibrator}
    return {"temperature": None if temperature is None else temperature.value}


def write_winner_bundle(finish: Finish, winner: Opened, result: Mapping[str, Any]) -> None:
    """Replace ``bundle/``; an earlier one, of a search that was resumed, goes first."""
    spec, members = finish.spec, winner.model.members
    is_old = [not member.is_refit for member in members]
    first, second = (SEARCH_ROWS, None) if all(is_old) else (REFIT_ROWS, SEARCH_ROWS)
    described = result["winner"]
    winner_weights, ensemble = described.get("weights"), described.get("ensemble")
    shutil.rmtree(finish.out / "bundle", ignore_errors=True)
    save_bundle(
        finish.out / "bundle",
        BundleParts(
            name=winner.name,
            created_at=result["created_at"],
            task=spec.task,
            columns=spec.inputs,
            encoder=_load_encoder(finish, first),
            second_encoder=_load_encoder(finish, second) if second and any(is_old) else None,
            members=tuple(finish.folder / member.folder for member in members),
            weights=tuple(member.weight for member in members),
            through_second=tuple(np.flatnonzero(is_old).tolist()) if second else (),
            **_describe_calibration(winner),
            conformal=_fit_quantiles(finish, winner),
            training={
                "data": spec.data,
                "data_name": spec.data_name,
                "spec_hash": finish.preparation["spec_hash"],
                "n_rows": dict(finish.preparation["n_rows"]),
                "seed": spec.seed,
                **_describe_pictures(finish),
                **spec.corrections.describe(),
                **({"weights": winner_weights} if winner_weights else {}),
                **({"ensemble": ensemble} if ensemble else {}),
            },
            metrics=result["test"],
            versions=result["versions"],
            warnings=tuple(result["warnings"]),
        ),
    )
