"""The curve over data size of a finished search's model: one job, run by the worker, kept in its folder."""

import hashlib

from pydantic import TypeAdapter

from app import services
from automl.errors import DataError
from automl.evaluation.data_size import SizeCurve
from automl.files import load_json
from automl.jobs.records import Job, JobKind
from automl.worker.sizes_handler import OUT, SizesSpec, render_sizes_spec

MAX_LISTED = 500
_ADAPTER = TypeAdapter(SizeCurve)


def submit_curve(search: Job, asked: SizesSpec) -> Job:
    """Queue a curve; pressed twice it is the same job, pressed after the last one ended a new one."""
    n_ended = sum(not job.state.is_active for job in _list_curves(search.id))
    key = f"{search.id}/{asked.name}/{n_ended}"
    return services.submit(
        JobKind.SIZES, f"{search.title} · {asked.name}", render_sizes_spec(asked),
        key=f"sizes-{hashlib.sha256(key.encode()).hexdigest()[:32]}", dataset=search.dataset,
    )  # fmt: skip


def find_curve(asked: SizesSpec) -> Job | None:
    """The newest curve of this model, None where nobody asked yet."""
    same = (job for job in _list_curves(asked.search) if job.spec.get("name") == asked.name)
    return next(same, None)


def read_curve(job: Job) -> SizeCurve | None:
    """What a finished job left; None where its file is not there."""
    path = services.get_workspace().job(job.id) / OUT
    if not path.is_file():
        return None
    try:
        return _ADAPTER.validate_python(load_json(path))
    except ValueError as error:
        raise DataError(
            f"The curve over data size in {path.name!r} cannot be read: {error!s:.200}.",
            hint="Start it again.",
        ) from error


def _list_curves(search_id: str) -> list[Job]:
    """Curves of a search's models, newest first."""
    jobs = services.get_store().list_jobs(kinds=(JobKind.SIZES,), limit=MAX_LISTED)
    return [job for job in jobs if job.spec.get("search") == search_id]
