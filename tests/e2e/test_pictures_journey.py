"""Pictures from the disk: upload, look at them, choose groups, and the form of a search for networks."""

import re
from pathlib import Path

from playwright.sync_api import Page, expect

from tests.e2e.acts import by_key, choose, choose_view, go_on, open_page, settle, upload
from tests.e2e.server import Server


def test_from_a_zip_to_the_form_of_a_search(page: Page, server: Server, data_folder: Path) -> None:
    open_page(page, f"{server.url}/data")
    upload(page, data_folder / "cifar10_12k.zip")
    expect(page.get_by_text(re.compile(r"[\d,]+ of 12,000")).first).to_be_visible(timeout=60_000)
    expect(page).to_have_url(re.compile("dataset="), timeout=120_000)
    settle(page)
    expect(page.locator("h1")).to_contain_text("cifar10_12k.zip")
    for fact in ("12,000 pictures", "10 classes", "2,000 of them a given test part"):
        expect(page.get_by_text(fact).first).to_be_visible()

    gallery = by_key(page, "gallery").last
    expect(gallery.locator("img")).to_have_count(60, timeout=20_000)
    assert re.fullmatch(
        r"(train|test)/\w+/\d+\.jpg, class \w+", alt_of(gallery.locator("img").first)
    )
    choose(page, "gallery_class", "frog")
    settle(page)
    expect(gallery.get_by_text("frog", exact=True)).to_have_count(60, timeout=20_000)
    page.get_by_role("button", name="Page 2", exact=True).click()
    settle(page)
    expect(page.get_by_text("61 to 120 of 1,200 pictures")).to_be_visible()
    page.reload()
    settle(page)
    expect(page.get_by_text("61 to 120 of 1,200 pictures")).to_be_visible(timeout=20_000)

    look_at_one_with_the_keyboard(page)
    choose_view(page, "Classes")
    expect(page.get_by_text("10 classes with 1,200 pictures each")).to_be_visible(timeout=20_000)
    expect(by_key(page, "class_samples").last.locator("img")).to_have_count(80)

    choose(page, "sensitive_computed", "brightness")
    go_on(page)
    expect(page.get_by_text("from 12,000 pictures")).to_be_visible()
    by_key(page, "augmentation").locator("summary").click()
    expect(by_key(page, "variants").last.locator("img")).to_have_count(9, timeout=20_000)
    expect(by_key(page, "start").locator("button")).to_be_enabled()


def look_at_one_with_the_keyboard(page: Page) -> None:
    """A picture opens with Enter and closes with Escape."""
    by_key(page, "gallery").last.locator("button").nth(2).focus()
    page.keyboard.press("Enter")
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_text("Original: 32 × 32 px")).to_be_visible(timeout=20_000)
    page.keyboard.press("Escape")
    expect(dialog).to_have_count(0)


def alt_of(picture: object) -> str:
    return str(picture.get_attribute("alt"))  # type: ignore[attr-defined]
