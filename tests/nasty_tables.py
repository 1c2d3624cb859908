"""Sixty tables that break naive training code, each small, seeded and for one reason; shared by tests and benchmarks.

``TABLES[name].build(n)`` is a frame as a person would upload it.
"""

import tests.nasty_numbers
import tests.nasty_words  # noqa: F401
from tests.nasty_base import TABLES, NastyTable

__all__ = ["TABLES", "NastyTable"]
