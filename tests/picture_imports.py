"""An import of pictures in its real limited child, watched from outside."""

import io
import time
import zipfile
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from automl.data.importing import ImportRequest
from automl.execution.child import Child, ChildRequest
from automl.settings import Settings
from automl.worker.child_folder import render_settings
from automl.worker.import_handler import build_limits


@dataclass(frozen=True, kw_only=True, slots=True)
class Watched:
    """What came of an import: its result or error, the most anonymous memory, the words of its progress."""

    result: Mapping[str, Any] | Exception
    peak_bytes: int
    words: list[str]
    seconds: float


def watch_import(request: ImportRequest, settings: Settings, folder: Path) -> Watched:
    """Run the child as a worker does; its ``RssAnon`` is read every 20 ms."""
    began = time.monotonic()
    child = Child.start(
        ChildRequest(
            function="automl.worker.import_handler:run_import",
            arguments={"request": asdict(request), "settings": render_settings(settings)},
            folder=folder,
            limits=build_limits(settings, request.path),
        )
    )
    peak, words = 0, []
    try:
        while not child.is_done:
            peak = max(peak, _read_anonymous_bytes(child.process.pid))
            words += [progress.words for progress in child.poll()]
            time.sleep(0.02)
    finally:
        child.kill()
    try:
        result: Mapping[str, Any] | Exception = child.result
    except Exception as error:  # noqa: BLE001 (the caller looks at it)
        result = error
    return Watched(result=result, peak_bytes=peak, words=words, seconds=time.monotonic() - began)


def _read_anonymous_bytes(pid: int) -> int:
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except (FileNotFoundError, ProcessLookupError):
        return 0
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith("RssAnon")), 0)


def _make_noisy(seed: int, side: int) -> bytes:
    """A JPEG as heavy as a photograph: about 0.8 bytes per pixel."""
    noise = np.random.default_rng(seed).integers(0, 256, (side, side, 3), dtype=np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(noise).save(buffer, format="JPEG", quality=75)
    return buffer.getvalue()


def write_many(path: Path, n_pictures: int, side: int, n_different: int = 200) -> Path:
    """A ZIP of JPEG pictures in ten classes, no two files with the same bytes; quickly made.

    ``n_different`` pictures repeat, each time with another comment inside.
    """
    base = [_make_noisy(seed, side) for seed in range(n_different)]
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
        for number in range(n_pictures):
            content = base[number % n_different]
            remark = b"%08d" % number
            comment = b"\xff\xfe" + (len(remark) + 2).to_bytes(2, "big") + remark
            part = "test" if number % 10 == 9 else "train"
            name = f"{part}/class{number // 10 % 10}/{number:06d}.jpg"
            archive.writestr(name, content[:2] + comment + content[2:])
    return path
