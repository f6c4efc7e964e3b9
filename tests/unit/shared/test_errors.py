"""Typed errors: text, metadata, wire form and back."""

import pickle

import grpc
import pytest
from google.rpc import error_details_pb2, status_pb2
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.errors import CATALOGUE, ErrorReason, FieldViolation, LikenessError
from shared.errors.common import DeadlineTooShort, FieldInvalid, QueueFull, ValueOutOfRange
from shared.errors.rpc import DETAILS_KEY, DOMAIN, ReceivedError, from_rpc_error, status_code, to_status


class NoFaceFound(LikenessError):
    reason = ErrorReason.NO_FACE_FOUND


def detail(status: status_pb2.Status, kind):
    found = kind()
    return found if any(packed.Unpack(found) for packed in status.details) else None


class FakeRpcError(grpc.RpcError):
    def __init__(self, code, details, trailing=()):
        self._parts = code, details, trailing

    def code(self):
        return self._parts[0]

    def details(self):
        return self._parts[1]

    def trailing_metadata(self):
        return self._parts[2]


def sent(error: LikenessError) -> ReceivedError:
    status = to_status(error)
    trailing = ((DETAILS_KEY, status.SerializeToString()),)
    return from_rpc_error(FakeRpcError(status_code(error), status.message, trailing))


def test_text_names_the_fact_and_the_remedy():
    error = NoFaceFound(image="image 2", min_face_px=64)

    assert str(error) == error.message == f"{error.fact} {error.remedy}"
    assert error.fact == "No face of at least 64 px in image 2."
    assert error.metadata == {"image": "image 2", "min_face_px": "64"}
    assert error.status == "INVALID_ARGUMENT"


@pytest.mark.parametrize(
    "metadata", [{}, {"image": "a"}, {"image": "a", "min_face_px": 1, "more": 2}, {"min_face_px": 1}]
)
def test_metadata_that_is_not_the_catalogues_is_a_type_error(metadata):
    with pytest.raises(TypeError, match="NoFaceFound"):
        NoFaceFound(**metadata)


def test_numbers_are_told_with_three_digits():
    error = DeadlineTooShort(remaining_s=0.123456, needed_s=5.0)

    assert "0.123 s; this call needs at least 5 s" in error.message


def test_a_value_cannot_flood_the_status():
    error = NoFaceFound(image="x" * 5000, min_face_px=64)

    assert len(error.metadata["image"]) == 512


def test_curly_braces_in_a_value_are_just_text():
    assert "{min_face_px}" in NoFaceFound(image="{min_face_px}", min_face_px=64).fact


def test_status_carries_error_info_and_nothing_that_does_not_apply():
    status = to_status(NoFaceFound(image="image 2", min_face_px=64))
    info = detail(status, error_details_pb2.ErrorInfo)

    assert (info.reason, info.domain) == ("NO_FACE_FOUND", DOMAIN)
    assert dict(info.metadata) == {"image": "image 2", "min_face_px": "64"}
    assert detail(status, error_details_pb2.RetryInfo) is None
    assert detail(status, error_details_pb2.BadRequest) is None


def test_retry_delay_goes_out_as_retry_info():
    status = to_status(QueueFull(queue="q", limit=3, retry_after_s=1.25))

    assert detail(status, error_details_pb2.RetryInfo).retry_delay.ToMilliseconds() == 1250


def test_field_errors_go_out_as_bad_request():
    violations = [FieldViolation("a.b[2]", "is too long"), FieldViolation("c", "is missing")]
    request = detail(to_status(FieldInvalid.of(violations)), error_details_pb2.BadRequest)
    single = to_status(ValueOutOfRange(field="count", value=99, range="1..8"))

    assert [(v.field, v.description) for v in request.field_violations] == [
        ("a.b[2]", "is too long"),
        ("c", "is missing"),
    ]
    assert detail(single, error_details_pb2.BadRequest).field_violations[0].field == "count"


@pytest.mark.parametrize("reason", ErrorReason)
def test_every_reason_survives_the_wire(reason):
    kind = type("Example", (LikenessError,), {"reason": reason})
    error = kind(**dict.fromkeys(CATALOGUE[reason].fields, "värde"), retry_after_s=2.5)
    received = sent(error)

    assert received.reason is reason
    assert received.metadata == error.metadata
    assert received.message == str(received) == error.message
    assert received.status == error.status
    assert received.retry_after_s == 2.5
    is_about_a_field = reason in (ErrorReason.FIELD_INVALID, ErrorReason.VALUE_OUT_OF_RANGE)
    assert [v.field for v in received.violations] == (["värde"] if is_about_a_field else [])


def test_a_received_error_is_passed_on_unchanged():
    error = FieldInvalid.of([FieldViolation("photos", "are missing")])

    assert to_status(sent(sent(error))) == to_status(error)


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        (grpc.StatusCode.UNAVAILABLE, ErrorReason.UNREACHABLE),
        (grpc.StatusCode.CANCELLED, ErrorReason.CANCELLED),
        (grpc.StatusCode.DEADLINE_EXCEEDED, ErrorReason.DEADLINE_EXCEEDED),
        (grpc.StatusCode.RESOURCE_EXHAUSTED, ErrorReason.MESSAGE_TOO_LARGE),
        (grpc.StatusCode.UNIMPLEMENTED, ErrorReason.CAPABILITY_UNAVAILABLE),
        (grpc.StatusCode.UNKNOWN, ErrorReason.INTERNAL),
    ],
)
def test_a_status_without_details_gets_the_nearest_reason(code, reason):
    received = from_rpc_error(FakeRpcError(code, "text of grpc"))

    assert received.reason is reason
    assert received.message == "text of grpc"
    assert received.status == code.name


@pytest.mark.parametrize("info", [{"reason": "NEWER_REASON", "domain": DOMAIN}, {"domain": "other"}])
def test_details_of_a_newer_or_foreign_server_do_not_break_us(info):
    status = status_pb2.Status(code=5, message="gone")
    status.details.add().Pack(error_details_pb2.ErrorInfo(**info))

    assert ReceivedError(status).reason is ErrorReason.INTERNAL
    assert ReceivedError(status).status == "NOT_FOUND"


@settings(max_examples=30)
@given(st.text(max_size=600), st.floats(0, 1e6))
def test_errors_cross_process_borders(image, retry_after_s):
    error = NoFaceFound(image=image, min_face_px=64, retry_after_s=retry_after_s)
    copy = pickle.loads(pickle.dumps(error))

    assert type(copy) is NoFaceFound
    assert (copy.message, copy.metadata, copy.retry_after_s) == (
        error.message,
        error.metadata,
        error.retry_after_s,
    )


def test_received_errors_and_violations_cross_process_borders_too():
    error = FieldInvalid.of([FieldViolation("a", "is bad"), FieldViolation("b", "is worse")])

    assert pickle.loads(pickle.dumps(error)).violations == error.violations
    assert pickle.loads(pickle.dumps(sent(error))).violations == error.violations
