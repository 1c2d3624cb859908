"""A search in the workspace in any state, and the page that shows it."""

from dataclasses import replace

from streamlit.testing.v1 import AppTest

from app import search_choices, services
from automl.data.dataset import Dataset
from automl.files import append_jsonl
from automl.jobs.records import Job, Trial, TrialState
from automl.search.spec import Budget, Preset, Pruner, Sampler


def open_search(**query: str) -> AppTest:
    at = AppTest.from_file("../../app/main.py", default_timeout=30).run()
    for name, value in query.items():
        at.query_params[name] = value
    at.switch_page("../pages/search.py").run()
    assert not at.exception, at.exception
    return at


def read_text(at: AppTest) -> str:
    kinds = (
        at.title,
        at.header,
        at.subheader,
        at.markdown,
        at.caption,
        at.warning,
        at.error,
        at.info,
    )
    return "\n".join(str(element.value) for kind in kinds for element in kind)


def submit(dataset: Dataset, ticket: str = "t") -> Job:
    setup = services.read_setup(dataset.id)
    services.write_setup(dataset.id, replace(setup, target="income"))
    choice = search_choices.SearchChoice(
        target="income", metric="roc_auc", budget=Budget(seconds=120.0), families=("mlp",),
        preset=Preset.QUICK, sampler=Sampler.TPE, pruner=Pruner.SUCCESSIVE_HALVING, seed=0,
        devices=tuple(slot.name for slot in services.list_slots()),
    )  # fmt: skip
    return search_choices.submit_search(dataset, choice, ticket)


def run_search(job: Job, n_trials: int = 4):
    """Play the worker: claim, report, write trials, epochs and log lines."""
    store = services.get_store()
    lease = store.claim_submitted(job.id, "test")
    assert lease is not None
    trials = [
        Trial(
            number=number, family="mlp", config={"depth": number}, seed=0, n_epochs=3,
            stage="search", state=TrialState.COMPLETE, score=0.9 + number / 1000,
            started_at=1e9 + number, finished_at=1e9 + number + 1, device="cpu:0",
        )
        for number in range(1, n_trials + 1)
    ]  # fmt: skip
    store.write_trials(lease, trials)
    best = {
        "trial": 4, "family": "mlp", "name": "MLP 4", "score": 0.904, "metric": "roc_auc",
        "value": 0.904, "low": 0.90, "high": 0.908,
    }  # fmt: skip
    store.write_progress(
        lease,
        {
            "phase": "search", "words": "Searching", "elapsed_seconds": 30.0,
            "budget_seconds": 120.0, "n_finished": n_trials, "budget_trials": None, "best": best,
            "ensemble": {"name": "Ensemble of 5 models", "metric": "roc_auc", "value": 0.913,
                         "low": 0.909, "high": 0.917},
            "baseline_best": None, "running": [{"trial": 9, "family": "mlp", "epoch": 2}],
            "devices": [
                {"name": "cpu:0", "trial": 9, "n_running": 8},
                {"name": "cpu:1", "trial": None},
                {"name": "cpu:2", "trial": 10, "n_running": 1},
            ],
            "warnings": ["'fnlwgt' nearly *gives* the target away."],
        },
    )  # fmt: skip
    folder = services.get_workspace().job(job.id)
    for epoch in (1, 2):
        append_jsonl(folder / "epochs.jsonl", {
            "trial": 9, "epoch": epoch, "train_loss": 0.5 / epoch, "select_loss": 0.6 / epoch,
            "score": 0.9, "learning_rate": 0.001,
        })  # fmt: skip
    append_jsonl(folder / "log.jsonl", {"at": 1e9, "level": "info", "message": "Trial 4 is done."})
    return lease
