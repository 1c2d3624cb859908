"""Rules of the house that a linter does not know."""

import re
import subprocess
from pathlib import Path

import pytest

from tests.conftest import ROOT


def tracked(*suffixes: str) -> list[Path]:
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT, capture_output=True, text=True, check=True,
    ).stdout.splitlines()  # fmt: skip
    paths = [ROOT / name for name in listed]
    return [path for path in paths if path.suffix in suffixes and path.exists()]


def test_no_drawer_modules() -> None:
    drawers = {"utils", "util", "helpers", "helper", "common", "core", "misc"}
    assert not [path for path in tracked(".py") if path.stem in drawers]


def test_modules_stay_small() -> None:
    too_long = {
        str(path.relative_to(ROOT)): len(path.read_text().splitlines())
        for path in tracked(".py")
        if len(path.read_text().splitlines()) > 400
    }
    assert not too_long


def test_every_requirement_has_a_reason_and_a_range() -> None:
    for name in ("requirements.txt", "requirements-dev.txt"):
        for line in (ROOT / name).read_text().splitlines():
            if line and not line.startswith(("#", "-r")):
                assert re.match(r"[a-z0-9-]+>=[\d.]+,<[\d.]+ +# \S", line), f"{name}: {line}"


# Spelled in pieces, so that this file does not find itself.
FORBIDDEN = [
    "/wo" + "rk/", "/ro" + "ot/", "pypi" + r"\.org", "pythonhosted" + r"\.org", "npmjs" + r"\.",
    "deb" + r"\.debian\.org",
]  # fmt: skip


@pytest.mark.parametrize("pattern", FORBIDDEN)
def test_nothing_names_a_machine_or_a_registry(pattern: str) -> None:
    suffixes = (
        ".py",
        ".md",
        ".toml",
        ".txt",
        ".sh",
        ".yml",
        ".json",
        ".css",
        ".js",
        ".j2",
        ".html",
        "",
    )
    found = [
        str(path.relative_to(ROOT))
        for path in tracked(*suffixes)
        if re.search(pattern, path.read_text(errors="replace"))
    ]
    assert not found


def test_pictures_stay_small() -> None:
    assert (
        sum(path.stat().st_size for path in (ROOT / "docs" / "images").rglob("*.png")) < 10_000_000
    )


def test_no_pickle_and_no_shell_anywhere() -> None:
    pattern = re.compile(
        r"\b(import pickle|joblib\.(load|dump)|torch\.(load|save)\(|yaml\.load\(|shell=True|unsafe_allow_html)"
    )
    found = [
        f"{path.relative_to(ROOT)}"
        for path in tracked(".py")
        if "tests" not in path.parts and pattern.search(path.read_text())
    ]
    assert not found
