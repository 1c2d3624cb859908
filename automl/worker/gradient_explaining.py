"""Integrated gradients of the networks in a bundle, mixed by their weights."""

import numpy as np
import pandas as pd

from automl.data.encoding import Encoder
from automl.deploy.bundle import ENCODER, Bundle
from automl.errors import SpecError
from automl.evaluation.explaining.asking import AskedModel, Found, HeldRows, Steps
from automl.evaluation.explaining.shapley import build_value_frame
from automl.training.integrated_gradients import integrate_gradients, is_network

MOST_ROWS = 100
N_BACKGROUND = 100


def explain_networks(
    bundle: Bundle, model: AskedModel, rows: HeldRows, background: pd.DataFrame
) -> Steps:
    """Attributions of the networks' mean prediction, before the temperature, in the frame of ``compute_shapley``.

    ``facts`` say how far values miss the prediction (``largest_gap``, and as a share of the largest difference), and which
    share of the ensemble's weight was left out because it is no network.
    """
    networks = [place for place, member in enumerate(bundle.members) if is_network(member)]
    if not networks:
        raise SpecError(
            "No model of the winner is a network, so that there are no gradients.",
            hint="Use SHAP values, which work for any model.",
        )
    whole = sum(bundle.weights[place] for place in networks)
    outputs = _place_outputs(model)
    mixed, steps = [], []
    for turn, place in enumerate(networks):
        yield (
            turn / len(networks),
            f"Following the gradients of network {turn + 1} of {len(networks)}",
        )
        encoder = _find_encoder(bundle, place)
        views = encoder.encode(rows.frame)[0], encoder.encode(background)[0]
        found = integrate_gradients(bundle.members[place], encoder, views, outputs)
        steps.append(found.n_steps)
        share = bundle.weights[place] / whole
        order = [[column.name for column in encoder.columns].index(name) for name in model.names]
        parts = (found.values[:, order], found.start, found.end)
        mixed.append([share * part for part in parts])
    values, start, end = (np.sum(each, axis=0) for each in zip(*mixed, strict=True))
    gap = float(np.abs(start + values.sum(axis=1) - end).max())
    facts = {
        "base": start.tolist(),
        "predictions": [
            {"row_id": int(row), "values": each.tolist()}
            for row, each in zip(rows.row_id, end, strict=True)
        ],
        "n_rows": len(rows),
        "n_background": len(background),
        "n_steps": max(steps),
        "n_networks": len(networks),
        "share": whole,
        "largest_gap": gap,
        "relative_gap": gap / max(float(np.abs(end - start).max()), 1e-12),
        "related": [],
    }
    errors = np.full_like(values, np.nan)
    return Found(frame=build_value_frame(model, rows, values, errors), facts=facts)


def _place_outputs(model: AskedModel) -> list[int]:
    """Which outputs of a network are explained: all classes, the positive one of two, the only value."""
    classes = model.task.classes
    return [classes.index(name) for name in model.outputs] if classes else [0]


def _find_encoder(bundle: Bundle, place: int) -> Encoder:
    """The encoder that a member reads rows through."""
    names = bundle.manifest.encoders
    is_first = not names or names[place] == ENCODER
    encoder = bundle.encoder if is_first else bundle.second_encoder
    if not isinstance(encoder, Encoder):
        raise SpecError("The network reads pictures.", hint="Open a picture in the tab Pictures.")
    return encoder
