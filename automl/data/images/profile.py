"""Findings about a set of pictures that ask for a decision; each is said once."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from automl.data.dataset import ImageFacts, Note
from automl.data.images.copies import Copies, find_copies, number_values, read_numbers
from automl.data.images.decoding import GREY_MODES
from automl.data.images.findings import DROP, DROPPABLE, GREY, KEEP, LOOKS, MOST_OF_A_SET, NATURE
from automl.errors import SpecError

Ints = NDArray[np.int64]
Marks = NDArray[np.bool_]

PARTS = ("train", "val", "test")
TINY_SIDE = 16
MAX_ASPECT = 3.0
DARK = 0.25  # brightness plus two deviations: even what is bright in it is dark
BLURRED = 0.01  # variance of the Laplacian by that of the grey values, for sides from 64 pixels on
MIN_CONTRAST = 0.02  # where hardly anything is to be seen, nothing can be blurred
FEW_PICTURES = 20
SHOWN = 3
TEST_STAYS = "A given test part keeps its own."


@dataclass(frozen=True, kw_only=True, slots=True)
class Flaw:
    """One finding: ``rows`` have it (of the table, sorted), ``droppable`` of them can be left out of a search.

    Rows of the given test part are never droppable: what a model is tested on stays as it was given.
    """

    code: str
    rows: Ints
    droppable: Ints
    n_test: int = 0


@dataclass(frozen=True, kw_only=True, slots=True)
class _Words:
    """What one or many pictures have, what that means, and what can be done; each for one and for many."""

    one: str
    many: str
    meaning: tuple[str, str] = ("", "")
    offer: tuple[str, str] = ("", "")
    level: Literal["info", "warning"] = "info"


_TOO_GOOD = ("The result on it is too good.", "Results on them are too good.")
_LEARNED = (
    "Leave out its copy in the part that is learned from.",
    "Leave out the copies that are learned from.",
)
_REPEATED = ("You can leave it out.", "You can leave out all but the first.")
_LEAVE_OUT = (
    "Leave it out unless such pictures also come in use.",
    "Leave them out unless such pictures also come in use.",
)
_ALL_IN_TEST = (
    "It is in the given test part, which stays as it was given.",
    "They are in the given test part, which stays as it was given.",
)
_WORDS: Mapping[str, _Words] = MappingProxyType(
    {
        "exact_duplicate_across_parts": _Words(
            one="picture of the test or validation part also stands, byte by byte, in a part that "
            "models learn from",
            many="pictures of the test or validation part also stand, byte by byte, in a part that "
            "models learn from",
            meaning=_TOO_GOOD,
            offer=_LEARNED,
            level="warning",
        ),
        "near_duplicate_across_parts": _Words(
            one="picture of the test or validation part has a near copy in a part that models learn "
            "from",
            many="pictures of the test or validation part have a near copy in a part that models "
            "learn from",
            meaning=_TOO_GOOD,
            offer=_LEARNED,
            level="warning",
        ),
        "exact_duplicate_across_classes": _Words(
            one="picture stands, byte by byte, in another class too",
            many="pictures stand, byte by byte, in another class too",
            meaning=("One of the classes is wrong: correct it.",) * 2,
            offer=("Or leave it out.", "Or leave all of them out."),
            level="warning",
        ),
        "near_duplicate_across_classes": _Words(
            one="picture has a near copy in another class",
            many="pictures have a near copy in another class",
            meaning=("Look whether one class is wrong, and correct it.",) * 2,
            offer=("Or leave it out.", "Or leave all of them out."),
            level="warning",
        ),
        "exact_duplicate": _Words(
            one="picture repeats another one byte by byte",
            many="pictures repeat another one byte by byte",
            meaning=("Copies stay in one part of the split.",) * 2,
            offer=_REPEATED,
        ),
        "near_duplicate": _Words(
            one="picture is a near copy of another one",
            many="pictures are near copies of another one",
            meaning=("Near copies stay in one part of the split.",) * 2,
            offer=_REPEATED,
        ),
        "tiny": _Words(
            one=f"picture has a side under {TINY_SIDE} pixels",
            many=f"pictures have a side under {TINY_SIDE} pixels",
            meaning=(
                "Little can be seen on it once it is enlarged.",
                "Little can be seen on them once they are enlarged.",
            ),
        ),
        "dark": _Words(
            one="picture is dark all over", many="pictures are dark all over", offer=_LEAVE_OUT
        ),
        "blurred": _Words(one="picture is blurred", many="pictures are blurred", offer=_LEAVE_OUT),
        "odd_aspect": _Words(
            one=f"picture is over {MAX_ASPECT:g} times as long as wide",
            many=f"pictures are over {MAX_ASPECT:g} times as long as wide",
            meaning=(
                "Only its middle square is kept, a third of it at most.",
                "Only the middle square is kept, a third of them at most.",
            ),
        ),
    }
)


def build_picture_notes(originals: pa.Table, facts: ImageFacts) -> tuple[Note, ...]:
    """Findings of ``originals.parquet``, the most serious first; ``actions`` are ``drop`` and ``keep``.

    The code of a note is what ``list_flagged`` and ``Setup.drop_pictures`` take. What was left out and which
    colours are mixed is said when pictures are read.
    """
    taken = select_taken(originals)
    copies = find_copies(taken)
    notes = [_build_note(flaw, taken) for flaw in _find_flaws(taken, copies) if flaw.code != GREY]
    if copies.n_merged:
        text = (
            f"{copies.n_merged:,} of {taken.num_rows:,} pictures look so much alike at {facts.side} "
            "pixels that near copies cannot be told from other pictures; among them only exact "
            "copies are looked for and kept in one part."
        )
        notes.append(Note(code="look_alikes", text=text))
    return (*notes, *_note_few(taken))


def select_taken(originals: pa.Table) -> pa.Table:
    """The pictures that were stored, in the order of their rows."""
    return originals.filter(pc.greater_equal(originals.column("row"), 0)).sort_by("row")


def list_flagged(originals: pa.Table, code: str) -> Ints:
    """Rows of the table, sorted, that a search leaves out when the finding ``code`` is dropped.

    For copies these are all but the first, for copies across parts those that models learn from. An unknown
    code is a ``SpecError``.
    """
    return list_all_flagged(originals, (code,))[code]


def list_all_flagged(originals: pa.Table, codes: tuple[str, ...]) -> dict[str, Ints]:
    """``list_flagged`` for several codes at once; empty for a finding that is not there."""
    for code in codes:
        if code not in DROPPABLE:
            raise SpecError(
                f"There is no finding {code!r} about pictures.",
                hint=f"Choose among {', '.join(DROPPABLE)}.",
            )
    if not codes:
        return {}
    taken = select_taken(originals)
    found = {flaw.code: flaw.droppable for flaw in _find_flaws(taken, find_copies(taken))}
    return {code: found.get(code, np.zeros(0, dtype=np.int64)) for code in codes}


def find_flaws(originals: pa.Table) -> tuple[Flaw, ...]:
    """Every finding with the rows that show it, the most serious first; findings without rows are left out."""
    taken = select_taken(originals)
    return tuple(_find_flaws(taken, find_copies(taken)))


def _find_flaws(taken: pa.Table, copies: Copies) -> list[Flaw]:
    """Findings with at least one row, in the order of ``DROPPABLE``."""
    parts = _rank_parts(taken)
    marks = _mark_copies(copies, parts, number_values(taken.column("label"))) | _mark_looks(taken)
    rows = np.asarray(taken.column("row").to_numpy(), dtype=np.int64)
    is_own = parts < PARTS.index("test")
    return [
        Flaw(
            code=code,
            rows=rows[shown],
            droppable=rows[dropped & is_own],
            n_test=int((shown & ~is_own).sum()),
        )
        for code, (shown, dropped) in ((code, marks[code]) for code in DROPPABLE)
        if shown.any()
    ]


def _rank_parts(taken: pa.Table) -> Ints:
    named = taken.column("part").to_pylist()
    return np.array([PARTS.index(name) for name in named], dtype=np.int64)


def _mark_copies(copies: Copies, parts: Ints, labels: Ints) -> dict[str, tuple[Marks, Marks]]:
    """For each kind of copy the pictures that show it and those that can go.

    Every picture is listed by the strictest kind only: what is a copy byte by byte is no near copy as well.
    """
    marks: dict[str, tuple[Marks, Marks]] = {}
    listed = {name: np.zeros(len(parts), dtype=bool) for name in ("met", "torn", "own")}
    for name, groups in (("exact", copies.exact), ("near", copies.near)):
        last, first = _reduce(np.maximum, groups, parts), _reduce(np.minimum, groups, parts)
        met = (parts > first) & ~listed["met"]
        learned = (parts < last) & ~listed["met"]
        is_torn = _reduce(np.maximum, groups, labels) > _reduce(np.minimum, groups, labels)
        torn = is_torn & ~listed["torn"]
        own = _repeats(groups, parts, labels) & ~listed["own"] & ~is_torn
        marks[f"{name}_duplicate_across_parts"] = met, learned
        marks[f"{name}_duplicate_across_classes"] = torn, torn
        marks[f"{name}_duplicate"] = own, own
        listed["met"] |= met | learned
        listed["torn"] |= torn
        listed["own"] |= own
    return marks


def _reduce(how: np.ufunc, groups: Ints, values: Ints) -> Ints:
    """The largest or smallest value of each picture's group."""
    best = np.full(int(groups.max(initial=-1)) + 1, -1 if how is np.maximum else 2**62)
    how.at(best, groups, values)
    return np.asarray(best[groups], dtype=np.int64)


