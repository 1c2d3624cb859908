"""The layers hold, and the check that says so can fail."""

import ast
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import ROOT

PACKAGES = ("app", "automl", "fairness")
LINTER = Path(sys.executable).with_name("lint-imports")


def lint(folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [LINTER, "--no-cache"], cwd=folder, capture_output=True, text=True, check=False
    )


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    for package in PACKAGES:
        shutil.copytree(
            ROOT / package, tmp_path / package, ignore=shutil.ignore_patterns("__pycache__")
        )
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    return tmp_path


def test_the_import_contracts_hold() -> None:
    done = lint(ROOT)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize(
    ("module", "line"),
    [
        ("fairness/estimates.py", "import automl.errors"),
        ("automl/errors.py", "import app"),
        ("automl/training/epoch.py", "import optuna"),
        ("automl/models/catalog.py", "import automl.search.spec"),
        ("automl/settings.py", "import streamlit"),
        ("app/services.py", "import optuna"),
    ],
)
def test_a_forbidden_import_breaks_a_contract(copy: Path, module: str, line: str) -> None:
    path = copy / module
    path.write_text(f"{path.read_text()}\n{line}\n")
    done = lint(copy)
    assert done.returncode != 0
    assert "BROKEN" in done.stdout


def imported_names(path: Path) -> set[str]:
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names.add(node.module)
    return names


def test_pages_are_scripts_that_nobody_imports() -> None:
    pages = sorted((ROOT / "pages").glob("*.py"))
    assert len(pages) == 6
    assert not (ROOT / "pages" / "__init__.py").exists()
    for path in [path for package in PACKAGES for path in (ROOT / package).rglob("*.py")]:
        assert not any(name.split(".")[0] == "pages" for name in imported_names(path)), path


@pytest.mark.parametrize("path", sorted((ROOT / "pages").glob("*.py")), ids=lambda path: path.stem)
def test_a_page_is_thin_and_reads_through_app(path: Path) -> None:
    lines = path.read_text().splitlines()
    assert len(lines) <= 120
    forbidden = {"sqlalchemy", "sqlite3", "torch", "optuna", "sklearn", "pathlib", "os"}
    roots = {name.split(".")[0] for name in imported_names(path)}
    assert not roots & forbidden


def test_no_module_of_app_shadows_a_package() -> None:
    taken = set(sys.stdlib_module_names) | {
        *PACKAGES, "streamlit", "torch", "optuna", "plotly", "pandas", "numpy", "sklearn", "fairlearn",
    }  # fmt: skip
    names = {path.stem for path in (ROOT / "app").iterdir() if path.stem != "__init__"}
    assert not names & taken - {"__main__", "__pycache__"}


def test_importing_the_engine_costs_neither_torch_nor_optuna() -> None:
    code = (
        "import sys, automl, automl.search.spec, automl.jobs.store, automl.models.catalog;"
        "print(sorted({'torch','optuna','streamlit','sklearn'} & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.stdout.strip() == "[]", done.stdout + done.stderr
