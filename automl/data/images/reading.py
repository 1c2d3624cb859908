"""All pictures of a source, one at a time: decoded once, measured, written, and counted."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path

from automl.data.dataset import Note
from automl.data.images.decoding import (
    Decoded,
    Header,
    decode,
    find_wrong_suffix,
    load_header,
)
from automl.data.images.findings import DROP, GREY, KEEP, MOST_OF_A_SET, NATURE
from automl.data.images.layout import SHOWN, Picture
from automl.data.images.members import MemberError, Source
from automl.data.images.quality import PictureMeasures, measure_picture
from automl.data.images.store import PixelWriter

MAX_HEADERS = 5_000  # more are sampled evenly: the median side is found as well
_REPORT_EVERY = 200


@dataclass(frozen=True, kw_only=True, slots=True)
class Taken:
    """A picture that was stored; its row is its place in the list."""

    picture: Picture
    header: Header
    sha256: str
    measures: PictureMeasures


@dataclass(slots=True)
class Reading:
    """What came of the pictures: stored ones in row order, damaged ones with the reason, oddities counted."""

    taken: list[Taken] = field(default_factory=list)
    damaged: list[tuple[Picture, str]] = field(default_factory=list)
    oddities: Counter[str] = field(default_factory=Counter)
    first: dict[str, str] = field(default_factory=dict)
    pixels_sha256: str = ""

    def note_oddity(self, code: str, path: str) -> None:
        """Count one oddity and keep the first picture that had it."""
        self.oddities[code] += 1
        self.first.setdefault(code, path)


class ColourFound(Exception):
    """A picture in colour came after all that were looked at first were grey."""


def load_headers(source: Source, pictures: Sequence[Picture], max_pixels: int) -> list[Header]:
    """The headers of the readable pictures, of an even sample where there are many."""
    step = -(-len(pictures) // MAX_HEADERS)
    headers = []
    for picture in pictures[::step]:
        try:
            with source.open(picture.member) as stream:
                headers.append(load_header(stream, max_pixels))
        except MemberError:
            continue  # it is met again, and named, when all are decoded
    return headers


@dataclass(frozen=True, kw_only=True, slots=True)
class ReadRequest:
    """Which pictures, in the order of their rows, at which shape, written where."""

    pictures: Sequence[Picture]
    side: int
    channels: int
    max_pixels: int
    path: Path


def read_pictures(
    source: Source, request: ReadRequest, tell: Callable[[int], None] = lambda _done: None
) -> Reading:
    """Decode every picture once and write it; ``tell`` hears how many are done.

    Raises ``ColourFound`` when one channel was asked for and a picture has colours.
    """
    found = Reading()
    writer = PixelWriter(request.path, request.side, request.channels)
    try:
        for number, picture in enumerate(request.pictures):
            if number % _REPORT_EVERY == 0:
                tell(number)
            _read_one(source, picture, request, writer, found)
        found.pixels_sha256 = writer.close()
    except BaseException:
        writer.abandon()
        raise
    return found


def _read_one(
    source: Source, picture: Picture, request: ReadRequest, writer: PixelWriter, found: Reading
) -> None:
    try:
        content = source.read(picture.member)
        decoded = decode(content, request.side, request.channels, request.max_pixels)
    except MemberError as error:
        found.damaged.append((picture, str(error)))
        return
    if request.channels == 1 and not decoded.header.is_grey:
        raise ColourFound
    writer.append(decoded.pixels)
    _count_oddities(found, picture, decoded)
    found.taken.append(
        Taken(
            picture=picture,
            header=decoded.header,
            sha256=sha256(content).hexdigest(),
            measures=measure_picture(decoded.original),
        )
    )


def _count_oddities(found: Reading, picture: Picture, decoded: Decoded) -> None:
    for code in decoded.oddities:
        found.note_oddity(code, picture.path)
    if find_wrong_suffix(picture.path, decoded.header):
        found.note_oddity("wrong_extension", f"{picture.path} is {decoded.header.format}")
    if decoded.header.is_grey:
        found.note_oddity("grey", picture.path)


_ODDITIES = {
    "wrong_extension": "{n} another format than the name says, for example {first}; read by content.",
    "animated": "{n} several frames, for example {first!r}; the first was taken.",
    "rotated": "{n} a rotation in the camera's data, for example {first!r}; turned upright.",
    "cmyk": "{n} CMYK colours, for example {first!r}; converted to RGB.",
    "sixteen_bit": "{n} more than 8 bits per grey, for example {first!r}; scaled to 8 bits.",
    "transparent": "{n} transparency, for example {first!r}; put on white.",
    "palette": "{n} a palette, for example {first!r}; converted to RGB.",
}


def build_reading_notes(found: Reading, channels: int) -> tuple[Note, ...]:
    """One note for the damaged ones, and one for every oddity with its count and an example."""
    notes = []
    if found.damaged:
        shown = "; ".join(f"{p.path[-60:]!r}: {why}" for p, why in found.damaged[:SHOWN])
        total = len(found.damaged) + len(found.taken)
        more = f"; and {len(found.damaged) - SHOWN:,} more" if len(found.damaged) > SHOWN else ""
        text = (
            f"{len(found.damaged):,} of {total:,} pictures could not be read and were left out: "
            f"{shown}{more}."
        )
        notes.append(Note(code="damaged_pictures", text=text, level="warning"))
    for code, words in _ODDITIES.items():
        if found.oddities[code]:
            text = words.format(n=_count(found.oddities[code]), first=found.first[code])
            notes.append(Note(code=code, text=text))
    n_grey = found.oddities["grey"]
    if channels == 3 and n_grey:
        text = (
            f"{_count(n_grey)} grey values only, for example {found.first['grey']!r}; stored with "
            "three equal channels, as the others have colours."
        )
        is_nature = n_grey > MOST_OF_A_SET * len(found.taken)
        notes.append(
            Note(code=GREY, text=f"{text} {NATURE}")
            if is_nature
            else Note(code=GREY, text=text, actions=(DROP, KEEP))
        )
    return tuple(notes)


def _count(number: int) -> str:
    return f"{number:,} picture has" if number == 1 else f"{number:,} pictures have"
