from dataclasses import replace

import pytest

from automl.errors import SpecError
from automl.training.packs.records import PackRequest
from tests.unit.training.tables import SMALL_MLP, build_request

ONE = build_request("mlp", SMALL_MLP)


def test_members_of_one_bucket_are_accepted():
    other = build_request("mlp", SMALL_MLP | {"depth": 1, "activation": "mish"}, seed=3)
    assert set(PackRequest(members={4: ONE, 7: other}).members) == {4, 7}


@pytest.mark.parametrize(
    ("other", "words"),
    [
        (build_request("mlp", SMALL_MLP | {"width": 64}), "do not share"),
        (build_request("resnet"), "do not share"),
        (replace(ONE, batch_size=32), "one batch size"),
        (replace(ONE, device="cuda"), "one batch size, device"),
        (replace(ONE, threads=2), "threads"),
        (replace(ONE, is_refit=True), "trains alone"),
    ],
)
def test_others_are_refused(other, words):
    with pytest.raises(SpecError, match=words):
        PackRequest(members={1: ONE, 2: other})


def test_an_empty_pack_and_one_that_must_train_alone_are_refused():
    with pytest.raises(SpecError, match="at least one"):
        PackRequest(members={})
    with pytest.raises(SpecError, match="trains alone"):
        PackRequest(members={1: build_request("linear", {"C": 1.0})})
