"""An ensemble from refit to bundle: three families, one of which could not be trained again."""

import time
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from html import unescape
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from automl.data.importing import ImportRequest, import_table
from automl.data.preparing import load_prepared
from automl.data.profile import load_profile
from automl.data.samples import write_sample
from automl.data.setup import Setup
from automl.data.views import Part, Prepared
from automl.deploy.bundle import load_bundle
from automl.evaluation.calibrator_choice import parse_choice
from automl.evaluation.calibrators import Method
from automl.execution.devices import Slot, SlotKind
from automl.execution.messages import FailureKind, Report, Train, TrialDone, TrialFailed
from automl.execution.saving import save_trained
from automl.jobs.records import Trial, TrialState
from automl.models.catalog import FAMILIES, get_starts
from automl.search.budget import BudgetClock
from automl.search.building import SearchRequest, build_search_spec
from automl.search.context import CoordinatorContext, Milestones, Sizes, Warnings
from automl.search.crew import Crew
from automl.search.ensemble import Ensemble
from automl.search.ensembling import Ensembler
from automl.search.ledger import BASELINE, SEARCH, Ledger
from automl.search.preparation import REFIT_ROWS, SEARCH_ROWS, run_preparation
from automl.search.refits import Refitter
from automl.search.search_record import build_cost, build_search_record
from automl.search.spec import Budget, SearchSpec, render_spec
from automl.settings import Settings
from automl.training.request import TrainRequest
from automl.training.run import train
from automl.worker.child_folder import render_settings
from automl.worker.finishing import run_finishing
from automl.worker.result_record import build_trial_rows

LINEAR, MLP, BOOSTING = 1, 3, 4
TRIED = (
    ("constant", BASELINE, {}),
    ("linear", BASELINE, FAMILIES["linear"].default),
    ("boosting", BASELINE, {}),
    ("mlp", SEARCH, {**FAMILIES["mlp"].default, "width": 16, "depth": 1, "epochs": 3}),
    ("boosting", SEARCH, get_starts("boosting")[0]),
)
WEIGHTS = {MLP: 0.5, LINEAR: 0.3, BOOSTING: 0.2}
PLANTED = Ensemble(
    weights=WEIGHTS, single=MLP, picked_by="log_loss", measure="roc_auc", n_candidates=4, n_rows=300, n_guard=50,
    guard_score=0.95, guard_single=0.94, guard_error=0.01,
)  # fmt: skip


@dataclass
class TrainingHere:
    """Trainers that train in this process, at once; the refit of a configuration in ``fails`` dies."""

    spec: SearchSpec
    prepared: Prepared
    fails: tuple[Any, ...] = ()
    done: list[tuple[str, Report]] = field(default_factory=list)

    def idle_slots(self) -> tuple[str, ...]:
        return () if self.done else self.spec.resources.devices[:1]

    def submit(self, slot: str, command: Train) -> None:
        if command.is_refit and (command.family, command.config) in self.fails:
            failed = TrialFailed(trial=command.trial, kind=FailureKind.CRASHED, message="It died.")
            self.done.append((slot, failed))
            return
        request = TrainRequest(
            family=command.family, config=command.config, seed=command.seed, batch_size=256,
            max_epochs=command.max_epochs, is_refit=command.is_refit,
        )  # fmt: skip
        trained = _exhaust(train(self.prepared, self.spec.task, request))
        save_trained(trained, Path(command.out), {})
        self.done.append((slot, TrialDone(
            trial=command.trial, score=trained.score, n_epochs=trained.n_epochs,
            best_epoch=trained.best_epoch, n_parameters=trained.n_parameters, fit_seconds=0.1,
            predict_seconds=0.01, peak_memory_bytes=1, was_pruned=False,
        )))  # fmt: skip

    def answer(self, *_arguments: object) -> None:
        raise AssertionError("nobody asks")

    def end(self, _trial: int) -> None:
        raise AssertionError("nobody is ended")

    def poll(self, _timeout: float) -> list[tuple[str, Report]]:
        reports, self.done = self.done, []
        return reports


def _exhaust(steps: Any) -> Any:
    while True:
        try:
            next(steps)
        except StopIteration as end:
            return end.value


@dataclass
class Finished:
    """What the end of a search left."""

    folder: Path
    settings: Settings
    spec: SearchSpec
    file: Path
    result: dict[str, Any]

    @property
    def out(self) -> Path:
        return self.folder / "result"


