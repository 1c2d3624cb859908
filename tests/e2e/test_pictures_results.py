"""Pictures from a finished search on: mistakes, maps of a decision, the drawing, audit, report, one prediction."""

import html
import json
import re
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.e2e.acts import (
    ask_for_map,
    by_key,
    choose,
    choose_view,
    click,
    download,
    expect_state,
    go_on,
    limit_trials,
    open_page,
    open_tab,
    settle,
    unfold,
    upload,
)
from tests.e2e.conftest import watch
from tests.e2e.readable import assert_accessible
from tests.e2e.server import Server, is_healthy, wait_until
from tests.painted_zips import Painting, encode, paint, write_shapes

N_TRIALS = 3
CELL = re.compile(r"(circle|cross|square) → (circle|cross|square): (\d+) of (\d+)")


@pytest.fixture(scope="module")
def searched(
    browser: Browser, server: Server, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[str]:
    """What the address of a finished search on pictures ends with, after a walk from the upload on."""
    context = browser.new_context(viewport={"width": 1440, "height": 1000}, locale="en-GB")
    page = context.new_page()
    trouble = watch(page, server.url)
    bring_shapes(page, server, write_shapes(tmp_path_factory.mktemp("zip") / "shapes.zip"))
    choose(page, "sensitive_computed", "brightness")
    go_on(page)
    search_quickly(page)
    yield page.url.split("?", 1)[1]
    context.close()
    assert not trouble, trouble


def test_mistakes_and_why_they_were_made(page: Page, server: Server, searched: str) -> None:
    open_page(page, f"{server.url}/search?{searched}")
    click(page, "open_results")
    settle(page)
    expect(by_key(page, "headline").first).to_contain_text("[", timeout=30_000)
    look_at_confused_pairs(page)
    look_at_one_cell(page)
    look_at_the_network(page)


def test_audit_and_report_agree(page: Page, server: Server, searched: str, tmp_path: Path) -> None:
    open_page(page, f"{server.url}/results?{searched}")
    click(page, "open_audit")
    settle(page)
    expect(page.get_by_text("Computed from the picture, stated by nobody").first).to_be_visible()
    found = by_key(page, "found").first
    expect(found.get_by_text(re.compile(r"Accuracy is [\d.]+ % \(\d+/\d+\)")).first).to_be_visible()
    report = download(page, "download_report", tmp_path).read_text()
    audit = json.loads(download(page, "download_audit_json", tmp_path).read_text())
    assert_same_numbers(report, audit, n_rows=90)
    assert "<img" not in report  # pictures leave only when they are ticked


def test_one_new_picture_is_decided(
    page: Page, server: Server, searched: str, tmp_path: Path
) -> None:
    picture = tmp_path / "new.png"
    *_, (_, _, shown) = paint("new", 2, Painting())
    picture.write_bytes(encode(shown))
    open_page(page, f"{server.url}/models?{searched}")
    upload(page, picture, "predict_pictures")
    expect(page.get_by_text("new.png predicted").first).to_be_visible(timeout=120_000)
    decided = re.compile(r"Decided: (circle|cross|square), probability [\d.]+ %")
    expect(page.get_by_text(decided).first).to_be_visible()


@pytest.mark.parametrize("name", ["data", "search", "results", "audit", "models"])
def test_pages_with_pictures_are_readable(
    page: Page, server: Server, searched: str, name: str
) -> None:
    query = searched if name != "data" else searched.split("&", maxsplit=1)[0]
    open_page(page, f"{server.url}/{name}?{query}")
    expect(page.locator("h1")).to_have_count(1)
    if name in ("data", "results"):
        gallery = by_key(page, "gallery" if name == "data" else "pair_gallery").last
        expect(gallery.locator("img").first).to_be_visible(timeout=30_000)
    assert_readable(page)


def bring_shapes(page: Page, server: Server, file: Path) -> None:
    """Upload, and see that every picture arrived with its part."""
    open_page(page, f"{server.url}/data")
    upload(page, file)
    expect(page).to_have_url(re.compile("dataset="), timeout=60_000)
    settle(page)
    for fact in ("270 pictures", "3 classes", "90 of them a given test part"):
        expect(page.get_by_text(fact).first).to_be_visible(timeout=20_000)


def search_quickly(page: Page) -> None:
    """A few trials of the smallest space, followed to their end."""
    limit_trials(page, N_TRIALS)
    unfold(page, "advanced")
    choose(page, "preset", "quick")
    click(page, "start")
    expect_state(page, "running", seconds=60)
    expect(by_key(page, "best").first).to_contain_text("0.", timeout=120_000)
    expect_state(page, "done", seconds=300)


def look_at_confused_pairs(page: Page) -> None:
    """The most frequent pair, its pictures, and a map over one of them."""
    open_tab(page, "Pictures")
    picked = by_key(page, "error_pair").locator("input[role=combobox]").first
    told = CELL.search(str(picked.get_attribute("value") or picked.input_value()))
    assert told, picked.evaluate("element => element.outerHTML")
    truth, decision, n, of = told.groups()
    assert truth != decision
    assert of == "30"
    gallery = by_key(page, "pair_gallery").last
    expect(gallery.locator("img")).to_have_count(min(24, int(n)), timeout=20_000)
    words = str(gallery.locator("img").first.get_attribute("alt"))
    assert re.match(rf"test/{truth}/\d+\.png: {truth}, taken for {decision}", words), words

    gallery.locator("button").first.click()
    ask_for_map(page)
    overlay = page.get_by_alt_text(f"The picture under a map of what spoke for {decision}")
    expect(overlay).to_be_visible()
    size = overlay.evaluate("image => [image.complete, image.naturalWidth]")
    assert size[0]
    assert size[1] >= 24
    expect(page.get_by_text("Method: Grad-CAM").first).to_be_visible()
    choose_view(page, "Most confidently wrong", "pictures_view")
    expect(by_key(page, "confident_gallery").last.locator("img").first).to_be_visible(
        timeout=20_000
    )


def look_at_the_network(page: Page) -> None:
    """The drawing by stage with its sentence, shapes and multiply-adds."""
    open_tab(page, "Model")
    drawing = by_key(page, "architecture_figure").first
    expect(drawing.locator(".js-plotly-plot")).to_be_visible(timeout=20_000)
    expect(drawing).to_contain_text("multiply-adds")
    expect(drawing).to_contain_text(re.compile(r"→ \d+×\d+×\d+"))
    expect(page.get_by_role("heading", name="By stage")).to_be_visible()


def look_at_one_cell(page: Page) -> None:
    """A press on a cell of the matrix opens its pictures."""
    choose_view(page, "Confused pairs", "pictures_view")
    marks = by_key(page, "picture_confusion_figure").locator(".scatterlayer .point")
    expect(marks.first).to_be_attached(timeout=20_000)
    place = marks.first.bounding_box()
    assert place is not None
    page.mouse.click(place["x"] + place["width"] / 2, place["y"] + place["height"] / 2)
    expect(page.get_by_role("heading", name="circle, decided so")).to_be_visible(timeout=20_000)


def assert_same_numbers(report: str, audit: dict[str, Any], n_rows: int) -> None:
    """Accuracy of every group stands in the HTML as the JSON has it, with both counts."""
    text = html.unescape(re.sub(r"<[^>]+>", " ", report))
    assert audit["by_group"]
    for row in audit["by_group"]:
        cell = row["metrics"]["accuracy"]
        told = f"{100 * cell['value']:.1f} % [{100 * cell['low']:.1f}, {100 * cell['high']:.1f}]"
        assert f"{told} ({cell['numerator']}/{cell['denominator']})" in text, row["group"]
    assert sum(row["n"] for row in audit["by_group"]) == n_rows


def assert_readable(page: Page) -> None:
    """No serious accessibility finding, and nothing cut on small screens."""
    assert_accessible(page)
    for width in (1024, 390):
        page.set_viewport_size({"width": width, "height": 900})
        page.wait_for_timeout(500)  # charts draw anew
        main = page.locator("[data-testid='stMain']")
        assert main.evaluate("element => element.scrollWidth - element.clientWidth") <= 0, width
        assert page.evaluate("document.documentElement.scrollWidth - window.innerWidth") <= 0, width


def test_a_zip_that_leaves_its_folder_is_refused_and_the_page_lives(
    page: Page, server: Server, tmp_path: Path
) -> None:
    hostile = write_shapes(tmp_path / "hostile.zip", Painting(n_train=4, n_test=2))
    with zipfile.ZipFile(hostile, "a") as archive:
        archive.writestr("../outside.png", b"no")
    open_page(page, f"{server.url}/data")
    upload(page, hostile)
    expect(page.get_by_text("../outside.png").first).to_be_visible(timeout=60_000)
    expect(page.get_by_text("a name that leaves its folder").first).to_be_visible()
    expect(page.get_by_text("Traceback")).to_have_count(0)
    assert is_healthy(server.url)
    assert not list(server.home.rglob("outside.png"))
    assert not (server.home.parent / "outside.png").exists()
    click(page, "import_back")
    settle(page)
    expect(by_key(page, "upload").first).to_be_visible()


def test_an_import_of_pictures_can_be_cancelled(page: Page, server: Server, tmp_path: Path) -> None:
    many = write_shapes(tmp_path / "many.zip", Painting(n_train=3000, n_test=0, side=16))
    open_page(page, f"{server.url}/data")
    upload(page, many)
    expect(page.get_by_text(re.compile(r"[\d,]+ of 9,000")).first).to_be_visible(timeout=60_000)
    click(page, "cancel_import")
    settle(page)
    expect(by_key(page, "upload").first).to_be_visible(timeout=20_000)
    workspace = server.home
    wait_until(
        lambda: not any((workspace / "tmp").glob("*")), seconds=20, what="half an import to go"
    )
    expect(page.get_by_text("many.zip")).to_have_count(0)
