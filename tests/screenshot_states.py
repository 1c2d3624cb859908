"""Pictures of what a newcomer seldom sees: pages empty and full, what failed, was stopped, waits or is gone."""

import csv
import random
from pathlib import Path

from playwright.sync_api import Browser, Page, expect

from tests.e2e.acts import (
    by_key,
    choose,
    click,
    expect_state,
    go_on,
    limit_trials,
    open_page,
    open_tab,
    settle,
    unfold,
    upload,
)
from tests.e2e.server import Server
from tests.screenshot_camera import LOOKS, take

PAGES = ("data", "search", "results", "audit", "models", "system")
N_VISITS = 900
N_TRIALS = 30


def browse_states(browser: Browser, server: Server, folder: Path) -> None:
    """Every state, in an order in which each is there when its picture is taken."""
    take_empty(browser, server)
    page = browser.new_context(viewport=LOOKS["wide"][0], locale="en-GB").new_page()
    take_import_failed(browser, page, server, folder)
    take_search_failed(browser, page, server, folder)
    take_goals(browser, page, server)
    take_stopped_and_waiting(browser, page, server)
    take_full(browser, page, server, folder)
    page.context.close()


def take_empty(browser: Browser, server: Server) -> None:
    """Before anybody did anything, and where an address leads to what is not there."""
    for name in PAGES:
        take(browser, f"{server.url}/{name}", f"{name}-empty")
    for name, what in (("search", "search"), ("data", "dataset")):
        take(browser, f"{server.url}/{name}?{what}=deleted", f"{name}-gone")


def take_import_failed(browser: Browser, page: Page, server: Server, folder: Path) -> None:
    """A file that cannot be read."""
    path = folder / "scores.csv"
    path.write_bytes("name,score\nJos\u00e9,5\nAna,7\n".encode("cp1252"))
    open_page(page, f"{server.url}/data")
    upload(page, path)
    expect(page.get_by_text("could not be read").first).to_be_visible(timeout=60_000)
    take(browser, page.url, "import-failed")


def write_visits(path: Path, weight: float) -> Path:
    """Visits with a date and a weight; the first row has the given one."""
    rng = random.Random(0)
    with path.open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["day", "age", "ward", "cost", "weight", "returned"])
        for row in range(N_VISITS):
            age, cost = rng.randint(18, 90), round(rng.uniform(100, 9000), 2)
            day = f"2025-{1 + row * 12 // N_VISITS:02d}-{1 + row % 28:02d}"
            risk = 0.1 + 0.5 * (age > 60) + 0.2 * (cost > 5000)
            rows.writerow([
                day, age, rng.choice("ABC"), cost, weight if row == 0 else round(rng.uniform(1, 9), 1),
                "yes" if rng.random() < risk else "no",
            ])  # fmt: skip
    return path


def take_search_failed(browser: Browser, page: Page, server: Server, folder: Path) -> None:
    """Rows with a time and a weight; one weight is negative, so that the search fails."""
    open_page(page, f"{server.url}/data")
    upload(page, write_visits(folder / "visits.csv", weight=-3.0))
    expect(by_key(page, "target").first).to_be_visible(timeout=60_000)
    settle(page)
    choose(page, "target", "returned")
    choose(page, "time", "day")
    choose(page, "weight", "weight")
    settle(page)
    take(browser, page.url, "dataset-roles")
    go_on(page)
    limit_trials(page, 4)
    click(page, "start")
    expect(by_key(page, "resume").first).to_be_visible(timeout=90_000)
    take(browser, page.url, "search-failed")


def open_sample(page: Page, server: Server, name: str) -> None:
    """A sample, as far as the form of its search."""
    open_page(page, f"{server.url}/data")
    click(page, f"sample_{name}")
    expect(by_key(page, "continue").locator("button:enabled")).to_be_visible(timeout=60_000)
    settle(page)
    go_on(page)


def set_goals(page: Page) -> None:
    """Networks alone, a limit, a further objective, narrower ranges, all trained to their end."""
    limit_trials(page, N_TRIALS)
    for name in ("Trees", "Linear"):
        by_key(page, "families").get_by_text(name, exact=True).click()
        settle(page)
    unfold(page, "advanced")
    field = by_key(page, "limit_parameters").locator("input").first
    field.fill("500")
    field.press("Enter")
    settle(page)
    choose(page, "objectives", "time for 1,000 rows")
    choose(page, "pruner", "nobody")
    page.keyboard.press("Escape")
    by_key(page, "narrow").locator("label").first.click()
    settle(page)
    choose_only_first(page)


def choose_only_first(page: Page) -> None:
    """Leave the first of the kinds of models."""
    entry = page.locator("[class*='st-key-narrow_families'] input[role=combobox]").first
    entry.focus()
    for _ in range(3):
        page.keyboard.press("Backspace")
        settle(page)
    page.keyboard.press("Escape")
    settle(page)


def take_goals(browser: Browser, page: Page, server: Server) -> None:
    """A search with limits and two goals, and which settings mattered in it."""
    open_sample(page, server, "loans")
    take(browser, page.url, "search-goals", set_goals)
    set_goals(page)
    click(page, "start")
    expect_state(page, "done", seconds=600)
    query = page.url.split("?", 1)[1]
    address = f"{server.url}/results?{query}"
    for name, start in (
        ("front", "How close the models are"),
        ("settings", "Which settings mattered"),
    ):
        take(
            browser, address, f"results-{name}", lambda each: open_tab(each, "Search"), start=start
        )


def take_stopped_and_waiting(browser: Browser, page: Page, server: Server) -> None:
    """One search runs, a second waits; then the first is stopped midway."""
    open_sample(page, server, "loans")
    click(page, "start")
    expect_state(page, "running", seconds=60)
    running = page.url
    open_sample(page, server, "wine")
    limit_trials(page, 4)
    click(page, "start")
    expect_state(page, "waiting", seconds=60)
    take(browser, page.url, "search-waiting")
    waiting = page.url
    open_page(page, running)
    expect(by_key(page, "best").first).to_contain_text("0.", timeout=90_000)
    click(page, "stop")
    expect_state(page, "stopped", seconds=120)
    take(browser, page.url, "search-stopped")
    open_page(page, waiting)
    expect_state(page, "done", seconds=240)


def take_full(browser: Browser, page: Page, server: Server, folder: Path) -> None:
    """Lists with several entries, a prediction, and the question before something is deleted."""
    query = page.url.split("?", 1)[1]
    open_page(page, f"{server.url}/models?{query}")
    upload(page, write_wines(folder / "new_wines.csv"), "predict_upload")
    expect(page.get_by_text("new_wines.csv").first).to_be_visible(timeout=60_000)
    expect(page.locator("[class*='st-key-prediction_'] a").first).to_be_visible(timeout=60_000)
    take(browser, page.url, "models-full")
    take(browser, f"{server.url}/system", "system-full")
    take(browser, f"{server.url}/data", "data-full")
    take(browser, f"{server.url}/search?{query}", "search-delete", ask_to_delete)


def write_wines(path: Path) -> Path:
    """Three wines without a cultivar, one of them with a missing number."""
    from sklearn.datasets import load_wine

    wines = load_wine(as_frame=True).data.iloc[[0, 70, 150]].copy()
    wines.iloc[1, 0] = None
    wines.to_csv(path, index=False)
    return path


def ask_to_delete(page: Page) -> None:
    click(page, "delete")
    expect(by_key(page, "delete_confirm").first).to_be_visible(timeout=15_000)
