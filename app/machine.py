"""Facts for the System page: versions, disk use, log lines. No torch is imported to name its version."""

import json
import platform
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import metadata
from typing import Any

from app import services
from app.live import read_tail
from automl.version import VERSION

PACKAGES = (
    "streamlit", "torch", "optuna", "scikit-learn", "fairlearn", "pandas", "pyarrow", "plotly",
    "numpy", "sqlalchemy", "safetensors",
)  # fmt: skip
FOLDERS = ("objects", "jobs", "incoming", "logs", "tmp")
LOG_BYTES = 200_000
LOG_LINES = 200


@dataclass(frozen=True, kw_only=True, slots=True)
class FolderUse:
    """What one folder of the workspace takes."""

    name: str
    size_bytes: int
    n_files: int


def list_versions() -> list[tuple[str, str]]:
    """Fairloom, Python and the packages it stands on; an absent one is said."""
    versions = [("Fairloom", VERSION), ("Python", platform.python_version())]
    for name in PACKAGES:
        try:
            versions.append((name, metadata.version(name)))
        except metadata.PackageNotFoundError:
            versions.append((name, "not installed"))
    return versions


def measure_folders() -> list[FolderUse]:
    """Size and number of files of each folder; files that vanish meanwhile are not counted."""
    root = services.get_workspace().root
    uses = []
    for name in FOLDERS:
        sizes = []
        for path in (root / name).rglob("*"):
            try:
                if path.is_file():
                    sizes.append(path.stat().st_size)
            except OSError:
                continue
        uses.append(FolderUse(name=name, size_bytes=sum(sizes), n_files=len(sizes)))
    return uses


def read_log_lines(which: str, find: str = "") -> list[str]:
    """The newest lines of the worker's or the pages' log, newest first, with ``find`` in them."""
    path = services.get_workspace().logs / f"{which}.jsonl"
    lines = [render_line(record) for record in reversed(read_tail(path, LOG_BYTES))]
    wanted = find.strip().lower()
    return [line for line in lines if wanted in line.lower()][:LOG_LINES]


_TOLD = ("time", "level", "event", "worker")


def render_line(record: dict[str, Any]) -> str:
    """A log record as one line, a traceback below it."""
    trace = record.get("trace") or record.get("exception") or ""
    rest = {
        key: value for key, value in record.items() if key not in (*_TOLD, "trace", "exception")
    }
    facts = " ".join(f"{key}={_shorten(value)}" for key, value in rest.items())
    head = (
        f"{str(record.get('time', ''))[:19]}  {record.get('level', ''):<8}{record.get('event', '')}"
    )
    return "\n".join(part for part in (f"{head}  {facts}".rstrip(), trace) if part)


def _shorten(value: object) -> str:
    text = value if isinstance(value, str) else json.dumps(value, default=str)
    return text if len(text) <= 200 else f"{text[:199]}…"


def sum_sizes(uses: Sequence[FolderUse]) -> int:
    """Bytes of all folders."""
    return sum(use.size_bytes for use in uses)
