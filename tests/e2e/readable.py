"""What axe finds serious on a page, in words."""

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

SERIOUS = ("serious", "critical")


def assert_accessible(page: Page) -> None:
    """No serious finding; a failure names each rule with the elements, those within a shadow root too."""
    violations = Axe().run(page).response["violations"]
    found = [
        f"{each['id']}: {node['target']} {node['html'][:200]}"
        for each in violations
        if each["impact"] in SERIOUS
        for node in each["nodes"]
    ]
    assert not found, "\n".join(found)
