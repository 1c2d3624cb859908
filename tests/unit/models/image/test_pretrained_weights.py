"""Where weights come from, and the space that follows: no torch, no network."""

import struct
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.numpy import save_file

from automl.errors import DataError, SpecError
from automl.models.image import weights
from automl.models.image.backbones import BACKBONES, get_backbone
from automl.models.image.mirroring import without_mirroring
from automl.models.image.pretrained_space import (
    build_pretrained_space,
    build_pretrained_starts,
    narrow_backbones,
    render_pretrained,
    strip_mode,
)
from automl.models.image.weights import (
    WeightsPlan,
    WeightsSource,
    check_header,
    fetch_weights,
    find_available,
    parse_weights,
    read_weights,
    record_weights,
)
from automl.space.sampling import validate_config

SMALL = "mobilenetv4_conv_small.e2400_r224_in1k"
RESNET = "resnet18.a1_in1k"


def write(path):
    save_file({"a": np.zeros(2, dtype=np.float32)}, path)
    return path


def plan(folder) -> WeightsPlan:
    return WeightsPlan(source=WeightsSource.FOLDER, folder=str(folder))


def test_without_weights_the_family_says_so() -> None:
    found = find_available(WeightsPlan())

    assert found.backbones == ()
    assert found.message.startswith("Pretrained networks are left out: no weights")
    assert "safetensors" in found.message
    assert "hub" in found.message


def test_a_page_shows_no_flags_of_the_shell(tmp_path, monkeypatch) -> None:
    messages = [find_available(WeightsPlan()).message, find_available(plan(tmp_path)).message]
    messages.append(find_available(plan(tmp_path / "gone")).message)
    monkeypatch.setitem(sys.modules, "huggingface_hub", None)
    with pytest.raises(DataError) as caught:
        fetch_weights(get_backbone(SMALL))
    messages += [caught.value.message, caught.value.hint]
    with pytest.raises(SpecError) as refused:
        build_pretrained_space("quick", on_gpu=False, side=32, backbones=())
    messages += [refused.value.message, refused.value.hint]
    assert all(messages)
    assert not [text for text in messages if "--" in text]


def test_a_folder_gives_what_it_has_and_says_what_it_has_not(tmp_path) -> None:
    write(tmp_path / f"{SMALL}.safetensors")
    write(tmp_path / "resnet18.safetensors")
    write(tmp_path / "resnet18.tv_in1k.safetensors")
    (tmp_path / "convnext_tiny.in12k_ft_in1k.safetensors").write_bytes(b"no")
    (tmp_path / "notes.txt").write_text("x")

    found = find_available(plan(tmp_path))

    assert set(found.tags) == {SMALL, RESNET}
    assert not found.message
    reasons = {item.what: item.reason for item in found.absent}
    assert "no safetensors file" in reasons["convnext_tiny.in12k_ft_in1k"]
    assert reasons["resnet18.tv_in1k.safetensors"] == "no backbone of the list has this name"
    assert len(reasons) == len(BACKBONES) - 2 + 1
    assert f"resnet18.safetensors is read as the weights {RESNET}." in found.remarks


def test_the_layout_of_the_hub_is_read_too(tmp_path) -> None:
    (tmp_path / SMALL).mkdir()
    write(tmp_path / SMALL / "model.safetensors")

    assert find_available(plan(tmp_path)).tags == (SMALL,)


@pytest.mark.parametrize("name", ["absent", "file"])
def test_a_folder_that_cannot_be_read_is_named(tmp_path, name) -> None:
    (tmp_path / "file").write_text("x")
    found = find_available(plan(tmp_path / name))

    assert not found.backbones
    assert "cannot be read" in found.message


def test_an_empty_folder_says_which_file_would_help(tmp_path) -> None:
    assert f"{next(iter(BACKBONES))}.safetensors" in find_available(plan(tmp_path)).message


@settings(max_examples=60, deadline=None)
@given(content=st.binary(max_size=200))
def test_any_bytes_are_either_a_header_or_a_reason(content, tmp_path_factory) -> None:
    path = tmp_path_factory.mktemp("bytes") / "x.safetensors"
    path.write_bytes(content)

    assert isinstance(check_header(path), str)


def test_a_header_longer_than_the_file_is_refused(tmp_path) -> None:
    path = tmp_path / "x.safetensors"
    path.write_bytes(struct.pack("<Q", 2**40) + b"{}")

    assert "no safetensors file" in check_header(path)


def test_weights_are_pinned_by_their_hash(tmp_path) -> None:
    source = tmp_path / "source"
    source.mkdir()
    path = write(source / f"{SMALL}.safetensors")

    files, texts = record_weights(plan(source), [SMALL, RESNET], tmp_path / "job")

    assert [file.tag for file in files] == [SMALL]
    assert files[0].path == str(path)
    assert read_weights(tmp_path / "job") == {SMALL: files[0]}
    assert len(texts) == 1
    assert f"{RESNET} is left out" in texts[0]
    assert read_weights(tmp_path / "other") == {}


