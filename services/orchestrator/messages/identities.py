"""Identities: uploads in, records and receipts out."""

from likeness.common.v1 import face_pb2
from likeness.orchestrator.v1 import orchestrator_pb2 as pb
from likeness.orchestrator.v1 import resources_pb2 as res

from services.orchestrator.domain.identity import Identity, Photo
from services.orchestrator.domain.upload import Chunk, Header, Part, PhotoStart
from services.orchestrator.engine.identities import Receipt
from services.orchestrator.messages.basics import to_ref, to_refusals, to_time


def to_photo(photo: Photo) -> res.IdentityPhoto:
    """Convert a photo with its verdict."""
    return res.IdentityPhoto(
        display_name=photo.display_name,
        artifact=to_ref(photo.original),
        is_accepted=photo.is_accepted,
        refusals=to_refusals(photo.refusals),
        warnings=to_refusals(photo.warnings),
        similarity_to_set=photo.similarity_to_set,
        applied_rotation_degrees=photo.applied_rotation_degrees,
    )


def to_identity(identity: Identity) -> res.Identity:
    """Convert an identity; its embeddings stay inside."""
    return res.Identity(
        name=identity.name,
        display_name=identity.display_name,
        photos=[to_photo(photo) for photo in identity.photos],
        attributes=[face_pb2.FaceAttribute(**item.model_dump()) for item in identity.attributes],
        adapter=to_ref(identity.adapter.artifact if identity.adapter else None),
        create_time=to_time(identity.create_time),
    )


def to_receipt(receipt: Receipt) -> pb.DeleteIdentityResponse:
    """Convert the receipt of a deletion."""
    return pb.DeleteIdentityResponse(
        photo_count=receipt.photo_count,
        embedding_count=receipt.embedding_count,
        adapter_count=receipt.adapter_count,
        training_job_count=receipt.training_job_count,
        portrait_count=receipt.portrait_count,
        artifact_count=receipt.artifact_count,
        delete_time=to_time(receipt.delete_time),
    )


def from_upload(message: pb.UploadIdentityRequest) -> Part:
    """Convert one message of an upload."""
    match message.WhichOneof("part"):
        case "header":
            return Header(message.header.display_name, message.header.request_id)
        case "photo":
            return PhotoStart(message.photo.display_name, message.photo.size_bytes, message.photo.sha256)
        case _:
            return Chunk(message.chunk)
