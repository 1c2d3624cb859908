"""Pictures through a bundle: a ZIP, a folder or one picture, decoded as the training pictures were."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import BinaryIO

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from automl.data.dataset import Note
from automl.data.images.archive import MAX_MEMBER_BYTES, open_archive
from automl.data.images.decoding import decode, guard_pillow
from automl.data.images.encoder import ImageEncoder
from automl.data.images.folder import Folder
from automl.data.images.layout import (
    PICTURE_SUFFIXES,
    SHOWN,
    build_stray_note,
    clean_text,
    find_stray,
)
from automl.data.images.members import LeftOut, Member, MemberError, Source
from automl.data.images.rows import ImageRows
from automl.data.intake import looks_zipped
from automl.deploy.bundle import ROW_ID, Bundle
from automl.deploy.coverage import describe_coverage, require_coverage
from automl.errors import BundleError, DataError
from automl.evaluation.conformal_quantiles import SET_SIZE
from automl.settings import Settings

FILE = "file"
CHUNK_BYTES = 64_000_000  # decoded pixels at a time
MOST_PICTURES = 1_024

Report = Callable[[float, str], None]


@dataclass(slots=True)
class _Found:
    """What came of the pictures, in the order of their names."""

    files: list[str] = field(default_factory=list)
    is_read: list[bool] = field(default_factory=list)
    damaged: list[str] = field(default_factory=list)
    predictions: list[NDArray[np.float64]] = field(default_factory=list)


def predict_pictures(
    bundle: Bundle,
    source: Path,
    settings: Settings | None = None,
    *,
    name: str = "",
    report: Report = lambda _share, _words: None,
    coverage: float | None = None,
) -> tuple[pd.DataFrame, tuple[Note, ...]]:
    """``row_id, file, prediction`` and ``probability_<class>``, in the order of the file names, with notes.

    ``source`` is a ZIP, a folder (no link in it is followed) or one picture. A picture that cannot be read
    keeps its row, with nothing predicted, and is counted in a note; so is every file that is no picture. A
    source without one readable picture is a ``DataError``. ``coverage``: see ``Bundle.predict``.
    """
    encoder = bundle.encoder
    asked = require_coverage(bundle.manifest, coverage)
    if not isinstance(encoder, ImageEncoder):
        raise BundleError("This bundle reads rows of a table.", hint="Give it a CSV file.")
    settings, name = settings or Settings(), name or source.name
    with _open_source(source, name, settings) as opened, guard_pillow():
        pictures, strays = _list_pictures(opened)
        if not pictures:
            raise DataError(
                f"{name!r} holds no pictures (PNG, JPEG, WebP, BMP or TIFF).",
                hint="Give a ZIP or a folder of pictures, or one picture.",
            )
        found = _Found()
        step = _count_at_once(encoder)
        for start in range(0, len(pictures), step):
            report(start / len(pictures), f"Predicting pictures: {start:,} of {len(pictures):,}")
            chunk = pictures[start : start + step]
            _predict_chunk(bundle, encoder, opened, chunk, settings, found)
    if not any(found.is_read):
        which = (
            f"None of the {len(pictures):,} pictures of {name!r}"
            if len(pictures) > 1
            else "No picture"
        )
        raise DataError(
            f"{which} can be read: {found.damaged[0]}.",
            hint="Open one of them in a viewer and save it again as PNG or JPEG.",
        )
    notes = (*_note_damaged(found), *build_stray_note(strays), *describe_coverage(asked))
    return _build_frame(bundle, found, coverage), notes


class _OnePicture:
    """A file of its own as a source with one member."""

    def __init__(self, path: Path, name: str) -> None:
        self._path = path
        self.left_out: tuple[LeftOut, ...] = ()
        self.members = (Member(path=name, size_bytes=path.stat().st_size, key=0),)

    @contextmanager
    def open(self, _member: Member) -> Iterator[BinaryIO]:
        with self._path.open("rb") as stream:
            yield stream

    def read(self, member: Member) -> bytes:
        if member.size_bytes > MAX_MEMBER_BYTES:
            raise MemberError("the file has over 200 MB")
        return self._path.read_bytes()


@contextmanager
def _open_source(path: Path, name: str, settings: Settings) -> Iterator[Source]:
    if path.is_dir():
        yield Folder(path, name, settings)
    elif not path.is_file():
        raise DataError(f"There is no file {name!r}.", hint="Check the name and the folder.")
    elif looks_zipped(path):  # by its first bytes, so that one cut off is called so
        with open_archive(path, name, settings) as archive:
            yield archive
    else:
        yield _OnePicture(path, name)


def _list_pictures(source: Source) -> tuple[list[Member], tuple[LeftOut, ...]]:
    """The pictures by name, and everything else with the reason."""
    if isinstance(source, _OnePicture):
        return list(source.members), ()
    strays: list[LeftOut] = list(source.left_out)
    pictures = []
    for member in source.members:
        path = PurePosixPath(member.path)
        suffix = path.suffix.lower()
        reason = find_stray(path, suffix)
        if not reason and suffix in PICTURE_SUFFIXES:
            pictures.append(member)
            continue
        reason = reason or f"not a picture ({suffix})"
        shown = clean_text(member.path)
        strays.append(LeftOut(path=shown, reason=reason, size_bytes=member.size_bytes))
    return sorted(pictures, key=lambda member: member.path), tuple(strays)


def _count_at_once(encoder: ImageEncoder) -> int:
    return max(1, min(MOST_PICTURES, CHUNK_BYTES // (encoder.side**2 * encoder.channels)))


def _predict_chunk(
    bundle: Bundle,
    encoder: ImageEncoder,
    source: Source,
    members: list[Member],
    settings: Settings,
    found: _Found,
) -> None:
    squares = []
    for member in members:
        shown = clean_text(member.path)
        found.files.append(shown)
        try:
            content = source.read(member)
            decoded = decode(content, encoder.side, encoder.channels, settings.max_picture_pixels)
        except MemberError as error:
            found.is_read.append(False)
            found.damaged.append(f"{shown[-60:]!r}: {error}")
            continue
        found.is_read.append(True)
        squares.append(decoded.pixels)
    if squares:
        images = ImageRows(array=np.stack(squares))
        found.predictions.append(bundle.predict_images(images))


def _build_frame(bundle: Bundle, found: _Found, coverage: float | None) -> pd.DataFrame:
    read = np.flatnonzero(found.is_read)
    frame = bundle.build_output(np.concatenate(found.predictions), coverage)
    if SET_SIZE in frame:
        frame[SET_SIZE] = frame[SET_SIZE].astype("Int64")  # stays whole beside damaged pictures
    frame = frame.set_axis(read).reindex(range(len(found.files)))
    frame.insert(0, FILE, pd.Series(found.files, dtype="str"))
    frame.insert(0, ROW_ID, np.arange(len(frame)))
    return frame


def _note_damaged(found: _Found) -> tuple[Note, ...]:
    if not found.damaged:
        return ()
    count = len(found.damaged)
    more = f"; and {count - SHOWN:,} more" if count > SHOWN else ""
    rows = "Its row has" if count == 1 else "Their rows have"
    text = (
        f"{count:,} of {len(found.files):,} pictures could not be read: "
        f"{'; '.join(found.damaged[:SHOWN])}{more}. {rows} no prediction."
    )
    return (Note(code="damaged_pictures", text=text, level="warning"),)
