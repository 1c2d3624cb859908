"""The weights a search starts from: pinned, narrowed, and left out aloud."""

import numpy as np
import pytest
from image_simulation import FAMILIES, build_image_spec
from safetensors.numpy import save_file
from search_simulation import build_spec

from automl.errors import SpecError
from automl.models.image.pretrained_space import build_pretrained_space
from automl.models.image.weights import WeightsPlan, WeightsSource, read_weights
from automl.search.pretrained_weights import narrow_spec, prepare_weights

SMALL, RESNET = "mobilenetv4_conv_small.e2400_r224_in1k", "resnet18.a1_in1k"


@pytest.fixture
def spec(tmp_path):
    """A search whose folder of weights lacks one of the backbones that the spec names."""
    folder = tmp_path / "weights"
    folder.mkdir()
    save_file({"a": np.zeros(1, dtype=np.float32)}, folder / f"{SMALL}.safetensors")
    known = build_image_spec()
    space = build_pretrained_space("balanced", on_gpu=False)
    return build_image_spec(
        families=(*FAMILIES, "pretrained"),
        spaces={**known.spaces, "pretrained": space},
        weights=WeightsPlan(source=WeightsSource.FOLDER, folder=str(folder)),
    )


def test_weights_are_pinned_and_the_absent_ones_named(spec, tmp_path) -> None:
    tags, notes = prepare_weights(spec, tmp_path / "prepared")

    assert tags == (SMALL,)
    assert set(read_weights(tmp_path / "prepared")) == {SMALL}
    said = [note.text for note in notes if note.level == "warning"]
    assert any(f"{RESNET} is left out" in text for text in said)
    narrow = narrow_spec(spec, tags)
    assert narrow.spaces["pretrained"]["backbone"].options == (SMALL,)
    assert narrow.families == spec.families


def test_a_family_without_weights_goes(spec, tmp_path) -> None:
    (tmp_path / "weights" / f"{SMALL}.safetensors").unlink()

    tags, notes = prepare_weights(spec, tmp_path / "prepared")

    assert tags == ()
    assert any("Pretrained networks are left out" in note.text for note in notes)
    narrow = narrow_spec(spec, tags)
    assert "pretrained" not in narrow.families
    assert "pretrained" not in narrow.spaces


def test_a_spec_of_nothing_else_stays_as_it_is(spec) -> None:
    alone = build_image_spec(
        families=("pretrained",),
        spaces={"pretrained": spec.spaces["pretrained"]},
        weights=spec.weights,
    )

    assert narrow_spec(alone, ()) == alone


def test_a_search_over_all_families_says_that_this_one_is_missing(tmp_path) -> None:
    everything = build_image_spec(
        families=(*FAMILIES, "classic"),
        spaces={**build_image_spec().spaces, "classic": {}},
    )

    _, notes = prepare_weights(everything, tmp_path)
    assert [note.level for note in notes] == ["warning"]
    assert notes[0].text.startswith("Pretrained networks are left out: no weights")
    assert prepare_weights(build_image_spec(), tmp_path) == ((), ())  # families chosen by name
    assert prepare_weights(build_spec(), tmp_path) == ((), ())  # a table


def test_foreign_backbones_are_refused(spec) -> None:
    with pytest.raises(SpecError, match="None of"):
        narrow_spec(spec, ("other.tag",))
