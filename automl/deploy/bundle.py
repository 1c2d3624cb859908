"""What leaves the product: weights, preprocessing, calibration, threshold and a model card, without a pickle.

A bundle is a folder (or a ZIP of it): ``bundle.json``, ``README.md``, ``encoder/`` and one folder per
member below ``members/``. Where an ensemble holds models of the search beside final ones, ``encoder_second/`` has the
encoder that the former read through.
"""

import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from automl.data.dataset import ColumnUse, DataKind, Note
from automl.data.encoding import AnyEncoder, load_encoder, save_encoder
from automl.data.images.encoder import ImageEncoder
from automl.data.images.rows import ImageRows
from automl.data.task import Task, TaskType
from automl.data.views import Views
from automl.deploy.archive import pack_folder, unpack_archive
from automl.deploy.card import render_card
from automl.deploy.coverage import add_sets, describe_coverage, require_coverage
from automl.deploy.manifest import (
    MANIFEST,
    MAX_MANIFEST_BYTES,
    REDO,
    Manifest,
    calibrate,
    check_files,
    list_files,
    parse_manifest,
    render_manifest,
)
from automl.errors import BundleError
from automl.evaluation.calibrators import Calibrator
from automl.evaluation.conformal_quantiles import ConformalQuantile
from automl.evaluation.mixing import TOLERANCE, mix
from automl.evaluation.outcomes import THRESHOLD
from automl.evaluation.outputs import build_output_frame
from automl.files import write_atomic
from automl.training.predictor import MODEL_JSON, MODEL_TENSORS, Predictor, load_predictor

ENCODER, SECOND_ENCODER = "encoder", "encoder_second"
CARD = "README.md"
ROW_ID = "row_id"
CHUNK_ROWS = 50_000  # bounds the memory of a prediction
NEEDS_ROWS = "Give a frame with the columns that its README.md lists."
NEEDS_IMAGES = "Give a ZIP, a folder or a picture to automl.deploy.pictures.predict_pictures."


@dataclass(frozen=True, kw_only=True, slots=True)
class BundleParts:
    """What ``save_bundle`` writes; ``members`` are saved model folders, see ``Manifest`` for the rest.

    ``weights`` are shares of the mean by member (none: all alike); ``through_second`` are the places of the
    members that read rows through the ``second_encoder``; ``calibrator`` takes the place of the ``temperature``.
    """

    name: str
    created_at: str
    task: Task
    columns: tuple[ColumnUse, ...]
    encoder: AnyEncoder
    members: tuple[Path, ...]
    weights: tuple[float, ...] = ()
    second_encoder: AnyEncoder | None = None
    through_second: tuple[int, ...] = ()
    temperature: float | None = None
    calibrator: Calibrator | None = None
    threshold: float = THRESHOLD
    conformal: tuple[ConformalQuantile, ...] = ()
    training: Mapping[str, Any] = field(default_factory=dict)
    metrics: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    versions: Mapping[str, str] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()


def save_bundle(folder: Path, parts: BundleParts) -> Manifest:
    """Write a bundle into ``folder``, which must not exist or be empty; it appears whole or not at all."""
    if not parts.members:
        raise BundleError("A bundle needs at least one model.")
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=f".{folder.name}.") as name:
        draft = Path(name) / "bundle"
        draft.mkdir()
        save_encoder(parts.encoder, draft / ENCODER)
        if parts.second_encoder is not None:
            save_encoder(parts.second_encoder, draft / SECOND_ENCODER)
        for number, member in enumerate(parts.members):
            _copy_model(member, draft / _get_member(number))
        manifest = _build_manifest(parts)
        write_atomic(draft / CARD, render_card(manifest))
        manifest = _build_manifest(parts, list_files(draft))
        write_atomic(draft / MANIFEST, render_manifest(manifest))
        draft.replace(folder)
    return manifest


def load_bundle(path: Path, device: str = "cpu") -> "Bundle":
    """Read a bundle folder or its ZIP; a changed, foreign or newer one is a ``BundleError``.

    Use it as a context manager, or leave the unpacked files of a ZIP to the end of the process.
    """
    unpacked = None
    if path.is_file():
        unpacked = unpack_archive(path)
        folder = Path(unpacked.name)
    else:
        folder = path
    try:
        manifest = read_manifest(folder)
        check_files(folder, manifest.files)
        _require_members(manifest)
        return Bundle(
            manifest=manifest,
            encoder=load_encoder(folder / ENCODER),
            second_encoder=_load_second(folder, manifest),
            members=tuple(load_predictor(folder / name, device) for name in manifest.members),
            unpacked=unpacked,
        )
    except BaseException:
        if unpacked is not None:
            unpacked.cleanup()
        raise


