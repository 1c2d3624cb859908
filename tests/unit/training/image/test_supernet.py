"""Weight sharing: what the supernet shares, what it proposes, and that its scores stay its own."""

import json
import time
from dataclasses import replace

import numpy as np
import pytest
import torch

from automl.data.views import Part
from automl.errors import SpecError
from automl.models.catalog import get_space
from automl.models.image.macro import build_macro
from automl.models.image.macs import build_on_meta, count_parameters
from automl.models.image.path_space import (
    Path,
    PathSpace,
    build_base,
    build_config,
    build_path_space,
    parse_path_space,
    render_path_space,
)
from automl.models.image.recipe_space import parse_recipe
from automl.models.image.supernet import build_supernet
from automl.space.dimensions import Choice
from automl.space.sampling import validate_config
from automl.training.epoch import Verb
from automl.training.image import supernet
from automl.training.image.supernet import SupernetRun, draw_path, mutate_path
from automl.training.run import train
from tests.unit.training.image.pictures import TASK, build_prepared, build_request

SMALL = PathSpace(
    kinds=("plain", "separable"),
    kernels=(3,),
    widths=((16, 32), (32,), (64, 96)),
    blocks=2,
)


@pytest.fixture(scope="module")
def space():
    return get_space("cnn", "quick", side=12)


def supernet_request(space, **changes):
    config = {**build_base(space), **render_path_space(SMALL), "candidates": 3, "epochs": 2}
    limits = {name: changes.pop(name) for name in list(changes) if name.startswith("max_p")}
    return build_request("supernet", {**config, **limits}, **changes)


def drive(request, verb=Verb.CONTINUE):
    steps = train(build_prepared(), TASK, request)
    epochs, answer = [], None
    while True:
        try:
            epochs.append(steps.send(answer))
            answer = verb
        except StopIteration as end:
            return epochs, end.value


def test_every_path_is_a_configuration_of_the_declared_space():
    for preset in ("quick", "balanced", "thorough"):
        for on_gpu in (False, True):
            declared = get_space("cnn", preset, on_gpu=on_gpu, side=32)
            paths = build_path_space(declared)
            base = build_base(declared)
            draws = torch.Generator().manual_seed(0)
            for path in {draw_path(paths, draws) for _ in range(50)}:
                validate_config(declared, build_config(path, base))
            assert paths.count() > 100


def test_a_narrowed_space_narrows_the_paths(space):
    narrow = {**space, "kernel": Choice(options=(3,)), "flip": Choice(options=("none",))}
    assert build_path_space(narrow).kernels == (3,)
    assert build_base(narrow)["flip"] == "none"
    with pytest.raises(SpecError, match="three stages"):
        build_path_space({key: value for key, value in space.items() if key != "stage3"})


def test_the_space_of_paths_survives_its_words():
    assert parse_path_space(render_path_space(SMALL)) == SMALL
    assert len(set(SMALL.iterate())) == SMALL.count() == 2 * 4 * 2 * 4
    with pytest.raises(SpecError, match="cannot be read"):
        parse_path_space({"paths.kinds": "plain"})


def test_paths_share_weights_and_masks_cut_channels():
    torch.manual_seed(0)
    shape = build_prepared().shape
    network = build_supernet(SMALL, shape).eval()
    pictures = torch.randn(4, 3, 12, 12)
    narrow = Path(kind="plain", kernel=3, widths=(16, 32, 64), blocks=(1, 1, 1))
    network.choose(narrow)
    features = network.features(pictures)
    assert features.shape[1] == 96
    assert not features[:, 64:].any()
    network.choose(replace(narrow, widths=(16, 32, 96)))
    assert network.features(pictures)[:, 64:].any()
    network.choose(replace(narrow, blocks=(1, 1, 2)))
    assert not torch.equal(network.features(pictures), features)


