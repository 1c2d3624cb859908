"""The download route: one signed link, one file of the workspace, with ETag and Range, never in memory."""

from pathlib import Path

from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, Response

from app.errors import TokenError
from app.tokens import read_artifact
from automl.settings import Settings


async def handle_artifact(request: Request) -> Response:
    """Send the file a token names, always as an attachment: a report must not run beside our pages."""
    workspace = Settings().workspace
    try:
        grant = read_artifact(workspace.run, request.path_params["token"])
    except TokenError as error:
        return JSONResponse({"error": str(error)}, status_code=403)
    path = resolve_inside(workspace.root, grant.path)
    if path is None:
        return JSONResponse({"error": "This file is not here any more."}, status_code=404)
    return FileResponse(
        path,
        filename=grant.filename,
        content_disposition_type="attachment",
        headers={"Cache-Control": "private, no-cache"},
    )


def resolve_inside(root: Path, relative: str) -> Path | None:
    """The file under ``root``, or None when it is absent, no file, or outside (links followed)."""
    path = (root / relative).resolve()
    return path if path.is_relative_to(root.resolve()) and path.is_file() else None
