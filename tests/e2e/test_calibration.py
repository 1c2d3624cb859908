"""A network that was trained too long is surer than it is right; the page shows that, and that it was mended."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.acts import by_key, open_page, open_tab, settle
from tests.e2e.readable import assert_accessible
from tests.e2e.server import Server, run_server
from tests.overtrained import finish_overtrained

SLOPE = re.compile(r"slope (\d\.\d+) \[(\d\.\d+), (\d\.\d+)\]")


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """A workspace, and the search in it."""
    home = tmp_path_factory.mktemp("overtrained") / "home"
    return home, finish_overtrained(home)


@pytest.fixture(scope="module")
def server(finished: tuple[Path, str]) -> Iterator[Server]:
    with run_server(finished[0]) as running:
        yield running


def read_slope(page: Page, name: str) -> tuple[float, float, float]:
    """Slope and interval that the page says of one version."""
    said = page.get_by_text(re.compile(rf"^{name}.*: slope")).first
    expect(said).to_be_visible(timeout=30_000)
    found = SLOPE.search(said.inner_text())
    assert found is not None, said.inner_text()
    value, low, high = map(float, found.groups())
    return value, low, high


def test_an_over_confident_network_is_shown_and_mended(
    page: Page, server: Server, finished: tuple[Path, str], tmp_path: Path
) -> None:
    open_page(page, f"{server.url}/results?search={finished[1]}")
    open_tab(page, "Calibration")
    settle(page)
    before = read_slope(page, "As the model gave it")
    assert before[2] < 1, before
    expect(page.get_by_text("the model is surer than it is right").first).to_be_visible()
    delivered = by_key(page, "calibration_version").get_by_text(re.compile(", delivered$"))
    name = re.escape(delivered.inner_text().removesuffix(", delivered"))
    after = read_slope(page, name)
    assert after[2] > after[1] > before[1]
    assert abs(1 - after[0]) < abs(1 - before[0]) - 0.15, (before, after)
    expect(by_key(page, "reliability_figure").locator(".js-plotly-plot").first).to_be_visible()
    expect(page.get_by_text("Before and after", exact=True)).to_be_visible()
    assert_accessible(page)
    picture = tmp_path / "calibration.png"
    by_key(page, "reliability_figure").screenshot(path=picture)
    assert picture.stat().st_size > 10_000  # an empty frame is smaller
