"""What the live page draws, from rows and from the tails of files that are being written."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from app import live, services
from app.machine import list_versions, measure_folders, read_log_lines
from automl.files import append_jsonl
from automl.jobs.records import Job, JobKind, JobState, Trial, TrialState


def build_trial(number: int, score: float | None, **values: object) -> Trial:
    return Trial(
        number=number, family="mlp", config={"mlp.depth": 3, "mlp.dropout": 0.123456}, seed=0,
        state=TrialState.RUNNING if score is None else TrialState.COMPLETE, stage="search",
        score=score, started_at=10.0 + number, finished_at=None if score is None else 12.0 + number,
        **values,  # type: ignore[arg-type]
    )  # fmt: skip


def test_only_the_tail_of_a_file_is_read_and_torn_lines_are_left_out(tmp_path: Path) -> None:
    path = tmp_path / "epochs.jsonl"
    for number in range(1000):
        append_jsonl(path, {"trial": number})
    with path.open("ab") as file:
        file.write(b'{"trial": 1000')
    rows = live.read_tail(path, 200)
    assert 5 < len(rows) < 20
    assert rows[-1] == {"trial": 999}
    assert live.read_tail(tmp_path / "absent.jsonl", 200) == []


def test_an_epoch_reported_twice_counts_once() -> None:
    path = services.get_workspace().job("j") / "epochs.jsonl"
    for loss in (0.9, 0.5):
        append_jsonl(path, {"trial": 3, "epoch": 1, "train_loss": loss, "select_loss": loss})
    append_jsonl(path, {"trial": 4, "epoch": 1, "train_loss": 1.0, "select_loss": 1.0})
    append_jsonl(path, {"trial": 3, "epoch": 2, "train_loss": 1.0, "select_loss": None})
    frame = live.read_epochs("j", [3])
    assert frame["train_loss"].tolist() == [0.5]
    assert frame["series"].tolist() == ["trial 3"]
    assert live.read_epochs("absent", [3]).empty


def test_what_waits_stands_behind_what_has_begun() -> None:
    waiting = {"state": TrialState.WAITING}
    trials = [
        replace(build_trial(number, None), **(waiting if number in (2, 4) else {}))
        for number in range(5)
    ]
    assert [trial.number for trial in live.order_newest(trials)] == [3, 1, 0, 4, 2]


def test_a_lower_is_better_metric_is_shown_in_its_own_sign() -> None:
    assert live.get_sign("rmse") == -1
    assert live.get_sign("roc_auc") == 1
    table = live.build_trial_table([build_trial(1, -0.3)], live.get_sign("log_loss"))
    assert table.loc[0, "value"] == pytest.approx(0.3)
    assert table.loc[0, "settings"] == "depth 3 · dropout 0.123"


def test_the_history_holds_scored_trials_only_and_no_refits() -> None:
    refit = build_trial(3, 0.99)
    trials = [build_trial(1, 0.9), build_trial(2, None)]
    frame = live.build_history(trials, 10.0)
    assert frame["number"].tolist() == [1]
    assert frame["seconds"].tolist() == [3.0]
    assert len(live.build_history([*trials, refit], None)) == 2


@pytest.mark.parametrize(
    ("progress", "elapsed", "expected"),
    [
        ({"budget_seconds": 120.0}, 30.0, (90.0, False)),
        ({"budget_seconds": 120.0}, 130.0, (0.0, False)),
        ({"budget_trials": 10, "n_finished": 5}, 50.0, (50.0, True)),
        ({"budget_trials": 10, "n_finished": 5, "budget_seconds": 60.0}, 50.0, (10.0, False)),
        ({"budget_trials": 10, "n_finished": 0}, 5.0, (None, False)),
    ],
)
def test_time_left(
    progress: dict[str, float], elapsed: float, expected: tuple[float | None, bool]
) -> None:
    assert live.compute_left(progress, elapsed) == expected


def test_curves_of_running_trials_and_of_the_latest_when_it_has_ended() -> None:
    running = {"running": [{"trial": 7}, {"trial": 9}]}
    job = Job(
        id="j", kind=JobKind.SEARCH, state=JobState.RUNNING, title="t", dataset="d", spec={},
        created_at=0.0, progress=running,
    )  # fmt: skip
    trials = [build_trial(number, 0.5, n_epochs=5) for number in range(4)]
    assert live.pick_curves(job, trials) == [7, 9]
    ended = Job(
        id="j", kind=JobKind.SEARCH, state=JobState.SUCCEEDED, title="t", dataset="d", spec={},
        created_at=0.0, progress=running,
    )  # fmt: skip
    assert live.pick_curves(ended, trials) == [2, 3]


def test_the_log_is_found_by_an_error_number() -> None:
    path = services.get_workspace().logs / "web.jsonl"
    for number in ("aaaa1111", "bbbb2222"):
        append_jsonl(path, {"time": "2026-01-01T00:00:00", "level": "error", "event": "page failed",
                            "error_id": number, "exception": "Traceback: boom"})  # fmt: skip
    lines = read_log_lines("web", "BBBB2222")
    assert len(lines) == 1
    assert "bbbb2222" in lines[0]
    assert "boom" in lines[0]
    assert read_log_lines("worker") == []


def test_versions_are_named_without_importing_anything() -> None:
    versions = dict(list_versions())
    assert versions["Fairloom"]
    assert versions["torch"] != "not installed"


def test_folders_are_measured() -> None:
    services.prepare_workspace()
    (services.get_workspace().incoming / "a.part").write_text(json.dumps([1, 2]))
    uses = {use.name: use for use in measure_folders()}
    assert uses["incoming"].size_bytes == 6
    assert uses["incoming"].n_files == 1


def build_network(number: int, **changes: Any) -> Trial:
    from automl.models.catalog import FAMILIES

    given = {"family": "cnn", "config": FAMILIES["cnn"].default, **changes}
    return replace(build_trial(number, 0.5), **given)


def test_networks_for_pictures_are_named_by_their_architecture_and_cost() -> None:
    facts = {"parameters": 120_000.0, "macs": 5e6}
    trial = build_network(1, facts=facts, fit_seconds=12.0, n_epochs=4, n_parameters=None)
    row = live.build_trial_table([trial], 1, of_pictures=True).iloc[0]
    assert row["settings"].startswith("CNN whiten, 3 stages plain")
    assert "optimizer muon" in row["settings"]
    assert "stage1" not in row["settings"]
    assert (row["macs"], row["epoch_seconds"], row["parameters"]) == (5e6, 3.0, 120_000)
    assert "macs" not in live.build_trial_table([trial], 1).columns


def test_a_supernet_and_what_it_proposed_are_named() -> None:
    supernet = build_network(1, stage="supernet", config={})
    shared = build_network(2, origin="weight_sharing")
    stages = list(live.build_trial_table([supernet, shared], 1, of_pictures=True)["stage"])
    assert stages == ["supernet", "supernet's best"]


def test_networks_that_were_left_out_before_training_are_counted_by_reason() -> None:
    facts = {"parameters": 1.0}
    trials = [
        build_network(1, facts=facts, state=TrialState.PRUNED, failure_kind="over_limit"),
        build_network(2, facts=facts, state=TrialState.PRUNED, failure_kind="screened_out"),
        build_network(3, facts=facts, state=TrialState.PRUNED, failure_kind="screened_out"),
        build_network(4, facts=facts, state=TrialState.PRUNED),
        build_network(5, facts=facts),
        build_network(6),
    ]
    assert live.count_screened(trials) == {"over_limit": 1, "screened_out": 2}
    assert live.count_measured(trials) == 5
