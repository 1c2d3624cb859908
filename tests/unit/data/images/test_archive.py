"""Dangerous archives are refused whole, with the reason; harmless ones are read member by member."""

import struct
import time
import zipfile
from pathlib import Path

import pytest

from automl.data.images.archive import open_archive, scan_directory
from automl.data.images.members import MemberError
from automl.errors import DataError
from automl.settings import Settings
from tests.pictures import make_picture, write_zip

PICTURE = make_picture()


def open_all(path: Path, settings: Settings) -> list[str]:
    with open_archive(path, "x.zip", settings) as archive:
        return [member.path for member in archive.members]


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("../evil.png", "leaves its folder"),
        ("cat/../../evil.png", "leaves its folder"),
        ("cat//a.png", "leaves its folder"),
        ("./a.png", "leaves its folder"),
        ("/var/evil.png", "absolute"),
        ("C:/evil.png", "drive"),
        ("cat\\evil.png", "backslash"),
        ("cat/inner.zip", "an archive inside"),
        ("cat/inner.tar.gz", "an archive inside"),
    ],
)
def test_names_that_lead_elsewhere_are_refused(
    name: str, words: str, tmp_path: Path, settings: Settings
) -> None:
    path = write_zip(tmp_path / "x.zip", {"cat/ok.png": PICTURE, name: PICTURE})
    with pytest.raises(DataError, match=words) as caught:
        open_all(path, settings)
    assert caught.value.hint


def test_a_name_with_a_nul_is_refused(tmp_path: Path, settings: Settings) -> None:
    path = write_zip(tmp_path / "x.zip", {"cat/aXb.png": PICTURE})
    path.write_bytes(path.read_bytes().replace(b"cat/aXb.png", b"cat/a\0b.png"))
    with pytest.raises(DataError, match="NUL"):
        open_all(path, settings)


@pytest.mark.parametrize("kind", [0o120777, 0o020666, 0o010644, 0o140777])
def test_links_and_devices_are_refused(kind: int, tmp_path: Path, settings: Settings) -> None:
    path = tmp_path / "x.zip"
    entry = zipfile.ZipInfo("cat/link.png")
    entry.create_system = 3
    entry.external_attr = kind << 16
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(entry, "/var/somewhere")
    with pytest.raises(DataError, match="a link or a device"):
        open_all(path, settings)


def test_names_that_are_one_without_case_are_refused(tmp_path: Path, settings: Settings) -> None:
    path = write_zip(tmp_path / "x.zip", {"cat/a.png": PICTURE, "Cat/A.png": PICTURE})
    with pytest.raises(DataError, match="same name twice"):
        open_all(path, settings)
    composed = write_zip(tmp_path / "y.zip", {"cat/é.png": PICTURE, "cat/e\u0301.png": PICTURE})
    with pytest.raises(DataError, match="same name twice"):
        open_all(composed, settings)


def test_an_encrypted_member_is_refused(tmp_path: Path, settings: Settings) -> None:
    path = write_zip(tmp_path / "x.zip", {"cat/a.png": PICTURE})
    content = bytearray(path.read_bytes())
    place = content.rfind(b"PK\x01\x02") + 8
    content[place] |= 1
    path.write_bytes(content)
    with pytest.raises(DataError, match="encrypted"):
        open_all(path, settings)


def test_other_packing_methods_are_refused(tmp_path: Path, settings: Settings) -> None:
    path = write_zip(tmp_path / "x.zip", {"cat/a.png": PICTURE}, zipfile.ZIP_LZMA)
    with pytest.raises(DataError, match="method 14"):
        open_all(path, settings)


def test_a_bomb_is_refused_before_it_is_unpacked(tmp_path: Path, settings: Settings) -> None:
    path = write_zip(tmp_path / "x.zip", {"cat/a.bmp": bytes(60_000_000)})
    assert path.stat().st_size < 100_000
    with pytest.raises(DataError, match="a bomb"):
        open_all(path, settings)


def test_many_small_bombs_are_one(tmp_path: Path, settings: Settings) -> None:
    path = write_zip(tmp_path / "x.zip", {f"cat/{n}.bmp": bytes(9_000_000) for n in range(12)})
    with pytest.raises(DataError, match="unpacks to 108 MB"):
        open_all(path, settings)


def test_members_that_share_bytes_are_refused(tmp_path: Path, settings: Settings) -> None:
    path = write_zip(tmp_path / "x.zip", {"a/1.png": PICTURE, "a/2.png": PICTURE})
    content = bytearray(path.read_bytes())
    second = content.rfind(b"PK\x01\x02")
    content[second + 42 : second + 46] = struct.pack("<L", 0)  # both start at the first
    path.write_bytes(content)
    with pytest.raises(DataError, match="belong to another member"):
        open_all(path, settings)


