"""Keeping a choice as soon as it is made: the callbacks of every control that edits a ``Setup``."""

from collections.abc import Callable

from app import services, session
from automl.data.setup import Setup
from fairness.errors import FairloomError


def change_setup(dataset_id: str, change: Callable[[Setup], Setup]) -> None:
    """Apply a change to the saved choices, read anew, so that a second tab's choices are kept.

    Runs in a widget's callback: an error waits for the run that follows, where it can be shown.
    """
    try:
        services.write_setup(dataset_id, change(services.read_setup(dataset_id)))
    except FairloomError as error:
        session.remember("setup_error", error)
