"""What a graph was made of, as one digest: the key of the cache."""

import hashlib

from services.diffusion.adapters.graph.sidecar import FORMAT_VERSION
from shared.sdmodels import ModelFolder, base_model_digest


def graph_digest(folder: ModelFolder) -> str:
    """SHA-256 over the graph's format and all weights in it: UNet's, and IP-Adapter's where there is one."""
    digest = hashlib.sha256(f"{FORMAT_VERSION} {base_model_digest(folder)}".encode())
    if folder.ip_adapter_file:
        digest.update(folder.ip_adapter_file.read_bytes())
    return digest.hexdigest()
