"""Find or install the browser that the tests drive; a missing one is a failure, never a skip.

``python -m tests.browser`` makes sure that one is there: the system's Chromium or Chrome, else
Playwright's own build, else (as root, where apt is) Debian's package.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

NAMES = ("chromium", "google-chrome-stable", "google-chrome", "chromium-browser")


def find_browser() -> Path | None:
    """The browser to drive: ``FAIRLOOM_TEST_BROWSER``, a system one, Playwright's own, or None."""
    named = os.environ.get("FAIRLOOM_TEST_BROWSER")
    if named:
        return Path(named)
    for name in NAMES:
        found = shutil.which(name)
        if found and _starts(Path(found)):
            return Path(found)
    return _find_bundled()


def _find_bundled() -> Path | None:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        path = Path(playwright.chromium.executable_path)
    return path if path.exists() else None


def _starts(path: Path) -> bool:
    # Ubuntu ships a stub of that name that only says "install the snap".
    return subprocess.run([path, "--version"], capture_output=True, check=False).returncode == 0


def install_browser() -> None:
    """Try Playwright's download, then Debian's package; each says what it does."""
    print("No browser found; trying to install one …", flush=True)
    own = subprocess.run([sys.executable, "-m", "playwright", "install", "chromium"], check=False)
    if own.returncode == 0 and _find_bundled():
        return
    if os.geteuid() == 0 and shutil.which("apt-get"):
        subprocess.run(["apt-get", "update", "-qq"], check=False)
        subprocess.run(["apt-get", "install", "-y", "-qq", "chromium"], check=False)


def main() -> int:
    if find_browser() is None:
        install_browser()
    browser = find_browser()
    if browser is None:
        print(
            "The tests drive a real browser and none is to be had here. Install one "
            "(Debian: sudo apt-get install chromium), or name one: FAIRLOOM_TEST_BROWSER=/path make test",
            file=sys.stderr,
        )
        return 1
    print(f"Browser: {browser}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
