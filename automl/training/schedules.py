"""Learning-rate schedules as closed forms of the step; never zero at the first step."""

import math

WARM_UP_SHARE = 0.05


def count_warm_up(n_steps: int) -> int:
    """Steps of linear warm-up: 5 % of the run, at least one."""
    return max(1, round(n_steps * WARM_UP_SHARE))


def compute_factor(schedule: str, step: int, n_steps: int) -> float:
    """Factor on the learning rate at ``step`` (from 0) of ``n_steps``, in (0, 1].

    ``constant``, ``cosine`` and ``linear`` rise linearly over the warm-up; the last two then fall to 0 at the
    end of the run.
    ``one_cycle`` rises by a cosine from 1/25 to 1 over 30 % and falls to 1/10,000 (Smith & Topin 2018).
    ``coslog4`` are four waves, each twice as long as the one before; ``flat_cos`` stays at 1 for half the run and
    falls to 0 by a cosine (Holzmüller et al. 2024). ``steady`` is 1 throughout.
    """
    if not 0 <= step < n_steps:
        raise ValueError(f"step {step} of {n_steps}")
    if schedule == "one_cycle":
        return _compute_one_cycle(step / max(1, n_steps - 1))
    if schedule in _SHAPES:
        return _SHAPES[schedule]((step + 0.5) / n_steps)
    warm_up = count_warm_up(n_steps)
    if step < warm_up:
        return (step + 1) / (warm_up + 1)
    if schedule == "constant":
        return 1.0
    if schedule == "cosine":
        return 0.5 * (1 + math.cos(math.pi * (step - warm_up) / (n_steps - warm_up)))
    if schedule == "linear":
        return 1 - (step - warm_up) / (n_steps - warm_up)
    raise ValueError(f"no schedule {schedule!r}")


def _compute_one_cycle(progress: float, peak: float = 0.3) -> float:
    low, end = 1 / 25, 1e-4
    if progress < peak:
        return 1 + (low - 1) * 0.5 * (1 + math.cos(math.pi * progress / peak))
    return end + (1 - end) * 0.5 * (1 + math.cos(math.pi * (progress - peak) / (1 - peak)))


def _compute_coslog4(progress: float) -> float:
    return 0.5 * (1 - math.cos(2 * math.pi * math.log2(1 + 15 * progress)))


def _compute_flat_cos(progress: float) -> float:
    return 0.5 * (1 + math.cos(math.pi * max(0.0, 2 * progress - 1)))


def _stay(progress: float) -> float:
    del progress
    return 1.0


_SHAPES = {"coslog4": _compute_coslog4, "flat_cos": _compute_flat_cos, "steady": _stay}
