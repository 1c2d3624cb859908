"""The ASGI application: Streamlit plus our own upload, download and health routes.

``python -m app`` starts this beside a worker; ``python -m app.serve --port 8501`` starts it alone.
"""

import argparse
import gc
import logging
import pkgutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import lru_cache
from importlib import import_module
from pathlib import Path
from typing import Any
from uuid import uuid4

import streamlit as st
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from app import components, services
from app.artifacts import handle_artifact
from app.assets import Assets
from app.headers import SecurityHeaders
from app.sockets import send_at_once
from app.uploads import handle_upload, remove_expired
from app.wording import say
from automl.settings import Settings

ADDRESS = "127.0.0.1"
HOSTS = ["localhost", "127.0.0.1"]
READ_BY = ("automl.data.samples", "automl.data.store", "automl.jobs.store", "pyarrow.pandas_compat",
           "PIL.PngImagePlugin", "streamlit.material_icon_names")  # fmt: skip


@lru_cache(maxsize=1)
def _open_log() -> Any:
    from automl.worker.logs import open_log

    return open_log(Settings().workspace.logs / "web.jsonl")


async def handle_health(_request: Request) -> Response:
    """For the supervisor: the web process answers."""
    return JSONResponse({"status": "ok"}, headers={"Cache-Control": "no-store"})


ROUTES = [
    Route("/api/uploads/{token}", handle_upload, methods=["HEAD", "PATCH", "DELETE"]),
    Route("/api/artifacts/{token}", handle_artifact, methods=["GET", "HEAD"]),
    Route("/api/health", handle_health),
]
MIDDLEWARE = [
    Middleware(TrustedHostMiddleware, allowed_hosts=HOSTS),
    Middleware(SecurityHeaders),
    Middleware(Assets),
]


@asynccontextmanager
async def lifespan(_app: object) -> AsyncIterator[None]:
    """Prepare the workspace and clear away uploads that nobody finished."""
    services.prepare_workspace()
    services.enable_routes()
    remove_expired(Settings().workspace)
    warm_up()
    send_at_once()
    yield


def warm_up() -> None:
    """Import what the pages draw with and read by, so that the first visitor does not wait for it.

    What is here now stays: Streamlit collects garbage after every run of a page, and walking through all
    libraries each time would keep the answer waiting.
    """
    for module in pkgutil.iter_modules(components.__path__, f"{components.__name__}."):
        import_module(module.name)
    for name in READ_BY:
        import_module(name)
    gc.collect()
    gc.freeze()


def show_error_number(error: Exception) -> bool:
    """Show an unexpected error as a number; its traceback goes to the log under that number."""
    number = uuid4().hex[:8]
    _open_log().error("page failed", error_id=number, exc_info=error)
    st.error(say("error.bug", id=number), icon=":material/bug_report:")
    return True


def build_app() -> st.App:
    """The application with its routes; one per process."""
    return st.App(
        Path(__file__).resolve().with_name("main.py"),
        routes=ROUTES,
        middleware=MIDDLEWARE,
        lifespan=lifespan,
        on_script_error=show_error_number,
    )


def main() -> None:
    """Serve on the loopback address until stopped."""
    parser = argparse.ArgumentParser(prog="python -m app.serve")
    parser.add_argument("--port", type=int, default=8501)
    port = parser.parse_args().port
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    build_app().run(config={"server.address": ADDRESS, "server.port": port})


if __name__ == "__main__":
    main()
