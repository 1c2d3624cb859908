"""The side pictures are stored at: from the data, within what the disk has left."""

from dataclasses import replace
from pathlib import Path

import pytest

from automl.data.images.sizing import SideRequest, choose_side, estimate_bytes
from automl.errors import DataError, DiskFull


def test_the_side_follows_the_data_and_the_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    request = SideRequest(short_sides=[500, 100, 130], n_pictures=1_000, channels=3)
    assert choose_side(request, tmp_path)[0] == 128
    large = SideRequest(short_sides=[4_000], n_pictures=1_000, channels=3)
    assert choose_side(large, tmp_path)[0] == 288
    tiny = SideRequest(short_sides=[3], n_pictures=1, channels=3)
    assert choose_side(tiny, tmp_path)[0] == 8
    fixed = SideRequest(short_sides=[40], n_pictures=1, channels=3, fixed=48)
    assert choose_side(fixed, tmp_path)[0] == 48
    with pytest.raises(DataError, match="at 500 pixels"):
        choose_side(SideRequest(short_sides=[40], n_pictures=1, channels=3, fixed=500), tmp_path)
    usage = type("Usage", (), {"free": estimate_bytes(large, 100)})
    monkeypatch.setattr("automl.data.images.sizing.shutil.disk_usage", lambda _folder: usage)
    side, (note,) = choose_side(large, tmp_path)
    assert (side, note.code, note.level) == (96, "side_lowered", "warning")
    assert "instead of 288 × 288: 250.8 MB would be needed, 32.0 MB are free." in note.text
    usage.free += 2_000_000_000
    kept = replace(large, keep_free_bytes=2_000_000_000)
    assert (
        "32.0 MB are free beside the 2.0 GB that stay so" in choose_side(kept, tmp_path)[1][0].text
    )
    usage.free = 1_000
    with pytest.raises(DiskFull, match="at least"):
        choose_side(large, tmp_path)
