"""Seeds by name from one root, so that nothing depends on the order in which they are drawn."""

from hashlib import sha256


def derive_seed(root: int, *names: str | int) -> int:
    """A seed in 0..2³¹−1 for a purpose, e.g. ``derive_seed(0, "trial", 7)``; same arguments, same seed."""
    text = "/".join(str(part) for part in (root, *names))
    return int.from_bytes(sha256(text.encode()).digest()[:4], "big") >> 1
