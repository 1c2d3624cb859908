"""Rows, groups and small copies of pictures for the pages."""

import base64
import io
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from app import pictures, services
from app.components.picture_figures import (
    compute_class_counts,
    compute_sizes,
    count_kinds,
    plot_class_counts,
    plot_kinds,
    plot_sizes,
)
from app.components.picture_gallery import Filter, select_rows
from app.components.picture_reading import build_preview
from app.components.picture_roles import name_column
from app.components.picture_views import spread_rows
from app.wording import knows
from automl.data.images.name_pattern import parse_pattern
from automl.data.images.profile import DROPPABLE
from tests.ui.picture_zips import Plan, import_pictures


def decode(source: str) -> Image.Image:
    head, _, body = source.partition(",")
    assert head.startswith("data:image/")
    return Image.open(io.BytesIO(base64.b64decode(body)))


@pytest.mark.parametrize("channels", [1, 3])
def test_small_pictures_come_as_they_are_and_large_ones_smaller(channels: int) -> None:
    small = np.random.default_rng(0).integers(0, 256, (32, 32, channels), dtype=np.uint8)
    shown = np.asarray(decode(pictures.render_source(small)))
    np.testing.assert_array_equal(shown.reshape(small.shape), small)
    large = decode(pictures.render_source(np.zeros((288, 288, channels), np.uint8)))
    assert large.size == (pictures.THUMBNAIL_SIDE, pictures.THUMBNAIL_SIDE)


def test_a_page_of_sixty_large_pictures_is_encoded_quickly() -> None:
    noise = np.random.default_rng(0).integers(0, 256, (60, 288, 288, 3), dtype=np.uint8)
    started = time.perf_counter()
    for picture in noise:
        pictures.render_source(picture)
    assert time.perf_counter() - started < 1.0  # 60 ms on a quiet machine


def test_tiles_have_words_for_who_does_not_see_them(tmp_path: Path) -> None:
    dataset = import_pictures(tmp_path, Plan(n_per_class=8))
    index = pictures.read_index(dataset, "label")
    tiles = pictures.build_tiles(dataset, [5, 0], index)
    assert [tile.row for tile in tiles] == [5, 0]
    assert tiles[0].alt == f"{index['file'].iloc[5]}, class {index['label'].iloc[5]}"
    assert tiles[0].source != tiles[1].source


def test_parts_follow_the_order_of_the_rows(tmp_path: Path) -> None:
    dataset = import_pictures(tmp_path, Plan(n_per_class=8, n_test_per_class=4))
    dataset = replace(dataset, n_val_rows=6)
    index = pictures.read_index(dataset, None)
    assert list(index["part"]) == ["train"] * 18 + ["val"] * 6 + ["test"] * 12
    assert set(index["file"][24:].str.split("/").str[0]) == {"test"}


def test_copies_are_grouped_with_all_their_members(tmp_path: Path) -> None:
    dataset = import_pictures(tmp_path, Plan(n_per_class=8, has_flaws=True))
    findings = pictures.read_findings(dataset)
    index = pictures.read_index(dataset, "label")
    (group,) = findings["exact_duplicate"].groups
    names = [index["file"].iloc[row] for row in group]
    assert names == [f"cat/copy_{number}.png" for number in range(3)]
    assert len(findings["exact_duplicate"].rows) == 2
    assert not findings["dark"].groups


def test_filters_and_orders_select_rows(tmp_path: Path) -> None:
    dataset = import_pictures(tmp_path, Plan(n_per_class=8, n_test_per_class=4, has_flaws=True))
    index = pictures.read_index(dataset, "label")
    rows = select_rows(dataset, index, Filter(label="dog", part="test"), None)
    assert sorted(index["label"].iloc[rows].unique()) == ["dog"]
    assert (rows >= dataset.n_train_rows).all()
    light = pictures.read_values(dataset, "picture_brightness")
    darkest = select_rows(dataset, index, Filter(order="darkest"), None)
    assert (np.diff(light[darkest]) >= 0).all()
    mixed = select_rows(dataset, index, Filter(), None)
    assert sorted(mixed) == list(range(dataset.n_rows))
    np.testing.assert_array_equal(mixed, select_rows(dataset, index, Filter(), None))
    dark = select_rows(dataset, index, Filter(), pictures.read_findings(dataset)["dark"])
    assert list(index["file"].iloc[dark]) == ["train/dog/night.png"]


def test_samples_of_a_class_are_spread_over_it(tmp_path: Path) -> None:
    index = pictures.read_index(import_pictures(tmp_path, Plan(n_per_class=20)), "label")
    rows = spread_rows(index, "dog", 8)
    assert len(rows) == 8
    assert set(index["label"].iloc[rows]) == {"dog"}
    assert max(rows) - min(rows) >= 14
    assert len(spread_rows(index.iloc[:50], "dog", 80)) == 20


def test_figures_count_what_is_there(tmp_path: Path) -> None:
    dataset = import_pictures(tmp_path, Plan(n_per_class=8, n_test_per_class=4))
    index = pictures.read_index(dataset, "label")
    counts = compute_class_counts(index, by_part=True)
    assert list(counts.columns) == ["class", "part", "pictures"]
    assert counts["pictures"].sum() == dataset.n_rows
    assert [trace.name for trace in plot_class_counts(counts).data] == ["train", "test"]
    alone = compute_class_counts(index, by_part=False)
    assert list(alone["pictures"]) == [12, 12, 12]
    originals = pictures.read_originals(dataset)
    sizes = compute_sizes(originals)
    assert sizes.to_dict("records") == [{"width": 20, "height": 20, "pictures": 36}]
    assert len(plot_sizes(sizes, 16).data) == 1
    assert len(plot_kinds(count_kinds(originals)).data[0].x) == 1


def test_the_preview_of_a_pattern_shows_names_that_fit_first() -> None:
    pattern = parse_pattern("{sex}_*")
    names = ["noise.png", "f_1.png", "m_2.png"]
    shown = build_preview(names, [pattern.match(name) for name in names])
    assert list(shown["File"]) == ["f_1.png", "m_2.png", "noise.png"]
    assert list(shown["sex"][:2]) == ["f", "m"]


def test_lists_of_another_workspace_are_not_mixed_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    dataset = import_pictures(tmp_path, Plan(n_per_class=8))
    pictures.read_index(dataset, "label")
    monkeypatch.setenv("FAIRLOOM_HOME", str(tmp_path / "other"))
    with pytest.raises(Exception, match="may have been deleted"):
        services.read_originals(dataset.id)
    with pytest.raises(Exception, match="may have been deleted"):
        pictures.read_index(dataset, "label")


def test_every_finding_and_every_computed_column_has_a_word(tmp_path: Path) -> None:
    for code in DROPPABLE:
        assert knows(f"pictures.finding_{code}"), code
    dataset = import_pictures(tmp_path, Plan(n_per_class=8))
    computed = [column.name for column in dataset.columns if column.name.startswith("picture_")]
    assert len(computed) >= 10
    for name in computed:
        assert name_column(name) != name
