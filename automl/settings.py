"""Settings (environment ``FAIRLOOM_*``) and the workspace folder with its layout."""

import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from pydantic import Field, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from automl.errors import UnknownIdError

MB = 1_000_000
GB = 1_000 * MB


class Settings(BaseSettings):
    """Every knob of an installation, read once per process from ``FAIRLOOM_<NAME>``.

    Sizes are bytes, times seconds. ``devices`` empty means: what the machine has.
    """

    model_config = SettingsConfigDict(env_prefix="FAIRLOOM_", frozen=True, extra="ignore")

    home: Path = Field(
        default=Path("~/.fairloom"),
        description="The workspace: database, data sets, searches, logs.",
    )
    devices: Annotated[tuple[str, ...], NoDecode] = Field(
        default=(), description="Slots that run trials, as `cuda:0,cuda:1` or `cpu:0,cpu:1`."
    )
    max_table_bytes: int = Field(
        default=1 * GB, ge=1_000, description="Largest table that may be uploaded, unpacked too."
    )
    max_columns: int = Field(default=10_000, ge=2, description="Most columns a table may have.")
    max_rows: int = Field(default=10_000_000, ge=10, description="Most rows a table may have.")
    max_gzip_ratio: float = Field(
        default=200.0, ge=1, description="A gzip file that unpacks to more than this is refused."
    )
    import_memory_bytes: int = Field(
        default=8 * GB,
        ge=500 * MB,
        description="Address space of the process that reads an upload.",
    )
    import_seconds: float = Field(
        default=600.0, ge=1, description="Longest time that reading an upload may take."
    )
    max_archive_bytes: int = Field(
        default=4 * GB, ge=1_000, description="Largest ZIP of pictures that may be uploaded."
    )
    max_members: int = Field(
        default=200_000, ge=1, description="Most files a ZIP or a folder of pictures may hold."
    )
    max_picture_pixels: int = Field(
        default=50_000_000,
        ge=1_000,
        le=89_000_000,
        description="Largest picture that is read, width × height; 89 million at most.",
    )
    image_import_seconds: float = Field(
        default=3_600.0, ge=1, description="Longest time that reading a ZIP of pictures may take."
    )
    image_folders: Annotated[tuple[Path, ...], NoDecode] = Field(
        default=(),
        description="Folders on the server whose pictures may be imported from the page, with `:` between.",
    )
    min_free_bytes: int = Field(
        default=1 * GB,
        ge=0,
        description="Below this no new work is taken on; below half of it searches wait.",
    )

    @field_validator("devices", mode="before")
    @classmethod
    def _split_names(cls, value: object) -> object:
        if isinstance(value, str):
            return tuple(part.strip() for part in value.split(",") if part.strip())
        return value

    @field_validator("image_folders", mode="before")
    @classmethod
    def _split_paths(cls, value: object) -> object:
        if isinstance(value, str):
            parts = (Path(part).expanduser() for part in value.split(os.pathsep) if part.strip())
            return tuple(part.absolute() for part in parts)  # a child has another working folder
        return value

    @property
    def workspace(self) -> "Workspace":
        """The workspace under ``home``; nothing is created here."""
        return Workspace(self.home.expanduser())


# An id becomes a path here and nowhere else, so here it is made sure that it can only lead downwards.
_DATASET_ID = re.compile(r"[0-9a-f]{64}")
_JOB_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")


def _require_id(text: str, pattern: re.Pattern[str]) -> str:
    if not pattern.fullmatch(text):
        raise UnknownIdError(
            f"{text[:40]!r} is no id of a data set, search or upload.",
            hint="Open it from the list again; the link may be damaged.",
        )
    return text


@dataclass(frozen=True)
class Workspace:
    """The one folder an installation writes to; paths come from hashes and ids, never from user text."""

    root: Path

    @property
    def database(self) -> Path:
        return self.root / "fairloom.db"

    @property
    def incoming(self) -> Path:
        """Uploads on their way in: ``<upload>.part``."""
        return self.root / "incoming"

    def upload(self, upload_id: str) -> Path:
        """File of one upload."""
        return self.incoming / f"{_require_id(upload_id, _JOB_ID)}.part"

    @property
    def run(self) -> Path:
        """Locks and pid files."""
        return self.root / "run"

    @property
    def logs(self) -> Path:
        return self.root / "logs"

    @property
    def tmp(self) -> Path:
        return self.root / "tmp"

    @property
    def objects(self) -> Path:
        return self.root / "objects"

    def dataset(self, dataset_id: str) -> Path:
        """Folder of a data set: ``table.parquet``, ``dataset.json``, ``profile.json``; read-only.

        Pictures add ``images.npy`` and ``originals.parquet``.
        """
        known = _require_id(dataset_id, _DATASET_ID)
        return self.objects / known[:2] / known[2:]

    def setup(self, dataset_id: str) -> Path:
        """File with what a person has chosen so far for a data set."""
        return self.root / "setups" / f"{_require_id(dataset_id, _DATASET_ID)}.json"

    def job(self, job_id: str) -> Path:
        """Folder of a job: ``spec.json``, ``epochs.jsonl``, ``log.jsonl``, ``prepared/``, ``trials/``, ``result/``."""
        return self.root / "jobs" / _require_id(job_id, _JOB_ID)

    def result(self, job_id: str) -> Path:
        """Folder of a finished search: what the shell copies to ``--out``."""
        return self.job(job_id) / "result"
