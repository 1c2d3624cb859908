"""One picture from its bytes to a square of uint8, with everything odd about it in words."""

import io
import re
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps, UnidentifiedImageError

from automl.data.images.members import MemberError

FORMATS = ("JPEG", "PNG", "WEBP", "BMP", "TIFF")
MEASURED_SIDE = 256  # quality is measured on the picture with a short side of about this
_ORIENTATION = 0x0112
_BAND_PIXELS = 4 << 20
GREY_MODES = frozenset(("1", "L", "LA", "La", "I", "F", "I;16", "I;16B", "I;16L", "I;16N"))
_WIDE = frozenset(("I", "F", "I;16", "I;16B", "I;16L", "I;16N"))
_ALPHA = frozenset(("RGBA", "LA", "PA", "La", "RGBa"))
_SUFFIXES = {
    "JPEG": (".jpg", ".jpeg", ".jpe", ".jfif"),
    "PNG": (".png",),
    "WEBP": (".webp",),
    "BMP": (".bmp", ".dib"),
    "TIFF": (".tif", ".tiff"),
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Header:
    """What the first bytes say; ``width`` and ``height`` as the picture is seen (after rotation)."""

    width: int
    height: int
    mode: str
    format: str

    @property
    def is_grey(self) -> bool:
        return self.mode in GREY_MODES


@dataclass(frozen=True, kw_only=True, slots=True)
class Decoded:
    """A picture: its header, a square for the array, itself for measuring, and what was odd (codes).

    ``pixels``: uint8 ``(side, side, channels)``. ``original``: uint8 ``(h, w, 3 or 1)``, the whole picture,
    made smaller where it was much larger than ``MEASURED_SIDE``.
    """

    header: Header
    pixels: NDArray[np.uint8]
    original: NDArray[np.uint8]
    oddities: tuple[str, ...]


@contextmanager
def guard_pillow() -> Iterator[None]:
    """Pillow's remarks are not printed, its alarm about bombs is an error; for a whole import."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        warnings.simplefilter("error", Image.DecompressionBombWarning)
        yield


def load_header(stream: BinaryIO, max_pixels: int) -> Header:
    """Read the header only; what is no picture of the five formats is a ``MemberError``."""
    try:
        with _open(stream, max_pixels) as image:
            return _build_header(image)
    except MemberError:
        raise
    except Exception as error:
        raise _describe(error) from error


def decode(content: bytes, side: int, channels: int, max_pixels: int) -> Decoded:
    """Decode once: rotate, put on white, scale to 8 bits, cut the middle square of ``side``.

    Only the first frame is read. Damage is a ``MemberError`` with the reason.
    """
    try:
        with _open(io.BytesIO(content), max_pixels) as image:
            return _decode(image, side, channels)
    except MemberError:
        raise
    except Exception as error:
        raise _describe(error) from error


def _open(stream: BinaryIO, max_pixels: int) -> Image.Image:
    image = Image.open(stream, formats=FORMATS)
    if image.width * image.height > max_pixels:
        raise MemberError(
            f"{image.width:,} × {image.height:,} pixels, over {max_pixels / 1e6:,.0f} megapixels"
        )
    return image


def _describe(error: Exception) -> MemberError:
    if isinstance(error, (Image.DecompressionBombError, Image.DecompressionBombWarning)):
        size = re.search(r"\((\d+) pixels\)", str(error))
        shown = f"{int(size[1]) / 1e6:,.0f} megapixels, " if size else ""
        return MemberError(f"{shown}far more than are read")
    if isinstance(error, UnidentifiedImageError):
        return MemberError("it is no PNG, JPEG, WebP, BMP or TIFF picture")
    if isinstance(error, MemoryError):
        return MemberError("it needs too much memory")
    words = " ".join(str(error).split())[:100] or type(error).__name__
    return MemberError(f"it is damaged or cut off ({words})")


def _build_header(image: Image.Image) -> Header:
    width, height = image.size
    if _find_orientation(image) >= 5:  # lying on its side
        width, height = height, width
    # what many phones write: a JPEG with further ones behind it, which is read as a JPEG
    is_jpeg = image.format == "MPO"
    found = "JPEG" if is_jpeg else str(image.format)
    return Header(width=width, height=height, mode=image.mode, format=found)


def _find_orientation(image: Image.Image) -> int:
    if "exif" not in image.info and image.format != "TIFF":
        return 1
    found = image.getexif().get(_ORIENTATION, 1)
    return found if isinstance(found, int) and 1 <= found <= 8 else 1


def _decode(image: Image.Image, side: int, channels: int) -> Decoded:
    header = _build_header(image)
    oddities = _list_oddities(image)
    target = max(side, MEASURED_SIDE)
    is_large = min(image.size) >= 2 * target
    if is_large and header.format == "JPEG":
        image.draft(None, (target, target))
    if "rotated" in oddities:
        image = ImageOps.exif_transpose(image)
    else:
        image.load()
    if image.mode in _WIDE:
        image = _to_8_bits(image)  # first: Pillow makes no picture of 16 bits smaller
    if is_large and image.mode not in ("P", "PA", "1") and min(image.size) >= 2 * target:
        image = image.reduce(min(image.size) // target)
    plain = _to_plain(image, is_grey=header.is_grey)
    square = _cut_square(plain, side, channels)
    pixels = _to_array(square)
    return Decoded(
        header=header,
        pixels=pixels,
        original=pixels if square is plain else _to_array(plain),
        oddities=oddities,
    )


def _list_oddities(image: Image.Image) -> tuple[str, ...]:
    found = []
    if getattr(image, "n_frames", 1) > 1:
        found.append("animated")
    if _find_orientation(image) != 1:
        found.append("rotated")
    if image.mode in ("CMYK", "YCCK"):
        found.append("cmyk")
    if image.mode in _WIDE:
        found.append("sixteen_bit")
    if image.mode in _ALPHA or "transparency" in image.info:
        found.append("transparent")
    elif image.mode == "P":
        found.append("palette")
    return tuple(found)


def find_wrong_suffix(path: str, header: Header) -> bool:
    """True when the name promises another format than the content has."""
    return not path.lower().endswith(_SUFFIXES[header.format])


def _to_plain(image: Image.Image, *, is_grey: bool) -> Image.Image:
    """The picture as ``L`` or ``RGB``, transparency on white."""
    wanted = "L" if is_grey else "RGB"
    if image.mode in _ALPHA or "transparency" in image.info:
        seen = image if image.mode == "RGBA" else image.convert("RGBA")
        white = Image.new("RGBA", seen.size, "white")
        white.alpha_composite(seen)
        return white.convert(wanted)
    return image if image.mode == wanted else image.convert(wanted)


def _to_8_bits(image: Image.Image) -> Image.Image:
    """Deep greys as ``L`` by a fixed scale, so that pictures stay comparable: 16 bits by 257, 0..1 by 255.

    Numbers beyond either range are stretched between their own limits. A band of rows at a time: all of
    50 megapixels as floats would take over a gigabyte.
    """
    limits = [(float(band.min()), float(band.max())) for _, band in _list_bands(image)]
    low, high = min(low for low, _ in limits), max(high for _, high in limits)
    offset, scale = _choose_scale(image.mode, low, high)
    plain = Image.new("L", image.size)
    for top, band in _list_bands(image):
        scaled = np.rint((band - offset) * scale).clip(0, 255).astype(np.uint8)
        plain.paste(Image.fromarray(scaled), (0, top))
    return plain


def _choose_scale(mode: str, low: float, high: float) -> tuple[float, float]:
    """What is taken off every value, and by what the rest is multiplied."""
    if mode == "F" and low >= 0 and high <= 1:
        return 0.0, 255.0
    if mode in ("F", "I") and low >= 0 and high <= 255:
        return 0.0, 1.0
    if low >= 0 and high <= 65_535:
        return 0.0, 1 / 257
    return low, 255 / max(high - low, 1e-9)


def _list_bands(image: Image.Image) -> Iterator[tuple[int, NDArray[np.float64]]]:
    """The first row of each band of rows and its values; what is no finite number is 0."""
    step = max(1, _BAND_PIXELS // image.width)
    for top in range(0, image.height, step):
        stop = min(top + step, image.height)
        values = np.asarray(image.crop((0, top, image.width, stop)), dtype=np.float64)
        yield top, np.nan_to_num(values, nan=0.0, posinf=0.0, neginf=0.0)


def _cut_square(image: Image.Image, side: int, channels: int) -> Image.Image:
    wanted = "L" if channels == 1 else "RGB"
    if image.size != (side, side):
        width, height = image.size
        short = min(width, height)
        left, top = (width - short) / 2, (height - short) / 2
        image = image.resize(
            (side, side),
            Image.Resampling.BICUBIC,
            box=(left, top, left + short, top + short),
            reducing_gap=2.0,
        )
    return image if image.mode == wanted else image.convert(wanted)


def _to_array(image: Image.Image) -> NDArray[np.uint8]:
    array = np.asarray(image)
    return array[:, :, None] if array.ndim == 2 else array
