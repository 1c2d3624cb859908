"""The one way to a string of the interface: ``say`` for Markdown places, ``say_plain`` for cells and titles.

The catalogue lies in ``app/words/``; another language is another set of the same keys. Values that people
or files brought along are escaped before they reach Markdown.
"""

import re
from typing import Any

from app.words import WORDS

_MARKS = re.compile(r"([\\`*_{}\[\]<>()#+\-!|~$&^])")
_CODE = re.compile(r":(?=[\w+/-]+:)")


def escape(text: object) -> str:
    """Make any text harmless inside Markdown: no emphasis, link, picture, formula, directive or emoji code."""
    line = " ".join(str(text).split())
    # a zero-width joiner keeps ":smile:" and ":material/x:" from being read as codes for pictures
    return _MARKS.sub(r"\\\1", _CODE.sub(":\u200d", line))


def say(key: str, /, **values: Any) -> str:
    """The string of that key as Markdown, with every value escaped; an unknown key is a bug (KeyError)."""
    return WORDS[key].format(**{name: escape(value) for name, value in values.items()})


def say_plain(key: str, /, **values: Any) -> str:
    """The string of that key for a place that does not read Markdown."""
    return WORDS[key].format(**values)


def knows(key: str) -> bool:
    """Whether the catalogue has that key; for help texts that not every option has."""
    return key in WORDS
