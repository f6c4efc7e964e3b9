"""Content-addressed blobs behind one port: a folder on one machine, an object store in a cluster."""

from shared.artifacts.errors import UnknownArtifact
from shared.artifacts.fsspec_store import FsspecStore, open_store
from shared.artifacts.store import ArtifactRef, ArtifactStore, is_tenant_name

__all__ = ["ArtifactRef", "ArtifactStore", "FsspecStore", "UnknownArtifact", "is_tenant_name", "open_store"]
