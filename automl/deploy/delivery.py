"""Results leave the workspace for the folder a person named."""

import shutil
from pathlib import Path

from automl.errors import SpecError


def require_folder(out: Path) -> None:
    """Raise ``SpecError`` unless results can be written into ``out``; it is created."""
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise SpecError(
            f"Results cannot be written to {str(out)!r}: {error.strerror}.",
            hint="Name another folder.",
        ) from error


def copy_results(source: Path, out: Path) -> None:
    """Copy a result folder over ``out``; what an earlier search left under the same names goes."""
    for path in sorted(source.iterdir()):
        target = out / path.name
        if target.is_dir() and not target.is_symlink():
            _require_ours(target)
            shutil.rmtree(target)
        else:
            target.unlink(missing_ok=True)
        if path.is_dir():
            shutil.copytree(path, target)
        else:
            shutil.copyfile(path, target)


def _require_ours(folder: Path) -> None:
    """Raise ``SpecError`` unless an earlier search wrote this folder: nothing of the person's is replaced."""
    if any(folder.iterdir()) and not (folder / "bundle.json").is_file():
        raise SpecError(
            f"{str(folder)!r} is there already and is no bundle of an earlier search.",
            hint="Name another folder with --out.",
        )
