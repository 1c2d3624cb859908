"""Random ZIPs of pictures, mostly broken in some way; the same seed gives the same bytes."""

import io
import random
import struct
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from automl.data.importing import ImportRequest
from automl.data.intake import import_file
from automl.settings import Settings
from fairness.errors import FairloomError
from tests.pictures import make_picture

_FOLDERS = (
    "cat", "dog", "train", "test", "val", "valid", "Train", "__MACOSX", "a" * 90, "ü", "con", "~",
    "cat ", "\u202ex", "train/cat", "test/cat", "val/dog", "data/train/dog",
)  # fmt: skip
_NAMES = (
    "0.png", "1.jpg", "2.webp", "3.bmp", "4.tif", "5.gif", "labels.csv", "list.parquet", ".DS_Store",
    "Thumbs.db", "readme.txt", "no ending", "é.png", "0.PNG", "%00.png", "x" * 200 + ".png", "*.png", "-rf",
)  # fmt: skip
_HOSTILE = (
    "..", "../x.png", ".", "", "/", "/x.png", "c:/x.png", "a\\b.png", "a\0b.png", "e\u0301.png", "x.zip",
    "[Content_Types].xml", "cat//0.png",
)  # fmt: skip
_FORMATS = ("PNG", "JPEG", "WEBP", "BMP", "TIFF", "GIF")
_MODES = ("RGB", "L", "1", "P", "RGBA", "CMYK", "I;16", "LA")


def build_fuzzed_zip(seed: int) -> bytes:
    """One archive: a sane skeleton in half of the cases, then odd members, then damaged bytes in a fifth."""
    rng = random.Random(seed)
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        if rng.random() < 0.5:
            for number in range(rng.randint(1, 8)):
                _write(archive, rng, f"{rng.choice(['cat', 'dog'])}/{number}.png", _picture(rng))
        for _ in range(rng.randint(0, 5)):
            _write(archive, rng, _build_name(rng), _build_content(rng))
    content = bytearray(buffer.getvalue())
    if rng.random() < 0.2:
        _damage(content, rng)
    return bytes(content)


def _write(archive: zipfile.ZipFile, rng: random.Random, name: str, content: bytes) -> None:
    entry = zipfile.ZipInfo("placeholder")
    entry.filename = name  # as it is: the constructor would cut at NUL
    if rng.random() < 0.02:
        entry.create_system = 3
        entry.external_attr = rng.choice([0o120777, 0o100644, 0o020666, 0o010644, 0o170000]) << 16
    entry.compress_type = rng.choice(
        [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_DEFLATED, zipfile.ZIP_DEFLATED]
        if rng.random() < 0.99
        else [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA]
    )
    archive.writestr(entry, content)


def _build_name(rng: random.Random) -> str:
    parts = [rng.choice(_FOLDERS) for _ in range(rng.randint(0, 2))]
    return "/".join([*parts, rng.choice(_NAMES if rng.random() < 0.95 else _HOSTILE)])


def _picture(rng: random.Random) -> bytes:
    for _ in range(10):
        try:
            content = make_picture(
                rng.randrange(10_000),
                (rng.randint(1, 40), rng.randint(1, 40)),
                mode=rng.choice(_MODES),
                image_format=rng.choice(_FORMATS),
            )
        except (OSError, ValueError):
            continue  # not every mode has every format
        if rng.random() < 0.2:
            broken = bytearray(content)
            _damage(broken, rng)
            return bytes(broken)
        return content
    return b""


def _build_content(rng: random.Random) -> bytes:
    makers: tuple[Callable[[], bytes], ...] = (
        lambda: _picture(rng),
        lambda: _picture(rng),
        lambda: _picture(rng),
        lambda: rng.randbytes(rng.randint(0, 300)),
        lambda: b"",
        lambda: _build_list(rng),
        lambda: bytes(rng.choice([100, 10_000, 11_000_000])),
        lambda: build_fuzzed_zip(rng.randrange(1_000)) if rng.random() < 0.3 else b"PK\x03\x04",
        lambda: b"\x89PNG\r\n\x1a\n" + struct.pack(">L4sLL", 13, b"IHDR", 60_000, 60_000),
    )
    return rng.choice(makers)()


def _build_list(rng: random.Random) -> bytes:
    header = rng.choice(
        ["file,label", "filename,class,age", "file", "x;y", "file\tlabel\tsplit", ""]
    )
    names = ("0.png", "cat/0.png", "1", "gone.png", "", '"', "=cmd()", "é.png")
    rows = [
        f"{rng.choice(names)},{rng.choice(['cat', 'dog', '', '1e9'])},{rng.randint(0, 9)}"
        for _ in range(rng.randint(0, 12))
    ]
    return "\n".join([header, *rows]).encode(rng.choice(["utf-8", "utf-16", "cp1252"]), "replace")


def _damage(content: bytearray, rng: random.Random) -> None:
    for _ in range(rng.randint(1, 4)):
        if not content:
            return
        place = rng.randrange(len(content))
        match rng.randrange(5):
            case 0:
                content[place] ^= 1 << rng.randrange(8)
            case 1:
                content[place] = rng.randrange(256)
            case 2:
                del content[place:]
            case 3:
                del content[place : place + rng.randint(1, 50)]
            case _:
                content[place:place] = rng.randbytes(rng.randint(1, 50))


def import_fuzzed(seed: int, folder: Path, settings: Settings) -> str:
    """Import one of them; ``data set`` or the class of the error in words. Anything else is raised."""
    path = folder / "upload.part"
    path.write_bytes(build_fuzzed_zip(seed))
    try:
        import_file(ImportRequest(path=str(path), name="x.zip"), settings.workspace, settings)
    except FairloomError as error:
        return type(error).__name__
    finally:
        path.unlink()
    return "data set"


def import_batch(
    arguments: Mapping[str, Any], report: Callable[[float, str], None]
) -> Mapping[str, Any]:
    """Inside a limited child: import a range of seeds; how many ended in which way, and what broke."""
    settings = Settings(**arguments["settings"])
    ends: dict[str, int] = {}
    broken: list[str] = []
    for seed in range(arguments["first"], arguments["last"]):
        report(0.5, str(seed))
        try:
            end = import_fuzzed(seed, Path.cwd(), settings)
        except Exception as error:  # noqa: BLE001 (the very thing that is looked for)
            end = "bug"
            broken.append(f"seed {seed}: {type(error).__name__}: {error}"[:300])
        ends[end] = ends.get(end, 0) + 1
    return {"ends": ends, "broken": broken[:20]}
