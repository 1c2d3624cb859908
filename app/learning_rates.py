"""The learning-rate test of a finished search's best network: one job, run by the worker, kept in its folder."""

import hashlib

from pydantic import TypeAdapter

from app import services
from automl.errors import DataError
from automl.files import load_json
from automl.jobs.records import Job, JobKind
from automl.training.learning_rates import RateTest
from automl.worker.rates_handler import OUT, RatesSpec, render_rates_spec

MAX_LISTED = 500
_ADAPTER = TypeAdapter(RateTest)


def submit_test(search: Job, asked: RatesSpec) -> Job:
    """Queue a test; pressed twice it is the same job, pressed after the last one ended a new one."""
    n_ended = sum(not job.state.is_active for job in _list_tests(search.id))
    key = f"{search.id}/{asked.name}/{n_ended}"
    return services.submit(
        JobKind.RATES, f"{search.title} · {asked.name}", render_rates_spec(asked),
        key=f"rates-{hashlib.sha256(key.encode()).hexdigest()[:32]}", dataset=search.dataset,
    )  # fmt: skip


def find_test(asked: RatesSpec) -> Job | None:
    """The newest test of this network, None where nobody asked yet."""
    same = (
        job
        for job in _list_tests(asked.search)
        if job.spec.get("name") == asked.name and job.spec.get("config") == asked.config
    )
    return next(same, None)


def read_test(job: Job) -> RateTest | None:
    """What a finished test left; None where its file is not there."""
    path = services.get_workspace().job(job.id) / OUT
    if not path.is_file():
        return None
    try:
        return _ADAPTER.validate_python(load_json(path))
    except ValueError as error:
        raise DataError(
            f"The learning-rate test in {path.name!r} cannot be read: {error!s:.200}.",
            hint="Test again.",
        ) from error


def _list_tests(search_id: str) -> list[Job]:
    """Tests of a search's networks, newest first."""
    jobs = services.get_store().list_jobs(kinds=(JobKind.RATES,), limit=MAX_LISTED)
    return [job for job in jobs if job.spec.get("search") == search_id]
