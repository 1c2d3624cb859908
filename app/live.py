"""What the live page of a search draws, read from its rows and the tails of its files.

Nothing here computes more than a few hundred rows: it runs every two seconds for every open tab.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from app import services
from app.components.states import render_state
from app.results import EPOCH_COLUMNS
from app.wording import knows, say_plain
from automl.data.dataset import DataKind
from automl.errors import SpecError
from automl.files import iterate_jsonl
from automl.jobs.records import Job, Trial, TrialState

MAX_HISTORY = 2_000
MAX_CURVES = 4
EPOCH_TAIL_BYTES = 600_000
LOG_TAIL_BYTES = 24_000
LOG_LINES = 60
SCREENED = ("over_limit", "screened_out", "no_time")  # why a network ends before its first epoch


def read_epochs(search_id: str, trials: Sequence[int]) -> pd.DataFrame:
    """The latest epochs of some trials: columns ``series, epoch, train_loss, select_loss, …``."""
    path = services.get_workspace().job(search_id) / "epochs.jsonl"
    wanted = set(trials)
    rows = [
        row
        for row in read_tail(path, EPOCH_TAIL_BYTES)
        # a final model trains on the select rows too: it has no select loss to draw
        if row.get("trial") in wanted and row.get("select_loss") is not None
    ]
    frame = pd.DataFrame(rows, columns=list(EPOCH_COLUMNS))
    # a resumed trial reports its epochs anew: the last report of an epoch counts
    frame = frame.drop_duplicates(["trial", "epoch"], keep="last").sort_values(["trial", "epoch"])
    return frame.assign(series=[f"trial {number}" for number in frame["trial"]])


def pick_curves(job: Job, trials: Sequence[Trial]) -> list[int]:
    """Numbers of the trials whose curves are drawn: the running ones, else the latest with epochs."""
    running = [int(row["trial"]) for row in job.progress.get("running", ())]
    if job.state.is_active and running:
        return running[:MAX_CURVES]
    latest = sorted(
        (trial.number for trial in trials if trial.n_epochs > 1 and trial.stage == "search"),
        reverse=True,
    )
    return sorted(latest[:2])


def read_log(search_id: str) -> list[dict[str, Any]]:
    """The last lines of a job's log, oldest first: ``at, level, message``."""
    path = services.get_workspace().job(search_id) / "log.jsonl"
    return read_tail(path, LOG_TAIL_BYTES)[-LOG_LINES:]


def read_tail(path: Path, max_bytes: int) -> list[dict[str, Any]]:
    """The records in the last ``max_bytes`` of a JSONL file; a torn first line is left out."""
    if not path.is_file():
        return []
    return list(iterate_jsonl(path, offset=max(0, path.stat().st_size - max_bytes)))


def build_history(trials: Sequence[Trial], started_at: float | None) -> pd.DataFrame:
    """One row per scored trial: ``number, family, state, score, seconds`` since the start."""
    rows = [
        {
            "number": trial.number,
            "family": trial.family,
            "state": trial.state.value,
            "score": trial.score,
            "seconds": max(0.0, trial.finished_at - (started_at or trial.finished_at)),
        }
        for trial in trials
        if trial.score is not None and trial.finished_at is not None and trial.stage != "refit"
    ]
    return pd.DataFrame(rows, columns=["number", "family", "state", "score", "seconds"])


def count_screened(trials: Sequence[Trial]) -> dict[str, int]:
    """How many networks ended before their first epoch, by reason: ``over_limit, screened_out, no_time``."""
    kinds = (trial.failure_kind for trial in trials if trial.state is TrialState.PRUNED)
    counts = Counter(kind for kind in kinds if kind in SCREENED)
    return {kind: counts[kind] for kind in SCREENED if counts[kind]}


def count_measured(trials: Sequence[Trial]) -> int:
    """How many networks were counted and timed before their first epoch."""
    return sum("parameters" in trial.facts for trial in trials if trial.stage == "search")


def is_about_pictures(job: Job) -> bool:
    """Whether a search tries networks that read pictures."""
    return any(_reads_pictures(str(name)) for name in job.spec.get("families", ()))


def build_trial_table(
    trials: Sequence[Trial], sign: int, *, of_pictures: bool = False
) -> pd.DataFrame:
    """The trials as the page shows them; ``sign`` turns a score into a value of the metric.

    ``of_pictures`` adds what a network costs: multiply-adds, seconds of an epoch.
    """
    rows = [
        {
            "number": trial.number,
            "family": get_family_title(trial.family),
            "stage": _name_stage(trial),
            "state": render_state(trial.state),
            "value": None if trial.score is None else sign * trial.score,
            "epochs": trial.n_epochs or None,
            "parameters": trial.n_parameters or trial.facts.get("parameters"),
            "macs": trial.facts.get("macs"),
            "device": trial.device,
            "seconds": compute_seconds(trial),
            "epoch_seconds": compute_epoch_seconds(trial),
            "settings": render_settings(trial),
            "note": trial.failure_message,
        }
        for trial in trials
    ]
    names = [name for name in _TABLE_COLUMNS if of_pictures or name not in _PICTURE_COLUMNS]
    return pd.DataFrame(rows, columns=names)


