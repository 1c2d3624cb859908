"""The System page with and without a worker."""

import time

from streamlit.testing.v1 import AppTest

from app import services
from automl.files import append_jsonl
from automl.jobs.records import WorkerRow


def open_system() -> AppTest:
    at = AppTest.from_file("../../app/main.py", default_timeout=30).run()
    at.switch_page("../pages/system.py").run()
    assert not at.exception, at.exception
    return at


def read_text(at: AppTest) -> str:
    kinds = (at.title, at.header, at.subheader, at.markdown, at.caption, at.warning)
    return "\n".join(str(element.value) for kind in kinds for element in kind)


def test_without_a_worker_the_page_says_how_to_start_one() -> None:
    at = open_system()
    assert "▲ none" in read_text(at)
    assert "python -m automl worker" in read_text(at)


def test_a_worker_its_machine_and_the_log_are_shown() -> None:
    services.prepare_workspace()
    stats = {
        "cpu_percent": 42.0, "memory_used_bytes": 4e9, "memory_total_bytes": 8e9,
        "disk_free_bytes": 5e10, "devices": [],
    }  # fmt: skip
    services.get_store().register_worker(
        WorkerRow(
            id="w", host="here", pid=4711, version="0.1.0", slots=("cpu:0",),
            heartbeat_at=time.time(), stats=stats,
        )
    )  # fmt: skip
    append_jsonl(
        services.get_workspace().logs / "worker.jsonl",
        {"time": "2026-01-01T00:00:00", "level": "info", "event": "job claimed", "job": "j1"},
    )
    at = open_system()
    text = read_text(at)
    assert "● running" in text
    assert "4711" in text
    values = [metric.value for metric in at.metric]
    assert "42 %" in values
    assert "4.0 GB / 8.0 GB" in values
    assert "job claimed  job=j1" in at.code[0].value
    at.text_input(key="log_find").set_value("nothing like it").run()
    assert "No line to show" in read_text(at)


def test_versions_and_devices_are_listed() -> None:
    at = open_system()
    tables = [frame.value for frame in at.dataframe]
    versions = next(table for table in tables if "Version" in table.columns)
    assert "torch" in set(versions["Package"])
    devices = next(table for table in tables if "Device" in table.columns)
    assert len(devices) == len(services.list_slots())
