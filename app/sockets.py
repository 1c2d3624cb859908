"""How the web process writes to its connections."""

import logging
import os
import socket

import psutil

logger = logging.getLogger("fairloom.web")


def send_at_once() -> None:
    """Let every answer leave when it is written, on the sockets this process listens on.

    Streamlit binds a socket that names no protocol, and asyncio then leaves Nagle's algorithm on: the body of an
    answer waits for the browser's delayed acknowledgement of its headers, 40 ms each, for seventy files of a first
    page and for messages of a rerun. Connections inherit the option from the socket that accepts them.

    A system that does not show a process its own sockets is told of in the log: its pages come slower.
    """
    try:
        connections = psutil.Process().net_connections("tcp")
    except (OSError, psutil.Error) as error:
        logger.warning("Answers wait for acknowledgements: sockets cannot be listed (%s)", error)
        return
    for connection in connections:
        if connection.status == psutil.CONN_LISTEN:
            with socket.socket(fileno=os.dup(connection.fd)) as listener:
                listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
