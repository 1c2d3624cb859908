import sys
from dataclasses import replace

import numpy as np
import pytest
import torch

from automl.data.views import Part
from automl.errors import DataError, SpecError
from automl.models.image.pretrained import number_stages
from automl.training.clock import WorkClock
from automl.training.epoch import Verb
from automl.training.image import tuned
from automl.training.image.pretrained import open_network, train_pretrained
from automl.training.image.tuned import TunedRun
from automl.training.predictor import load_predictor
from tests.unit.training.image import pretrained_pictures as made

torch.set_num_threads(1)


@pytest.fixture(scope="module")
def prepared(tmp_path_factory):
    return made.prepare_with_weights(tmp_path_factory.mktemp("search"))


def _train(prepared, kind, **changes):
    request = made.build_request(made.build_config(kind, epochs=3), **changes)
    trained, epochs = made.drive(train_pretrained(prepared, made.TASK, request))
    return request, trained, epochs


@pytest.mark.parametrize("kind", ["frozen", "head", "last_stage", "full", "gradual"])
def test_every_way_trains_predicts_and_comes_back_from_disk(prepared, kind, tmp_path) -> None:
    _, trained, epochs = _train(prepared, kind)

    select = prepared.parts[Part.SELECT]
    assert [epoch.number for epoch in epochs] == [1, 2, 3]
    assert trained.select_prediction.shape == (len(select), 3)
    np.testing.assert_allclose(trained.select_prediction.sum(axis=1), 1, atol=1e-6)
    assert trained.score == pytest.approx(
        np.mean(trained.select_prediction.argmax(1) == prepared.target[select])
    )
    trained.save(tmp_path)
    views = prepared.views.take(select)
    again = load_predictor(tmp_path).predict(views)
    np.testing.assert_allclose(again, trained.predictor.predict(views), atol=1e-6)
    np.testing.assert_allclose(
        again, trained.select_prediction, atol=2e-2
    )  # half-precision features


@pytest.mark.parametrize("kind", ["frozen", "head", "last_stage"])
def test_what_is_frozen_is_identical_afterwards(prepared, kind) -> None:
    request, trained, _ = _train(prepared, kind)
    before, _ = open_network(prepared, request)
    after = trained.predictor.network
    depths, n_stages = number_stages(before.backbone)
    state = after.backbone.state_dict()
    changed = {
        name for name, tensor in before.backbone.state_dict().items()
        if not torch.equal(tensor, state[name])
    }  # fmt: skip

    if kind == "last_stage":
        assert changed
        assert {depths.get(name, n_stages) for name in changed} <= {n_stages, n_stages + 1}
        assert not any(name.startswith(("conv_stem", "bn1", "blocks.0")) for name in changed)
    else:
        assert not changed
    assert not torch.equal(before.classifier.weight, after.classifier.weight)


def test_the_count_of_what_learns_is_told(prepared) -> None:
    _, head, _ = _train(prepared, "head")
    _, full, _ = _train(prepared, "full")

    assert "3,843 of 2,496,867 parameters were trained." in head.warnings
    assert "2,496,867 of 2,496,867 parameters were trained." in full.warnings


def test_features_are_computed_once(prepared, monkeypatch) -> None:
    _train(prepared, "frozen")
    kept = list((prepared.folder.parent / "features").glob("*.npy"))
    assert len(kept) == 1
    assert np.load(kept[0]).dtype == np.float16

    def never(*_):
        raise AssertionError("the features were computed again")

    monkeypatch.setattr("automl.training.image.features._compute", never)
    _, refit, _ = _train(_build_refit(prepared), "frozen", is_refit=True)
    assert refit.score is None
    assert refit.select_prediction.shape == (0, 3)


def _build_refit(prepared):
    both = np.sort(np.concatenate([prepared.parts[Part.TRAIN], prepared.parts[Part.SELECT]]))
    parts = {**prepared.parts, Part.TRAIN: both, Part.SELECT: np.zeros(0, dtype=np.int64)}
    return replace(prepared, parts=parts, folder=prepared.folder.with_name("refit"))


