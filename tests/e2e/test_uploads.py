"""Uploads that do not go smoothly: given up, cut off, too large, not to be read at first."""

import contextlib
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, Error, Page, Route, expect

from tests.e2e.acts import by_key, choose, click, open_page, settle, upload
from tests.e2e.server import Server, run_server, wait_until

MAX_BYTES = 20_000_000
ROUTE = re.compile("/api/uploads/")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    settings = {
        "FAIRLOOM_MAX_TABLE_BYTES": str(MAX_BYTES),
        "FAIRLOOM_MAX_ARCHIVE_BYTES": str(MAX_BYTES + 10_000_000),
    }
    with run_server(tmp_path_factory.mktemp("uploads") / "home", settings) as running:
        yield running


@pytest.fixture
def page(context: BrowserContext, server: Server) -> Page:
    opened = context.new_page()
    open_page(opened, f"{server.url}/data")
    return opened


def write_table(path: Path, n_bytes: int, word: str) -> Path:
    row = f"1,{word}\n2,other\n"
    path.write_text("a,b\n" + row * (n_bytes // len(row)))
    return path


def list_parts(server: Server) -> list[Path]:
    return list((server.home / "incoming").glob("*.part"))


def test_an_upload_given_up_leaves_nothing_and_the_next_is_not_mixed_with_it(
    page: Page, server: Server, tmp_path: Path
) -> None:
    n_sent = 0
    held: list[Route] = []

    def hold_second(route: Route) -> None:
        nonlocal n_sent
        n_sent += route.request.method == "PATCH"
        if route.request.method == "PATCH" and n_sent == 2:
            held.append(route)  # neither answered nor refused, until it is given up
            return
        route.continue_()

    page.route(ROUTE, hold_second)
    upload(page, write_table(tmp_path / "first.csv", 18_000_000, "first"))
    box = by_key(page, "upload")
    expect(box.get_by_text("8.0 MB / 18.0 MB")).to_be_visible(timeout=20_000)
    box.get_by_role("button", name="Cancel").click()
    expect(box.get_by_role("button", name="choose a file")).to_be_visible(timeout=10_000)
    wait_until(lambda: not list_parts(server), seconds=10, what="the part to go")
    for route in held:
        with contextlib.suppress(Error):
            route.abort()
    page.unroute_all()

    upload(page, write_table(tmp_path / "second.csv", 4_000, "second"))
    expect(page.locator("h1")).to_contain_text("second.csv", timeout=30_000)
    settle(page)
    expect(page.get_by_text("2 columns").first).to_be_visible(timeout=30_000)


def test_a_broken_connection_is_tried_again_and_can_go_on_by_hand(
    page: Page, server: Server, tmp_path: Path
) -> None:
    page.clock.install()
    is_cut = True
    n_refused = 0

    def cut(route: Route) -> None:
        nonlocal n_refused
        if is_cut and (n_refused or route.request.headers.get("upload-offset") not in (None, "0")):
            n_refused += 1
            route.abort("connectionreset")
        else:
            route.continue_()

    page.route(ROUTE, cut)
    upload(page, write_table(tmp_path / "long.csv", 12_000_000, "word"))
    box = by_key(page, "upload")
    expect(box.get_by_text("trying again")).to_be_visible(timeout=20_000)
    kept = box.get_by_text("What was sent is kept")
    for _ in range(60):  # the pauses between attempts grow to 15 s
        page.clock.run_for(2_000)
        if kept.is_visible():
            break
    expect(kept).to_be_visible(timeout=10_000)
    assert 8_000_000 in [part.stat().st_size for part in list_parts(server)]

    is_cut = False
    box.get_by_role("button", name="Go on").click()
    expect(page.locator("h1")).to_contain_text("long.csv", timeout=30_000)


def test_a_file_over_the_limit_is_named_with_its_size(page: Page, tmp_path: Path) -> None:
    upload(page, write_table(tmp_path / "large.csv", MAX_BYTES + 1_000_000, "x"))
    alert = by_key(page, "upload").get_by_role("alert")
    expect(alert).to_contain_text("large.csv has 21.0 MB; the limit is 20.0 MB.")
    upload(page, write_table(tmp_path / "small.csv", 4_000, "x"))
    expect(page.locator("h1")).to_contain_text("small.csv", timeout=30_000)


def test_a_zip_has_a_limit_of_its_own(page: Page, tmp_path: Path) -> None:
    box, path = by_key(page, "upload"), tmp_path / "Pictures.ZIP"
    path.write_bytes(bytes(MAX_BYTES + 11_000_000))
    upload(page, path)
    expect(box.get_by_role("alert")).to_contain_text("has 31.0 MB; the limit is 30.0 MB.")
    expect(box.get_by_role("alert")).to_contain_text("FAIRLOOM_MAX_ARCHIVE_BYTES")
    path.write_bytes(bytes(MAX_BYTES + 1_000_000))  # too large for a table, and no ZIP inside
    upload(page, path)
    expect(page.get_by_role("heading", name="could not be read")).to_be_visible(timeout=60_000)


def test_a_file_that_is_not_utf8_is_read_once_its_encoding_is_named(
    page: Page, tmp_path: Path
) -> None:
    file = tmp_path / "old.csv"
    file.write_bytes(("name,town\n" + "René,Orléans\nAda,Bath\n" * 30).encode("cp1252"))
    upload(page, file)
    expect(page.get_by_text("is not UTF-8").first).to_be_visible(timeout=30_000)
    choose(page, "reading_encoding", "cp1252 (Windows, Western European)")
    click(page, "read_again")
    expect(page.get_by_text("60 rows").first).to_be_visible(timeout=30_000)
    expect(page.locator("h1")).to_contain_text("old.csv")
