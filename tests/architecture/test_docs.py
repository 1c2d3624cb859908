"""The documentation is current, and its links lead somewhere."""

import ast
import re
import shlex
from pathlib import Path

import pytest

from tests.conftest import ROOT
from tools.generate_docs import render_pages

PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]


@pytest.fixture(autouse=True)
def _wide_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "100")


@pytest.mark.parametrize(
    "name", ["metrics.md", "search-spaces.md", "samplers.md", "settings.md", "cli.md"]
)
def test_generated_pages_are_current(name: str) -> None:
    text = render_pages()[name].rstrip() + "\n"
    assert (ROOT / "docs" / name).read_text() == text, "run `make docs`"


@pytest.mark.parametrize("page", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)#\s]+)[^)]*\)", page.read_text()):
        if not target.startswith("http"):
            assert (page.parent / target).exists(), target


@pytest.mark.parametrize("page", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_anchors_are_headings(page: Path) -> None:
    for target, anchor in re.findall(r"\]\(([^)#\s]*)#([^)\s]+)\)", page.read_text()):
        if not target.startswith("http"):
            other = page.parent / target if target else page
            assert anchor in _list_anchors(other), f"{target}#{anchor}"


def _list_anchors(page: Path) -> set[str]:
    """What GitHub makes of the headings of a page."""
    titles = re.findall(r"^#+ (.+)$", page.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


@pytest.mark.parametrize("page", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_commands_in_the_pages_are_understood(page: Path) -> None:
    from automl.__main__ import build_parser

    for block in re.findall(r"```sh\n(.*?)```", page.read_text(), re.DOTALL):
        for line in block.splitlines():
            _, found, arguments = line.partition("python -m automl ")
            if found:
                build_parser().parse_args(shlex.split(arguments, comments=True))


@pytest.mark.parametrize("page", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_calls_in_the_pages_have_the_fields_they_name(page: Path) -> None:
    import automl

    for block in re.findall(r"```python\n(.*?)```", page.read_text(), re.DOTALL):
        for node in ast.walk(ast.parse(block)):
            name = ast.unparse(node.func) if isinstance(node, ast.Call) else ""
            if isinstance(node, ast.Call) and re.fullmatch(r"automl\.\w+Call", name):
                known = getattr(automl, name.removeprefix("automl.")).__dataclass_fields__
                assert {keyword.arg for keyword in node.keywords} <= set(known), name


def test_every_decision_is_listed() -> None:
    listed = (ROOT / "docs" / "adr" / "README.md").read_text()
    for path in sorted((ROOT / "docs" / "adr").glob("[0-9]*.md")):
        number, title = path.read_text().splitlines()[0].removeprefix("# ").split(" ", 1)
        assert f"| [{number}]({path.name}) | {title} |" in listed, path.name


def test_every_setting_says_what_it_means() -> None:
    from automl.settings import Settings

    assert all(field.description for field in Settings.model_fields.values())


def test_the_readme_shows_a_picture_and_the_two_commands() -> None:
    first_screen = "\n".join((ROOT / "README.md").read_text().splitlines()[:30])
    assert re.search(r"!\[[^\]]+\]\(docs/images/[\w-]+\.png\)", first_screen)
    assert "make run" in first_screen
    assert "make test" in first_screen
