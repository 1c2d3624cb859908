"""``python -m app [--port 8501]``: prepare the workspace, run web and worker, stop both."""

import argparse
import http.client
import logging
import socket
import sys
from collections.abc import Sequence

from app import services
from app.errors import StartError
from app.supervisor import Service, Supervisor
from fairness.errors import FairloomError

ADDRESS = "127.0.0.1"


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve until Ctrl-C or SIGTERM; 0 after a clean stop, 2 when it cannot start as asked."""
    options = _parse(arguments)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    logging.getLogger("alembic").setLevel(logging.WARNING)
    try:
        require_free_port(options.port)
        services.prepare_workspace()
    except FairloomError as error:
        print(error, file=sys.stderr)
        return 2
    print("Fairloom is starting …", flush=True)
    Supervisor(build_services(options.port), lambda: announce(options.port)).run()
    return 0


def announce(port: int) -> bool:
    """Print the address once the pages answer; whether they did."""
    connection = http.client.HTTPConnection(ADDRESS, port, timeout=2)
    try:
        connection.request("GET", "/api/health")
        if connection.getresponse().status != 200:
            return False
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
    print(f"Fairloom is at http://{ADDRESS}:{port} (Ctrl-C stops it)", flush=True)
    return True


def build_services(port: int) -> tuple[Service, Service]:
    """The two children, with the interpreter that runs this."""
    return (
        Service(name="web", command=(sys.executable, "-m", "app.serve", "--port", str(port))),
        Service(name="worker", command=(sys.executable, "-m", "automl.worker")),
    )


def require_free_port(port: int) -> None:
    """Raise ``StartError`` when something listens on that port already."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((ADDRESS, port))
        except OSError as error:
            raise StartError(
                f"Port {port} of {ADDRESS} is in use.",
                hint=f"Stop what runs there, or choose another: python -m app --port {port + 1}",
            ) from error


def _parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m app", description="Serve Fairloom: the pages and a worker beside them."
    )
    parser.add_argument("--port", type=int, default=8501, help="port on 127.0.0.1 (8501)")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    raise SystemExit(main())
