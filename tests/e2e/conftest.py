"""A real browser on the real product; console errors and foreign requests fail the test."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from tests.browser import find_browser
from tests.e2e.server import Server, run_server


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if "tests/e2e" in str(item.path):
            item.add_marker(pytest.mark.e2e)


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    path = find_browser()
    if path is None:
        pytest.fail("no browser: run `python -m tests.browser`")
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(
            executable_path=path,
            args=[
                "--no-sandbox", "--disable-dev-shm-usage", "--disable-background-networking",
                "--disable-component-update", "--no-first-run", "--disable-sync",
            ],
        )  # fmt: skip
        yield launched
        launched.close()


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with run_server(tmp_path_factory.mktemp("e2e") / "home") as running:
        yield running


@pytest.fixture
def context(browser: Browser, tmp_path: Path) -> Iterator[BrowserContext]:
    opened = browser.new_context(
        viewport={"width": 1440, "height": 1000}, accept_downloads=True, locale="en-GB"
    )
    opened.tracing.start(screenshots=True, snapshots=True)
    yield opened
    opened.tracing.stop(path=tmp_path / "trace.zip")
    opened.close()


@pytest.fixture
def page(context: BrowserContext, server: Server) -> Iterator[Page]:
    opened = context.new_page()
    trouble = watch(opened, server.url)
    yield opened
    assert not trouble, trouble


def watch(page: Page, url: str) -> list[str]:
    """Collect console errors, page errors and requests to other hosts."""
    trouble: list[str] = []

    def on_console(message: object) -> None:
        text = f"{message.text} {message.location.get('url', '')}"  # type: ignore[attr-defined]
        # Streamlit probes two addresses on a deep link that answer 404; nothing else is excepted.
        expected = "404" in text and "/_stcore/" in text
        # What a browser says while the web process is being replaced.
        dropped = any(
            words in text
            for words in ("WebSocket", "ERR_CONNECTION_REFUSED", "disconnected from server")
        )
        if message.type == "error" and not expected and not dropped:  # type: ignore[attr-defined]
            trouble.append(f"console: {text}")

    def on_request(request: object) -> None:
        address = request.url  # type: ignore[attr-defined]
        if not address.startswith((url, url.replace("http", "ws"), "data:", "blob:")):
            trouble.append(f"request: {address}")

    page.on("console", on_console)
    page.on("pageerror", lambda error: trouble.append(f"page: {error}"))
    page.on("request", on_request)
    return trouble
