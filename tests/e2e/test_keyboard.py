"""Without a mouse, in the dark: from the start page to a running search."""

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.e2e.acts import by_key, expect_state, open_page, settle
from tests.e2e.readable import assert_accessible
from tests.e2e.server import Server, run_server

MAX_STEPS = 40
READ_FOCUS = """() => {
  let at = document.activeElement;
  while (at?.shadowRoot?.activeElement) at = at.shadowRoot.activeElement;
  const style = getComputedStyle(at), box = at.closest('[class*=st-key-]');
  const ring = style.outlineStyle !== 'none' || style.boxShadow !== 'none';
  return { key: box?.className.match(/st-key-([\\w-]+)/)[1] ?? '', tag: at.tagName, ring };
}"""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with run_server(tmp_path_factory.mktemp("keyboard") / "home") as running:
        yield running


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    context = browser.new_context(
        viewport={"width": 1440, "height": 1000}, color_scheme="dark", locale="en-GB"
    )
    yield context.new_page()
    context.close()


def read_focus(page: Page) -> dict[str, Any]:
    """What has the focus; a page that is being drawn has a moment to show it."""
    focus: dict[str, Any] = page.evaluate(READ_FOCUS)
    if not focus["ring"]:
        page.wait_for_timeout(400)
        focus = page.evaluate(READ_FOCUS)
    return focus


def press(page: Page, key: str) -> None:
    """Tab to the button of that key, seeing the focus on every link and button, and press Enter."""
    for _ in range(MAX_STEPS):
        page.keyboard.press("Tab")
        focus = read_focus(page)
        assert focus["ring"] or focus["tag"] not in ("A", "BUTTON"), focus
        if focus["key"] == key and focus["tag"] == "BUTTON":
            page.keyboard.press("Enter")
            return
    pytest.fail(f"{key} is not reached in {MAX_STEPS} steps")


def test_a_search_is_started_with_the_keyboard_alone(page: Page, server: Server) -> None:
    open_page(page, f"{server.url}/data")
    press(page, "sample_wine")
    expect(by_key(page, "continue").locator("button:enabled")).to_be_visible(timeout=60_000)
    settle(page)
    assert_accessible(page)
    press(page, "continue")
    expect(by_key(page, "start").locator("button")).to_be_visible(timeout=30_000)
    settle(page)
    assert_accessible(page)
    press(page, "start")
    expect_state(page, "running", seconds=60)
    told = by_key(page, "announce_state").locator("[role=status]")
    expect(told).to_contain_text("running", timeout=15_000)
