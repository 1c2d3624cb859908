"""Logs as JSON lines: the worker's own, rotated, and one per job. Never a cell value in them."""

import logging
import time
from collections.abc import Callable
from logging.handlers import RotatingFileHandler
from pathlib import Path
from typing import Any

import structlog

from automl.files import append_jsonl

_MAX_BYTES = 10_000_000
_N_FILES = 10

JobLog = Callable[[str, str], None]


def open_log(path: Path) -> Any:
    """A structlog logger that writes time, level, event and its bindings to ``path`` (10 × 10 MB)."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handler = RotatingFileHandler(path, maxBytes=_MAX_BYTES, backupCount=_N_FILES - 1, delay=True)
    handler.setFormatter(logging.Formatter("%(message)s"))
    # Not from getLogger: it must stay out of the tree, where other people's handlers sit.
    sink = logging.Logger(f"fairloom.{path}", logging.INFO)  # noqa: LOG001
    sink.addHandler(handler)
    return structlog.wrap_logger(
        sink,
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True, key="time"),
            structlog.processors.format_exc_info,
            structlog.processors.JSONRenderer(),
        ],
        wrapper_class=structlog.BoundLogger,
        cache_logger_on_first_use=True,
    )


def close_log(log: Any) -> None:
    """Close the files of a logger of ``open_log``."""
    for handler in log.bind()._logger.handlers:  # noqa: SLF001 (structlog has no public name for it)
        handler.close()


def build_job_log(path: Path) -> JobLog:
    """A function ``log(level, message)`` that appends ``{at, level, message}`` to a job's log."""

    def log(level: str, message: str) -> None:
        append_jsonl(path, {"at": time.time(), "level": level, "message": message})

    return log
