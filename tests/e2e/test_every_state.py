"""Every tab of finished searches, and them side by side, on one server: axe finds nothing serious, light or dark.

The states of a search for two classes are looked at with every change, the others by ``make acceptance``.
"""

from collections.abc import Iterator
from dataclasses import replace

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.e2e.acts import open_page, settle, unfold
from tests.e2e.readable import find_serious
from tests.e2e.server import Server, run_server
from tests.ui import finished
from tests.ui.datasets import import_people
from tests.ui.finished import Plan

WIDE = {"width": 1440, "height": 1000}
OFTEN = ("binary", "compared", "ended", "history")
SELDOM = ("classes", "value", "audit", "audit of classes", "models")
SMALL = Plan(n=300, n_trials=14, has_audit_files=True, has_importance=True, has_ensemble=True)


@pytest.fixture(scope="module")
def addresses() -> dict[str, str]:
    """State → address; filled by ``server``."""
    return {}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, addresses: dict[str, str]) -> Iterator[Server]:
    """A product with a data set and finished searches that were never run: their files are made by the engine's own functions."""
    home = tmp_path_factory.mktemp("states") / "home"
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("FAIRLOOM_HOME", str(home))
        people = import_people(tmp_path_factory.mktemp("people"))
        plan = replace(SMALL, dataset=people.id)
        first = finished.finish(plan).id
        second = finished.finish(replace(plan, skill=1.2, title="second"))
        classes = finished.finish(replace(plan, kind="multiclass")).id
        value = finished.finish(replace(plan, kind="regression")).id
    addresses |= {
        "binary": f"results?search={first}",
        "classes": f"results?search={classes}",
        "value": f"results?search={value}",
        "audit": f"audit?search={first}",
        "audit of classes": f"audit?search={classes}",
        "compared": f"results?compare={first},{second.id}",
        "ended": f"search?search={first}",
        "history": f"search?dataset={people.id}",
        "models": f"models?search={first}",
    }
    with run_server(home) as running:
        yield running


def check(page: Page, name: str) -> list[str]:
    """What axe finds in the light, and of contrast in the dark."""
    found = [f"{name}, light: {each}" for each in find_serious(page)]
    page.emulate_media(color_scheme="dark")
    page.wait_for_timeout(200)
    settle(page)
    found += [f"{name}, dark: {each}" for each in find_serious(page, rules=("color-contrast",))]
    page.emulate_media(color_scheme="light")
    page.wait_for_timeout(200)
    settle(page)
    return found


@pytest.mark.parametrize(
    "state",
    [*OFTEN, *(pytest.param(state, marks=pytest.mark.acceptance) for state in SELDOM)],
)
def test_no_state_has_a_serious_finding(
    browser: Browser, server: Server, addresses: dict[str, str], state: str
) -> None:
    page = browser.new_context(viewport=WIDE, locale="en-GB", color_scheme="light").new_page()
    open_page(page, f"{server.url}/{addresses[state]}")
    expect(page.locator("h1")).to_have_count(1)
    if state == "ended":
        unfold(page, "naming")
    tabs = page.get_by_role("tab")
    found = [] if tabs.count() else check(page, state)
    for place in range(tabs.count()):
        label = tabs.nth(place).inner_text()
        tabs.nth(place).click()
        settle(page)
        found += check(page, f"{state} · {label}")
    page.context.close()
    assert not found, "\n".join(found)


def test_every_state_is_looked_at(addresses: dict[str, str], server: Server) -> None:
    assert set(addresses) == {*OFTEN, *SELDOM}
