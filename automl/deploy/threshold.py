"""Another threshold for a bundle that is there: the manifest says it, the card too, and the files still fit their hashes."""

from collections.abc import Mapping
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from typing import Any

from automl.data.task import TaskType
from automl.deploy.bundle import CARD, read_manifest
from automl.deploy.card import render_card
from automl.deploy.manifest import MANIFEST, Manifest, render_manifest
from automl.errors import BundleError
from automl.files import write_atomic


def change_bundle(
    folder: Path, threshold: float, said: str, metrics: Mapping[str, Mapping[str, Any]]
) -> Manifest:
    """Rewrite ``bundle.json`` and ``README.md``; weights stay untouched.

    ``said`` is why, in a sentence, empty for the default; ``metrics`` are the test results that depend on the decision.
    The card is written first: who reads between the two is told that the bundle was changed, and the same change made
    again mends it.
    """
    manifest = read_manifest(folder)
    if manifest.task.type is not TaskType.BINARY:
        raise BundleError(
            f"This bundle predicts {manifest.task.target!r} ({manifest.task.type}); it decides without a threshold.",
            hint="Thresholds are for two classes.",
        )
    training = {name: value for name, value in manifest.training.items() if name != "threshold"}
    changed = replace(
        manifest,
        threshold=threshold,
        training={**training, "threshold": said} if said else training,
        metrics={**manifest.metrics, **metrics},
    )
    card = render_card(changed)
    files = {**manifest.files, CARD: sha256(card.encode()).hexdigest()}
    changed = replace(changed, files=files)
    write_atomic(folder / CARD, card)
    write_atomic(folder / MANIFEST, render_manifest(changed))
    return changed
