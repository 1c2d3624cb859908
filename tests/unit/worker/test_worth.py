"""What a search was worth, in words."""

from automl.search.opened_model import Member, OpenedModel
from automl.worker.opening import Opened
from automl.worker.worth import find_best_baseline, render_cost, render_nothing


def _open(trial: int | None, *roles: str) -> Opened:
    member = Member(trial=trial or 0, folder="trials/0", weight=1.0, is_refit=True)
    model = OpenedModel(trial=trial, roles=roles, members=(member,), epochs=1, fit_seconds=0.0)
    return Opened(
        model=model, name=str(trial), family="linear", prediction=None, uncalibrated=None,
        calibrate_prediction=None, temperature=None, choice=None, evaluation=None, member_values=(), average_value=None,
        predict_seconds=0.0,
    )  # fmt: skip


def test_the_best_baseline_is_the_one_that_the_select_part_prefers():
    trials = {number: {"score": score} for number, score in enumerate((0.5, 0.8, 0.8, 0.9))}
    opened = [
        _open(None, "winner"), _open(3, "single"), _open(2, "baseline"), _open(1, "baseline"),
        _open(0, "baseline"),
    ]  # fmt: skip
    assert find_best_baseline(opened, trials).model.trial == 1
    assert find_best_baseline(opened[:2], trials) is None


def test_nothing_is_a_valid_answer_and_so_is_one_trial():
    assert "gained nothing" in render_nothing("Linear (default)")
    assert (
        render_cost({"search_seconds": 61.2, "n_trials": 1}) == "The search took 61 s and 1 trial."
    )
