"""What a limited child gets: a folder of its own, gone when the child is, and the settings as JSON."""

import contextlib
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from automl.settings import Settings
from automl.worker.context import HandlerContext


@contextlib.contextmanager
def make_child_folder(context: HandlerContext) -> Iterator[Path]:
    """Make ``tmp/<job>-<lease token>`` and remove it at the end; the token keeps attempts apart."""
    folder = context.workspace.tmp.resolve() / f"{context.job.id}-{context.lease.token}"
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def render_settings(settings: Settings) -> dict[str, Any]:
    """Render the settings for ``Settings(**…)`` in a child, whose working folder and environment differ."""
    return settings.model_dump(mode="json") | {"home": str(settings.workspace.root.resolve())}
