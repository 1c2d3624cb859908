"""Every page, empty and wide or narrow: readable, reachable, no serious accessibility finding."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.acts import open_page
from tests.e2e.readable import assert_accessible
from tests.e2e.server import Server, run_server

PAGES = ("data", "search", "results", "audit", "models", "system")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A product that nobody has used yet."""
    with run_server(tmp_path_factory.mktemp("empty") / "home") as running:
        yield running


@pytest.mark.parametrize("name", PAGES)
def test_an_empty_page_says_what_to_do_next(page: Page, server: Server, name: str) -> None:
    open_page(page, f"{server.url}/{name}")
    expect(page.locator("h1")).to_have_count(1)
    assert_accessible(page)
    if name != "system":
        assert page.locator("main button, main a").count() >= 1


@pytest.mark.parametrize("width", [390, 1024])
@pytest.mark.parametrize("name", PAGES)
def test_nothing_is_cut_on_a_narrow_screen(
    page: Page, server: Server, name: str, width: int
) -> None:
    page.set_viewport_size({"width": width, "height": 900})
    open_page(page, f"{server.url}/{name}")
    overflow = page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
    assert overflow <= 0


def test_a_stale_link_says_so(page: Page, server: Server) -> None:
    open_page(page, f"{server.url}/search?search=does-not-exist")
    expect(page.locator("h1")).to_have_count(1)
    expect(page.get_by_text("Traceback")).to_have_count(0)