def test_no_weights_at_all_are_said(tmp_path) -> None:
    files, texts = record_weights(plan(tmp_path), [SMALL], tmp_path / "job")

    assert not files
    assert "Pretrained networks are left out: no weights." in texts


def test_the_hub_is_asked_only_when_it_is_allowed(tmp_path, monkeypatch) -> None:
    import huggingface_hub

    asked = []
    path = write(tmp_path / "model.safetensors")

    def download(*, repo_id, filename):
        asked.append((repo_id, filename))
        return str(path)

    monkeypatch.setattr(huggingface_hub, "hf_hub_download", download)
    record_weights(plan(tmp_path), [SMALL], tmp_path / "job")
    find_available(WeightsPlan(source=WeightsSource.HUB))
    assert asked == []

    files, texts = record_weights(WeightsPlan(source=WeightsSource.HUB), [SMALL], tmp_path / "job")
    assert asked == [(f"timm/{SMALL}", "model.safetensors")]
    assert files[0].path == str(path)
    assert not texts


def test_a_hub_that_fails_is_one_clear_line(tmp_path, monkeypatch) -> None:
    import huggingface_hub

    def fail(**_):
        raise OSError("no route to host\nlong trace")

    monkeypatch.setattr(huggingface_hub, "hf_hub_download", fail)
    files, texts = record_weights(WeightsPlan(source=WeightsSource.HUB), [SMALL], tmp_path / "job")

    assert not files
    assert "could not be fetched from timm's hub: no route to host." in texts[0]
    with pytest.raises(weights.DataError, match="no route"):
        fetch_weights(get_backbone(SMALL))


@pytest.mark.parametrize("word", ["", "hub", "/some/folder"])
def test_a_plan_is_one_word(word) -> None:
    assert parse_weights(word).render() == word


def test_a_folder_belongs_to_its_source() -> None:
    with pytest.raises(SpecError):
        WeightsPlan(source=WeightsSource.HUB, folder="x")
    with pytest.raises(SpecError):
        WeightsPlan(source=WeightsSource.FOLDER)


@pytest.mark.parametrize("preset", ["quick", "balanced", "thorough"])
@pytest.mark.parametrize("on_gpu", [False, True])
@pytest.mark.parametrize("side", [0, 28, 96, 288])
def test_every_start_lies_in_its_space(preset, on_gpu, side) -> None:
    whole = build_pretrained_space(preset, on_gpu=on_gpu, side=side)
    for space in (whole, without_mirroring(whole)):
        starts = build_pretrained_starts(space)

        assert len(starts) >= 2
        for start in starts:
            validate_config(space, start)
            assert render_pretrained(start)


def test_nothing_is_mirrored_where_that_is_forbidden() -> None:
    space = without_mirroring(build_pretrained_space("quick", on_gpu=False))
    tuned = space["mode"].branches["tuned"]

    assert tuned["flip"].options == tuned["tta"].options == ("none",)
    _, gradual, *_ = build_pretrained_starts(space)
    assert gradual["mode.tuned.flip"] == "none"


def test_only_backbones_with_weights_are_in_the_space() -> None:
    resnet = get_backbone(RESNET)
    space = build_pretrained_space("quick", on_gpu=False, side=32, backbones=[resnet])
    assert space["backbone"].options == (
        RESNET,
    )  # larger than the preset asks for, but all there is

    whole = build_pretrained_space("thorough", on_gpu=True)
    assert narrow_backbones(whole, [RESNET, SMALL])["backbone"].options == (SMALL, RESNET)
    with pytest.raises(SpecError, match="None of"):
        narrow_backbones(whole, ["other"])
    with pytest.raises(SpecError, match="no weights"):
        build_pretrained_space("quick", on_gpu=False, backbones=[])
    with pytest.raises(SpecError, match="'slow'"):
        build_pretrained_space("slow", on_gpu=False)


def test_labels_below_the_mode_are_called_as_elsewhere() -> None:
    config = {"epochs": 3, "mode": "tuned", "mode.tuned.flip": "random", "mode.tuned.mix": "none"}

    assert strip_mode(config) == {"flip": "random", "mix": "none"}


def test_architectures_are_named() -> None:
    space = build_pretrained_space("quick", on_gpu=False, backbones=[get_backbone(RESNET)])
    frozen, gradual, *_ = build_pretrained_starts(space)

    assert render_pretrained(frozen) == "ResNet-18 (a1_in1k) at 128 px, linear, frozen"
    assert render_pretrained(gradual) == "ResNet-18 (a1_in1k) at 128 px, linear, gradual tuned"


def test_asking_costs_no_torch() -> None:
    code = (
        "import sys; from automl.models.image.weights import find_available, WeightsPlan; "
        "from automl.models.image import pretrained_space; find_available(WeightsPlan()); "
        "assert not {'torch', 'timm', 'huggingface_hub'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
