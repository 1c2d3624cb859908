"""``python -m automl.worker``: a worker alone, for supervisors and tests."""

from automl.settings import Settings
from automl.worker.loop import run_worker

if __name__ == "__main__":
    run_worker(Settings())
