"""Take the pictures in docs/images: every page, wide, narrow and dark, with real searches in it.

``python -m tests.screenshots`` uploads a table and then a ZIP of painted pictures, searches both in a real
browser on the real product, and writes PNG files; ``states`` are the pages empty, full, failed, stopped and
waiting. With ``tables``, ``states`` or ``pictures`` it does that alone. They are looked at by a person before
they are committed.
"""

import sys
import tempfile
from pathlib import Path

from playwright.sync_api import Browser, Page, expect, sync_playwright

from tests.browser import find_browser
from tests.conftest import find_data
from tests.e2e.acts import (
    ask_for_map,
    by_key,
    choose,
    choose_view,
    click,
    expect_state,
    limit_minutes,
    limit_trials,
    open_page,
    open_tab,
    settle,
    unfold,
    upload,
)
from tests.e2e.server import Server, run_server
from tests.painted_zips import Painting, encode, paint, write_shapes
from tests.screenshot_camera import IMAGES, LOOKS, Prepare, save, take
from tests.screenshot_states import browse_states

N_TRIALS = 30
MINUTES = 3
PAINTING = Painting(
    classes=("circle", "cross", "ring", "square", "star", "triangle"),
    n_train=300, n_test=120, side=32, has_scene=True, has_list=True,
)  # fmt: skip


def search_adult(page: Page, server: Server, data: Path) -> None:
    """Upload, choose, search; the pictures of the way are taken in ``browse``."""
    open_page(page, server.url)
    upload(page, data / "adult_train.csv")
    expect(page.get_by_text("32,561").first).to_be_visible(timeout=60_000)
    choose(page, "target", "income")
    choose(page, "beneficial", ">50K")
    choose(page, "sensitive", "sex")
    choose(page, "sensitive", "race")


def browse(browser: Browser, server: Server, data: Path) -> None:
    """The way of a newcomer, with a picture of every page."""
    page = browser.new_context(viewport=LOOKS["wide"][0], locale="en-GB").new_page()
    search_adult(page, server, data)
    take(browser, page.url, "dataset")
    click(page, "continue")
    settle(page)
    take(browser, page.url, "search-new")
    take(browser, page.url, "search-advanced", lambda each: unfold(each, "advanced"))
    limit_trials(page, N_TRIALS)
    click(page, "start")
    expect_state(page, "running", seconds=60)
    expect(by_key(page, "best").first).to_contain_text("0.", timeout=90_000)
    page.wait_for_timeout(8_000)
    take(browser, page.url, "search-running")
    expect_state(page, "done", seconds=600)
    query = page.url.split("?", 1)[1]
    open_page(page, f"{server.url}/results?{query}")
    page.wait_for_timeout(2_000)
    save(page, IMAGES / "first-screen.png")  # what the README shows
    for name in ("results", "audit", "models", "search", "system"):
        take(browser, f"{server.url}/{name}?{query}", name)
    address = f"{server.url}/results?{query}"
    for name in ("Model", "Search"):
        take(
            browser, address, f"results-{name.lower()}", lambda each, tab=name: open_tab(each, tab)
        )
    take(browser, f"{server.url}/data", "data")


def browse_pictures(browser: Browser, server: Server, folder: Path) -> None:
    """The same way with a ZIP of pictures: mistakes, maps, the drawing and one prediction besides."""
    page = browser.new_context(viewport=LOOKS["wide"][0], locale="en-GB").new_page()
    open_page(page, f"{server.url}/data")
    upload(page, write_shapes(folder / "shapes.zip", PAINTING))
    expect(by_key(page, "continue").first).to_be_visible(timeout=120_000)
    settle(page)
    choose(page, "sensitive", "camera")
    choose(page, "sensitive_computed", "brightness")
    take(browser, page.url, "pictures-data")
    take(browser, page.url, "pictures-classes", lambda each: choose_view(each, "Classes"))
    click(page, "continue")
    settle(page)
    take(browser, page.url, "pictures-search-new")
    limit_minutes(page, MINUTES)
    by_key(page, "method").get_by_text("Both", exact=True).click()
    settle(page)
    click(page, "start")
    expect_state(page, "running", seconds=60)
    expect(by_key(page, "best").first).to_contain_text("0.", timeout=120_000)
    page.wait_for_timeout(15_000)
    take(browser, page.url, "pictures-search-running")
    expect_state(page, "done", seconds=90 * MINUTES)
    query = page.url.split("?", 1)[1]
    explain_some(page, f"{server.url}/results?{query}")
    predict_one(page, f"{server.url}/models?{query}", folder)
    for name, prepare in FINISHED.items():
        opened = name.partition("-")[0]
        take(browser, f"{server.url}/{opened}?{query}", f"pictures-{name}", prepare)


def explain_some(page: Page, address: str) -> None:
    """Maps over the first two of the most confidently wrong pictures."""
    open_page(page, address)
    for number in range(2):
        choose_view(page, "Most confidently wrong", "pictures_view")
        gallery = by_key(page, "confident_gallery").last
        expect(gallery.locator("img").first).to_be_visible(timeout=20_000)
        gallery.locator("button").nth(number).click()
        ask_for_map(page)


def predict_one(page: Page, address: str, folder: Path) -> None:
    """One new picture, decided."""
    *_, (_, _, picture) = paint("another", 2, PAINTING)
    (folder / "new.png").write_bytes(encode(picture))
    open_page(page, address)
    upload(page, folder / "new.png", "predict_pictures")
    expect(page.get_by_text("Decided:").first).to_be_visible(timeout=120_000)


def open_explained(page: Page) -> None:
    choose_view(page, "Why this decision", "pictures_view")
    known = by_key(page, "known_gallery").last
    expect(known.locator("img").first).to_be_visible(timeout=20_000)
    known.locator("button").first.click()
    expect(by_key(page, "explained").first).to_be_visible(timeout=20_000)


FINISHED: dict[str, Prepare | None] = {
    "search": None,
    "results": None,
    "results-why": open_explained,
    "results-network": lambda page: open_tab(page, "Model"),
    "results-methods": lambda page: open_tab(page, "Search"),
    "audit": None,
    "audit-classes": lambda page: open_tab(page, "Classes"),
    "models": None,
}


def main() -> int:
    data = find_data()
    executable = find_browser()
    kinds = sys.argv[1:] or ["tables", "states", "pictures"]
    if (data is None and "tables" in kinds) or executable is None:
        print("The pictures need the real data and a browser.", file=sys.stderr)
        return 1
    IMAGES.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=executable, args=["--no-sandbox", "--disable-dev-shm-usage"]
        )
        if data is not None and "tables" in kinds:
            with run_server(Path(folder) / "home") as server:
                browse(browser, server, data)
        if "states" in kinds:
            with run_server(Path(folder) / "states") as server:
                browse_states(browser, server, Path(folder))
        if "pictures" in kinds:
            with run_server(Path(folder) / "pictures") as server:
                browse_pictures(browser, server, Path(folder))
        browser.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
