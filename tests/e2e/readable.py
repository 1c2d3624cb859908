"""What axe finds serious on a page, in words."""

from collections.abc import Sequence

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

SERIOUS = ("serious", "critical")


def find_serious(page: Page, rules: Sequence[str] = ()) -> list[str]:
    """Each rule with its elements, those within a shadow root too; all rules of axe, or those named."""
    options = {"runOnly": {"type": "rule", "values": list(rules)}} if rules else None
    violations = Axe().run(page, options=options).response["violations"]
    return [
        f"{each['id']}: {node['target']} {node['html'][:200]}"
        for each in violations
        if each["impact"] in SERIOUS
        for node in each["nodes"]
    ]


def assert_accessible(page: Page) -> None:
    """No serious finding."""
    found = find_serious(page)
    assert not found, "\n".join(found)
