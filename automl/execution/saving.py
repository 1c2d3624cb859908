"""The folder of a finished trial: model, select predictions, and a manifest that comes last."""

import hashlib
import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from automl.files import load_json, sync_folder, write_json

MANIFEST = "manifest.json"
SELECT_PREDICTION = "select_prediction.npy"


class Trained(Protocol):
    """What the trainer needs of ``automl.training.request.Trained``."""

    @property
    def score(self) -> float | None: ...
    @property
    def metrics(self) -> Mapping[str, float]: ...
    @property
    def n_parameters(self) -> int: ...
    @property
    def best_epoch(self) -> int: ...
    @property
    def n_epochs(self) -> int: ...
    @property
    def fit_seconds(self) -> float: ...
    @property
    def predict_seconds(self) -> float: ...
    @property
    def peak_memory_bytes(self) -> int: ...
    @property
    def was_pruned(self) -> bool: ...
    @property
    def warnings(self) -> tuple[str, ...]: ...
    @property
    def select_prediction(self) -> NDArray[np.float64]: ...
    def save(self, folder: Path) -> None: ...


def save_trained(trained: Trained, out: Path, facts: Mapping[str, Any]) -> None:
    """Fill a temporary folder, sync it, rename it to ``out``; an older ``out`` is replaced.

    Files: whatever ``trained.save`` writes, ``select_prediction.npy`` (empty for a refit), and
    ``manifest.json`` = ``facts`` plus name, size and SHA-256 of every other file.
    """
    partial = out.with_name(f".{out.name}.{os.getpid()}.part")
    for torn in out.parent.glob(f".{out.name}.*.part"):  # of a trainer that was killed while saving
        shutil.rmtree(torn, ignore_errors=True)
    partial.mkdir(parents=True)
    try:
        trained.save(partial)
        np.save(partial / SELECT_PREDICTION, trained.select_prediction, allow_pickle=False)
        files = {path.name: _describe_file(path) for path in sorted(partial.iterdir())}
        write_json(partial / MANIFEST, {**facts, "files": files})
        shutil.rmtree(out, ignore_errors=True)
        partial.replace(out)
    except BaseException:
        shutil.rmtree(partial, ignore_errors=True)
        raise
    sync_folder(out.parent)


def _describe_file(path: Path) -> dict[str, Any]:
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
        os.fsync(file.fileno())
    return {"size_bytes": path.stat().st_size, "sha256": digest}


def check_manifest(out: Path) -> dict[str, Any] | None:
    """The manifest of a trial's folder when it is whole (sizes and hashes hold), else None."""
    try:
        manifest: dict[str, Any] = load_json(out / MANIFEST)
        whole = all(_describe_file(out / n) == facts for n, facts in manifest["files"].items())
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None
    return manifest if whole else None