def _repeats(groups: Ints, parts: Ints, labels: Ints) -> Marks:
    """All but the first picture of a group in one part and class."""
    keys = np.column_stack([groups, parts, labels])
    first = np.unique(keys, axis=0, return_index=True)[1]
    marks = np.ones(len(groups), dtype=bool)
    marks[first] = False
    return marks


def _mark_looks(taken: pa.Table) -> dict[str, tuple[Marks, Marks]]:
    width, height = read_numbers(taken, "width"), read_numbers(taken, "height")
    brightness, contrast = read_numbers(taken, "brightness"), read_numbers(taken, "contrast")
    short = np.minimum(width, height)
    tiny = short < TINY_SIDE
    dark = (brightness + 2 * contrast < DARK) & ~tiny
    detail = read_numbers(taken, "sharpness") / np.maximum(contrast * 255, 1) ** 2
    # a small picture is enlarged before it is measured, and that is no blur
    is_soft = detail < BLURRED * np.minimum(1, short / 64)
    blurred = is_soft & (contrast >= MIN_CONTRAST) & ~dark & ~tiny
    odd = np.maximum(width, height) > MAX_ASPECT * short
    grey = np.isin(taken.column("mode").to_numpy(), list(GREY_MODES))
    marks = {
        "tiny": tiny, "dark": dark, "blurred": blurred, "odd_aspect": odd, GREY: grey & ~grey.all()
    }  # fmt: skip
    return {code: (mark, mark) for code, mark in marks.items()}


