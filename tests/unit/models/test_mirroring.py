"""When a mirrored picture keeps its class, and the space without mirroring."""

import pytest

from automl.models.catalog import get_space
from automl.models.image.mirroring import may_mirror, suggest_mirroring, without_mirroring
from automl.search.turns import build_starts
from automl.space.dimensions import Choice, Float


@pytest.mark.parametrize(
    "classes",
    [tuple("0123456789"), ("A", "B", "C"), ("10", "11", "100"), ("turn_left", "turn_right")],
)
def test_signs_and_sides_are_not_mirrored(classes: tuple[str, ...]) -> None:
    found = suggest_mirroring(classes)
    assert not found.is_safe
    assert found.reason


@pytest.mark.parametrize(
    "classes", [("cat", "dog"), ("ok", "scratched"), (), ("leftover", "fresh")]
)
def test_other_classes_may_be_mirrored(classes: tuple[str, ...]) -> None:
    assert suggest_mirroring(classes).is_safe


@pytest.mark.parametrize("family", ["cnn", "classic"])
def test_the_narrowed_space_never_mirrors_and_keeps_the_rest(family: str) -> None:
    space = get_space(family, "quick", side=32)
    narrowed = without_mirroring(space)
    assert narrowed["flip"] == Choice(options=("none",))
    changed = {label for label in space if narrowed[label] != space[label]}
    assert changed <= {"flip", "tta"}
    assert set(narrowed) == set(space)


def test_a_space_without_such_labels_stays_as_it_is() -> None:
    space = {"C": Float(low=0.1, high=1.0)}
    assert without_mirroring(space) == space


def test_the_start_list_stays_where_nothing_may_be_mirrored() -> None:
    spaces = {name: get_space(name, "quick", side=32) for name in ("cnn", "classic")}
    narrowed = {name: without_mirroring(space) for name, space in spaces.items()}
    assert [may_mirror(space) for space in (*spaces.values(), *narrowed.values())] == [True] * 2 + [
        False
    ] * 2
    starts = build_starts(narrowed)
    assert len(starts) == len(build_starts(spaces))
    assert {start.config["flip"] for start in starts} == {"none"}
    assert {start.config["tta"] for start in starts} == {"none"}