_TABLE_COLUMNS = (
    "number", "family", "stage", "state", "value", "epochs", "parameters", "macs", "device", "seconds",
    "epoch_seconds", "settings", "note",
)  # fmt: skip
_PICTURE_COLUMNS = ("macs", "epoch_seconds")


def compute_epoch_seconds(trial: Trial) -> float | None:
    """How long an epoch of a trial took on average, None before it has one."""
    return trial.fit_seconds / trial.n_epochs if trial.fit_seconds and trial.n_epochs else None


def render_settings(trial: Trial) -> str:
    """A trial's settings in one line; of a network for pictures its architecture, then how it is trained."""
    if not _reads_pictures(trial.family):
        return render_config(trial.config)
    from automl.models.catalog import render_architecture
    from automl.models.image.recipe_space import RECIPE_DEFAULT

    recipe = {
        label: value
        for label, value in trial.config.items()
        if label.partition(".")[0] in {name.partition(".")[0] for name in RECIPE_DEFAULT}
    }
    try:
        architecture = render_architecture(trial.family, trial.config)
    except SpecError:  # a supernet has no single architecture
        return render_config(trial.config)
    return " · ".join(filter(None, (architecture, render_config(recipe))))


def _reads_pictures(family: str) -> bool:
    from automl.models.catalog import FAMILIES

    return family in FAMILIES and DataKind.TABLE not in FAMILIES[family].data


def compute_seconds(trial: Trial) -> float | None:
    """How long a trial took, None while it is not done."""
    if trial.fit_seconds is not None:
        return trial.fit_seconds
    if trial.started_at is None or trial.finished_at is None:
        return None
    return trial.finished_at - trial.started_at


def render_config(config: Mapping[str, Any]) -> str:
    """A configuration in one line, the last part of each label only: ``depth 3 · width 256``."""
    return " · ".join(
        f"{label.rsplit('.', 1)[-1]} {f'{value:.3g}' if isinstance(value, float) else value}"
        for label, value in config.items()
    )


def get_family_title(name: str) -> str:
    """The title of a family of models."""
    from automl.models.catalog import FAMILIES

    if name in FAMILIES:
        return FAMILIES[name].title
    return say_plain(f"family.{name}") if knows(f"family.{name}") else name


def get_sign(metric: str) -> int:
    """+1 where the metric itself is the score, −1 where lower is better and the score is its negative."""
    from fairness.definitions import METRICS

    return -1 if metric in METRICS and METRICS[metric].direction == "lower" else 1


def order_newest(trials: Sequence[Trial]) -> list[Trial]:
    """The newest first; those that still wait for a place stand behind all that have begun."""
    newest = trials[::-1]
    return sorted(newest, key=lambda trial: trial.state is TrialState.WAITING)


def in_metric(frame: pd.DataFrame, sign: int) -> pd.DataFrame:
    """Scores as values of the metric, for the table under a figure: ``score`` becomes ``value``."""
    changed = {
        name: sign * frame[name] for name in ("score", "best_so_far") if name in frame and sign < 0
    }
    return frame.assign(**changed).rename(columns={"score": "value"})


def get_metric_title(metric: str) -> str:
    """The metric as people read it."""
    from fairness.definitions import METRICS

    return METRICS[metric].title if metric in METRICS else metric


def compute_left(progress: Mapping[str, Any], elapsed: float) -> tuple[float | None, bool]:
    """Seconds until the budget ends, and whether that is an estimate from the trials so far."""
    candidates: list[tuple[float, bool]] = []
    if progress.get("budget_seconds"):
        candidates.append((float(progress["budget_seconds"]) - elapsed, False))
    done, total = progress.get("n_finished") or 0, progress.get("budget_trials")
    if total and done:
        candidates.append((elapsed / done * max(total - done, 0), True))
    if not candidates:
        return None, False
    seconds, is_estimate = min(candidates)
    return max(0.0, seconds), is_estimate


def _name_stage(trial: Trial) -> str:
    stage, shared = trial.stage, trial.origin == "weight_sharing"
    if stage == "search" and shared:
        return say_plain("stage.shared")
    return say_plain(f"stage.{stage}") if knows(f"stage.{stage}") else stage
