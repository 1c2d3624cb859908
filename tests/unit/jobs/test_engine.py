import sqlite3
import subprocess
import sys
import threading
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory

import automl.jobs.engine as engine_module
from automl.errors import SettingsError
from automl.jobs.engine import build_engines, migrate, require_local_file_system
from automl.jobs.records import JobKind, NewJob
from automl.jobs.schema import SCHEMA_VERSION, metadata
from automl.jobs.store import JobStore

MIGRATIONS = Path(engine_module.__file__).parent / "migrations"


@pytest.fixture
def engines(tmp_path):
    engines = build_engines(tmp_path / "jobs.db")
    migrate(engines.write)
    yield engines
    engines.dispose()


def read_pragma(engine: sa.Engine, name: str):
    with engine.connect() as connection:
        return connection.exec_driver_sql(f"PRAGMA {name}").scalar()


def test_both_engines_have_the_settings_that_keep_data_safe(engines):
    for engine in (engines.read, engines.write):
        assert read_pragma(engine, "journal_mode") == "wal"
        assert read_pragma(engine, "foreign_keys") == 1
        assert read_pragma(engine, "busy_timeout") == 10_000


def test_the_read_engine_cannot_write(engines):
    with (
        pytest.raises(sa.exc.OperationalError, match="readonly"),
        engines.read.begin() as connection,
    ):
        connection.exec_driver_sql("DELETE FROM job")


def test_a_writer_takes_the_lock_when_it_begins(engines, tmp_path):
    with engines.write.begin():
        other = sqlite3.connect(tmp_path / "jobs.db", timeout=0, isolation_level=None)
        with pytest.raises(sqlite3.OperationalError, match="locked"):
            other.execute("BEGIN IMMEDIATE")
        assert other.execute("SELECT count(*) FROM job").fetchone() == (0,)  # readers go on
        other.close()


def test_the_migrations_lead_to_the_declared_schema(engines):
    with engines.read.connect() as connection:
        context = MigrationContext.configure(connection)
        assert compare_metadata(context, metadata) == []


def test_the_schema_version_is_the_newest_revision():
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.set_main_option("path_separator", "os")
    assert ScriptDirectory.from_config(config).get_current_head() == SCHEMA_VERSION


def run_alembic(engines, command, revision):
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.set_main_option("path_separator", "os")
    with engines.write.begin() as connection:
        config.attributes["connection"] = connection
        command(config, revision)


OLD_JOB = """INSERT INTO job (id, owner, kind, state, title, dataset, spec, product_version, priority,
 created_at, not_before, consumed_seconds, attempt, lease_token, progress, result)
 VALUES ('j', '', 'search', 'queued', 't', '', '{}', '0', 0, 1.0, 0.0, 0.0, 0, 0, '{}', '{}')"""
OLD_TRIAL = """INSERT INTO trial (job_id, number, family, config, state, stage, seed, attempt, n_epochs,
 best_epoch, device, failure_kind, failure_message, failure_hint, optuna)
 VALUES ('j', 0, 'mlp', '{"depth": 2}', 'complete', 'search', 7, 1, 3, 2, 'cpu:0', '', '', '', '{}')"""


def test_a_database_of_the_first_release_is_upgraded_with_its_trials(tmp_path):
    path = tmp_path / "jobs.db"
    engines = build_engines(path)
    run_alembic(engines, command.upgrade, "0001")
    with engines.write.begin() as connection:
        insert = OLD_JOB.replace(", result)", ", result, max_attempts)").replace(
            "'{}')", "'{}', 3)"
        )
        connection.exec_driver_sql(insert)
        connection.exec_driver_sql(OLD_TRIAL)
    engines.dispose()
    store = JobStore(path)
    (trial,) = store.list_trials("j")
    job = store.read_job("j")
    store.close()
    assert job is not None
    assert job.note == ""
    assert (trial.family, trial.config, trial.best_epoch) == ("mlp", {"depth": 2}, 2)
    assert (trial.facts, trial.origin) == ({}, "")


