"""Take the pictures in docs/images: every page, wide, narrow and dark, with a real search in it.

``python -m tests.screenshots`` uploads a table, searches it in a real browser on the real product, and
writes PNG files. They are looked at by a person before they are committed.
"""

import sys
import tempfile
from pathlib import Path

from playwright.sync_api import Browser, Page, expect, sync_playwright

from tests.browser import find_browser
from tests.conftest import ROOT, find_data
from tests.e2e.acts import (
    by_key,
    choose,
    click,
    expect_state,
    limit_trials,
    open_page,
    settle,
    upload,
)
from tests.e2e.server import Server, run_server

IMAGES = ROOT / "docs" / "images"
N_TRIALS = 30
LOOKS = {
    "wide": ({"width": 1440, "height": 1000}, "light"),
    "narrow": ({"width": 390, "height": 900}, "light"),
    "dark": ({"width": 1440, "height": 1000}, "dark"),
}
MOST_PIXELS = 2600  # height of a picture


def take(browser: Browser, address: str, name: str) -> None:
    """One page in every look."""
    for look, (viewport, scheme) in LOOKS.items():
        context = browser.new_context(viewport=viewport, color_scheme=scheme, locale="en-GB")
        page = context.new_page()
        open_page(page, address)
        shoot(page, f"{name}-{look}", viewport)
        context.close()


def shoot(page: Page, name: str, viewport: dict[str, int]) -> None:
    """Let the charts draw, make the window as tall as the page, and take the picture."""
    page.wait_for_timeout(1500)
    main = page.locator("[data-testid='stMain']")
    height = int(main.evaluate("element => element.scrollHeight"))
    page.set_viewport_size(
        {"width": viewport["width"], "height": min(max(height, viewport["height"]), MOST_PIXELS)}
    )
    page.wait_for_timeout(1500)
    page.screenshot(path=IMAGES / f"{name}.png")


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
    for name in ("data", "search", "results", "audit", "models", "system"):
        context = browser.new_context(viewport=LOOKS["wide"][0], locale="en-GB")
        page = context.new_page()
        open_page(page, f"{server.url}/{name}")
        if name in ("data", "results"):
            shoot(page, f"{name}-empty", LOOKS["wide"][0])
        context.close()
    page = browser.new_context(viewport=LOOKS["wide"][0], locale="en-GB").new_page()
    search_adult(page, server, data)
    take(browser, page.url, "dataset")
    click(page, "continue")
    settle(page)
    take(browser, page.url, "search-new")
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
    page.screenshot(path=IMAGES / "first-screen.png")  # what the README shows
    for name in ("results", "audit", "models", "search", "system"):
        take(browser, f"{server.url}/{name}?{query}", name)
    take(browser, f"{server.url}/data", "data")


def main() -> int:
    data = find_data()
    executable = find_browser()
    if data is None or executable is None:
        print("The pictures need the real data and a browser.", file=sys.stderr)
        return 1
    IMAGES.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=executable, args=["--no-sandbox", "--disable-dev-shm-usage"]
        )
        with run_server(Path(folder) / "home") as server:
            browse(browser, server, data)
        browser.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
