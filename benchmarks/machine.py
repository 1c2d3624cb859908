"""What figures were measured with and on, and where they are written."""

import json
import os
import platform
import subprocess
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import psutil

from automl.version import VERSION
from tests.conftest import ROOT

PACKAGES = ("torch", "optuna", "scikit-learn", "lightgbm", "numpy", "pandas")
BUSY_LOAD = 1.5  # per core; above it wall seconds say little


def describe_machine() -> dict[str, Any]:
    """Versions, commit, processor, memory, and how busy the machine is before the first run."""
    cores = os.cpu_count() or 1
    return {
        "date": datetime.now(UTC).date().isoformat(),
        "fairloom": VERSION,
        "commit": find_commit(),
        "python": platform.python_version(),
        **{name: find_version(name) for name in PACKAGES},
        "system": f"{platform.system()} {platform.machine()}",
        "processor": find_processor(),
        "cores": cores,
        "memory_gb": round(psutil.virtual_memory().total / 1e9, 1),
        "load_per_core": round(os.getloadavg()[0] / cores, 1),
    }


def find_version(name: str) -> str:
    """The installed version of a package, ``absent`` where there is none."""
    try:
        return version(name)
    except PackageNotFoundError:
        return "absent"


def find_commit() -> str:
    """The commit that is checked out, ``unknown`` outside of a repository; changed files are marked."""
    command = ["git", "describe", "--always", "--dirty"]
    try:
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return "unknown"
    return done.stdout.strip()


def find_processor() -> str:
    """The name of the processor, where the system tells it."""
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.exists() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor()


def write_record(record: dict[str, Any], out: Path | None) -> None:
    """A record as JSON into a file, where one is named; the folder is created."""
    if out is None:
        return
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(json.dumps(record, indent=2) + "\n")
