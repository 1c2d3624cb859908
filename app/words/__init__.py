"""The catalogue of every string of the interface, English, one module per page."""

from app.words.data import WORDS as DATA
from app.words.frame import WORDS as FRAME
from app.words.search import WORDS as SEARCH
from app.words.system import WORDS as SYSTEM

WORDS: dict[str, str] = {**FRAME, **DATA, **SEARCH, **SYSTEM}
