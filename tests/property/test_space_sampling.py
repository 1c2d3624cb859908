"""Any space: what is sampled or enumerated is valid, and what is altered is not."""

from hypothesis import given, settings
from hypothesis import strategies as st

from automl.space.dimensions import Choice, Float, Int, Switch
from automl.space.sampling import count_grid, flatten, iterate_grid, sample, validate_config


class Drawn:
    """Proposals drawn by Hypothesis."""

    def __init__(self, data):
        self.data = data
        self.names = []

    def suggest_int(self, name, low, high, *, step=1, log=False):  # noqa: ARG002
        self.names.append(name)
        return low + step * self.data.draw(st.integers(0, (high - low) // step))

    def suggest_float(self, name, low, high, *, log=False):  # noqa: ARG002
        self.names.append(name)
        return self.data.draw(st.floats(low, high))

    def suggest_categorical(self, name, choices):
        self.names.append(name)
        return self.data.draw(st.sampled_from(list(choices)))


NAMES = st.sampled_from(["a", "b", "c"])
INTS = st.builds(
    lambda low, span, step: Int(low=low, high=low + span, step=step),
    st.integers(-5, 5), st.integers(0, 20), st.integers(1, 4),
)  # fmt: skip
FLOATS = st.builds(
    lambda low, span: Float(low=low, high=low + span), st.floats(-1, 1), st.floats(0, 5)
)
CHOICES = st.builds(
    lambda values: Choice(options=tuple(values)),
    st.lists(st.sampled_from(["x", "y", True, 3, 0.5]), min_size=1, unique=True),
)
LEAVES = st.one_of(INTS, FLOATS, CHOICES)
SPACES = st.recursive(
    st.dictionaries(NAMES, LEAVES, max_size=3),
    lambda below: st.dictionaries(
        NAMES,
        st.one_of(
            LEAVES,
            st.dictionaries(NAMES, below, min_size=1, max_size=2).map(lambda b: Switch(branches=b)),
        ),
        max_size=2,
    ),
    max_leaves=4,
)


@given(st.data(), SPACES)
@settings(max_examples=60, deadline=None)
def test_samples_are_valid_and_names_are_asked_once(data, space):
    suggest = Drawn(data)
    config = sample(space, suggest, prefix="f.")
    validate_config(space, config)
    assert suggest.names == ["f." + label for label in config]
    assert set(config) <= {line.label for line in flatten(space)}


@given(SPACES)
@settings(max_examples=40, deadline=None)
def test_grids_are_counted_and_valid(space):
    size = count_grid(space, points=2)
    if size <= 500:
        configs = list(iterate_grid(space, points=2))
        assert len(configs) == size
        for config in configs:
            validate_config(space, config)
