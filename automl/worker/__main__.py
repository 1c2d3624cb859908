"""``python -m automl.worker``: a worker alone, for supervisors and tests."""

from automl.execution.devices import SlotKind, list_slots
from automl.execution.launching import UNHURRIED, warm_up
from automl.settings import Settings
from automl.worker.loop import run_worker


def main() -> None:
    """Run a worker whose first search finds torch imported; trainers on GPUs import it themselves."""
    settings = Settings()
    if any(slot.kind is not SlotKind.CUDA for slot in list_slots(settings)):
        warm_up(UNHURRIED)
    run_worker(settings)


if __name__ == "__main__":
    main()
