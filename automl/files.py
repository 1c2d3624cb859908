"""Files that appear whole or not at all."""

import contextlib
import json
import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from automl.errors import DiskFull


def write_atomic(path: Path, content: bytes | str) -> None:
    """Write ``content`` so that ``path`` holds either the old or the new bytes, whatever happens.

    Temporary file in the same folder, fsync, rename, fsync of the folder. The folder is created.
    """
    data = content.encode() if isinstance(content, str) else content
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        Path(name).replace(path)
    except BaseException:
        with contextlib.suppress(FileNotFoundError):
            Path(name).unlink()
        raise
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Make a rename inside ``folder`` durable."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def write_json(path: Path, value: Any) -> None:
    """Write JSON atomically, two spaces indented; NaN is refused (``ValueError``)."""
    write_atomic(path, json.dumps(value, indent=2, allow_nan=False, ensure_ascii=False) + "\n")


def load_json(path: Path) -> Any:
    """Read a JSON file of ours."""
    return json.loads(path.read_text(encoding="utf-8"))


def append_jsonl(path: Path, record: Mapping[str, Any]) -> None:
    """Append one record as a line; a torn last line of an earlier crash is ended first."""
    path.parent.mkdir(parents=True, exist_ok=True)
    line = json.dumps(record, allow_nan=False, ensure_ascii=False).encode() + b"\n"
    with path.open("ab+") as file:
        if file.tell() > 0:
            file.seek(-1, os.SEEK_END)
            if file.read(1) != b"\n":
                line = b"\n" + line
        file.write(line)


def iterate_jsonl(path: Path, *, offset: int = 0) -> Iterator[dict[str, Any]]:
    """The whole records of a JSONL file from byte ``offset``; torn lines are left out, absence is empty."""
    if not path.exists():
        return
    with path.open("rb") as file:
        file.seek(offset)
        for line in file:
            if not line.endswith(b"\n"):
                return
            try:
                record = json.loads(line)
            except json.JSONDecodeError:
                continue  # the torn end of an earlier crash, closed by a later append
            if isinstance(record, dict):
                yield record


def require_free_space(folder: Path, needed_bytes: int) -> None:
    """Raise ``DiskFull`` unless ``needed_bytes`` are free where ``folder`` lies."""
    existing = next(parent for parent in (folder, *folder.parents) if parent.exists())
    free = shutil.disk_usage(existing).free
    if free < needed_bytes:
        raise DiskFull(
            f"{free / 1e6:,.0f} MB are free under {existing}, {needed_bytes / 1e6:,.0f} MB are needed.",
            hint="Delete searches or data sets you no longer need, or free space on the disk.",
        )
