"""Which function handles which kind of job; imported when the first such job comes."""

from collections.abc import Mapping

from automl.execution.resolve import resolve
from automl.jobs.records import JobKind
from automl.worker.context import Handler

HANDLERS: Mapping[JobKind, str] = {
    JobKind.IMPORT: "automl.worker.import_handler:handle",
    JobKind.CHECK: "automl.worker.check_handler:handle",
    JobKind.SEARCH: "automl.worker.search_handler:handle",
    JobKind.PREDICT: "automl.worker.predict_handler:handle",
    JobKind.EXPLAIN: "automl.worker.explain_handler:handle",
    JobKind.EXPLAIN_TABLE: "automl.worker.table_explain_handler:handle",
    JobKind.SIZES: "automl.worker.sizes_handler:handle",
    JobKind.RATES: "automl.worker.rates_handler:handle",
    JobKind.LABELS: "automl.worker.labels_handler:handle",
    JobKind.MAP: "automl.worker.map_handler:handle",
    JobKind.THRESHOLD: "automl.worker.threshold_handler:handle",
}


def load_handler(kind: JobKind, handlers: Mapping[JobKind, str] = HANDLERS) -> Handler:
    """The handler of a kind."""
    handler: Handler = resolve(handlers[kind])
    return handler
