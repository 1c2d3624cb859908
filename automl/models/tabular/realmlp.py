"""RealMLP: an MLP whose parts were tuned together on many tables.

Source: Holzmüller et al. 2024, "Better by Default: Strong Pre-Tuned MLPs and Boosted Trees on Tabular Data".
"""

import torch
from torch import Tensor, nn

from automl.data.views import ViewShape
from automl.models.tabular.inputs import Batch, TabularInput
from automl.models.tabular.networks import Network
from automl.models.tabular.ntk import NTKLinear, ParametricActivation, Scale
from automl.models.tabular.realmlp_config import RealMLPConfig, parse_realmlp
from automl.space.dimensions import Config

FIRST_ROWS = 256


class RealMLPBody(nn.Sequential):
    """Scale, then linear, parametric activation and dropout per layer, then the head.

    Shape: ``(batch, d_in) → (batch, n_outputs)``
    """

    def __init__(self, config: RealMLPConfig, *, d_in: int, n_outputs: int) -> None:
        super().__init__()
        self.add_module("scale", Scale(d_in, rate_factor=config.scale_rate))
        for index in range(1, config.n_layers + 1):
            factor = config.first_rate if index == 1 else 1.0
            self.add_module(f"layer{index}", NTKLinear(d_in, config.width, rate_factor=factor))
            self.add_module(
                f"activation{index}", ParametricActivation(config.activation, config.width)
            )
            self.add_module(f"dropout{index}", nn.Dropout(config.dropout))
            d_in = config.width
        self.add_module("head", NTKLinear(d_in, n_outputs))

    @torch.no_grad()
    def fit(self, x: Tensor) -> None:
        """Fit every linear layer to what reaches it of these rows ``(n, d_in)``."""
        self.eval()  # without dropout
        for part in self:
            if isinstance(part, NTKLinear):
                part.fit(x)
            x = part(x)
        self.train()


class RealMLP(Network):
    """A network that looks at a batch of training rows before its first step."""

    @torch.no_grad()
    def fit_weights(self, batch: Batch) -> None:
        n_rows = min(len(batch), FIRST_ROWS)
        rows = torch.linspace(0, len(batch) - 1, n_rows, device=batch.numeric.device).long()
        self.body.fit(self.inputs(batch.take(rows)))  # type: ignore[operator]


def build_realmlp(config: Config, shape: ViewShape) -> RealMLP:
    """A RealMLP for these views; weights drawn from torch's current seed, fitted by ``fit_weights``."""
    parsed = parse_realmlp(config)
    inputs = TabularInput(config=parsed.inputs, shape=shape)
    return RealMLP(inputs, RealMLPBody(parsed, d_in=inputs.d_out, n_outputs=shape.n_outputs))