@pytest.fixture(scope="module")
def finished(tmp_path_factory) -> Iterable[Finished]:
    """Loans; the tuned boosting of the ensemble cannot be trained again, so that two encoders are needed."""
    home = tmp_path_factory.mktemp("home")
    settings = Settings(home=home, min_free_bytes=0)
    file = write_sample("loans", home / "files")
    dataset = import_table(
        ImportRequest(path=str(file), name=file.name), settings.workspace, settings
    )
    spec = build_search_spec(
        SearchRequest(
            dataset=dataset, profile=load_profile(settings.workspace, dataset.id),
            setup=Setup(target="approved"), slots=(Slot(name="cpu:0", kind=SlotKind.CPU, title="CPU"),),
            budget=Budget(trials=2), families=("mlp", "boosting"),
        )
    )  # fmt: skip
    folder = settings.workspace.job("a" * 32)
    arguments = {
        "spec": render_spec(spec), "folder": str(folder / "prepared"),
        "settings": render_settings(settings),
    }  # fmt: skip
    record = run_preparation(arguments, lambda _share, _words: None)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Ensembler, "build", lambda _self: PLANTED)
        yield _finish(folder, settings, spec, record, file)


def _finish(
    folder: Path, settings: Settings, spec: SearchSpec, record: dict[str, Any], file: Path
) -> Finished:
    trainers = TrainingHere(spec, load_prepared(folder / "prepared" / SEARCH_ROWS))
    n_rows = record["n_rows"]
    context = CoordinatorContext(
        spec=spec, job_id="job", folder=folder, trainers=trainers,
        clock=BudgetClock(total=None, base=0.0, started=time.monotonic()),
        sizes=Sizes(train=n_rows["train"], select=n_rows["select"],
                    refit=n_rows["train"] + n_rows["select"], test=n_rows["test"]),
        warnings=Warnings(path=folder / "warnings.json"), milestones=Milestones(),
        stop_mode=lambda: None, report=lambda _progress: None, log=lambda _level, _text: None,
        describe_score=lambda _trial: {},
    )  # fmt: skip
    ledger = Ledger((), lambda _trials: None, folder / "epochs.jsonl")
    for number, (family, stage, config) in enumerate(TRIED):
        ledger.put(Trial(number=number, family=family, config=dict(config), stage=stage, seed=number,
                         state=TrialState.RUNNING, attempt=1))  # fmt: skip
        command = Train(
            trial=number, attempt=1, family=family, config=dict(config), seed=number, batch_size=256,
            max_epochs=3, out=str(folder / "trials" / f"{number:05d}-1"),
        )  # fmt: skip
        trainers.submit("cpu:0", command)
        ((_, report),) = trainers.poll(0.0)
        score = 0.99 if number == MLP else report.score
        ledger.update(number, state=TrialState.COMPLETE, score=score, n_epochs=report.n_epochs,
                      best_epoch=report.best_epoch, n_parameters=report.n_parameters)  # fmt: skip
    trainers.prepared = load_prepared(folder / "prepared" / REFIT_ROWS)
    trainers.fails = (("boosting", dict(TRIED[BOOSTING][2])),)
    refitter = Refitter(context, ledger, Crew(context, ledger))
    models = _exhaust(refitter.run())
    result = run_finishing(
        {
            "spec": render_spec(spec), "folder": str(folder), "settings": render_settings(settings),
            "models": [asdict(model) for model in models], "trials": build_trial_rows(ledger),
            "preparation": record, "looks": 1, "warnings": context.warnings.texts,
            "search": build_search_record(spec, ledger, PLANTED)
            | {"cost": build_cost(ledger, 12.0, 0.1)},
        },
        lambda _share, _words: None,
    )  # fmt: skip
    return Finished(folder=folder, settings=settings, spec=spec, file=file, result=result)


def test_the_winner_lists_its_members_with_weights(finished):
    winner = finished.result["winner"]
    assert (winner["name"], winner["family"], winner["trial"]) == ("Ensemble of 3 models", "ensemble", None)  # fmt: skip
    assert {each["trial"]: pytest.approx(each["weight"]) for each in winner["ensemble"]} == WEIGHTS
    assert [each["family"] for each in winner["ensemble"]] == ["mlp", "linear", "boosting"]
    assert winner["ensemble"][0]["config"]["width"] == 16
    assert winner["ensemble"][0]["seeds"] == 3  # the best network: all its seeds enter
    assert winner["members"] == 5


def test_what_was_not_trained_again_enters_with_its_model_of_the_search_and_it_is_said(finished):
    assert [each["is_refit"] for each in finished.result["winner"]["ensemble"]] == [
        True, True, False,
    ]  # fmt: skip
    (said,) = [text for text in finished.result["warnings"] if "of the ensemble" in text]
    assert "1 of 3" in said
    assert "trials 4" in said


