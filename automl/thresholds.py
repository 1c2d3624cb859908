"""The threshold of a finished search from Python: found on its calibrate part, tried, stored with the model, undone."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from automl.arguments import parse_choice
from automl.errors import SpecError
from automl.evaluation.costs import Costs
from automl.evaluation.goal import Goal
from automl.evaluation.threshold_change import ThresholdRequest, render_request
from automl.own_worker import run_limited
from automl.settings import Settings
from automl.worker.threshold_handler import TIMEOUT_SECONDS


@dataclass(frozen=True, kw_only=True, slots=True)
class ThresholdCall:
    """What ``run_threshold`` is asked; the fields are the shell's flags.

    ``result`` is the folder that a search wrote. One of ``goal`` (with ``level`` where it keeps one), ``value`` and
    ``undo`` says which threshold. With a ``reason`` it is stored; without, nothing is written.
    """

    result: Path
    goal: str | None = None
    level: float | None = None
    costs: Costs = field(default_factory=Costs)
    value: float | None = None
    undo: bool = False
    reason: str = ""
    by: str = ""


def run_threshold(call: ThresholdCall, settings: Settings | None = None) -> dict[str, Any]:
    """Find or take a threshold, store it where a reason is given, and say what it gives on both parts.

    ``{"threshold", "previous", "said", "is_stored", "change", "parts", "notes"}``. Bad input is a ``SpecError``.
    """
    named = [name for name in ("goal", "value") if getattr(call, name) is not None]
    named += ["undo"] if call.undo else []
    if len(named) != 1:
        raise SpecError(
            f"{' and '.join(named) or 'Nothing'} was given to say which threshold.",
            hint="Give one of goal, value and undo.",
        )
    request = ThresholdRequest(
        goal=None if call.goal is None else parse_choice(Goal, call.goal, "rule"),
        level=call.level,
        costs=call.costs,
        threshold=call.value,
        reason=call.reason,
        by=call.by,
    )
    if request.goal is None and call.level is not None:
        raise SpecError(f"A level of {call.level:g} was given without a goal.", hint="Name a goal.")
    folder = call.result.absolute()
    return run_limited(
        settings or Settings(),
        "automl.worker.threshold_handler:run_change",
        {
            "folder": str(folder),
            "spec": str(folder / "spec.json"),
            "request": render_request(request),
            "is_stored": bool(call.reason.strip()) or call.undo,
        },
        timeout_seconds=TIMEOUT_SECONDS,
    )


__all__ = ["ThresholdCall", "run_threshold"]