def _build_note(flaw: Flaw, taken: pa.Table) -> Note:
    words = _WORDS[flaw.code]
    files = taken.column("file").take(pa.array(flaw.rows[:SHOWN])).to_pylist()
    more = f" and {len(flaw.rows) - SHOWN:,} more" if len(flaw.rows) > SHOWN else ""
    shown = ", ".join(repr(name[-60:]) for name in files)
    count = f"{len(flaw.rows):,} {words.one if len(flaw.rows) == 1 else words.many}"
    if flaw.code in LOOKS and len(flaw.rows) > MOST_OF_A_SET * taken.num_rows:
        return Note(code=flaw.code, text=f"{count}: {shown}{more}. {NATURE}")
    return Note(
        code=flaw.code,
        text=" ".join([f"{count}: {shown}{more}.", *_advise(flaw, words)]),
        level=words.level,
        actions=(DROP, KEEP) if len(flaw.droppable) else (),
    )


def _advise(flaw: Flaw, words: _Words) -> tuple[str, ...]:
    """What it means and what can be done about it; nothing is advised that is not offered."""
    which = int(len(flaw.rows) != 1)
    said = [words.meaning[which]]
    if len(flaw.droppable):
        said.append(words.offer[which])
    if flaw.n_test == len(flaw.rows) and not len(flaw.droppable):
        said.append(_ALL_IN_TEST[which])
    elif flaw.n_test and len(flaw.droppable) and "_parts" not in flaw.code:
        said.append(TEST_STAYS)
    return tuple(filter(None, said))


def _note_few(taken: pa.Table) -> tuple[Note, ...]:
    """Classes with few pictures outside of the test part."""
    own = taken.filter(pc.not_equal(taken.column("part"), "test"))
    counts = {
        item["values"]: item["counts"] for item in own.column("label").value_counts().to_pylist()
    }
    few = sorted(((count, name) for name, count in counts.items() if name and count < FEW_PICTURES))
    if not few:
        return ()
    listed = ", ".join(f"{name!r} {count:,}" for count, name in few[:10])
    more = f" and {len(few) - 10:,} more" if len(few) > 10 else ""
    classes = "class has" if len(few) == 1 else "classes have"
    text = (
        f"{len(few):,} {classes} fewer than {FEW_PICTURES} pictures to learn from: {listed}{more}. "
        "Add pictures, or merge such classes; networks with given weights do best on few."
    )
    return (Note(code="few_pictures", text=text, level="warning"),)
