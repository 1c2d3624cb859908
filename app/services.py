"""The composition root: settings to stores, and everything a page may ask for or submit.

Pages and components call this module and never touch files, SQL or processes themselves. Nothing here
trains, and nothing here imports torch or Optuna.
"""

import time
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import uuid4

from app.errors import UploadError
from app.tokens import ArtifactGrant, UploadGrant, sign_grant
from app.uploads import get_part
from app.wording import say_plain
from automl.data.dataset import Dataset
from automl.jobs.records import Job, JobKind, StopMode, Trial, WorkerRow
from automl.settings import Settings, Workspace

if TYPE_CHECKING:
    from automl.jobs.store import JobStore

WORKER_SILENCE_SECONDS = 15.0
_ROUTES = {"enabled": False}


def get_settings() -> Settings:
    """The settings of this installation; read anew, so that a test's environment counts."""
    return Settings()


def get_workspace() -> Workspace:
    """The one folder we write to."""
    return get_settings().workspace


def prepare_workspace() -> None:
    """Create the folders (mode 0700) and bring the database to the current schema."""
    workspace = get_workspace()
    workspace.root.mkdir(parents=True, exist_ok=True, mode=0o700)
    for folder in (
        workspace.incoming,
        workspace.run,
        workspace.logs,
        workspace.tmp,
        workspace.objects,
    ):
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    get_store()


def get_store() -> "JobStore":
    """The job store of this workspace, opened once per process."""
    return _open_store(get_workspace().database)


@lru_cache(maxsize=4)
def _open_store(database: Path) -> "JobStore":
    from automl.jobs.store import JobStore

    database.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    return JobStore(database)


# -- routes ---------------------------------------------------------------------------------------


def enable_routes() -> None:
    """Said once by ``app.serve``: this process answers our own routes."""
    _ROUTES["enabled"] = True


def has_routes() -> bool:
    """False under plain ``streamlit run`` and in AppTest: uploads and downloads then go through memory."""
    return _ROUTES["enabled"]


def sign_upload(upload: str) -> str:
    """A token for the upload route, good for the largest table that is allowed."""
    grant = UploadGrant(upload=upload, max_bytes=get_settings().max_table_bytes)
    return sign_grant(get_workspace().run, grant)


def sign_artifact(path: Path, filename: str) -> str:
    """The address under which the browser may fetch one file of the workspace."""
    relative = path.resolve().relative_to(get_workspace().root.resolve())
    grant = ArtifactGrant(path=str(relative), filename=filename)
    return f"/api/artifacts/{sign_grant(get_workspace().run, grant)}"


def save_upload(content: bytes) -> str:
    """Keep bytes from the fallback uploader as an upload; its id."""
    upload = uuid4().hex
    part = get_part(get_workspace(), upload)
    part.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    part.write_bytes(content)
    return upload


# -- jobs -----------------------------------------------------------------------------------------


def read_job(job_id: str, kind: JobKind | None = None) -> Job | None:
    """A job by its id, None when it is gone or of another kind."""
    job = get_store().read_job(job_id)
    return job if job is not None and kind in (None, job.kind) else None


def read_search(search_id: str) -> Job | None:
    """A search by its id; one indexed SELECT."""
    return read_job(search_id, JobKind.SEARCH)


def list_searches(dataset: str | None = None, *, limit: int = 100, offset: int = 0) -> list[Job]:
    """Searches, newest first."""
    return list(
        get_store().list_jobs(kinds=(JobKind.SEARCH,), dataset=dataset, limit=limit, offset=offset)
    )


def list_trials(search_id: str, *, limit: int = 200, offset: int = 0) -> list[Trial]:
    """Trials of a search in the order of their numbers."""
    return list(get_store().list_trials(search_id, offset, limit))


def count_trials(search_id: str) -> int:
    """How many trials a search has so far."""
    return int(get_store().count_trials(search_id))


def stop_search(search_id: str) -> None:
    """Ask a search to stop and keep its best."""
    get_store().request_stop(search_id, StopMode.KEEP_BEST)


def resume_search(search_id: str) -> None:
    """Queue a stopped or failed search again; what it has used of its budget stays used."""
    get_store().resume_job(search_id)


def delete_search(search_id: str) -> None:
    """Delete a search that is not active, with its files."""
    get_store().delete_job(search_id)


# -- workers --------------------------------------------------------------------------------------


def list_workers() -> list[WorkerRow]:
    """Workers heard of lately, the freshest first."""
    limit = time.time() - WORKER_SILENCE_SECONDS
    rows = [row for row in get_store().list_workers() if row.heartbeat_at >= limit]
    return sorted(rows, key=lambda row: -row.heartbeat_at)


def has_worker() -> bool:
    """Whether something can take a job now."""
    return bool(list_workers())


def require_upload(upload: str, name: str) -> Path:
    """The file of a finished upload; ``UploadError`` when it is not here."""
    part = get_part(get_workspace(), upload)
    if not upload.isalnum() or not part.is_file():
        raise UploadError(
            say_plain("upload.unknown", name=name), hint=say_plain("upload.unknown_hint")
        )
    return part


# -- data sets ------------------------------------------------------------------------------------


def read_dataset(dataset_id: str) -> Dataset:
    """The record of a data set; ``DataError`` when it is gone."""
    from automl.data.store import load_dataset

    return load_dataset(get_workspace(), dataset_id)
