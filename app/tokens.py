"""Short-lived signed tokens that let a browser use one route for one thing; one salt per purpose.

The key lies in the workspace (mode 0600), so that tokens outlive a restart of the web process.
"""

import os
import secrets
from dataclasses import asdict, dataclass
from functools import lru_cache
from pathlib import Path

from itsdangerous import BadData, URLSafeTimedSerializer

from app.errors import TokenError

DAY = 86_400


@dataclass(frozen=True, kw_only=True, slots=True)
class UploadGrant:
    """The right to append up to ``max_bytes`` to ``incoming/<upload>.part``."""

    upload: str
    max_bytes: int
    owner: str = "local"


@dataclass(frozen=True, kw_only=True, slots=True)
class ArtifactGrant:
    """The right to read one file of the workspace (``path`` is relative to it) under a given name."""

    path: str
    filename: str
    owner: str = "local"


def sign_grant(run_folder: Path, grant: UploadGrant | ArtifactGrant) -> str:
    """The token of a grant, safe in a path."""
    return _open(run_folder, type(grant).__name__).dumps(asdict(grant))


def read_upload(run_folder: Path, token: str) -> UploadGrant:
    """The upload a token allows; ``TokenError`` for a foreign, changed or old one."""
    return UploadGrant(**_read(run_folder, UploadGrant.__name__, token))


def read_artifact(run_folder: Path, token: str) -> ArtifactGrant:
    """The file a token allows; ``TokenError`` for a foreign, changed or old one."""
    return ArtifactGrant(**_read(run_folder, ArtifactGrant.__name__, token))


def _read(run_folder: Path, salt: str, token: str) -> dict[str, str | int]:
    try:
        return dict(_open(run_folder, salt).loads(token, max_age=DAY))
    except BadData as error:
        raise TokenError("This link is not valid any more.", hint="Reload the page.") from error


def _open(run_folder: Path, salt: str) -> URLSafeTimedSerializer:
    return URLSafeTimedSerializer(_load_key(run_folder), salt=salt)


@lru_cache(maxsize=8)
def _load_key(run_folder: Path) -> bytes:
    path = run_folder / "web.key"
    run_folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    try:
        handle = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    except FileExistsError:
        return path.read_bytes()
    with os.fdopen(handle, "wb") as file:
        key = secrets.token_bytes(32)
        file.write(key)
    return key
