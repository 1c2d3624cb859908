"""Every string through one catalogue, and nothing of a file ever becomes Markdown."""

import re
import string
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.wording import escape, say, say_plain
from app.words import WORDS
from automl.data.dataset import Kind, Role
from automl.data.task import TaskType
from automl.jobs.records import JobKind, JobState, TrialState

ROOT = Path(__file__).resolve().parents[3]
MARKS = "\\`*_{}[]<>()#+-!|~$&^"


@given(st.text())
def test_no_mark_of_markdown_survives_unescaped(text: str) -> None:
    escaped = escape(text)
    assert "\n" not in escaped
    rest = re.sub(r"\\.", "", escaped)
    assert not set(rest) & set(MARKS)
    assert not re.search(r":[\w+/-]+:", escaped)


def test_codes_for_pictures_and_colours_are_broken_and_times_are_not() -> None:
    assert escape("at 02:00, cpu:0") == "at 02:00, cpu:0"
    assert ":smile:" not in escape("x :smile: y")
    assert escape(":red[x]") == r":red\[x\]"


@given(st.text(alphabet=string.ascii_letters + string.digits + " .,;'", min_size=1))
def test_plain_words_stay_as_they_are(text: str) -> None:
    assert escape(text) == " ".join(text.split())


def test_values_are_escaped_in_markdown_and_not_elsewhere() -> None:
    assert say("data.deleted", name="**x**.csv") == r"\*\*x\*\*.csv is deleted."
    assert say_plain("data.deleted", name="**x**.csv") == "**x**.csv is deleted."


def test_an_unknown_key_is_a_bug() -> None:
    with pytest.raises(KeyError):
        say("no.such.key")


@pytest.mark.parametrize(
    ("prefix", "members"),
    [
        ("state", JobState), ("trial", TrialState), ("kind", Kind), ("role", Role),
        ("type", TaskType), ("kind", JobKind),
    ],
)  # fmt: skip
def test_every_member_of_a_closed_set_has_its_word(prefix: str, members: type) -> None:
    for member in members:  # type: ignore[attr-defined]
        assert WORDS[f"{prefix}.{member}"]


def test_every_key_that_is_used_exists_and_every_word_is_plain() -> None:
    used = set()
    for path in (*ROOT.glob("app/**/*.py"), *ROOT.glob("pages/*.py")):
        used |= set(re.findall(r"\bsay(?:_plain)?\(\s*\"([a-z_.]+)\"", path.read_text("utf-8")))
    assert used
    assert used <= set(WORDS)
    banned = re.compile(r"\b(fair|unfair|biased|unbiased|compliant|passed)\b", re.IGNORECASE)
    for key, text in WORDS.items():
        assert not banned.search(text), key
