"""Frozen features: one forward pass per backbone and side, kept for every later head.

Half precision is enough for a linear head (its error, 5e-4, is far below the spread of features) and halves
the file. The pass itself is in float32, as predictions are. The file grows in chunks and is continued where an earlier trial had to stop.
"""

import contextlib
import fcntl
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from automl.data.images.rows import ImageRows
from automl.data.views import ViewShape
from automl.errors import DataError
from automl.files import load_json, require_free_space, write_json
from automl.models.image.image_model import Normaliser
from automl.models.image.pretrained import PretrainedNetwork
from automl.training.clock import WorkClock

CHUNK_ROWS = {"cpu": 64, "cuda": 256}
FLUSH_CHUNKS = 16
Halves = NDArray[np.float16]


@dataclass(frozen=True, kw_only=True, slots=True)
class FeatureJob:
    """Which features: of ``rows`` (indices into ``images``), by a backbone known by ``key``.

    ``key`` names the backbone, its side and the hash of its weights. ``folder`` keeps the files; None keeps
    nothing.
    """

    images: ImageRows
    rows: NDArray[np.int64]
    shape: ViewShape
    key: str
    folder: Path | None

    @property
    def name(self) -> str:
        """The file's name: a hash of everything the numbers depend on."""
        digest = sha256(self.key.encode())
        digest.update(np.ascontiguousarray(self.rows, dtype="<i8").tobytes())
        digest.update(repr((self.images.side, self.images.channels)).encode())
        return digest.hexdigest()[:32]


@torch.inference_mode()
def obtain_features(
    network: PretrainedNetwork, job: FeatureJob, device: torch.device, clock: WorkClock
) -> Halves:
    """Pooled features of the rows, float16 ``(n, d_features)``, from the file or computed now.

    Two trainers that need the same file wait for each other. A deadline that comes first is a ``DataError``;
    the rows done so far are kept.
    """
    if job.folder is None:
        array = np.empty((len(job.rows), network.d_features), dtype=np.float16)
        _compute(network, job, array, 0, _Limits(device, clock, None))
        return array
    job.folder.mkdir(parents=True, exist_ok=True)
    whole = job.folder / f"{job.name}.npy"
    with _lock(job.folder / f"{job.name}.lock"):
        if not whole.is_file():
            _fill(network, job, whole, _Limits(device, clock, whole.with_suffix(".json")))
    kept: Halves = np.load(whole, mmap_mode="r", allow_pickle=False)
    return kept


@dataclass(frozen=True, slots=True)
class _Limits:
    """Where and for how long to compute, and where to note how far it came."""

    device: torch.device
    clock: WorkClock
    record: Path | None


def _fill(network: PretrainedNetwork, job: FeatureJob, whole: Path, limits: _Limits) -> None:
    part, record = whole.with_suffix(".part"), whole.with_suffix(".json")
    shape = (len(job.rows), network.d_features)
    n_done = 0
    if part.is_file() and record.is_file():
        n_done = int(load_json(record)["n_done"])
        array = np.lib.format.open_memmap(part, mode="r+")
    else:
        require_free_space(whole.parent, 2 * shape[0] * shape[1])
        array = np.lib.format.open_memmap(part, mode="w+", dtype=np.float16, shape=shape)
    _compute(network, job, array, n_done, limits)
    array.flush()
    part.replace(whole)
    record.unlink(missing_ok=True)


def _compute(
    network: PretrainedNetwork, job: FeatureJob, array: Halves, n_done: int, limits: _Limits
) -> None:
    network.eval()
    images = job.images.take(job.rows)
    size = CHUNK_ROWS.get(limits.device.type, CHUNK_ROWS["cpu"])
    normaliser = Normaliser(job.shape, limits.device)
    for number, start in enumerate(range(n_done, len(images), size)):
        chunk = torch.from_numpy(images.load(start, start + size)).to(limits.device)
        pooled = network.pool(network.features(normaliser.apply(chunk)))
        halves = pooled.half().cpu().numpy()
        if not np.isfinite(halves).all():
            raise DataError(
                "The frozen features of some pictures are not finite.",
                hint="The weights may be damaged; choose another backbone.",
            )
        array[start : start + size] = halves
        is_last = start + size >= len(images)
        if limits.record is not None and (number % FLUSH_CHUNKS == 0 or limits.clock.is_over):
            _note(array, limits.record, start + len(halves))
        if limits.clock.is_over and not is_last:
            raise DataError(
                f"Time ran out while the features of {len(images)} pictures were computed; "
                f"{start + len(halves)} are done.",
                hint="Give the search more time, or choose a smaller backbone or side.",
            )


def _note(array: Halves, record: Path, n_done: int) -> None:
    if isinstance(array, np.memmap):
        array.flush()
    write_json(record, {"n_done": n_done})


@contextlib.contextmanager
def _lock(path: Path) -> Iterator[None]:
    """Hold a lock over the processes of one machine."""
    with path.open("wb") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
