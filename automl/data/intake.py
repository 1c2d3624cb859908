"""Whatever was given becomes a data set: a table, or pictures in a ZIP or a folder."""

from pathlib import Path

from automl.data.dataset import Dataset
from automl.data.images.archive import scan_directory
from automl.data.importing import ImportRequest, Report, import_table
from automl.errors import DataError
from automl.settings import Settings, Workspace


def import_file(
    request: ImportRequest,
    workspace: Workspace,
    settings: Settings,
    report: Report | None = None,
) -> Dataset:
    """Import by content: a folder, and a ZIP that is no workbook, hold pictures; all else is a table."""
    if holds_pictures(request, settings):
        from automl.data.images.importing import import_images

        return import_images(request, workspace, settings, report)
    if request.name_pattern is not None or request.side is not None:
        raise DataError(
            f"{request.name!r} is a table; a pattern for file names and a side are for pictures.",
            hint="Leave them out, or give a ZIP of pictures.",
        )
    return import_table(request, workspace, settings, report)


def holds_pictures(request: ImportRequest, settings: Settings) -> bool:
    """Whether the content is a folder or a ZIP that is no workbook (XLSX is a ZIP, too)."""
    path = Path(request.path)
    if path.is_dir():
        return True
    return looks_zipped(path) and not scan_directory(path, request.name, settings).is_document


def looks_zipped(path: Path) -> bool:
    """True for a file that starts like a ZIP."""
    try:
        with path.open("rb") as file:
            return file.read(4) in (b"PK\x03\x04", b"PK\x05\x06")
    except OSError:
        return False