def test_the_leaderboard_has_the_ensemble_the_best_alone_network_and_baselines(finished):
    rows = {row["name"]: row for row in finished.result["leaderboard"]}
    ensemble = rows["Ensemble of 3 models"]
    assert ensemble["test"] == finished.result["test"]
    assert 0.5 < ensemble["select_score"] <= 1
    assert ensemble["select_low"] <= ensemble["select_score"] <= ensemble["select_high"]
    assert ensemble["tier"] is not None
    opened = [row["name"] for row in finished.result["leaderboard"] if row["test"]]
    assert len(opened) == 5  # constant, linear, boosting, the MLP, the ensemble
    assert rows[f"MLP {MLP}"]["roles"] == ["single", "network"]
    assert rows[f"Boosted trees {BOOSTING}"]["test"] is None  # only in the ensemble
    scores = [row["select_score"] for row in finished.result["leaderboard"]]
    assert scores == sorted(scores, reverse=True)


def test_the_bundle_predicts_the_numbers_of_the_predictions(finished):
    tested = pd.read_parquet(finished.out / "predictions.parquet").set_index("row_id")
    with load_bundle(finished.out / "bundle") as bundle:
        assert len(set(bundle.manifest.encoders)) == 2
        assert sum(bundle.manifest.weights) == pytest.approx(1)
        predicted = bundle.predict(pd.read_csv(finished.file)).set_index("row_id")
    names = [name for name in tested if name.startswith("probability_")]
    both = predicted.loc[tested.index]
    assert np.abs(both[names] - tested[names]).to_numpy().max() < 1e-9
    assert (both["prediction"] == tested["prediction"]).all()


def test_the_calibrate_part_is_kept_as_the_bundle_predicts_it_and_no_model_learned_from_it(
    finished,
):
    kept = pd.read_parquet(finished.out / "calibrate_predictions.parquet")
    tested = pd.read_parquet(finished.out / "predictions.parquet")
    assert list(kept.columns) == list(tested.columns)
    parts = load_prepared(finished.folder / "prepared" / REFIT_ROWS).parts
    assert kept["row_id"].tolist() == parts[Part.CALIBRATE].tolist()
    assert not set(kept["row_id"]) & {*parts[Part.TRAIN].tolist(), *parts[Part.TEST].tolist()}
    source = pd.read_csv(finished.file).iloc[kept["row_id"]]
    assert kept["truth"].tolist() == source["approved"].astype(str).tolist()
    with load_bundle(finished.out / "bundle") as bundle:
        predicted = bundle.predict(source)
    names = [name for name in kept if name.startswith("probability_")]
    assert np.abs(predicted[names].to_numpy() - kept[names].to_numpy()).max() < 1e-9
    loss = -np.log(kept[[f"probability_{name}" for name in finished.spec.task.classes]].to_numpy())
    right = kept["truth"].map(finished.spec.task.classes.index).to_numpy()
    assert finished.result["calibration"]["n_calibrate"] == len(kept) == len(right)
    assert loss[np.arange(len(kept)), right].mean() < np.log(
        2
    )  # the temperature never leaves it worse than chance


def test_the_chosen_calibrator_leads_from_the_uncalibrated_rows_to_the_predictions(finished):
    raw = pd.read_parquet(finished.out / "uncalibrated.parquet")
    tested = pd.read_parquet(finished.out / "predictions.parquet")
    choice = parse_choice(finished.result["calibration"]["choice"])
    assert raw["row_id"].tolist() == tested["row_id"].tolist()
    names = [f"probability_{name}" for name in finished.spec.task.classes]
    mended = choice.calibrator.apply(raw[names].to_numpy())
    assert np.abs(mended - tested[names].to_numpy()).max() < 1e-12
    with load_bundle(finished.out / "bundle") as bundle:
        other = bundle.manifest.calibrator
        assert (other is None) == (choice.chosen is Method.TEMPERATURE)
        assert bundle.manifest.temperature == (
            choice.calibrator.numbers[0][0] if other is None else None
        )


def test_the_card_lists_the_members(finished):
    card = (finished.out / "bundle" / "README.md").read_text()
    assert f"| MLP {MLP} | 50.0% |" in card
    assert f"| Boosted trees {BOOSTING} | 20.0% |" in card
    assert "by their weights" in card


def test_the_search_is_weighed_against_the_best_fixed_baseline(finished):
    worth, comparison = finished.result["worth"], finished.result["comparison"]
    scored = {row["name"]: row["select_score"] for row in finished.result["leaderboard"] if row["is_baseline"]}  # fmt: skip
    assert worth["baseline"] == comparison["baseline"] == max(scored, key=scored.get)
    assert comparison["low"] <= comparison["value"] <= comparison["high"]
    assert comparison["n"] == finished.result["n_rows"]["test"]
    assert finished.result["gain"]["model"] == f"MLP {MLP}"
    for part in (comparison["sentence"], finished.result["gain"]["sentence"], "12 s and 2 trials"):
        assert part in worth["sentence"]
    assert worth["sentence"] in unescape((finished.out / "report.html").read_text())


def test_the_report_names_the_ensemble(finished):
    text = (finished.out / "report.html").read_text()
    assert "Ensemble of 3 models" in text
    assert f"MLP {MLP} 50%" in text
