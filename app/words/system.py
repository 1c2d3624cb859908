"""Words of the system page."""

WORDS: dict[str, str] = {}
