"""What a served model says of itself."""

import json
from dataclasses import dataclass
from pathlib import Path

from services.diffusion.adapters.graph.sidecar import FORMAT_VERSION, UNetGraph, graph_of
from services.diffusion.adapters.triton.connection import TritonConnection
from services.diffusion.adapters.triton.faults import other_model


@dataclass(frozen=True)
class Description:
    """Facts of the server's model.

    Attributes:
        graph: Its unet.json; the folder is the server's own.
        runtime: Runtime, precision and device, such as "onnxruntime float32 on cpu".
        batch_tolerance: As UNetBackend's.
        max_rows: Rows of one request.
        max_rank: Most ranks that the adapters of one row may add up to, per packed input.
    """

    graph: UNetGraph
    runtime: str
    batch_tolerance: float
    max_rows: int
    max_rank: int


def described_by(content: bytes, connection: TritonConnection) -> Description:
    """Read the answer to "describe". Raises: ModelMissing where the graph has another format than ours."""
    facts = json.loads(content)
    if facts["graph"]["format_version"] != FORMAT_VERSION:
        raise other_model(connection.model, connection.target)
    return Description(
        graph=graph_of(facts["graph"], Path("unet")),
        runtime=facts["runtime"],
        batch_tolerance=float(facts["batch_tolerance"]),
        max_rows=int(facts["max_rows"]),
        max_rank=int(facts["max_rank"]),
    )
