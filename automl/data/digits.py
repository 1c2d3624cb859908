"""The digits of scikit-learn as pictures: a ZIP with one folder per class, the same bytes every time."""

import io
import zipfile
from pathlib import Path

import numpy as np
from PIL import Image

_OLDEST = (1980, 1, 1, 0, 0, 0)
_HIGHEST = 16  # the source counts dots in squares of 4 × 4


def write_digits(path: Path) -> None:
    """Write 1,797 grey PNG pictures of 8 × 8 pixels as ``<digit>/<number>.png`` into a ZIP.

    Source: UCI, Optical Recognition of Handwritten Digits (test part), as scikit-learn holds it.
    """
    from sklearn.datasets import load_digits

    bunch = load_digits()
    pixels = np.rint(bunch.images * (255 / _HIGHEST)).astype(np.uint8)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
        for number, (picture, digit) in enumerate(zip(pixels, bunch.target, strict=True)):
            buffer = io.BytesIO()
            Image.fromarray(picture).save(buffer, format="PNG", compress_level=9)
            entry = zipfile.ZipInfo(f"{digit}/{number:04d}.png", _OLDEST)
            entry.external_attr = 0o644 << 16
            archive.writestr(entry, buffer.getvalue())
