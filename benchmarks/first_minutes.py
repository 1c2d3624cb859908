"""How long a newcomer waits: start, first page, upload to profile, first usable model.

``python -m benchmarks.first_minutes [--out FILE.json]`` prints one JSON object. Absolute seconds depend on the machine and on what
else runs there, so the first page is also stated as a ratio to a bare Streamlit page served in the same
minute. Nothing here is a test.
"""

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from playwright.sync_api import Browser, Page, expect, sync_playwright

from automl.search.ensembling import CONSTANT
from benchmarks.machine import describe_machine, write_record
from benchmarks.watched_search import build_curve, read_search
from tests.browser import find_browser
from tests.conftest import find_data
from tests.e2e.acts import by_key, choose, click, open_page, settle, upload
from tests.e2e.server import find_port, is_healthy, run_server, wait_until

BARE_PAGE = 'import streamlit as st\nst.title("Hello")\nst.button("Press")\n'
N_RENDERS = 5


def measure(act: Callable[[], object]) -> float:
    started = time.perf_counter()
    act()
    return time.perf_counter() - started


def time_renders(browser: Browser, url: str) -> float:
    """Median seconds from navigation to a settled page, each in a browser context of its own."""
    seconds = []
    for _ in range(N_RENDERS):
        context = browser.new_context()
        page = context.new_page()
        seconds.append(measure(lambda page=page: open_page(page, url)))
        context.close()
    return statistics.median(seconds)


def time_bare_page(browser: Browser, folder: Path) -> float:
    script = folder / "bare.py"
    script.write_text(BARE_PAGE)
    port = find_port()
    command = [sys.executable, "-m", "streamlit", "run", str(script), "--server.port", str(port),
               "--server.headless", "true", "--browser.gatherUsageStats", "false"]  # fmt: skip
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    url = f"http://127.0.0.1:{port}"
    try:
        wait_until(lambda: _opens(browser, url), seconds=60, what="a bare page")
        return time_renders(browser, url)
    finally:
        process.terminate()
        process.wait()


def _opens(browser: Browser, url: str) -> bool:
    page = browser.new_page()
    try:
        open_page(page, url)
    except Exception:  # noqa: BLE001 (it is not there yet)
        return False
    finally:
        page.close()
    return True


def time_upload(page: Page, table: Path) -> float:
    def act() -> None:
        upload(page, table)
        expect(by_key(page, "target").first).to_be_visible(timeout=60_000)

    return measure(act)


def time_first_model(page: Page) -> float:
    choose(page, "target", "income")
    click(page, "continue")
    settle(page)

    def act() -> None:
        click(page, "start")
        expect(by_key(page, "best").first).to_contain_text("0.", timeout=120_000)

    return measure(act)


def read_first_model(home: Path) -> float:
    """Seconds from the claim by the worker, which is warm, to the first model that is more than a constant."""
    curve = build_curve(*read_search(home))
    return float(next(each["seconds"] for each in curve if each["family"] != CONSTANT))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    data, executable = find_data(), find_browser()
    if data is None or executable is None:
        print("This needs the real data and a browser.", file=sys.stderr)
        return 1
    machine, figures = describe_machine(), dict[str, float]()
    with tempfile.TemporaryDirectory() as name, sync_playwright() as playwright:
        folder = Path(name)
        browser = playwright.chromium.launch(
            executable_path=executable, args=["--no-sandbox", "--disable-dev-shm-usage"]
        )
        started = time.perf_counter()
        with run_server(folder / "home") as server:
            wait_until(lambda: is_healthy(server.url), seconds=60, what="the app")
            figures["start_to_served_seconds"] = time.perf_counter() - started
            figures["first_page_cold_seconds"] = measure(
                lambda: open_page(browser.new_page(), f"{server.url}/data")
            )
            figures["first_page_seconds"] = time_renders(browser, f"{server.url}/data")
            page = browser.new_page()
            open_page(page, f"{server.url}/data")
            figures["upload_to_profile_seconds"] = time_upload(page, data / "adult_train.csv")
            figures["start_to_first_model_seconds"] = time_first_model(page)
            figures["claim_to_first_model_seconds"] = read_first_model(folder / "home")
            click(page, "stop")
        figures["bare_page_seconds"] = time_bare_page(browser, folder)
        figures["first_page_ratio_to_bare"] = (
            figures["first_page_seconds"] / figures["bare_page_seconds"]
        )
        browser.close()
    rounded = {name: round(value, 2) for name, value in figures.items()}
    print(json.dumps(rounded, indent=2))
    write_record({"machine": machine, "figures": rounded}, options.out)
    return 0


if __name__ == "__main__":
    sys.exit(main())