def test_the_newest_revision_can_be_taken_back(engines):
    with engines.write.begin() as connection:
        before = dict(connection.exec_driver_sql("SELECT name, sql FROM sqlite_master").fetchall())
    run_alembic(engines, command.downgrade, "0001")
    with engines.write.begin() as connection:
        names = [
            row[1]
            for table in ("trial", "job")
            for row in connection.exec_driver_sql(f"PRAGMA table_info({table})")
        ]
        after = dict(connection.exec_driver_sql("SELECT name, sql FROM sqlite_master").fetchall())
    assert {"facts", "origin", "note"}.isdisjoint(names)
    assert "ck_trial_state" in after["trial"]
    assert set(before) == set(after)


def test_a_database_of_a_newer_release_is_refused(engines, tmp_path):
    with engines.write.begin() as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(SettingsError, match="9999") as caught:
        JobStore(tmp_path / "jobs.db")
    assert caught.value.hint


def test_many_first_starts_at_once_make_one_schema(tmp_path):
    errors = []

    def open_store() -> None:
        try:
            JobStore(tmp_path / "new" / "jobs.db").close()
        except Exception as error:  # noqa: BLE001
            errors.append(error)

    threads = [threading.Thread(target=open_store) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []


CLAIMER = """
import sys
from pathlib import Path
from automl.jobs.records import JobKind
from automl.jobs.store import JobStore
store = JobStore(Path(sys.argv[1]))
while lease := store.claim_job(sys.argv[2], [JobKind.CHECK]):
    print(lease.job.id)
store.close()
"""


def test_processes_that_claim_at_once_never_share_a_job(tmp_path):
    path = tmp_path / "jobs.db"
    store = JobStore(path)
    ids = {store.submit_job(NewJob(kind=JobKind.CHECK, title=str(n))).id for n in range(120)}
    store.close()
    root = Path(engine_module.__file__).parents[2]
    claimers = [
        subprocess.Popen(
            [sys.executable, "-c", CLAIMER, str(path), f"w{n}"],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            cwd=root,
        )
        for n in range(3)
    ]
    outputs = [process.communicate(timeout=60) for process in claimers]
    assert [error for _, error in outputs] == ["", "", ""]
    claimed = [line for output, _ in outputs for line in output.split()]
    assert len(claimed) == 120
    assert set(claimed) == ids


MOUNTS = """\
/dev/vda / ext4 rw 0 0
tmpfs /tmp tmpfs rw 0 0
server:/x /mnt/net\\040share nfs4 rw 0 0
host /home/me/remote fuse.sshfs rw 0 0
/dev/vdb /home/me/remote/local ext4 rw 0 0
"""


@pytest.mark.parametrize(
    ("folder", "kind"),
    [
        ("/mnt/net share/fairloom", "nfs4"),
        ("/home/me/remote", "fuse.sshfs"),
        ("/home/me/remote/x", "fuse.sshfs"),
    ],
)
def test_network_file_systems_are_refused(folder, kind):
    with pytest.raises(SettingsError, match=kind) as caught:
        require_local_file_system(Path(folder), MOUNTS)
    assert "FAIRLOOM_HOME" in caught.value.hint


@pytest.mark.parametrize("folder", ["/home/me/other", "/srv/x", "/home/me/remote/local/x"])
def test_local_file_systems_are_accepted(folder):
    require_local_file_system(Path(folder), MOUNTS)
    require_local_file_system(Path(folder), "")


def test_reading_jobs_costs_no_heavy_import():
    code = (
        "import sys, automl.jobs.store; "
        "print([n for n in ('torch', 'optuna', 'streamlit', 'alembic', 'sklearn') if n in sys.modules])"
    )
    root = Path(engine_module.__file__).parents[2]
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, cwd=root, check=True
    )
    assert done.stdout.strip() == "[]"
