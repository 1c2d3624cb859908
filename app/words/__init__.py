"""The catalogue of every string of the interface, English, one module per page."""

from app.words.audit import WORDS as AUDIT
from app.words.calibration import WORDS as CALIBRATION
from app.words.comparison import WORDS as COMPARISON
from app.words.data import WORDS as DATA
from app.words.errors import WORDS as ERRORS
from app.words.explain import WORDS as EXPLAIN
from app.words.frame import WORDS as FRAME
from app.words.models import WORDS as MODELS
from app.words.results import WORDS as RESULTS
from app.words.search import WORDS as SEARCH
from app.words.system import WORDS as SYSTEM
from app.words.threshold import WORDS as THRESHOLD
from app.words.uncertainty import WORDS as UNCERTAINTY

WORDS: dict[str, str] = {
    **FRAME, **DATA, **SEARCH, **RESULTS, **CALIBRATION, **COMPARISON, **EXPLAIN, **ERRORS, **AUDIT,
    **MODELS, **SYSTEM, **THRESHOLD, **UNCERTAINTY,
}  # fmt: skip
