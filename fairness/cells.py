"""Text cells that a spreadsheet would run as a formula, made inert; the one implementation of it."""

STARTERS = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
LEADING = " \u00a0\ufeff"  # a spreadsheet skips these before it looks for a formula


def neutralise_text(text: str) -> str:
    """The text, with a leading apostrophe where it starts like a formula."""
    return f"'{text}" if text.lstrip(LEADING).startswith(STARTERS) else text
