"""``bundle.json``: what a bundle predicts, from what, how it was made, and the hash of every file in it."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any, Final, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import ConfigDict, TypeAdapter, ValidationError, with_config

from automl.data.dataset import ColumnUse
from automl.data.task import Task
from automl.errors import BundleError, DataError, SpecError
from automl.evaluation.calibration import apply_temperature
from automl.evaluation.calibrators import Calibrator
from automl.evaluation.conformal_quantiles import ConformalQuantile

FORMAT: Final = "fairloom-bundle"
VERSION: Final = 3
# 1 had neither weights nor a second encoder; 2 neither conformal quantiles nor a calibrator beside the temperature
READABLE: Final = (1, 2, 3)
MANIFEST = "bundle.json"
MAX_MANIFEST_BYTES = 20_000_000
READ_BYTES = 1_000_000


@with_config(ConfigDict(extra="forbid"))
@dataclass(frozen=True, kw_only=True, slots=True)
class Manifest:
    """Everything about a bundle but its weights.

    ``columns`` are the inputs in the order of the table; ``members`` are folders whose predictions are
    averaged by ``weights`` (none: all alike); ``encoders`` names the folder of the encoder that each member reads
    through (none: all through the first); ``temperature`` (None: not scaled) or else the ``calibrator`` is applied to the average; ``threshold`` turns the positive
    probability into a decision (binary only); ``conformal`` are the quantiles of prediction sets or intervals, one per
    coverage (none: they were not kept). ``training`` says what it was trained on (data id and name,
    hash of the spec, rows by part, ``weights`` that it started from); ``metrics`` are the test results,
    metric → estimate; ``files`` maps every other file to its SHA-256; ``checksum`` is the SHA-256 of this record
    without it.
    """

    name: str
    created_at: str
    task: Task
    columns: tuple[ColumnUse, ...]
    members: tuple[str, ...]
    temperature: float | None
    threshold: float | None
    training: Mapping[str, Any] = field(default_factory=dict)
    metrics: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    versions: Mapping[str, str] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()
    files: Mapping[str, str] = field(default_factory=dict)
    checksum: str = ""
    weights: tuple[float, ...] = ()
    encoders: tuple[str, ...] = ()
    conformal: tuple[ConformalQuantile, ...] = ()
    format: Literal["fairloom-bundle"] = FORMAT
    version: Literal[1, 2, 3] = VERSION
    calibrator: Calibrator | None = None


_ADAPTER = TypeAdapter(Manifest)


def calibrate(manifest: Manifest, probability: NDArray[np.floating]) -> NDArray[np.float64]:
    """Probabilities as the bundle gives them, of the average of its members. Shape: ``(n, K) → (n, K)``."""
    if manifest.calibrator is not None:
        return manifest.calibrator.apply(probability)
    if manifest.temperature is not None:
        return apply_temperature(probability, manifest.temperature)
    return np.asarray(probability, dtype=np.float64)


def render_manifest(manifest: Manifest) -> str:
    """The manifest as JSON text with its own checksum."""
    value = _ADAPTER.dump_python(manifest, mode="json")
    value["checksum"] = _compute_checksum(value)
    return json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def parse_manifest(text: bytes) -> Manifest:
    """Read ``bundle.json``; another format, another version or an edited file is a ``BundleError``."""
    try:
        value = json.loads(text)
    except (UnicodeDecodeError, json.JSONDecodeError) as error:
        raise BundleError(f"{MANIFEST} is not JSON: {error}.", hint=REDO) from error
    if not isinstance(value, dict) or value.get("format") != FORMAT:
        raise BundleError(f"{MANIFEST} does not describe a Fairloom bundle.", hint=REDO)
    if value.get("version") not in READABLE:
        raise BundleError(
            f"This bundle has version {value.get('version')!r}; this release reads up to {VERSION}.",
            hint="Use the release that wrote it, or search again.",
        )
    if value.get("checksum") != _compute_checksum(value):
        raise BundleError(f"{MANIFEST} was changed after it was written.", hint=REDO)
    try:
        return _ADAPTER.validate_json(text)
    except (ValidationError, SpecError, DataError) as error:
        raise BundleError(f"{MANIFEST} cannot be read: {error}.", hint=REDO) from error


REDO = "Download the bundle again."


def _compute_checksum(value: Mapping[str, Any]) -> str:
    rest = {name: each for name, each in value.items() if name != "checksum"}
    return sha256(json.dumps(rest, sort_keys=True, ensure_ascii=False).encode()).hexdigest()


def compute_file_hash(path: Path) -> str:
    """SHA-256 of a file, 64 hex digits."""
    digest = sha256()
    with path.open("rb") as file:
        while chunk := file.read(READ_BYTES):
            digest.update(chunk)
    return digest.hexdigest()


def list_files(folder: Path) -> dict[str, str]:
    """Relative path → SHA-256 of every file below ``folder`` but the manifest; a link is refused."""
    found = {}
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        if path.is_symlink():
            raise BundleError(f"The bundle holds a link, {name!r}.", hint=REDO)
        if path.is_file() and name != MANIFEST:
            found[name] = compute_file_hash(path)
    return found


def check_files(folder: Path, expected: Mapping[str, str]) -> None:
    """Raise ``BundleError`` unless exactly the listed files are there, byte for byte."""
    found = list_files(folder)
    problems = (
        ("lacks", [name for name in expected if name not in found]),
        ("holds a file that is not its own:", [name for name in found if name not in expected]),
        ("was changed in", [n for n, h in expected.items() if found.get(n, h) != h]),
    )
    for words, names in problems:
        if names:
            more = f" and {len(names) - 1} more" if len(names) > 1 else ""
            raise BundleError(f"The bundle {words} {names[0]!r}{more}.", hint=REDO)
