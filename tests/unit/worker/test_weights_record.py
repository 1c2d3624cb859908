"""The origin of pretrained weights stays with the model: in the result, the manifest and the card."""

from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save_file

from automl.data.task import Task, TaskType
from automl.deploy.card import render_card
from automl.deploy.manifest import Manifest
from automl.models.image.backbones import get_backbone
from automl.models.image.weights import WeightsPlan, WeightsSource, record_weights
from automl.worker.weights_record import build_weights_record

TAG = "resnet18.a1_in1k"
CARD = Manifest(
    name="Pretrained 3",
    created_at="2030-01-01T00:00:00+00:00",
    task=Task(target="label", type=TaskType.MULTICLASS, metric="accuracy", classes=("a", "b", "c")),
    columns=(),
    members=("members/0",),
    temperature=None,
    threshold=None,
)


def test_a_pretrained_model_names_tag_source_hash_and_licence(tmp_path: Path) -> None:
    file = tmp_path / "weights" / f"{TAG}.safetensors"
    file.parent.mkdir()
    save_file({"a": np.zeros(1, dtype=np.float32)}, file)
    plan = WeightsPlan(source=WeightsSource.FOLDER, folder=str(file.parent))
    record_weights(plan, (TAG,), tmp_path / "prepared")
    found = build_weights_record("pretrained", {"backbone": TAG}, plan, tmp_path / "prepared")
    assert found == {
        "tag": TAG,
        "source": "folder",
        "sha256": sha256(file.read_bytes()).hexdigest(),
        "licence": get_backbone(TAG).licence,
    }
    assert str(tmp_path) not in str(found)


def test_a_model_from_scratch_has_no_weights_to_name(tmp_path: Path) -> None:
    assert build_weights_record("cnn", {"width": 8}, WeightsPlan(), tmp_path) == {}
    assert "weights" not in render_card(CARD).partition("## Training")[2].partition("##")[0]


@pytest.mark.parametrize(("source", "words"), [("hub", "timm's hub"), ("folder", "a folder")])
def test_the_card_names_the_weights(source: str, words: str) -> None:
    weights = {"tag": TAG, "source": source, "sha256": "ab" * 32, "licence": "apache-2.0"}
    card = render_card(replace(CARD, training={"weights": weights}))
    assert f"- Started from the weights: {TAG}" in card
    assert "- Licence of these weights: apache-2.0" in card
    assert f"- Source of these weights: {words}" in card
    assert f"- SHA-256 of these weights: {'ab' * 32}" in card
    lost = render_card(replace(CARD, training={"weights": {**weights, "sha256": None}}))
    assert "- SHA-256 of these weights: not stated" in lost
