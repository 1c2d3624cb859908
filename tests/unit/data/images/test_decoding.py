"""Odd pictures: read by content, upright, on white, 8 bits, first frame; damaged ones are named."""

import io
import struct
import zlib

import numpy as np
import pytest
from PIL import Image

from automl.data.images import decoding
from automl.data.images.decoding import (
    Decoded,
    decode,
    find_wrong_suffix,
    guard_pillow,
    load_header,
)
from automl.data.images.members import MemberError
from tests.pictures import make_picture

PIXELS = 50_000_000


def encode(image: Image.Image, image_format: str = "PNG", **save: object) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, format=image_format, **save)
    return buffer.getvalue()


def run(content: bytes, side: int = 16, channels: int = 3) -> Decoded:
    with guard_pillow():
        return decode(content, side, channels, PIXELS)


def split(width: int = 40, height: int = 20) -> Image.Image:
    """Left half red, right half blue."""
    image = Image.new("RGB", (width, height), (255, 0, 0))
    image.paste((0, 0, 255), (width // 2, 0, width, height))
    return image


@pytest.mark.parametrize("image_format", ["PNG", "JPEG", "WEBP", "BMP", "TIFF"])
def test_five_formats_give_the_same_picture(image_format: str) -> None:
    decoded = run(
        encode(split(), image_format, **({"lossless": True} if image_format == "WEBP" else {})), 8
    )
    assert (decoded.header.width, decoded.header.height) == (40, 20)
    assert decoded.header.format == image_format
    assert decoded.pixels.shape == (8, 8, 3)
    assert decoded.original.shape == (20, 40, 3)
    np.testing.assert_allclose(decoded.pixels[4, 1], (255, 0, 0), atol=12)
    np.testing.assert_allclose(decoded.pixels[4, 6], (0, 0, 255), atol=12)


def test_the_middle_square_is_kept() -> None:
    image = Image.new("RGB", (90, 30), (255, 0, 0))
    image.paste((0, 255, 0), (30, 0, 60, 30))
    assert (run(encode(image), 30).pixels == (0, 255, 0)).all()


def test_a_picture_of_that_very_size_is_not_touched() -> None:
    content = make_picture(size=(16, 16))
    np.testing.assert_array_equal(run(content).pixels, np.asarray(Image.open(io.BytesIO(content))))


def test_an_orientation_in_the_camera_data_is_followed() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # turned by 90° to be seen
    decoded = run(encode(split(40, 20), "JPEG", exif=exif, quality=95), 8)
    assert (decoded.header.width, decoded.header.height) == (20, 40)
    assert decoded.oddities == ("rotated",)
    assert decoded.original.shape == (40, 20, 3)
    np.testing.assert_allclose(decoded.original[3, 10], (255, 0, 0), atol=12)  # left became top


def test_cmyk_becomes_rgb() -> None:
    image = Image.new("CMYK", (20, 20), (0, 255, 255, 0))
    decoded = run(encode(image, "JPEG", quality=95))
    assert decoded.oddities == ("cmyk",)
    assert decoded.pixels[8, 8, 0] > 200
    assert decoded.pixels[8, 8, 1] < 60


def test_sixteen_bits_are_scaled_by_one_factor() -> None:
    values = np.full((20, 20), 0x8080, dtype=np.uint16)
    values[:, :10] = 0
    decoded = run(encode(Image.fromarray(values)), 20, 1)
    assert decoded.oddities == ("sixteen_bit",)
    assert decoded.header.is_grey
    assert set(np.unique(decoded.pixels).tolist()) == {0, 128}


def test_large_pictures_of_16_bits_are_made_smaller_too() -> None:
    values = np.full((1_100, 1_200), 0x8080, dtype=np.uint16)
    values[:, :600] = 0
    for image_format in ("PNG", "TIFF"):
        decoded = run(encode(Image.fromarray(values), image_format), 32, 1)
        assert decoded.oddities == ("sixteen_bit",)
        assert decoded.original.shape == (275, 300, 1)
        assert (decoded.pixels[16, 2], decoded.pixels[16, -2]) == (0, 128)


def test_the_bands_of_a_deep_picture_share_one_scale(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(decoding, "_BAND_PIXELS", 24)  # three rows of eight, then two
    values = np.arange(64, dtype=np.float32).reshape(8, 8) * 10 - 300
    decoded = run(encode(Image.fromarray(values), "TIFF"), 8, 1)
    expected = np.rint((values + 300) * (255 / 630)).astype(np.uint8)
    np.testing.assert_array_equal(decoded.pixels[..., 0], expected)


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (np.linspace(0, 1, 64, dtype=np.float32), (0, 255)),
        (np.linspace(-5, 5, 64, dtype=np.float32), (0, 255)),
        (np.arange(64, dtype=np.int32), (0, 63)),
        (np.array([0, np.nan, 1, np.inf] * 16, dtype=np.float32), (0, 255)),
    ],
)
def test_deep_tiffs_are_stretched_sensibly(values: np.ndarray, expected: tuple[int, int]) -> None:
    decoded = run(encode(Image.fromarray(values.reshape(8, 8)), "TIFF"), 8, 1)
    assert (decoded.pixels.min(), decoded.pixels.max()) == expected


def test_transparency_is_put_on_white() -> None:
    image = Image.new("RGBA", (20, 20), (255, 0, 0, 0))
    decoded = run(encode(image))
    assert decoded.oddities == ("transparent",)
    assert (decoded.pixels == 255).all()
    grey = run(encode(Image.new("LA", (20, 20), (0, 0))), 16, 1)
    assert (grey.pixels == 255).all()


def test_a_palette_with_a_hole_is_put_on_white() -> None:
    image = split().convert("P", palette=Image.Palette.ADAPTIVE, colors=2)
    plain = run(encode(image), 8)
    assert plain.oddities == ("palette",)
    np.testing.assert_allclose(plain.pixels[4, 1], (255, 0, 0), atol=3)
    red = image.getpixel((0, 0))
    holed = run(encode(image, transparency=red), 8)
    assert holed.oddities == ("transparent",)
    np.testing.assert_allclose(holed.pixels[4, 1], (255, 255, 255), atol=3)


@pytest.mark.parametrize("image_format", ["PNG", "WEBP", "TIFF"])
def test_of_an_animation_the_first_frame_is_taken(image_format: str) -> None:
    first, second = (Image.new("RGB", (20, 20), colour) for colour in ("red", "blue"))
    content = encode(first, image_format, save_all=True, append_images=[second])
    decoded = run(content)
    assert decoded.oddities == ("animated",)
    np.testing.assert_allclose(decoded.pixels[8, 8], (255, 0, 0), atol=5)


def test_a_jpeg_with_more_of_them_behind_it_is_a_jpeg() -> None:
    first, second = (Image.new("RGB", (20, 20), colour) for colour in ("red", "blue"))
    decoded = run(
        encode(first, "MPO", save_all=True, append_images=[second])
    )  # many phones write so
    assert (decoded.header.format, decoded.oddities) == ("JPEG", ("animated",))
    assert not find_wrong_suffix("DSC_0001.JPG", decoded.header)
    np.testing.assert_allclose(decoded.pixels[8, 8], (255, 0, 0), atol=5)


def test_black_and_white_is_grey() -> None:
    decoded = run(encode(Image.new("1", (20, 20), 1)), 16, 1)
    assert (decoded.pixels == 255).all()
    assert decoded.pixels.shape == (16, 16, 1)
    assert decoded.original.shape == (20, 20, 1)


def test_the_name_may_be_wrong() -> None:
    header = run(make_picture()).header
    assert find_wrong_suffix("a.jpg", header)
    assert not find_wrong_suffix("a.PNG", header)


def test_a_large_picture_is_made_smaller_before_it_is_measured() -> None:
    for image_format in ("JPEG", "PNG"):
        decoded = run(encode(split(2_400, 1_200), image_format), 32)
        assert (decoded.header.width, decoded.header.height) == (2_400, 1_200)
        assert 256 <= min(decoded.original.shape[:2]) < 600
        np.testing.assert_allclose(decoded.pixels[16, 2], (255, 0, 0), atol=12)


def build_png_header(width: int, height: int) -> bytes:
    body = b"IHDR" + struct.pack(">LLBBBBB", width, height, 8, 2, 0, 0, 0)
    chunk = struct.pack(">L", 13) + body + struct.pack(">L", zlib.crc32(body))
    data = b"IDAT" + zlib.compress(bytes(1000))
    rest = struct.pack(">L", len(data) - 4) + data + struct.pack(">L", zlib.crc32(data))
    return b"\x89PNG\r\n\x1a\n" + chunk + rest


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (build_png_header(60_000, 60_000), "3,600 megapixels, far more"),
        (build_png_header(10_000, 9_000), "90 megapixels, far more"),
        (build_png_header(8_000, 9_000), "8,000 × 9,000 pixels, over 50 megapixels"),
        (make_picture(image_format="JPEG", size=(300, 300))[:900], "damaged or cut off"),
        (make_picture(size=(300, 300))[:400], "damaged or cut off"),
        (b"", "no PNG, JPEG"),
        (b"PK\x03\x04 no picture at all", "no PNG, JPEG"),
        (b"GIF89a" + bytes(50), "no PNG, JPEG"),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n", "no PNG, JPEG"),
    ],
)
def test_damage_is_a_reason(content: bytes, words: str) -> None:
    with pytest.raises(MemberError, match=words):
        run(content)


def test_a_header_is_enough_for_the_size() -> None:
    with guard_pillow():
        header = load_header(io.BytesIO(make_picture(size=(30, 20), mode="L")), PIXELS)
        assert (header.width, header.height, header.is_grey) == (30, 20, True)
        with pytest.raises(MemberError):
            load_header(io.BytesIO(b"nothing"), PIXELS)
