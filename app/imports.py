"""An upload or a sample on its way to a data set, and the same upload read another way.

An upload whose layout had to be guessed stays for a day, so that it can be read again without being
sent again; ``app.uploads.remove_expired`` clears it away, as does deleting its data set.
"""

import hashlib
import json
from dataclasses import asdict, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from app import services
from app.errors import UploadError
from app.uploads import remove_expired
from app.wording import say_plain
from automl.data.dataset import Dataset
from automl.jobs.records import Job, JobKind, JobState

if TYPE_CHECKING:
    from automl.data.importing import ImportRequest
    from automl.data.loading import LoadOptions

GUESSES = frozenset(
    {"delimiter", "encoding", "sheet"}
)  # notes of the reader about a layout it chose
RECENT = 50
SERVER_FOLDER = "folder"
MAX_FOLDERS = 500


def submit_import(upload: Path, name: str, *, test: Path | None = None, test_name: str = "") -> Job:
    """Queue an upload to become a data set; the same upload twice is one job."""
    from automl.data.importing import ImportRequest

    request = ImportRequest(
        path=str(upload), name=name, test_path=str(test) if test else None, test_name=test_name
    )
    return _submit(request, name, key=f"import-{upload.stem}")


def submit_sample(name: str, ticket: str) -> Job:
    """Queue a sample to become a data set; the import's child makes its file."""
    from automl.data.importing import ImportRequest
    from automl.data.samples import SAMPLES

    title = SAMPLES[name].title
    request = ImportRequest(path="", name=title, source=f"sample:{name}")
    return _submit(request, title, key=f"sample-{ticket}")


def submit_again(job: Job, options: "LoadOptions") -> Job:
    """Queue the upload of an earlier import to be read in a given way; ``UploadError`` when it is gone."""
    return _submit_again(job, asdict(options))


def submit_pictures_again(job: Job, *, name_pattern: str | None, side: int | None) -> Job:
    """Queue pictures to be read with columns from their names or at another side; as ``submit_again``."""
    return _submit_again(job, {"name_pattern": name_pattern, "side": side})


def submit_folder(folder: Path, ticket: str) -> Job:
    """Queue a folder of the server; only one of ``list_folders`` is taken, and the import checks again."""
    from automl.data.importing import ImportRequest

    if folder not in list_folders():
        raise UploadError(say_plain("folder.refused", name=str(folder)))
    request = ImportRequest(path=str(folder), name=folder.name, source=SERVER_FOLDER)
    return _submit(request, folder.name, key=f"folder-{ticket}")


def list_folders() -> list[Path]:
    """What an administrator allowed to be read on the server: those folders and what lies directly in them."""
    found: list[Path] = []
    for base in services.get_settings().image_folders:
        if not base.is_dir():
            continue
        inside = sorted(path for path in base.iterdir() if not path.name.startswith("."))
        found += [base, *(path for path in inside if path.is_dir() and not path.is_symlink())]
    return found[:MAX_FOLDERS]


def _submit_again(job: Job, changes: dict[str, Any]) -> Job:
    if not has_upload(job):
        raise UploadError(
            say_plain("upload.unknown", name=job.title), hint=say_plain("upload.unknown_hint")
        )
    request = replace(read_request(job), **changes)
    way = hashlib.sha256(json.dumps(changes).encode()).hexdigest()[:16]
    # a failed reading may be tried again in the same way, for instance once the disk has room
    return _submit(request, job.title, key=f"import-{Path(request.path).stem}-{way}-{job.id[:8]}")


def read_request(job: Job) -> "ImportRequest":
    """What an import was asked to do."""
    from automl.data.importing import ImportRequest

    known = {field.name for field in fields(ImportRequest)}
    return ImportRequest(**{name: value for name, value in job.spec.items() if name in known})


def accept_import(job: Job) -> str:
    """The data set of a finished import; an upload that was read without guessing is cleared away."""
    from automl.data.samples import SAMPLES
    from automl.data.setup import Setup

    dataset_id = str(job.result["dataset"])
    dataset = services.read_dataset(dataset_id)
    # pictures stay for a day: a pattern for their names reads them again
    if dataset.images is None and not GUESSES & {note.code for note in dataset.notes}:
        remove_upload(job)
    remove_expired(services.get_workspace())
    sample = SAMPLES.get(str(job.spec.get("source", "")).removeprefix("sample:"))
    if sample is not None and services.read_setup(dataset_id) == Setup():
        services.write_setup(dataset_id, sample.setup)
    return dataset_id


def find_import(dataset: Dataset) -> Job | None:
    """The latest import of a data set whose upload is still here, None when it cannot be read again."""
    jobs = services.get_store().list_jobs(kinds=(JobKind.IMPORT,), limit=RECENT)
    made = (
        job
        for job in jobs
        if job.state is JobState.SUCCEEDED and job.result.get("dataset") == dataset.id
    )
    return next((job for job in made if has_upload(job)), None)


def has_upload(job: Job) -> bool:
    """Whether everything an import read is still here."""
    paths = _list_uploads(job)
    if job.spec.get("source") == SERVER_FOLDER:
        return bool(paths) and all(path.is_dir() for path in paths)
    return bool(paths) and all(path.is_file() for path in paths)


def remove_upload(job: Job) -> None:
    """Clear away what an import read; only files of ours, in the folder for uploads, are touched."""
    incoming = services.get_workspace().incoming.resolve()
    for path in _list_uploads(job):
        if path.suffix == ".part" and path.resolve().parent == incoming:
            path.unlink(missing_ok=True)


def _list_uploads(job: Job) -> list[Path]:
    return [Path(job.spec[name]) for name in ("path", "test_path") if job.spec.get(name)]


def _submit(request: "ImportRequest", title: str, *, key: str) -> Job:
    return services.submit(JobKind.IMPORT, title, asdict(request), key=key)
