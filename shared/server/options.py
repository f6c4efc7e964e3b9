"""Transport options of the server."""

from shared.settings import ServerSettings


def server_options(settings: ServerSettings) -> list[tuple[str, int]]:
    """The grpc channel arguments that our settings ask for."""
    keepalive_ms = round(settings.keepalive_s * 1000)
    return [
        # Without it a second server on the same port starts silently and takes half of the calls.
        ("grpc.so_reuseport", 0),
        ("grpc.max_send_message_length", settings.max_message_bytes),
        ("grpc.max_receive_message_length", settings.max_message_bytes),
        ("grpc.keepalive_time_ms", keepalive_ms),
        ("grpc.keepalive_timeout_ms", 10_000),
        # Our channels ping every 30 s during a call; a stricter server would answer with GOAWAY.
        ("grpc.http2.min_ping_interval_without_data_ms", 10_000),
    ]