def test_a_deadline_keeps_the_features_done_so_far(tmp_path, monkeypatch) -> None:
    prepared = made.prepare_with_weights(tmp_path)
    monkeypatch.setitem(sys.modules["automl.training.image.features"].CHUNK_ROWS, "cpu", 8)
    with pytest.raises(DataError, match=r"Time ran out while the features of 48 .* 8 are done"):
        _train(prepared, "frozen", deadline=0.0)
    folder = prepared.folder.parent / "features"
    assert list(folder.glob("*.part"))

    _, trained, _ = _train(prepared, "frozen")

    whole = np.load(next(folder.glob("*.npy")))
    assert not list(folder.glob("*.part"))
    assert np.isfinite(whole).all()
    assert (np.abs(whole).max(axis=1) > 0).all()
    assert trained.score is not None


def test_a_frozen_head_learns(prepared) -> None:
    config = made.build_config("frozen", epochs=12)
    request = made.build_request(config, max_epochs=12)
    trained, epochs = made.drive(train_pretrained(prepared, made.TASK, request))

    assert epochs[-1].train_loss < epochs[0].train_loss
    assert trained.score >= 0.5


def test_a_refit_takes_all_epochs_and_has_no_score(prepared) -> None:
    _, trained, epochs = _train(_build_refit(prepared), "gradual", is_refit=True)

    assert trained.score is None
    assert [epoch.score for epoch in epochs] == [None] * 3
    assert trained.best_epoch == 3


def test_two_runs_are_the_same(prepared) -> None:
    _, first, _ = _train(prepared, "full")
    _, second, _ = _train(prepared, "full")

    np.testing.assert_array_equal(first.select_prediction, second.select_prediction)


def test_a_pruned_run_says_so_and_cooks_no_soup(prepared) -> None:
    request = made.build_request(made.build_config("full", epochs=3))
    trained, epochs = made.drive(
        train_pretrained(prepared, made.TASK, request), lambda _: Verb.PRUNE
    )

    assert trained.was_pruned
    assert len(epochs) == 1


def test_grey_pictures_and_a_transformer(tmp_path) -> None:
    prepared = made.prepare_with_weights(tmp_path, made.VIT, channels=1)
    config = made.build_config("last_stage", made.VIT, epochs=1)
    trained, _ = made.drive(
        train_pretrained(prepared, made.TASK, made.build_request(config, max_epochs=1))
    )

    assert trained.predictor.network.count_trainable() < trained.n_parameters / 3
    np.testing.assert_allclose(trained.select_prediction.sum(axis=1), 1, atol=1e-6)


def test_weights_that_changed_since_the_start_are_refused(tmp_path) -> None:
    prepared = made.prepare_with_weights(tmp_path)
    made.write_weights(tmp_path / "weights", seed=1)

    with pytest.raises(DataError, match="moved or changed"):
        _train(prepared, "frozen")


def test_without_weights_nothing_is_trained(prepared) -> None:
    with pytest.raises(DataError, match="no weights of mobilenetv4"):
        _train(replace(prepared, folder=None), "frozen")


def test_foreign_labels_are_refused(prepared) -> None:
    config = made.build_config("frozen")
    with pytest.raises(SpecError, match="no mode 'melted'"):
        next(train_pretrained(prepared, made.TASK, made.build_request(config | {"mode": "melted"})))


def test_norms_of_a_soup_are_counted_on_pictures_of_every_class(prepared, monkeypatch) -> None:
    by_class = np.argsort(prepared.target[prepared.parts[Part.TRAIN]], kind="stable")
    train = prepared.parts[Part.TRAIN][by_class]  # as a ZIP of class folders gives them
    ordered = replace(prepared, parts={**prepared.parts, Part.TRAIN: train})
    request = made.build_request(made.build_config("full", epochs=3))
    network, _ = open_network(ordered, request)
    run = TunedRun(ordered, made.TASK, request, network, WorkClock(None))
    monkeypatch.setattr(tuned, "NORM_PICTURES", 12)
    shown = []
    iterate = run.pictures.iterate
    monkeypatch.setattr(
        run.pictures, "iterate", lambda batches: shown.extend(batches) or iterate(batches)
    )
    assert sum(len(batch) for batch in run._iterate_clean()) == 12
    assert np.bincount(prepared.target[train[np.concatenate(shown)]], minlength=3).min() >= 1
