"""The server of one process: one port, any number of services."""

import asyncio
import os
import signal
from collections.abc import Callable, Sequence

import grpc
from grpc_health.v1 import health, health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection

from shared.errors import LikenessError
from shared.server.gate import Gate
from shared.server.interceptors import build_interceptors
from shared.server.options import server_options
from shared.server.service import Service
from shared.settings import ServerSettings
from shared.telemetry import configure_logging, configure_tracing, get_logger, start_exposition

_log = get_logger("server")
_STATUS = health_pb2.HealthCheckResponse
_SIGNALS = (signal.SIGTERM, signal.SIGINT)


class LikenessServer:
    """Runs services with all interceptors, health, reflection, limits and a graceful drain.

    Life cycle: `start` (listens; health says NOT_SERVING), `warm_up` (SERVING), `stop` (drains). A process
    calls `run_server`; tests call the three.
    """

    def __init__(self, services: Sequence[Service], settings: ServerSettings | None = None) -> None:
        self._services = tuple(services)
        self.settings = settings or ServerSettings()
        self._drain = asyncio.Event()
        self._gates = {service.name: Gate(service.name, service.limits) for service in services}
        self._health = health.aio.HealthServicer()
        self._server: grpc.aio.Server | None = None
        self._stop_exposition: Callable[[], None] = lambda: None
        self._stopping: asyncio.Task[None] | None = None
        self.port = 0

    async def start(self) -> int:
        """Listen, refusing work with NOT_WARM until `warm_up`.

        Returns:
            The port, which is also `self.port`.

        Raises:
            RuntimeError: The port is taken.
        """
        settings = self.settings
        server = grpc.aio.server(
            interceptors=build_interceptors(self._gates, self._drain), options=server_options(settings)
        )
        health_pb2_grpc.add_HealthServicer_to_server(self._health, server)
        for service in self._services:
            service.add_to(server)
        if settings.use_reflection:
            names = [service.name for service in self._services]
            reflection.enable_server_reflection(
                [*names, health.SERVICE_NAME, reflection.SERVICE_NAME], server
            )
        # The servicer is born SERVING for "": a balancer would send calls before the models are loaded.
        for name in ("", *self._gates):
            await self._health.set(name, _STATUS.NOT_SERVING)
        self.port = server.add_insecure_port(f"{settings.host}:{settings.port}")
        await server.start()
        self._server = server
        if settings.metrics_port is not None:
            port, self._stop_exposition = start_exposition(settings.metrics_port, settings.host)
            _log.info("metrics.listening", host=settings.host, port=port)
        _log.info("server.listening", host=settings.host, port=self.port, services=list(self._gates))
        return self.port

    async def warm_up(self) -> None:
        """Warm each service in turn; each one serves as soon as it is warm, "" when all are."""
        loop = asyncio.get_running_loop()
        for service in self._services:
            start = loop.time()
            await service.warm_up()
            self._gates[service.name].is_warm = True
            await self._health.set(service.name, _STATUS.SERVING)
            _log.info("service.warm", service=service.name, wall_s=round(loop.time() - start, 3))
        await self._health.set("", _STATUS.SERVING)

    async def stop(self, grace_s: float | None = None) -> None:
        """Drain and close; a second call waits for the first.

        Health NOT_SERVING, then `drain_delay_s`, then watches end and new calls are refused, then calls in
        flight get up to *grace_s* (default: the setting), then services close in reverse order.
        """
        if self._stopping is None:
            grace = self.settings.drain_grace_s if grace_s is None else grace_s
            self._stopping = asyncio.ensure_future(self._stop(grace))
        await asyncio.shield(self._stopping)

    async def _stop(self, grace_s: float) -> None:
        _log.info("server.draining", grace_s=grace_s)
        await self._health.enter_graceful_shutdown()
        # The balancer polls health every few seconds; refusing work sooner would drop its calls.
        await asyncio.sleep(self.settings.drain_delay_s)
        self._drain.set()
        for service in self._services:
            service.on_drain()
        if self._server is not None:
            await self._server.stop(grace_s)
        for service in reversed(self._services):
            try:
                await service.close()
            except Exception as error:
                _log.error("service.close_failed", service=service.name, exc_info=error)
        self._stop_exposition()
        _log.info("server.stopped")

    async def run_until_signalled(self) -> int:
        """Start, warm up, serve until SIGTERM or SIGINT, drain. A second signal ends the process at once.

        Returns:
            The exit code: 0, or 1 when the warm-up failed or the port is taken.
        """
        signalled = asyncio.Event()

        def on_signal(number: signal.Signals) -> None:
            if signalled.is_set():
                os._exit(128 + number)
            _log.info("server.signalled", signal=number.name)
            signalled.set()

        loop = asyncio.get_running_loop()
        for number in _SIGNALS:
            loop.add_signal_handler(number, on_signal, number)
        try:
            return await self._serve_until(signalled)
        finally:
            for number in _SIGNALS:
                loop.remove_signal_handler(number)

    async def _serve_until(self, signalled: asyncio.Event) -> int:
        try:
            await self.start()
        except RuntimeError as error:
            _log.error("server.not_started", error=str(error))
            return 1
        wait = asyncio.ensure_future(signalled.wait())
        warm_up = asyncio.ensure_future(self.warm_up())
        await asyncio.wait({wait, warm_up}, return_when=asyncio.FIRST_COMPLETED)
        exit_code = 0
        if not warm_up.done():
            warm_up.cancel()
        elif failure := warm_up.exception():
            _log_warm_up_failure(failure)
            wait.cancel()
            exit_code = 1
        await asyncio.wait({wait, warm_up})
        await self.stop()
        return exit_code


def run_server(server: LikenessServer) -> int:
    """Configure logging and tracing, run *server* until it is signalled, return the exit code."""
    configure_logging(server.settings.log_level, server.settings.log_format)
    configure_tracing("likeness", use_tracing=server.settings.use_tracing)
    try:
        return asyncio.run(server.run_until_signalled())
    finally:
        # Sends the spans that are still buffered.
        configure_tracing("likeness", use_tracing=False)


def _log_warm_up_failure(error: BaseException) -> None:
    if isinstance(error, LikenessError):
        # The text names file, licence and command; a stack trace would only hide it.
        _log.error("server.warm_up_failed", reason=str(error.reason), error=error.message)
    else:
        _log.error("server.warm_up_failed", exc_info=error)
