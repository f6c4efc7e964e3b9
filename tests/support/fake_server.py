"""The fakes and the orchestrator as a process of their own, to be killed.

python -m tests.support.fake_server FOLDER RPC: state below FOLDER; the port appears in FOLDER/port once
everything is warm, the names of the RPCs that the fakes were asked for in FOLDER/calls. Calls of RPC ("" for
none) never end.
"""

import asyncio
import sys
from pathlib import Path

from services.orchestrator.bootstrap import build
from shared.artifacts import open_store
from shared.server import LikenessServer
from shared.settings import ServerSettings
from shared.telemetry import configure_logging
from tests.support.fake_services.fakes import Fakes
from tests.support.fake_services.script import Script
from tests.support.fake_services.serving import services_of
from tests.support.orchestra import orchestrator_settings


async def main(folder: Path, held: str) -> None:
    """Serve until the process ends."""
    configure_logging("WARNING")
    fakes = Fakes(
        open_store(str(folder / "artifacts")),
        Script(calls_file=folder / "calls"),
        held=held,
        jobs_folder=folder / "jobs",
    )
    backs = LikenessServer(services_of(fakes), ServerSettings())
    port = await backs.start()
    await backs.warm_up()
    front = LikenessServer([build(orchestrator_settings(folder, port))], ServerSettings())
    await front.start()
    await front.warm_up()
    draft = folder / "port.draft"
    draft.write_text(str(front.port))
    draft.rename(folder / "port")
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), sys.argv[2]))
