"""The composition root: settings to stores, and everything a page may ask for or submit.

Pages and components call this module and never touch files, SQL or processes themselves. Nothing here
trains, and nothing here imports torch or Optuna.
"""

import hashlib
import json
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from app.errors import UploadError
from app.tokens import ArtifactGrant, UploadGrant, sign_grant
from app.wording import say_plain
from automl.data.dataset import Dataset, Role
from automl.errors import DataError
from automl.jobs.records import Job, JobKind, NewJob, StopMode, Trial, WorkerRow
from automl.settings import Settings, Workspace

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from pandas import DataFrame

    from automl.data.images.profile import Flaw
    from automl.data.profile import Profile
    from automl.data.samples import Sample
    from automl.data.setup import Setup
    from automl.data.store import DatasetEntry
    from automl.data.task import Task
    from automl.execution.devices import Devices, Slot
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


def sign_upload(upload: str, max_bytes: int) -> str:
    """A token for the upload route, good for a file of at most that size."""
    grant = UploadGrant(upload=upload, max_bytes=max_bytes)
    return sign_grant(get_workspace().run, grant)


def sign_artifact(path: Path, filename: str) -> str:
    """The address under which the browser may fetch one file of the workspace."""
    relative = path.resolve().relative_to(get_workspace().root.resolve())
    grant = ArtifactGrant(path=str(relative), filename=filename)
    return f"/api/artifacts/{sign_grant(get_workspace().run, grant)}"


def save_upload(content: bytes) -> str:
    """Keep bytes from the fallback uploader as an upload; its id."""
    upload = uuid4().hex
    part = get_workspace().upload(upload)
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


def list_jobs(*, limit: int = 50) -> list[Job]:
    """Jobs of every kind, newest first."""
    return list(get_store().list_jobs(limit=limit))


def list_trials(search_id: str, *, limit: int = 200, offset: int = 0) -> list[Trial]:
    """Trials of a search in the order of their numbers."""
    return list(get_store().list_trials(search_id, offset, limit))


def count_trials(search_id: str) -> int:
    """How many trials a search has so far."""
    return int(get_store().count_trials(search_id))


def stop_search(search_id: str) -> None:
    """Ask a search to stop and keep its best."""
    get_store().request_stop(search_id, StopMode.KEEP_BEST)


def stop_job(job_id: str) -> None:
    """Give up a short job; what it had done is dropped."""
    get_store().request_stop(job_id, StopMode.DISCARD)


def resume_search(search_id: str) -> None:
    """Queue a stopped or failed search again; what it has used of its budget stays used."""
    get_store().resume_job(search_id)


def describe_search(search_id: str, title: str, note: str) -> None:
    """Give a search another name and a note; a ``JobError`` says what is wrong with them."""
    get_store().describe_job(search_id, title, note)


def delete_search(search_id: str) -> None:
    """Delete a search that is not active, with its files."""
    get_store().delete_job(search_id)
    shutil.rmtree(get_workspace().job(search_id), ignore_errors=True)


def has_result(search_id: str) -> bool:
    """Whether a search has left results."""
    return (get_workspace().result(search_id) / "result.json").is_file()


def has_audit(search_id: str) -> bool:
    """Whether a search has left an audit."""
    return (get_workspace().result(search_id) / "audit.json").is_file()


# -- workers --------------------------------------------------------------------------------------


def list_workers() -> list[WorkerRow]:
    """Workers heard of lately, the freshest first."""
    return list(get_store().list_workers(max_age_seconds=WORKER_SILENCE_SECONDS))


def has_worker() -> bool:
    """Whether something can take a job now."""
    return bool(list_workers())


def require_upload(upload: str, name: str) -> Path:
    """The file of a finished upload; ``UploadError`` when it is not here."""
    if not upload.isalnum() or not (part := get_workspace().upload(upload)).is_file():
        raise UploadError(
            say_plain("upload.unknown", name=name), hint=say_plain("upload.unknown_hint")
        )
    _require_size(part, name)
    return part


def _require_size(part: Path, name: str) -> None:
    """Only a ZIP may use the cap of ZIPs: the browser chose it by a name that it may change later."""
    from app.components.numbers import format_bytes

    settings = get_settings()
    is_archive = name.lower().endswith(".zip")
    limit = settings.max_archive_bytes if is_archive else settings.max_table_bytes
    if part.stat().st_size > limit:
        size = part.stat().st_size
        part.unlink(missing_ok=True)
        raise UploadError(
            say_plain("upload.over", name=name, size=format_bytes(size), limit=format_bytes(limit)),
            hint=say_plain("upload.smaller_archive" if is_archive else "upload.smaller"),
        )


# -- data sets ------------------------------------------------------------------------------------


def read_dataset(dataset_id: str) -> Dataset:
    """The record of a data set; ``DataError`` when it is gone."""
    from automl.data.store import load_dataset

    return load_dataset(get_workspace(), dataset_id)


def list_datasets() -> "list[DatasetEntry]":
    """Data sets of this workspace, newest first."""
    from automl.data.store import list_datasets as list_stored

    return list_stored(get_workspace())


def read_profile(dataset_id: str) -> "Profile":
    """Counts, histograms and notes of a data set."""
    from automl.data.profile import load_profile

    return load_profile(get_workspace(), dataset_id)


