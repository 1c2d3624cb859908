"""Words of the data page."""

WORDS: dict[str, str] = {}
