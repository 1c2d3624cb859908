"""Building blocks of the networks: norms, activations, layers and residual blocks."""

from torch import Tensor, nn

NORMS: dict[str, type[nn.Module]] = {
    "none": nn.Identity,
    "batch": nn.BatchNorm1d,
    "layer": nn.LayerNorm,
}
ACTIVATIONS: dict[str, type[nn.Module]] = {
    "relu": nn.ReLU,
    "gelu": nn.GELU,
    "silu": nn.SiLU,
    "mish": nn.Mish,
    "selu": nn.SELU,
}


def build_norm(name: str, width: int) -> nn.Module:
    """A normalisation by name for ``(batch, width)``; raises ``KeyError`` for a foreign name."""
    return NORMS[name](width)


def build_linear(d_in: int, d_out: int) -> nn.Linear:
    """A linear layer with He initialisation and zero bias (He et al. 2015, eq. 10)."""
    layer = nn.Linear(d_in, d_out)
    nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")
    nn.init.zeros_(layer.bias)
    return layer


def build_head(d_in: int, n_outputs: int) -> nn.Linear:
    """The last layer, Xavier initialisation and zero bias (Glorot & Bengio 2010, eq. 16)."""
    layer = nn.Linear(d_in, n_outputs)
    nn.init.xavier_uniform_(layer.weight)
    nn.init.zeros_(layer.bias)
    return layer


class Layer(nn.Module):
    """One hidden layer: linear, norm, activation, dropout.

    Shape: ``(batch, d_in) → (batch, d_out)``

    >>> Layer(4, 8, norm="batch", activation="relu", dropout=0.1)(torch.randn(5, 4)).shape
    torch.Size([5, 8])
    """

    def __init__(
        self, d_in: int, d_out: int, *, norm: str, activation: str, dropout: float
    ) -> None:
        if not 0 <= dropout < 1:
            raise ValueError(f"dropout {dropout}")
        super().__init__()
        self.linear = build_linear(d_in, d_out)
        self.norm = build_norm(norm, d_out)
        self.activation = ACTIVATIONS[activation]()
        self.dropout = nn.Dropout(dropout)

    def forward(self, x: Tensor) -> Tensor:
        return self.dropout(self.activation(self.norm(self.linear(x))))  # type: ignore[no-any-return]


class ResidualLayer(nn.Module):
    """``shortcut(h) + dropout(act(W norm(h) + b))``: pre-norm, so that many can be stacked.

    The shortcut is the identity, or a bias-free linear map where the widths differ.

    Shape: ``(batch, d_in) → (batch, d_out)``

    >>> ResidualLayer(4, 4, norm="layer", activation="relu", dropout=0.0)(torch.randn(5, 4)).shape
    torch.Size([5, 4])
    """

    def __init__(
        self, d_in: int, d_out: int, *, norm: str, activation: str, dropout: float
    ) -> None:
        super().__init__()
        self.norm = build_norm(norm, d_in)
        self.linear = build_linear(d_in, d_out)
        self.activation = ACTIVATIONS[activation]()
        self.dropout = nn.Dropout(dropout)
        self.shortcut = nn.Identity() if d_in == d_out else nn.Linear(d_in, d_out, bias=False)

    def forward(self, h: Tensor) -> Tensor:
        change = self.dropout(self.activation(self.linear(self.norm(h))))
        return self.shortcut(h) + change  # type: ignore[no-any-return]


class PreActivationBlock(nn.Module):
    """``x + dropout(W2 dropout(act(W1 norm(x))))``.

    Shape: ``(batch, d_block) → (batch, d_block)``
    Source: Gorishniy et al. 2021, "Revisiting Deep Learning Models for Tabular Data", 3.2.
    """

    def __init__(
        self, d_block: int, d_hidden: int, *, norm: str, activation: str,
        dropouts: tuple[float, float],
    ) -> None:  # fmt: skip
        super().__init__()
        self.norm = build_norm(norm, d_block)
        self.first = build_linear(d_block, d_hidden)
        self.activation = ACTIVATIONS[activation]()
        self.hidden_dropout = nn.Dropout(dropouts[0])
        self.second = build_head(d_hidden, d_block)
        self.residual_dropout = nn.Dropout(dropouts[1])

    def forward(self, x: Tensor) -> Tensor:
        z = self.hidden_dropout(self.activation(self.first(self.norm(x))))
        return x + self.residual_dropout(self.second(z))  # type: ignore[no-any-return]


def count_parameters(module: nn.Module) -> int:
    """Number of trainable numbers."""
    return sum(parameter.numel() for parameter in module.parameters() if parameter.requires_grad)


def build_stack(
    d_in: int, widths: tuple[int, ...], n_outputs: int, *, norm: str, activation: str,
    dropout: float, is_residual: bool = False,
) -> nn.Sequential:  # fmt: skip
    """A plain or residual MLP as a sequence of named layers; the first layer is never residual."""
    stack = nn.Sequential()
    for index, width in enumerate(widths):
        kind = ResidualLayer if is_residual and index else Layer
        stack.add_module(
            f"layer{index + 1}",
            kind(d_in, width, norm=norm, activation=activation, dropout=dropout),
        )
        d_in = width
    stack.add_module("head", build_head(d_in, n_outputs))
    return stack


class Dropouts:
    """The dropout layers of a network, whose shares may follow a schedule."""

    def __init__(self, module: nn.Module) -> None:
        layers = [part for part in module.modules() if isinstance(part, nn.Dropout)]
        self._layers = [(layer, layer.p) for layer in layers]

    def set_factor(self, factor: float) -> None:
        """Drop ``factor`` times the share that each layer was built with."""
        for layer, share in self._layers:
            layer.p = share * factor


def has_batch_norm(module: nn.Module) -> bool:
    """Whether a batch of one row would break training."""
    return any(isinstance(part, nn.BatchNorm1d) for part in module.modules())
