"""Whatever is closed, reloaded or killed in mid-search, the search goes on or ends as it was asked to."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests.e2e.acts import by_key, click, expect_state, limit_trials, open_page, search_id, settle
from tests.e2e.server import Server, is_healthy, run_server, wait_until


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A product of its own: these journeys kill parts of it."""
    with run_server(tmp_path_factory.mktemp("interrupted") / "home") as running:
        yield running


def start_sample(
    page: Page, server: Server, sample: str = "loans", trials: int | None = None
) -> str:
    open_page(page, server.url)
    click(page, f"sample_{sample}")
    expect(by_key(page, "continue").first).to_be_visible(timeout=60_000)
    click(page, "continue")
    settle(page)
    if trials is not None:
        limit_trials(page, trials)
    click(page, "start")
    expect_state(page, "running", seconds=60)
    return search_id(page)


def expect_first_trials(page: Page) -> None:
    expect(by_key(page, "best").first).to_contain_text("0.", timeout=90_000)


def test_a_sample_needs_at_most_six_clicks_and_no_typing(page: Page, server: Server) -> None:
    clicks = 0

    def press(key: str) -> None:
        nonlocal clicks
        expect(by_key(page, key).first).to_be_visible(timeout=60_000)
        click(page, key)
        clicks += 1

    open_page(page, server.url)
    press("sample_loans")
    press("continue")
    settle(page)
    press("start")
    expect_state(page, "running", seconds=60)
    assert clicks <= 6
    expect_first_trials(page)
    click(page, "stop")
    expect_state(page, "stopped", seconds=120)


def test_stopping_midway_keeps_the_best(page: Page, server: Server) -> None:
    start_sample(page, server)
    expect_first_trials(page)
    click(page, "stop")
    expect_state(page, "stopped", seconds=120)
    click(page, "open_results")
    settle(page)
    expect(by_key(page, "headline").first).to_contain_text("[", timeout=30_000)


def test_a_reload_and_a_second_tab_change_nothing(
    page: Page, server: Server, context: BrowserContext
) -> None:
    search = start_sample(page, server, trials=8)
    page.reload()
    settle(page)
    assert search_id(page) == search
    expect_first_trials(page)
    second = context.new_page()
    open_page(second, page.url)
    expect_first_trials(second)
    expect_state(second, "done", seconds=240)
    expect_state(page, "done", seconds=20)


def test_a_killed_worker_is_replaced_and_the_search_ends(page: Page, server: Server) -> None:
    start_sample(page, server, trials=8)
    expect_first_trials(page)
    killed = server.worker()
    trainers = killed.children(recursive=True)
    killed.kill()
    wait_until(
        lambda: not any(child.is_running() and child.status() != "zombie" for child in trainers),
        seconds=30, what="the trainers of a killed worker to end",
    )  # fmt: skip
    wait_until(lambda: server.children("automl", "worker"), seconds=15, what="a new worker")
    assert server.worker().pid != killed.pid
    expect_state(page, "done", seconds=300)
    click(page, "open_results")
    settle(page)
    expect(by_key(page, "headline").first).to_contain_text("[", timeout=30_000)


def test_a_new_web_process_changes_nothing(context: BrowserContext, server: Server) -> None:
    page = context.new_page()  # unwatched: a browser rightly complains while its server is away
    start_sample(page, server, trials=8)
    worker = server.worker().pid
    server.web().kill()
    wait_until(lambda: not is_healthy(server.url), seconds=10, what="the web process to end")
    wait_until(lambda: is_healthy(server.url), seconds=30, what="a new web process")
    assert server.worker().pid == worker
    expect_state(page, "done", seconds=300)


def test_two_tabs_that_delete_the_same_data_set(
    page: Page, server: Server, context: BrowserContext, tmp_path: Path
) -> None:
    open_page(page, server.url)
    click(page, "sample_wine")
    expect(by_key(page, "continue").first).to_be_visible(timeout=60_000)
    second = context.new_page()
    open_page(second, page.url)
    for tab in (page, second):
        click(tab, "delete")
        expect(by_key(tab, "delete_confirm").first).to_be_visible(timeout=15_000)
    click(page, "delete_confirm")
    settle(page)
    click(second, "delete_confirm")
    settle(second)
    expect(second.get_by_text("already deleted").first).to_be_visible(timeout=15_000)
