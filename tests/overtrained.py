"""A finished search whose winner is a network that was trained far too long, on purpose, without a search of minutes."""

import json
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from automl.data.importing import ImportRequest, import_table
from automl.data.preparing import load_prepared
from automl.data.profile import load_profile
from automl.data.setup import Setup
from automl.execution.devices import Slot, SlotKind
from automl.execution.saving import save_trained
from automl.files import write_json
from automl.jobs.records import JobKind, JobState, NewJob, Trial, TrialState
from automl.jobs.store import JobStore
from automl.models.catalog import FAMILIES
from automl.search.building import SearchRequest, build_search_spec
from automl.search.ledger import REFIT, SEARCH, Ledger
from automl.search.opened_model import Member, OpenedModel
from automl.search.preparation import REFIT_ROWS, SEARCH_ROWS, run_preparation
from automl.search.spec import Budget, SearchSpec, render_spec
from automl.settings import Settings
from automl.training.request import TrainRequest
from automl.training.run import train
from automl.worker.child_folder import render_settings
from automl.worker.finishing import run_finishing
from automl.worker.result_record import build_trial_rows, render_result

N_ROWS, N_COLUMNS, N_EPOCHS = 2_400, 8, 25
CONFIG = {
    **{name: value for name, value in FAMILIES["mlp"].default.items() if "embedding." not in name},
    "width": 128, "dropout": 0.0, "epochs": N_EPOCHS, "optimizer.adamw.weight_decay": 0.0,
    "numeric_embedding": "none",
}  # fmt: skip


def write_noisy_table(path: Path) -> Path:
    """Two columns say a little about the outcome, six say nothing: there is much to learn by heart."""
    generator = np.random.default_rng(0)
    columns = generator.normal(size=(N_ROWS, N_COLUMNS))
    logit = 0.8 * columns[:, 0] - 0.6 * columns[:, 1]
    answer = generator.random(N_ROWS) < 1 / (1 + np.exp(-logit))
    frame = pd.DataFrame(columns, columns=[f"measure_{k}" for k in range(N_COLUMNS)])
    frame.assign(paid=np.where(answer, "yes", "no")).to_csv(path, index=False)
    return path


def finish_overtrained(home: Path) -> str:
    """The id of the search, in a workspace that no worker is at yet."""
    settings = Settings(home=home, min_free_bytes=0)
    file = write_noisy_table(home.parent / "noisy.csv")
    dataset = import_table(
        ImportRequest(path=str(file), name=file.name), settings.workspace, settings
    )
    spec = build_search_spec(
        SearchRequest(
            dataset=dataset, profile=load_profile(settings.workspace, dataset.id),
            setup=Setup(target="paid"), slots=(Slot(name="cpu:0", kind=SlotKind.CPU, title="CPU"),),
            budget=Budget(trials=1), families=("mlp",),
        )
    )  # fmt: skip
    store = JobStore(settings.workspace.database)
    job = store.submit_job(
        NewJob(kind=JobKind.SEARCH, title="noisy.csv · paid", dataset=dataset.id, spec=json.loads(render_spec(spec)))
    )  # fmt: skip
    lease = store.claim_submitted(job.id, "tester")
    assert lease is not None
    result = _train_and_finish(settings, spec, settings.workspace.job(job.id))
    write_json(settings.workspace.result(job.id) / "result.json", render_result(result))
    store.finish_job(lease, JobState.SUCCEEDED, {}, None)
    store.close()
    return job.id


def _train_and_finish(settings: Settings, spec: SearchSpec, folder: Path) -> dict[str, Any]:
    arguments = {
        "spec": render_spec(spec), "folder": str(folder / "prepared"),
        "settings": render_settings(settings),
    }  # fmt: skip
    record = run_preparation(arguments, lambda _share, _words: None)
    ledger = Ledger((), lambda _trials: None, folder / "epochs.jsonl")
    for number, (rows, stage) in enumerate(((SEARCH_ROWS, SEARCH), (REFIT_ROWS, REFIT))):
        _learn_by_heart(spec, folder, ledger, number, rows=rows, stage=stage)
    model = OpenedModel(
        trial=0, roles=("winner", "network"), epochs=N_EPOCHS, fit_seconds=1.0,
        members=(Member(trial=0, folder="trials/00001-1", weight=1.0, is_refit=True),),
    )  # fmt: skip
    finish = {
        **arguments, "folder": str(folder), "models": [asdict(model)], "trials": build_trial_rows(ledger),
        "preparation": record, "looks": 1, "warnings": [],
    }  # fmt: skip
    return run_finishing(finish, lambda _share, _words: None)


def _learn_by_heart(
    spec: SearchSpec, folder: Path, ledger: Ledger, number: int, *, rows: str, stage: str
) -> None:
    """A trial that stops early, then its refit, which is told to go on."""
    ledger.put(Trial(number=number, family="mlp", config=dict(CONFIG), stage=stage, seed=0,
                     state=TrialState.RUNNING, attempt=1))  # fmt: skip
    request = TrainRequest(
        family="mlp", config=CONFIG, seed=0, batch_size=128, max_epochs=N_EPOCHS,
        is_refit=stage == REFIT,
    )  # fmt: skip
    trained = _exhaust(train(load_prepared(folder / "prepared" / rows), spec.task, request))
    save_trained(trained, folder / "trials" / f"{number:05d}-1", {})
    ledger.update(number, state=TrialState.COMPLETE, score=trained.score, n_epochs=trained.n_epochs,
                  best_epoch=trained.best_epoch, n_parameters=trained.n_parameters)  # fmt: skip


def _exhaust(steps: Iterator[Any]) -> Any:
    while True:
        try:
            next(steps)
        except StopIteration as end:
            return end.value
