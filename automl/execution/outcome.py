"""From a fitted model to its folder and the report that it is there."""

from collections.abc import Mapping
from pathlib import Path

from automl.execution.messages import Train, TrialDone
from automl.execution.saving import Trained, save_trained


def keep_trained(
    command: Train,
    trained: Trained,
    measured: Mapping[str, float],
    warnings: tuple[str, ...] = (),
) -> TrialDone:
    """Write the folder of a trial and build its report; a disk that is full raises ``OSError``."""
    facts = {
        "trial": command.trial,
        "attempt": command.attempt,
        "family": command.family,
        "config": dict(command.config),
        "seed": command.seed,
        "is_refit": command.is_refit,
        "score": trained.score,
        "n_epochs": trained.n_epochs,
        "best_epoch": trained.best_epoch,
        "n_parameters": trained.n_parameters,
        "fit_seconds": trained.fit_seconds,
    }
    save_trained(trained, Path(command.out), facts)
    return TrialDone(
        trial=command.trial,
        score=trained.score,
        n_epochs=trained.n_epochs,
        best_epoch=trained.best_epoch,
        n_parameters=trained.n_parameters,
        fit_seconds=trained.fit_seconds,
        predict_seconds=trained.predict_seconds,
        peak_memory_bytes=trained.peak_memory_bytes,
        was_pruned=trained.was_pruned,
        metrics=dict(trained.metrics),
        facts=dict(measured),
        warnings=(*warnings, *trained.warnings),
    )
