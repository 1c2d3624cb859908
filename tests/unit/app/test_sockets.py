"""Answers leave at once."""

import socket

import psutil
import pytest

from app.sockets import send_at_once


def test_connections_of_a_listening_socket_do_not_wait_for_acknowledgements() -> None:
    with socket.socket(socket.AF_INET) as listener:  # as Streamlit makes it
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        send_at_once()
        with socket.create_connection(listener.getsockname()):
            connection, _ = listener.accept()
            with connection:
                assert connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)


def test_a_system_that_hides_sockets_is_told_of_and_the_web_process_goes_on(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def refuse(_process: psutil.Process, _kind: str) -> None:
        raise psutil.AccessDenied

    monkeypatch.setattr(psutil.Process, "net_connections", refuse)
    send_at_once()
    assert "cannot be listed" in caplog.text
