import pytest
import torch
from torch import nn

from automl.errors import TrainingDiverged
from automl.training.diagnostics import Gauge, check_finite, describe_inputs

NAN, INF = float("nan"), float("inf")


def test_the_ratio_is_that_of_one_step():
    network = nn.Linear(1, 1, bias=True)
    with torch.no_grad():
        network.weight.fill_(3.0)
        network.bias.fill_(0.0)
    gauge = Gauge(network)
    assert gauge.measure() is None
    gauge.mark()
    with torch.no_grad():
        network.bias.fill_(4.0)
    assert gauge.measure() == pytest.approx(4 / 5)  # the weights now have norm 5


@pytest.mark.parametrize(
    ("losses", "norms", "text"),
    [
        ([1.0, NAN, NAN], [1.0, NAN, NAN], "The loss became nan at step 12"),
        ([1.0, 2.0, NAN], [1.0, INF, NAN], "The gradient became inf at step 12"),
    ],
)
def test_what_was_first_is_named(losses, norms, text):
    with pytest.raises(TrainingDiverged, match=text):
        check_finite(torch.tensor(losses), torch.tensor(norms), 10, "")


def test_finite_steps_pass():
    check_finite(torch.ones(3), torch.ones(3), 0, "")


def test_only_wild_inputs_are_named():
    assert describe_inputs(torch.tensor([[1.0, -9.0]])) == ""
    assert describe_inputs(torch.zeros(0, 0)) == ""
    assert describe_inputs(torch.tensor([[1.0, -5e6]])).endswith("input is 5e+06")
