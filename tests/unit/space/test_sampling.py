import pytest

from automl.errors import SpecError
from automl.space.dimensions import Choice, Float, Int, Switch
from automl.space.sampling import (
    compute_points,
    count_grid,
    flatten,
    iterate_grid,
    sample,
    validate_config,
)

SPACE = {
    "depth": Int(low=1, high=5, step=2),
    "width": Int(low=16, high=256, log=True),
    "rate": Float(low=1e-4, high=1e-2, log=True),
    "embedding": Switch(
        branches={
            "none": {},
            "piecewise": {"bins": Int(low=2, high=8), "kind": Choice(options=("a", "b"))},
        }
    ),
}


class First:
    """Always proposes the lowest or first value, and remembers what it was asked."""

    def __init__(self, branch):
        self.branch = branch
        self.asked = []

    def suggest_int(self, name, low, high, *, step=1, log=False):
        self.asked.append((name, low, high, step, log))
        return low

    def suggest_float(self, name, low, high, *, log=False):
        self.asked.append((name, low, high, log))
        return low

    def suggest_categorical(self, name, choices):
        self.asked.append((name, choices))
        return self.branch if self.branch in choices else choices[0]


def test_sample_prefixes_names_but_not_labels():
    suggest = First("piecewise")
    config = sample(SPACE, suggest, prefix="mlp.")
    assert config == {
        "depth": 1,
        "width": 16,
        "rate": 1e-4,
        "embedding": "piecewise",
        "embedding.piecewise.bins": 2,
        "embedding.piecewise.kind": "a",
    }
    assert ("mlp.depth", 1, 5, 2, False) in suggest.asked
    assert ("mlp.width", 16, 256, 1, True) in suggest.asked
    assert ("mlp.embedding.piecewise.kind", ("a", "b")) in suggest.asked


def test_a_closed_branch_is_never_asked_for():
    suggest = First("none")
    assert "embedding.piecewise.bins" not in sample(SPACE, suggest)
    assert not any("piecewise.bins" in asked[0] for asked in suggest.asked)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"depth": 2}, "depth = 2"),
        ({"depth": True}, "depth = True"),
        ({"depth": 1.0}, "depth = 1.0"),
        ({"rate": 1.0}, "rate = 1.0"),
        ({"embedding": "periodic"}, "embedding = 'periodic'"),
        ({"embedding.piecewise.bins": 9}, "bins = 9"),
        ({"embedding.piecewise.kind": "c"}, "kind = 'c'"),
        ({"embedding": "none"}, "which does not exist"),
        ({"colour": 1}, "'colour'"),
    ],
)
def test_validate_names_the_label_and_the_value(changes, words):
    config = sample(SPACE, First("piecewise"))
    validate_config(SPACE, config)
    with pytest.raises(SpecError, match=words):
        validate_config(SPACE, config | changes)


def test_validate_names_a_missing_label():
    config = sample(SPACE, First("none"))
    del config["rate"]
    with pytest.raises(SpecError, match="no value for 'rate'"):
        validate_config(SPACE, config)


def test_a_choice_does_not_take_one_for_true():
    with pytest.raises(SpecError):
        validate_config({"residual": Choice(options=(True, False))}, {"residual": 1})


def test_points_are_even_or_log_even_and_end_at_the_bounds():
    assert compute_points(Int(low=1, high=5), 3) == (1, 3, 5)
    assert compute_points(Int(low=1, high=2), 3) == (1, 2)
    assert compute_points(Int(low=4, high=16, log=True), 3) == (4, 8, 16)
    assert compute_points(Int(low=32, high=100, step=32), 3) == (32, 64, 96)
    assert compute_points(Float(low=1e-4, high=1e-2, log=True), 3) == pytest.approx(
        (1e-4, 1e-3, 1e-2)
    )
    with pytest.raises(SpecError):
        compute_points(Int(low=1, high=2), 0)


def test_grid_has_the_counted_size_and_only_valid_configurations():
    configs = list(iterate_grid(SPACE, points=3))
    assert len(configs) == count_grid(SPACE, points=3) == 3 * 3 * 3 * (1 + 3 * 2)
    assert len({tuple(sorted(config.items())) for config in configs}) == len(configs)
    for config in configs:
        validate_config(SPACE, config)


def test_grid_of_an_empty_space_is_one_empty_configuration():
    assert list(iterate_grid({})) == [{}]
    assert count_grid({}) == 1


def test_flatten_says_what_opens_a_dimension():
    lines = flatten(SPACE)
    assert [line.label for line in lines] == [
        "depth", "width", "rate", "embedding", "embedding.piecewise.bins", "embedding.piecewise.kind",
    ]  # fmt: skip
    assert (lines[-1].parent, lines[-1].branch) == ("embedding", "piecewise")
    assert lines[0].parent == ""
