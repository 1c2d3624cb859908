"""The whole way: a file from the disk to an audited model and a report whose numbers agree."""

import html
import json
import re
from pathlib import Path

from playwright.sync_api import Page, expect

from tests.e2e.acts import (
    by_key,
    choose,
    click,
    expect_state,
    go_on,
    limit_trials,
    open_page,
    settle,
    upload,
)
from tests.e2e.readable import assert_accessible
from tests.e2e.server import Server


def test_from_an_upload_to_the_report(
    page: Page, server: Server, data_folder: Path, tmp_path: Path
) -> None:
    open_page(page, server.url)
    upload(page, data_folder / "adult_train.csv")
    expect(page.get_by_text("32,561").first).to_be_visible(timeout=60_000)
    assert "dataset=" in page.url

    choose(page, "target", "income")
    choose(page, "sensitive", "sex")
    choose(page, "sensitive", "race")
    go_on(page)

    limit_trials(page, 6)
    click(page, "start")
    expect_state(page, "running", seconds=60)
    expect(by_key(page, "trials").first).to_be_visible(timeout=60_000)
    expect_state(page, "done", seconds=300)

    click(page, "open_results")
    settle(page)
    expect(page.locator("h1").first).to_contain_text("Results")
    expect(page.get_by_text(re.compile(r"0\.9\d\d? ?\[0\.9\d")).first).to_be_visible()
    expect(page.get_by_text(re.compile("looked at", re.IGNORECASE)).first).to_be_visible()
    assert_accessible(page)

    click(page, "open_audit")
    settle(page)
    expect(page.get_by_text("Female").first).to_be_visible()
    assert_accessible(page)
    report = download(page, "download_report", tmp_path).read_text()
    audit = json.loads(download(page, "download_audit_json", tmp_path).read_text())
    table = download(page, "download_audit_csv", tmp_path).read_text()

    assert_same_numbers(report, audit)
    assert "Female" in table
    assert {row["attribute"] for row in audit["by_group"]} == {"sex", "race"}


def download(page: Page, key: str, folder: Path) -> Path:
    target = by_key(page, key)
    clickable = target.locator("a, button").first
    with page.expect_download(timeout=60_000) as caught:
        clickable.click()
    path = folder / caught.value.suggested_filename
    caught.value.save_as(path)
    return path


def assert_same_numbers(report: str, audit: dict[str, object]) -> None:
    """Every estimable rate of every group stands in the HTML as the JSON has it, n included."""
    text = html.unescape(
        re.sub(r"<[^>]+>", " ", re.sub(r"<script.*?</script>", " ", report, flags=re.DOTALL))
    )
    checked = 0
    for row in audit["by_group"]:  # type: ignore[attr-defined]
        assert f"{row['n']:,}" in text, row["group"]
        for name in ("selection_rate", "true_positive_rate", "false_positive_rate"):
            cell = row["metrics"][name]
            if cell["status"] == "ok":
                assert f"{100 * cell['value']:.1f}" in text or f"{cell['value']:.3f}" in text, cell
                checked += 1
    assert checked >= 12
