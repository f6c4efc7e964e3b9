"""Face analysis and fusion served in this process, so that what happens inside a call can be timed."""

import asyncio
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from services.face_analysis.bootstrap import build as build_analysis
from services.face_analysis.settings import FaceAnalysisSettings
from services.fusion.bootstrap import build as build_fusion
from services.fusion.settings import FusionSettings
from shared.server.server import LikenessServer
from shared.settings import ServerSettings
from shared.telemetry import configure_logging, metrics

_START_S = 300.0


@contextmanager
def served() -> Iterator[str]:
    """Yields "HOST:PORT" of both services, warm; they run on a thread of this process and stop after."""
    configure_logging("WARNING")
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, name="services", daemon=True)
    thread.start()

    async def start() -> LikenessServer:
        services = [build_analysis(FaceAnalysisSettings()), build_fusion(FusionSettings())]
        server = LikenessServer(services, ServerSettings(port=0))
        await server.start()
        await server.warm_up()
        return server

    server = asyncio.run_coroutine_threadsafe(start(), loop).result(_START_S)
    try:
        yield f"127.0.0.1:{server.port}"
    finally:
        asyncio.run_coroutine_threadsafe(server.stop(), loop).result(_START_S)
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


def stage_seconds(service: str, stage: str) -> float:
    """Returns the seconds that a stage of a service has taken so far, all calls together."""
    labels = {"service": service, "stage": stage}
    return metrics.REGISTRY.get_sample_value("likeness_stage_seconds_sum", labels) or 0.0


class Spans:
    """Times chosen methods wherever they are called from, by name, in milliseconds."""

    def __init__(self) -> None:
        self.ms: dict[str, list[float]] = defaultdict(list)

    @contextmanager
    def around(self, owner: type[Any], method: str, name: str) -> Iterator[None]:
        """Times *method* of a class under *name* as long as the context is open."""
        plain: Callable[..., Any] = getattr(owner, method)

        def timed(*args: Any, **kwargs: Any) -> Any:
            began_s = time.perf_counter()
            try:
                return plain(*args, **kwargs)
            finally:
                self.ms[name].append(1000 * (time.perf_counter() - began_s))

        setattr(owner, method, timed)
        try:
            yield
        finally:
            setattr(owner, method, plain)