def read_frame(dataset_id: str, columns: Sequence[str]) -> "DataFrame":
    """Some typed columns of a data set, all rows."""
    from automl.data.store import load_frame

    return load_frame(get_workspace(), dataset_id, tuple(columns))


def count_classes(dataset: Dataset) -> int:
    """How many classes the suggested target of pictures has; 0 where none is suggested."""
    suggested = (c for c in dataset.columns if c.suggested_role is Role.TARGET)
    return next((column.n_distinct for column in suggested), 0)


def read_originals(dataset_id: str) -> "DataFrame":
    """Every member that was seen in an upload of pictures, what was left out and why included."""
    from automl.data.images.store import load_originals

    return load_originals(get_workspace(), dataset_id).to_pandas()


def read_flaws(dataset_id: str) -> "tuple[tuple[Flaw, ...], dict[str, NDArray[np.int64]]]":
    """Findings about pictures with their rows, and the families of ``exact`` and ``near`` copies per row."""
    from automl.data.images.copies import find_copies
    from automl.data.images.profile import find_flaws, select_taken
    from automl.data.images.store import load_originals

    originals = load_originals(get_workspace(), dataset_id)
    copies = find_copies(select_taken(originals))
    return find_flaws(originals), {"exact": copies.exact, "near": copies.near}


def read_pictures(dataset_id: str, rows: "Sequence[int]") -> "NDArray[np.uint8]":
    """The stored pictures of some rows, uint8 ``(n, side, side, channels)``; nothing else is read."""
    import numpy as np

    from automl.data.images.store import load_images

    return np.asarray(load_images(get_workspace(), dataset_id)[np.asarray(rows, dtype=np.int64)])


def delete_dataset(dataset_id: str) -> None:
    """Delete a data set; ``DataError`` when another tab was faster, or a search still reads it."""
    from automl.data.store import delete_dataset as delete_stored

    active = next((job for job in list_searches(dataset_id) if job.state.is_active), None)
    if active is not None:
        raise refuse_to_delete(active)
    delete_stored(get_workspace(), dataset_id)


def refuse_to_delete(active: Job) -> DataError:
    """Why a data set stays while a search reads it."""
    return DataError(
        say_plain(
            "data.delete_active", title=active.title, state=say_plain(f"state.{active.state}")
        ),
        hint=say_plain("data.delete_active_hint"),
    )


def read_setup(dataset_id: str) -> "Setup":
    """The person's choices for a data set so far; of pictures with the target they suggest."""
    from app.choices import suggest_setup
    from automl.data.store import find_dataset, load_setup

    setup = load_setup(get_workspace(), dataset_id)
    if setup.target is not None:
        return setup
    dataset = find_dataset(get_workspace(), dataset_id)
    if dataset is None or dataset.images is None:
        return setup
    return replace(setup, target=suggest_setup(dataset).target)


def write_setup(dataset_id: str, setup: "Setup") -> None:
    """Keep the person's choices for a data set."""
    from automl.data.store import save_setup

    save_setup(get_workspace(), dataset_id, setup)


def infer_task(dataset: Dataset, profile: "Profile", setup: "Setup") -> "Task":
    """The task that follows from the choices; a ``FairloomError`` says why there is none."""
    from automl.data.setup import infer_task as infer

    return infer(dataset, profile, setup)


def list_samples() -> "list[Sample]":
    """The samples that ship, in the order the start page shows them."""
    from automl.data.samples import SAMPLES

    return list(SAMPLES.values())


# -- submitting -----------------------------------------------------------------------------------


def get_check_key(dataset_id: str, setup: "Setup", task: "Task") -> str:
    """What a leak check depends on: the data, the target, its type, and changed kinds."""
    facts = [dataset_id, task.target, str(task.type), sorted(setup.kinds.items())]
    return hashlib.sha256(json.dumps(facts).encode()).hexdigest()[:32]


def submit_check(dataset: Dataset, setup: "Setup", task: "Task") -> Job:
    """Queue the leak check; the same question again is the same job."""
    spec = json.loads(json.dumps(asdict(setup)))
    key = f"check-{get_check_key(dataset.id, setup, task)}"
    return submit(JobKind.CHECK, dataset.name, spec, key=key, dataset=dataset.id)


def find_devices() -> "Devices":
    """The places where trials can run, and what is wrong with them."""
    from automl.execution.devices import find_devices as find

    return find(get_settings())


def list_slots() -> "tuple[Slot, ...]":
    """The places where trials can run on this machine."""
    from automl.execution.devices import list_slots as list_found

    return list_found(get_settings())


def submit_predict(search_id: str, upload: Path, name: str, coverage: float | None = None) -> Job:
    """Queue the prediction of an uploaded file with a finished search's bundle; with a ``coverage`` sets or intervals.

    The handler writes into the job's folder; ``result["out"]`` names the file.
    """
    spec = {
        "search": search_id,
        "bundle": str(get_workspace().result(search_id) / "bundle"),
        "path": str(upload),
        "name": name,
        "coverage": coverage,
    }
    return submit(JobKind.PREDICT, name, spec, key=f"predict-{upload.stem}")


def submit(
    kind: JobKind, title: str, spec: Mapping[str, Any], *, key: str, dataset: str = ""
) -> Job:
    """Queue a job; the same key again is the same job."""
    new = NewJob(kind=kind, title=title, dataset=dataset, spec=spec, idempotency_key=key)
    return get_store().submit_job(new)
