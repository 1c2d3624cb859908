"""What the drawing of an image network consists of."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True, slots=True)
class Part:
    """One box: the path of its module in the network, the stage it belongs to, and what it is."""

    path: str
    stage: str
    name: str
    kind: str
    detail: str = ""