def _load_second(folder: Path, manifest: Manifest) -> AnyEncoder | None:
    """The second encoder where a member needs it; it reads the same kind of data as the first."""
    if SECOND_ENCODER not in manifest.encoders:
        return None
    second = load_encoder(folder / SECOND_ENCODER)
    if type(second) is not type(load_encoder(folder / ENCODER)):
        raise BundleError("The encoders of the bundle read different kinds of data.", hint=REDO)
    return second


def _require_members(manifest: Manifest) -> None:
    """Members and encoders are the folders that ``save_bundle`` names, and no other path; weights are shares."""
    expected = tuple(_get_member(number) for number in range(len(manifest.members)))
    if not expected or manifest.members != expected:
        raise BundleError(f"The bundle names the models {manifest.members!r}.", hint=REDO)
    weights, encoders = manifest.weights, manifest.encoders
    are_shares = (
        len(weights) == len(expected) and min(weights) > 0 and abs(sum(weights) - 1) < TOLERANCE
    )
    if weights and not are_shares:
        raise BundleError(f"The bundle weighs its models by {weights!r:.80}.", hint=REDO)
    if encoders and (len(encoders) != len(expected) or set(encoders) - {ENCODER, SECOND_ENCODER}):
        raise BundleError(f"The bundle names the encoders {encoders!r:.80}.", hint=REDO)


def read_manifest(folder: Path) -> Manifest:
    """Only ``bundle.json`` of a bundle folder."""
    path = folder / MANIFEST
    if not path.is_file():
        raise BundleError(
            f"{folder.name!r} is not a bundle: it has no {MANIFEST}.",
            hint="Give the folder bundle/ of a finished search, or its ZIP.",
        )
    if path.stat().st_size > MAX_MANIFEST_BYTES:
        raise BundleError(f"{MANIFEST} has {path.stat().st_size / 1e6:,.0f} MB.", hint=REDO)
    return parse_manifest(path.read_bytes())


def pack_bundle(folder: Path, target: Path | None = None) -> Path:
    """ZIP a bundle folder (default: beside it, ``<folder>.zip``); the same bundle gives the same bytes."""
    read_manifest(folder)
    target = target or folder.with_suffix(".zip")
    pack_folder(folder, target)
    return target