def test_a_million_empty_files_are_refused_from_the_directory(
    tmp_path: Path, settings: Settings
) -> None:
    path = tmp_path / "x.zip"
    n = 1_000_000
    head = b"PK\x01\x02" + bytes(24) + struct.pack("<H", 9) + bytes(16)
    with path.open("wb") as file:
        file.write(b"PK\x03\x04" + bytes(35))
        start = file.tell()
        for first in range(0, n, 1000):
            file.write(b"".join(head + b"a/%07d" % k for k in range(first, first + 1000)))
        size = file.tell() - start
        # the honest form needs ZIP64; a lying count of 7 must not help either
        file.write(struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, 7, 7, size, start, 0))
    began = time.perf_counter()
    with pytest.raises(DataError, match=r"at least 200,001 files; the limit is 200,000"):
        scan_directory(path, "x.zip", settings)
    assert time.perf_counter() - began < 5


def test_a_limit_counts_members(tmp_path: Path) -> None:
    path = write_zip(tmp_path / "x.zip", {f"a/{n}.png": b"" for n in range(11)})
    assert scan_directory(path, "x", Settings(max_members=11)).n_members == 11
    with pytest.raises(DataError, match="11 files; the limit is 10"):
        scan_directory(path, "x", Settings(max_members=10))


@pytest.mark.parametrize("cut", [1, 30, 200])
def test_a_torn_archive_is_named(cut: int, tmp_path: Path, settings: Settings) -> None:
    path = write_zip(tmp_path / "x.zip", {"a/1.png": PICTURE, "a/2.png": PICTURE})
    path.write_bytes(path.read_bytes()[:-cut])
    with pytest.raises(DataError, match="damaged or cut-off ZIP"):
        open_all(path, settings)


def test_an_archive_over_the_size_is_refused(tmp_path: Path) -> None:
    path = write_zip(tmp_path / "x.zip", {f"a/{n}.png": PICTURE for n in range(30)})
    with pytest.raises(DataError, match="the limit is"):
        open_all(path, Settings(max_archive_bytes=1_000))


def test_a_workbook_is_told_from_pictures(tmp_path: Path, settings: Settings) -> None:
    path = write_zip(tmp_path / "x.zip", {"[Content_Types].xml": b"<x/>", "xl/workbook.xml": b""})
    assert scan_directory(path, "x", settings).is_document
    assert not scan_directory(
        write_zip(tmp_path / "y.zip", {"a.png": b""}), "y", settings
    ).is_document


def test_zip64_and_comments_are_understood(tmp_path: Path, settings: Settings) -> None:
    path = tmp_path / "x.zip"
    with zipfile.ZipFile(path, "w") as archive:
        with archive.open("a/1.png", "w", force_zip64=True) as sink:
            sink.write(PICTURE)
        archive.comment = b"a comment PK\x05 of some length"
    assert open_all(path, settings) == ["a/1.png"]


def test_names_in_utf8_without_the_mark_are_read(tmp_path: Path, settings: Settings) -> None:
    path = write_zip(tmp_path / "x.zip", {"Käse/1.png": PICTURE})
    content = path.read_bytes()
    path.write_bytes(content.replace(b"\x00\x08", b"\x00\x00"))  # flag 0x800 in both headers
    assert open_all(path, settings) == ["Käse/1.png"]


def test_a_wrong_checksum_leaves_one_member_out(tmp_path: Path, settings: Settings) -> None:
    path = write_zip(tmp_path / "x.zip", {"a/1.png": PICTURE, "a/2.png": PICTURE}, 0)
    content = bytearray(path.read_bytes())
    content[60] ^= 0xFF
    path.write_bytes(content)
    with open_archive(path, "x.zip", settings) as archive:
        first, second = archive.members
        with pytest.raises(MemberError, match="packed bytes are damaged"):
            archive.read(first)
        assert archive.read(second) == PICTURE


def test_a_local_header_that_differs_leaves_one_member_out(
    tmp_path: Path, settings: Settings
) -> None:
    path = write_zip(tmp_path / "x.zip", {"a/é.png": PICTURE, "a/2.png": PICTURE})
    content = path.read_bytes()
    name = "é".encode()
    path.write_bytes(content.replace(name, b"\xca\xff", 1))  # no UTF-8, in the first header only
    with open_archive(path, "x.zip", settings) as archive:
        first, second = archive.members
        with pytest.raises(MemberError, match="packed bytes are damaged"):
            archive.read(first)
        assert archive.read(second) == PICTURE