def test_a_step_trains_one_path_only():
    shape = build_prepared().shape
    network = build_supernet(SMALL, shape)
    network.choose(Path(kind="plain", kernel=3, widths=(16, 32, 64), blocks=(1, 1, 1)))
    network(torch.randn(4, 3, 12, 12)).sum().backward()
    touched = {name for name, each in network.named_parameters() if each.grad is not None}
    assert any("plain3" in name for name in touched)
    assert not any("separable3" in name or "blocks.1." in name for name in touched)


def test_a_mutation_changes_something_and_stays_inside():
    draws = torch.Generator().manual_seed(1)
    known = set(SMALL.iterate())
    path = draw_path(SMALL, draws)
    mutants = [mutate_path(path, SMALL, draws) for _ in range(60)]
    assert set(mutants) <= known
    assert len(set(mutants)) > 10


def test_the_best_paths_are_proposed_and_nothing_else_is_left(space, tmp_path):
    epochs, proposal = drive(supernet_request(space, max_epochs=3))
    assert [epoch.score for epoch in epochs] == [None] * 3
    assert proposal.score is None
    assert proposal.select_prediction.size == 0
    proposal.save(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["candidates.json"]
    entries = json.loads((tmp_path / "candidates.json").read_text())
    assert [entry["rank"] for entry in entries] == [1, 2, 3]
    scores = [entry["score"] for entry in entries]
    assert scores == sorted(scores, reverse=True)
    for entry in entries:
        validate_config(space, {**entry["config"], "epochs": space["epochs"].low})


def test_the_same_seed_proposes_the_same(space):
    runs = [drive(supernet_request(space, max_epochs=1))[1].candidates for _ in range(2)]
    assert runs[0] == runs[1]


def test_paths_over_a_limit_are_not_proposed(space):
    prepared = build_prepared()
    sizes = sorted(
        count_parameters(
            build_on_meta(
                lambda path=path: build_macro(build_config(path, build_base(space)), prepared.shape)
            )
        )
        for path in SMALL.iterate()
    )
    most = sizes[len(sizes) // 3]
    _, proposal = drive(supernet_request(space, max_epochs=1, max_parameters=most))
    assert proposal.candidates
    for config, _ in proposal.candidates:
        network = build_on_meta(lambda config=config: build_macro(config, prepared.shape))
        assert count_parameters(network) <= most
    _, nothing = drive(supernet_request(space, max_epochs=1, max_parameters=10))
    assert nothing.candidates == ()
    assert "within the limits" in nothing.warnings[0]


def test_a_deadline_leaves_time_to_look_for_paths(space):
    request = supernet_request(space, max_epochs=400, deadline=time.monotonic() + 4.0)
    epochs, proposal = drive(request)
    assert proposal.candidates
    assert proposal.fit_seconds < 9.0
    assert len(epochs) < 400


def test_paths_are_compared_on_pictures_of_every_class(space, monkeypatch):
    prepared = build_prepared(n=600, side=12, in_order=True)
    monkeypatch.setattr(supernet, "SEARCH_PICTURES", 30)
    rows = supernet._draw_select(prepared, seed=0)
    assert set(rows) <= set(prepared.parts[Part.SELECT])
    assert np.bincount(prepared.target[rows], minlength=3).min() >= 3

    request = supernet_request(space)
    run = SupernetRun(prepared, TASK, request, parse_recipe(request.config))
    monkeypatch.setattr(supernet, "RECALIBRATE_BATCHES", 1)
    shown = []
    iterate = run.pictures.iterate
    monkeypatch.setattr(
        run.pictures, "iterate", lambda batches: shown.extend(batches) or iterate(batches)
    )
    for _ in range(2):
        run._recalibrate()
    train_target = prepared.target[prepared.parts[Part.TRAIN]]
    assert np.bincount(train_target[shown[0]], minlength=3).min() >= 2
    assert np.array_equal(shown[0], shown[1])  # every path is counted on the same pictures
