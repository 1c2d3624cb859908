"""The chunked upload route: ``HEAD`` tells the offset, ``PATCH`` appends, ``DELETE`` gives up.

A file is streamed to ``incoming/<upload>.part`` and never held in memory. ``Content-Length`` is not
believed: bytes are counted as they come. A broken chunk leaves what arrived; the browser asks with
``HEAD`` and goes on from there.
"""

import asyncio
import time
from pathlib import Path

from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response

from app.errors import TokenError
from app.tokens import UploadGrant, read_upload
from automl.errors import DiskFull
from automl.files import require_free_space
from automl.settings import Settings, Workspace

IDLE_SECONDS = 60
MAX_OPEN = 3
EXPIRE_SECONDS = 86_400

_locks: dict[str, asyncio.Lock] = {}


async def handle_upload(request: Request) -> Response:
    """The route's one handler; the token names the file, the cap and the owner."""
    settings = Settings()
    try:
        grant = read_upload(settings.workspace.run, request.path_params["token"])
    except TokenError as error:
        return _refuse(403, str(error))
    path = settings.workspace.upload(grant.upload)
    if request.method == "HEAD":
        return Response(headers=_describe(path))
    lock = _locks.setdefault(grant.upload, asyncio.Lock())
    if lock.locked():
        return _refuse(409, "Another chunk of this upload is on its way.", _describe(path))
    async with lock:
        try:
            if request.method == "DELETE":
                path.unlink(missing_ok=True)
                return Response(status_code=204)
            return await _append(request, grant, path, settings)
        finally:
            _locks.pop(grant.upload, None)


def remove_expired(workspace: Workspace, *, older_than_seconds: float = EXPIRE_SECONDS) -> int:
    """Delete parts that nobody finished; how many."""
    if not workspace.incoming.is_dir():
        return 0
    limit = time.time() - older_than_seconds
    old = [part for part in workspace.incoming.glob("*.part") if part.stat().st_mtime < limit]
    for part in old:
        part.unlink(missing_ok=True)
    return len(old)


async def _append(request: Request, grant: UploadGrant, path: Path, settings: Settings) -> Response:
    offset = _read_size(path)
    if request.headers.get("upload-offset") != str(offset):
        return _refuse(409, "The offset is not what is on disk.", _describe(path))
    if offset == 0 and len(_locks) > MAX_OPEN:
        return _refuse(429, f"At most {MAX_OPEN} uploads run at once; try again when one is done.")
    try:
        require_free_space(settings.workspace.root, settings.min_free_bytes)
    except DiskFull as error:
        return _refuse(507, str(error))
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    try:
        await _stream(request, path, grant.max_bytes)
    except _TooLarge:
        await run_in_threadpool(path.unlink, missing_ok=True)
        return _refuse(413, f"The file is larger than the limit of {grant.max_bytes:,} bytes.")
    except (ClientDisconnect, TimeoutError):
        return _refuse(408, "The connection was lost.", _describe(path))
    return Response(status_code=204, headers=_describe(path))


class _TooLarge(Exception):
    pass


async def _stream(request: Request, path: Path, max_bytes: int) -> None:
    size = _read_size(path)
    chunks = request.stream()
    with path.open("ab") as file:
        while True:
            try:
                chunk = await asyncio.wait_for(anext(chunks), IDLE_SECONDS)
            except StopAsyncIteration:
                return
            size += len(chunk)
            if size > max_bytes:
                raise _TooLarge
            await run_in_threadpool(file.write, chunk)


def _read_size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0


def _describe(path: Path) -> dict[str, str]:
    return {"Upload-Offset": str(_read_size(path)), "Cache-Control": "no-store"}


def _refuse(status: int, words: str, headers: dict[str, str] | None = None) -> Response:
    return JSONResponse({"error": words}, status_code=status, headers=headers)
