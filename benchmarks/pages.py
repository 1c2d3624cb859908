"""How long every page and tab takes to render for a search with a large test part, beside a bare Streamlit page.

``python -m benchmarks.pages [--rows N …] [--kinds KIND …] [--out FILE.json]`` makes finished searches of generated predictions as
the tests do, opens every page, and every tab that a page has, through Streamlit's own test runner (the whole script, its elements built and
serialised, no browser), and prints one JSON object. *First* is the first opening, with the files read anew and nothing of the search kept in memory;
*again* is the median of three more. Absolute seconds depend on the machine, so each page also stands as a ratio to the bare one.
"""

import argparse
import json
import os
import statistics
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from streamlit.testing.v1 import AppTest

from automl.settings import Settings
from benchmarks.machine import describe_machine, write_record
from tests.conftest import ROOT
from tests.ui import finished

ROWS = (100_000, 1_000_000)
LIMIT_SECONDS = {100_000: 1.5, 1_000_000: 4.0}
KINDS = ("binary", "multiclass", "regression")
TABBED = {"results": "results_tab", "audit": "audit_tab"}  # the key that says which tab is open
N_AGAIN = 3
TIMEOUT = 600


@dataclass(frozen=True, kw_only=True, slots=True)
class Visit:
    """A page as its address opens it; ``state`` is what a press on a tab leaves."""

    name: str
    page: str
    query: dict[str, str]
    state: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True, slots=True)
class Timing:
    """Wall seconds of the first and of a later opening, and CPU seconds of the first."""

    first: float
    cpu: float
    again: float


def open_visit(visit: Visit) -> tuple[AppTest, float, float]:
    """The page, with the wall and CPU seconds that its script took; an error on the page is one here."""
    at = AppTest.from_file(str(ROOT / "app" / "main.py"), default_timeout=TIMEOUT).run()
    at.switch_page(f"../pages/{visit.page}.py")
    for key, value in visit.query.items():
        at.query_params[key] = value
    for key, value in visit.state.items():
        at.session_state[key] = value
    started, cpu = time.perf_counter(), time.process_time()
    at.run()
    seconds, used = time.perf_counter() - started, time.process_time() - cpu
    assert not at.exception, (visit.name, at.exception)
    return at, seconds, used


def time_visit(visit: Visit) -> Timing:
    """Renew the files, so that nothing kept in memory is of this version, then open several times."""
    for path in Settings().workspace.root.glob("jobs/*/result/*"):
        os.utime(path)
    _, first, cpu = open_visit(visit)
    again = statistics.median(open_visit(visit)[1] for _ in range(N_AGAIN))
    return Timing(first=first, cpu=cpu, again=again)


def list_visits(search: str, other: str) -> Iterator[Visit]:
    """Every page with that search open, each tab of those that have tabs, and it beside another search."""
    for page in ("data", "search", "results", "audit", "models", "system"):
        plain = Visit(name=page, page=page, query={"search": search})
        labels = [tab.label for tab in open_visit(plain)[0].tabs] if page in TABBED else []
        if not labels:
            yield plain
        for label in labels:
            yield replace(plain, name=f"{page} · {label}", state={TABBED[page]: label})
    yield Visit(name="compare", page="results", query={"compare": f"{search},{other}"})


def time_bare_page() -> float:
    """Median seconds of a page with a title and a button."""

    def script() -> None:
        import streamlit as st

        st.title("Hello")
        st.button("Press")

    seconds = []
    for _ in range(2 * N_AGAIN):
        at = AppTest.from_function(script, default_timeout=TIMEOUT)
        started = time.perf_counter()
        at.run()
        seconds.append(time.perf_counter() - started)
    return statistics.median(seconds)


def measure(kind: str, n: int, bare: float) -> dict[str, Any]:
    """All pages of a search of that kind with ``n`` test rows, and which is the slowest."""
    plan = finished.Plan(kind=kind, n=n, has_importance=True, has_ensemble=True)
    search = finished.finish(plan).id
    other = finished.finish(replace(plan, skill=1.2)).id
    timings = {visit.name: time_visit(visit) for visit in list_visits(search, other)}
    slowest = max(timings, key=lambda name: timings[name].first)
    limit = LIMIT_SECONDS.get(n)
    return {
        "kind": kind,
        "rows": n,
        "limit_seconds": limit,
        "slowest": slowest,
        "slowest_seconds": round(timings[slowest].first, 2),
        "over_limit": [name for name, each in timings.items() if limit and each.first > limit],
        "pages": {
            name: {
                "first_seconds": round(each.first, 3),
                "first_cpu_seconds": round(each.cpu, 3),
                "again_seconds": round(each.again, 3),
                "first_over_bare": round(each.first / bare, 1),
            }
            for name, each in timings.items()
        },
    }


def warm_up() -> None:
    """Import what pages import, so that the first page measured does not pay for it."""
    for kind in KINDS:
        job = finished.finish(finished.Plan(kind=kind, n=200, has_importance=True)).id
        for visit in list_visits(job, job):
            open_visit(visit)


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, nargs="+", default=list(ROWS))
    parser.add_argument("--kinds", nargs="+", choices=KINDS, default=list(KINDS))
    parser.add_argument("--out", type=Path)
    options = parser.parse_args(arguments)
    machine = describe_machine()
    with tempfile.TemporaryDirectory() as home:
        os.environ["FAIRLOOM_HOME"] = home
        warm_up()
        bare = time_bare_page()
        runs = [measure(kind, n, bare) for n in options.rows for kind in options.kinds]
    record = {"machine": machine, "bare_page_seconds": round(bare, 3), "runs": runs}
    print(json.dumps(record, indent=2))
    write_record(record, options.out)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
