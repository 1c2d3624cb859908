"""What all networks are, and two families of them: MLP and ResNet, built from a flat configuration and the shape of the views."""

from torch import Tensor, nn

from automl.data.views import ViewShape
from automl.models.tabular.config import (
    MLPConfig,
    ResNetConfig,
    parse_mlp,
    parse_resnet,
)
from automl.models.tabular.inputs import Batch, TabularInput
from automl.models.tabular.layers import (
    ACTIVATIONS,
    PreActivationBlock,
    build_head,
    build_linear,
    build_norm,
    build_stack,
)
from automl.space.dimensions import Config


class Network(nn.Module):
    """Inputs, then a body; classes are given as logits, a value in standardised units.

    A body of many copies gives ``(n, n_copies, n_outputs)``: trained on the mean of the copies' losses,
    predicting with the mean of their predictions.

    Shape: ``Batch of n rows → (n, n_outputs)``
    """

    def __init__(self, inputs: TabularInput, body: nn.Module) -> None:
        super().__init__()
        self.inputs = inputs
        self.body = body

    def forward(self, batch: Batch) -> Tensor:
        return self.body(self.inputs(batch))  # type: ignore[no-any-return]

    def fit_inputs(self, numeric: Tensor) -> None:
        """Set what the inputs learn from training rows before the first step (bin edges)."""
        self.inputs.fit(numeric)

    def fit_weights(self, batch: Batch) -> None:
        """Set weights from training rows before the first step; most networks draw them only."""


class ResNetBody(nn.Sequential):
    """Linear, ``n_blocks`` pre-activation blocks, norm, activation, head.

    Shape: ``(batch, d_in) → (batch, n_outputs)``
    Source: Gorishniy et al. 2021, "Revisiting Deep Learning Models for Tabular Data", 3.2.
    """

    def __init__(self, config: ResNetConfig, *, d_in: int, n_outputs: int) -> None:
        super().__init__()
        self.add_module("first", build_linear(d_in, config.d_block))
        for index in range(config.n_blocks):
            block = PreActivationBlock(
                config.d_block,
                config.d_hidden,
                norm=config.norm,
                activation=config.activation,
                dropouts=(config.hidden_dropout, config.residual_dropout),
            )
            self.add_module(f"block{index + 1}", block)
        self.add_module("norm", build_norm(config.norm, config.d_block))
        self.add_module("activation", ACTIVATIONS[config.activation]())
        self.add_module("head", build_head(config.d_block, n_outputs))


def build_mlp(config: Config, shape: ViewShape) -> Network:
    """An MLP for these views; weights drawn from torch's current seed."""
    parsed: MLPConfig = parse_mlp(config)
    inputs = TabularInput(config=parsed.inputs, shape=shape)
    body = build_stack(
        inputs.d_out,
        parsed.widths,
        shape.n_outputs,
        norm=parsed.norm,
        activation=parsed.activation,
        dropout=parsed.dropout,
        is_residual=parsed.is_residual,
    )
    return Network(inputs, body)


def build_resnet(config: Config, shape: ViewShape) -> Network:
    """A tabular ResNet for these views; weights drawn from torch's current seed."""
    parsed = parse_resnet(config)
    inputs = TabularInput(config=parsed.inputs, shape=shape)
    return Network(inputs, ResNetBody(parsed, d_in=inputs.d_out, n_outputs=shape.n_outputs))
