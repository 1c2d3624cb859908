"""From feature maps to logits."""

from torch import Tensor, nn

from automl.errors import SpecError

POOLS = ("avg", "max")


class Classifier(nn.Module):
    """Pooling over the whole map, dropout, one linear layer; logits times a fixed scale.

    Shape: ``(n, d, h, w) → (n, n_outputs)``
    """

    def __init__(
        self,
        width: int,
        n_outputs: int,
        *,
        pool: str = "avg",
        dropout: float = 0.0,
        scale: float = 1.0,
    ) -> None:
        if pool not in POOLS:
            raise SpecError(f"There is no pooling {pool!r}.", hint="Choose avg or max.")
        super().__init__()
        self.pool = pool
        self.scale = scale
        self.dropout = nn.Dropout(dropout)
        self.linear = nn.Linear(width, n_outputs)

    def forward(self, features: Tensor) -> Tensor:
        pooled = features.mean(dim=(2, 3)) if self.pool == "avg" else features.amax(dim=(2, 3))
        return self.linear(self.dropout(pooled)) * self.scale  # type: ignore[no-any-return]

    def extra_repr(self) -> str:
        """Width, dropout and scale in words."""
        parts = [f"{self.linear.in_features} → {self.linear.out_features}"]
        if self.dropout.p:
            parts.append(f"dropout {self.dropout.p:.2g}")
        if self.scale != 1.0:
            parts.append(f"scale {self.scale:g}")
        return ", ".join(parts)
