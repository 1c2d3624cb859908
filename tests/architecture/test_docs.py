"""The documentation is current, and its links lead somewhere."""

import re
from pathlib import Path

import pytest

from tests.conftest import ROOT
from tools.generate_docs import render_pages

PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]


@pytest.fixture(autouse=True)
def _wide_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "100")


@pytest.mark.parametrize("name", ["metrics.md", "search-spaces.md", "settings.md", "cli.md"])
def test_generated_pages_are_current(name: str) -> None:
    text = render_pages()[name].rstrip() + "\n"
    assert (ROOT / "docs" / name).read_text() == text, "run `make docs`"


@pytest.mark.parametrize("page", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)#\s]+)[^)]*\)", page.read_text()):
        if not target.startswith("http"):
            assert (page.parent / target).exists(), target


def test_every_setting_says_what_it_means() -> None:
    from automl.settings import Settings

    assert all(field.description for field in Settings.model_fields.values())


def test_the_readme_shows_a_picture_and_the_two_commands() -> None:
    first_screen = "\n".join((ROOT / "README.md").read_text().splitlines()[:30])
    assert re.search(r"!\[[^\]]+\]\(docs/images/[\w-]+\.png\)", first_screen)
    assert "make run" in first_screen
    assert "make test" in first_screen
