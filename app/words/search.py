"""Words of the search page."""

WORDS: dict[str, str] = {}
