"""The messages of an upload of photos."""

import hashlib

from likeness.orchestrator.v1 import orchestrator_pb2 as pb

Parts = list[pb.UploadIdentityRequest]


def upload(*contents: bytes, name: str = "", request_id: str = "", chunk: int = 1000) -> Parts:
    """The messages of a sound upload."""
    parts = [pb.UploadIdentityRequest(header=pb.UploadHeader(display_name=name, request_id=request_id))]
    for number, data in enumerate(contents):
        start = pb.UploadPhotoStart(
            display_name=f"{number}.png", size_bytes=len(data), sha256=hashlib.sha256(data).hexdigest()
        )
        parts.append(pb.UploadIdentityRequest(photo=start))
        parts += [pb.UploadIdentityRequest(chunk=data[at : at + chunk]) for at in range(0, len(data), chunk)]
    return parts
