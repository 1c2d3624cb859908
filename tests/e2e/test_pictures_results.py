"""Pictures from a finished search on: mistakes, maps of a decision, the drawing, audit, report, one prediction."""

import html
import json
import re
import zipfile
from pathlib import Path
from typing import Any

from playwright.sync_api import Page, expect

from tests.e2e.acts import (
    ask_for_map,
    by_key,
    choose,
    choose_view,
    click,
    download,
    expect_state,
    limit_trials,
    open_page,
    open_tab,
    settle,
    unfold,
    upload,
)
from tests.e2e.server import Server, is_healthy, wait_until
from tests.painted_zips import Painting, encode, paint, write_shapes

N_TRIALS = 3
CELL = re.compile(r"(circle|cross|square) → (circle|cross|square): (\d+) of (\d+)")


def test_from_pictures_to_the_report(page: Page, server: Server, tmp_path: Path) -> None:
    bring_shapes(page, server, write_shapes(tmp_path / "shapes.zip"))
    choose(page, "sensitive_computed", "brightness")
    click(page, "continue")
    settle(page)
    search_quickly(page)

    click(page, "open_results")
    settle(page)
    expect(by_key(page, "headline").first).to_contain_text("[", timeout=30_000)
    look_at_confused_pairs(page)
    look_at_the_network(page)

    click(page, "open_audit")
    settle(page)
    expect(page.get_by_text("Computed from the picture, stated by nobody").first).to_be_visible()
    found = by_key(page, "found").first
    expect(found.get_by_text(re.compile(r"Accuracy is [\d.]+ % \(\d+/\d+\)")).first).to_be_visible()
    report = download(page, "download_report", tmp_path).read_text()
    audit = json.loads(download(page, "download_audit_json", tmp_path).read_text())
    assert_same_numbers(report, audit, n_rows=90)
    assert "<img" not in report  # pictures leave only when they are ticked

    predict_one(page, server, tmp_path)


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


def predict_one(page: Page, server: Server, folder: Path) -> None:
    """One picture that the model has never seen is decided, with its probabilities."""
    picture = folder / "new.png"
    *_, (_, _, shown) = paint("new", 2, Painting())
    picture.write_bytes(encode(shown))
    query = page.url.split("?", 1)[1]
    open_page(page, f"{server.url}/models?{query}")
    upload(page, picture, "predict_pictures")
    expect(page.get_by_text("new.png predicted").first).to_be_visible(timeout=120_000)
    expect(
        page.get_by_text(re.compile(r"Decided: (circle|cross|square), probability [\d.]+ %")).first
    ).to_be_visible()


def assert_same_numbers(report: str, audit: dict[str, Any], n_rows: int) -> None:
    """Accuracy of every group stands in the HTML as the JSON has it, with both counts."""
    text = html.unescape(re.sub(r"<[^>]+>", " ", report))
    assert audit["by_group"]
    for row in audit["by_group"]:
        cell = row["metrics"]["accuracy"]
        told = f"{100 * cell['value']:.1f} % [{100 * cell['low']:.1f}, {100 * cell['high']:.1f}]"
        assert f"{told} ({cell['numerator']}/{cell['denominator']})" in text, row["group"]
    assert sum(row["n"] for row in audit["by_group"]) == n_rows


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
