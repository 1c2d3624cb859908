"""SQLite as the job store wants it: two engines, one writer at a time, the newest schema."""

import contextlib
import fcntl
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import sqlalchemy as sa

from automl.errors import SettingsError
from automl.jobs.schema import SCHEMA_VERSION

_NETWORK_FILE_SYSTEMS = frozenset(
    {"nfs", "nfs4", "cifs", "smb3", "smbfs", "9p", "fuse.sshfs", "afs", "ceph", "glusterfs"}
)
_BUSY_MILLISECONDS = 10_000


@dataclass(frozen=True, kw_only=True, slots=True)
class Engines:
    """``write`` begins every transaction as the only writer; ``read`` cannot write at all."""

    read: sa.Engine
    write: sa.Engine

    def dispose(self) -> None:
        """Close every pooled connection."""
        self.read.dispose()
        self.write.dispose()


def build_engines(path: Path) -> Engines:
    """Both engines for the database file ``path``; nothing is opened yet."""
    return Engines(
        read=_build_engine(path, begin="BEGIN", query_only=True),
        # IMMEDIATE takes the write lock at once: a deferred transaction that reads first and writes
        # later fails with "database is locked" whatever the timeout.
        write=_build_engine(path, begin="BEGIN IMMEDIATE", query_only=False),
    )


@contextlib.contextmanager
def open_alone(path: Path) -> Iterator[None]:
    """Hold a lock file beside the database while it is opened for the first time.

    Switching a new file to WAL needs it for oneself, and SQLite answers "database is locked" at once, without
    waiting, when two connections try.
    """
    with path.with_name(f"{path.name}.lock").open("ab") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # given back when the file is closed
        yield


def _build_engine(path: Path, *, begin: str, query_only: bool) -> sa.Engine:
    engine = sa.create_engine(f"sqlite:///{path}", pool_size=5, max_overflow=20)

    @sa.event.listens_for(engine, "connect")
    def _on_connect(connection: sqlite3.Connection, _record: object) -> None:
        connection.isolation_level = None  # else the driver begins by itself, and deferred
        for pragma in (
            f"busy_timeout={_BUSY_MILLISECONDS}",  # first: switching to WAL may have to wait
            "journal_mode=WAL",
            "synchronous=NORMAL",
            "foreign_keys=ON",
            "journal_size_limit=67108864",
            f"query_only={'ON' if query_only else 'OFF'}",
        ):
            connection.execute(f"PRAGMA {pragma}").close()

    @sa.event.listens_for(engine, "begin")
    def _on_begin(connection: sa.Connection) -> None:
        connection.exec_driver_sql(begin)

    return engine


def require_local_file_system(folder: Path, mounts: str | None = None) -> None:
    """Raise ``SettingsError`` where SQLite's locks cannot be trusted (network file systems).

    ``mounts`` is the text of a mount table; by default this machine's, absent outside Linux.
    """
    if mounts is None:
        table = Path("/proc/self/mounts")
        mounts = table.read_text(encoding="utf-8") if table.exists() else ""
    kind = _find_file_system(folder.expanduser().resolve(), mounts)
    if kind in _NETWORK_FILE_SYSTEMS:
        raise SettingsError(
            f"The workspace {folder} lies on a network file system ({kind}).",
            hint="Set FAIRLOOM_HOME to a folder on a local disk; SQLite's locks fail over a network.",
        )


def _find_file_system(folder: Path, mounts: str) -> str:
    best, kind = -1, ""
    for line in mounts.splitlines():
        fields = line.split()
        if len(fields) < 3:
            continue
        point = Path(fields[1].replace("\\040", " "))
        if folder.is_relative_to(point) and len(point.parts) >= best:
            best, kind = len(point.parts), fields[2]
    return kind


def read_schema_version(engine: sa.Engine) -> str | None:
    """The revision the database is at, None for an empty one."""
    with engine.connect() as connection:
        if not sa.inspect(connection).has_table("alembic_version"):
            return None
        version = connection.scalar(sa.text("SELECT version_num FROM alembic_version"))
        return None if version is None else str(version)


def migrate(engine: sa.Engine) -> None:
    """Bring the database to ``SCHEMA_VERSION``; two processes at once are in turn, one newer is refused.

    ``engine`` is the write engine. Alembic is only imported when there is something to do.
    """
    if read_schema_version(engine) == SCHEMA_VERSION:
        return
    from alembic import command
    from alembic.config import Config
    from alembic.util import CommandError

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    config.set_main_option("path_separator", "os")
    with (
        engine.begin() as connection
    ):  # holds the write lock: the second process finds the work done
        config.attributes["connection"] = connection
        try:
            command.upgrade(config, "head")
        except CommandError as error:
            raise SettingsError(
                f"The database was written by another release ({error}).",
                hint="Use the newest release you have used with this workspace, or another FAIRLOOM_HOME.",
            ) from error