@dataclass(frozen=True, kw_only=True)
class Bundle:
    """A loaded bundle: what it says about itself, and how it predicts."""

    manifest: Manifest
    encoder: AnyEncoder
    members: tuple[Predictor, ...]
    second_encoder: AnyEncoder | None = None
    unpacked: tempfile.TemporaryDirectory[str] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self.unpacked is not None:
            self.unpacked.cleanup()

    @property
    def task(self) -> Task:
        """What is predicted."""
        return self.manifest.task

    @property
    def weights(self) -> tuple[float, ...]:
        """The share of every member in the mean."""
        return self.manifest.weights or (1 / len(self.members),) * len(self.members)

    @property
    def kind(self) -> DataKind:
        """What it reads: rows of a table, or pictures (``automl.deploy.pictures``)."""
        return DataKind.IMAGES if isinstance(self.encoder, ImageEncoder) else DataKind.TABLE

    def predict(self, frame: pd.DataFrame, coverage: float | None = None) -> pd.DataFrame:
        """``row_id``, ``prediction`` and, for classes, ``probability_<class>``; one row per given row.

        With a ``coverage`` (0.8, 0.9 or 0.95) also ``prediction_set`` (a JSON list of classes) and ``set_size``, or of a value
        ``low`` and ``high``.
        """
        return self.predict_with_notes(frame, coverage)[0]

    def predict_with_notes(
        self, frame: pd.DataFrame, coverage: float | None = None
    ) -> tuple[pd.DataFrame, tuple[Note, ...]]:
        """The predictions, and what was noticed: unseen levels, unreadable cells, columns not used."""
        asked = require_coverage(self.manifest, coverage)  # refused before anything is predicted
        raw, notes = self._predict_rows(frame)
        output = self.build_output(raw, coverage)
        output.insert(0, ROW_ID, self._number_rows(frame))
        return output, (*notes, *describe_coverage(asked))

    def predict_array(self, frame: pd.DataFrame) -> NDArray[np.float64]:
        """Calibrated probabilities ``(n, K)`` in the order of ``task.classes``, or values ``(n,)``."""
        return self._predict_rows(frame)[0]

    def predict_images(self, images: ImageRows) -> NDArray[np.float64]:
        """The same for pictures of the bundle's side and channels."""
        if not isinstance(self.encoder, ImageEncoder):
            raise BundleError("This bundle reads rows of a table, not pictures.", hint=NEEDS_ROWS)
        if len(images) == 0:
            raise BundleError("There are no pictures to predict.", hint="Give at least one.")
        second = self.second_encoder
        return self._predict_views(
            self.encoder.encode_images(images),
            second.encode_images(images) if isinstance(second, ImageEncoder) else None,
        )

    def build_output(
        self, prediction: NDArray[np.floating], coverage: float | None = None
    ) -> pd.DataFrame:
        """``prediction`` and, for classes, ``probability_<class>`` of what was predicted; sets or intervals if asked."""
        threshold = self.manifest.threshold
        output = build_output_frame(
            self.task, prediction, THRESHOLD if threshold is None else threshold
        )
        asked = require_coverage(self.manifest, coverage)
        return output if asked is None else add_sets(output, self.task, prediction, asked)

    def _predict_rows(self, frame: pd.DataFrame) -> tuple[NDArray[np.float64], tuple[Note, ...]]:
        if isinstance(self.encoder, ImageEncoder):
            raise BundleError("This bundle reads pictures, not rows of a table.", hint=NEEDS_IMAGES)
        _require_rows(frame, self.encoder.columns)
        views, notes = self.encoder.encode(frame)
        if self.second_encoder is None or isinstance(self.second_encoder, ImageEncoder):
            return self._predict_views(views), notes
        others, more = self.second_encoder.encode(frame)
        said = {(note.code, note.column) for note in notes}
        notes = (*notes, *(note for note in more if (note.code, note.column) not in said))
        return self._predict_views(views, others), notes

    def _predict_views(self, first: Views, second: Views | None = None) -> NDArray[np.float64]:
        """The mean of all members; ``second`` are the same rows through the second encoder."""
        names = self.manifest.encoders or (ENCODER,) * len(self.members)
        sources = {ENCODER: first, SECOND_ENCODER: second}
        parts = []
        for start in range(0, len(first), CHUNK_ROWS):
            rows = np.arange(start, min(start + CHUNK_ROWS, len(first)))
            chunks = {name: each.take(rows) for name, each in sources.items() if each is not None}
            pairs = zip(self.members, names, strict=True)
            parts.append(mix([model.predict(chunks[name]) for model, name in pairs], self.weights))
        mean = np.concatenate(parts)
        return mean if self.task.type is TaskType.REGRESSION else calibrate(self.manifest, mean)

    def _number_rows(self, frame: pd.DataFrame) -> NDArray[Any]:
        """The rows' own ids where the frame has them, else their numbers from 0."""
        is_input = any(column.name == ROW_ID for column in self.manifest.columns)
        if ROW_ID in frame.columns and not is_input:
            return frame[ROW_ID].to_numpy()
        return np.arange(len(frame))


def _require_rows(frame: pd.DataFrame, columns: tuple[ColumnUse, ...]) -> None:
    """Refuse what the encoder cannot tell apart; absent columns it names itself."""
    if len(frame) == 0:
        raise BundleError("There are no rows to predict.", hint="Give at least one row.")
    names = list(frame.columns)
    twice = [column.name for column in columns if names.count(column.name) > 1]
    if twice:
        raise BundleError(f"The column {twice[0]!r} is there twice.", hint="Leave one of them out.")


def _copy_model(source: Path, target: Path) -> None:
    """Only what makes the model; a trial's folder may hold predictions of people's rows as well."""
    target.mkdir(parents=True)
    for name in (MODEL_JSON, MODEL_TENSORS):
        if not (source / name).is_file():
            raise BundleError(f"The model in {source.name!r} has no {name}.")
        shutil.copyfile(source / name, target / name)


def _get_member(number: int) -> str:
    return f"members/{number}"


def _name_encoders(parts: BundleParts) -> tuple[str, ...]:
    """The encoder's folder by member; nothing where there is one encoder."""
    if parts.second_encoder is None:
        return ()
    places = range(len(parts.members))
    return tuple(SECOND_ENCODER if place in parts.through_second else ENCODER for place in places)


def _build_manifest(parts: BundleParts, files: Mapping[str, str] | None = None) -> Manifest:
    is_binary = parts.task.type is TaskType.BINARY
    return Manifest(
        name=parts.name,
        created_at=parts.created_at,
        task=parts.task,
        columns=parts.columns,
        members=tuple(_get_member(number) for number in range(len(parts.members))),
        weights=parts.weights,
        encoders=_name_encoders(parts),
        temperature=parts.temperature,
        calibrator=parts.calibrator,
        threshold=parts.threshold if is_binary else None,
        conformal=parts.conformal,
        training=parts.training,
        metrics=parts.metrics,
        versions=parts.versions,
        warnings=parts.warnings,
        files=files or {},
    )
