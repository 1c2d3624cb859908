"""Answers leave at once."""

import socket

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
