"""What a person does, in the words of the product."""

import re
from pathlib import Path

from playwright.sync_api import Locator, Page, TimeoutError, expect  # noqa: A004

SECONDS = 1000.0


def open_page(page: Page, url: str) -> None:
    page.goto(url)
    settle(page)


def settle(page: Page) -> None:
    """Wait until the page is connected and its script has run."""
    page.wait_for_selector("[data-testid='stApp'][data-test-connection-state='CONNECTED']")
    page.wait_for_selector(
        "[data-testid='stApp'][data-test-script-state='notRunning']", timeout=60 * SECONDS
    )


def by_key(page: Page, key: str) -> Locator:
    return page.locator(f".st-key-{key}")


def click(page: Page, key: str) -> None:
    by_key(page, key).locator("button").first.click()


def go_on(page: Page) -> None:
    """From the data to the form; a button that is drawn anew under the pointer loses the first press."""
    form = by_key(page, "budget").first
    for _ in range(3):
        if form.is_visible():
            return
        by_key(page, "continue").locator("button:enabled").first.click()
        settle(page)
        try:
            expect(form).to_be_visible(timeout=15 * SECONDS)
        except AssertionError:
            continue
        return
    expect(form).to_be_visible()


def choose(page: Page, key: str, option: str) -> None:
    """Pick ``option`` in a select box or multiselect, and see it taken."""
    box = by_key(page, key)
    entry = box.locator("input[role=combobox]").first
    taken = box.get_by_text(option, exact=True).or_(box.locator(f"input[value='{option}']"))
    for is_last in (
        False,
        True,
    ):  # a list that is drawn anew under the pointer loses the first press
        entry.click()
        entry.fill(option)
        listed = page.get_by_role("option", name=option, exact=True).first
        try:
            listed.click(timeout=15 * SECONDS)
            settle(page)
            expect(taken.first).to_be_attached(timeout=10 * SECONDS)
        except (AssertionError, TimeoutError):
            if is_last:
                raise
        else:
            return


def choose_view(page: Page, name: str, key: str = "set_view") -> None:
    """Open one of the views that stand side by side."""
    by_key(page, key).get_by_text(name, exact=True).first.click()
    settle(page)


def upload(page: Page, file: Path, key: str = "upload") -> None:
    by_key(page, key).locator("input[type=file]").first.set_input_files(file)


def open_tab(page: Page, name: str) -> None:
    """Open a tab by its name."""
    page.get_by_role("tab", name=name, exact=True).click()
    settle(page)


def unfold(page: Page, key: str) -> None:
    """Open an expander."""
    by_key(page, key).locator("summary").first.click()
    settle(page)


def download(page: Page, key: str, folder: Path) -> Path:
    """What a press on the download of that key brings."""
    with page.expect_download(timeout=60 * SECONDS) as caught:
        by_key(page, key).locator("a, button").first.click()
    path = folder / caught.value.suggested_filename
    caught.value.save_as(path)
    return path


def ask_for_map(page: Page, *, seconds: float = 120.0) -> None:
    """Ask why the open picture was decided so, and wait for the map over it."""
    button = by_key(page, "explain_start").locator("button").first
    expect(button).to_be_visible(timeout=20 * SECONDS)
    button.click()
    overlay = by_key(page, "explained").get_by_alt_text(re.compile("under a map of what spoke for"))
    expect(overlay.first).to_be_visible(timeout=seconds * SECONDS)


def search_id(page: Page) -> str:
    """The id of the open search, from the address."""
    found = re.search(r"[?&]search=([\w-]+)", page.url)
    assert found, page.url
    return found.group(1)


def expect_state(page: Page, word: str, *, seconds: float) -> None:
    """Wait until the sign of the open search says ``word``; its progress may say "2 of 7 done" long before."""
    sign = by_key(page, "state").first
    expect(sign).to_contain_text(
        re.compile(rf"[●◐✓■▲]\s*({word}|failed)"), timeout=seconds * SECONDS
    )  # a search that failed will not be done: no need to wait for it
    expect(sign).to_contain_text(re.compile(rf"[●◐✓■▲]\s*{word}"), timeout=5 * SECONDS)


def limit_trials(page: Page, n_trials: int) -> None:
    """Choose a budget of trials under the page's budget control."""
    by_key(page, "budget").get_by_text("Trials", exact=False).first.click()
    settle(page)
    field = by_key(page, "budget_trials").locator("input").first
    field.fill(str(n_trials))
    field.press("Enter")
    settle(page)


def limit_minutes(page: Page, minutes: float) -> None:
    """Choose a budget of so many minutes under the page's budget control."""
    by_key(page, "budget").get_by_text("Other", exact=False).first.click()
    settle(page)
    field = by_key(page, "budget_minutes").locator("input").first
    field.fill(f"{minutes:g}")
    field.press("Enter")
    settle(page)
    expect(field).to_have_value(f"{minutes:g}")
