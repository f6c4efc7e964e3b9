"""FusionService over the real transport, with all interceptors."""

import asyncio
import io
import uuid

import grpc
import numpy as np
import pytest
from likeness.common.v1 import face_pb2, image_pb2
from likeness.fusion.v1 import fusion_pb2 as pb
from likeness.fusion.v1 import fusion_pb2_grpc
from PIL import Image as PillowImage

from services.fusion.adapters.gate_file import load_gates
from services.fusion.bootstrap import build
from services.fusion.settings import FusionSettings
from shared.artifacts import open_store
from shared.errors import ErrorReason
from shared.errors.rpc import from_rpc_error
from shared.images import decode_image, encode_png
from tests.support.drawn_face import box_of, draw_face

MOLE = (28.0, 10.0, 2.4)


@pytest.fixture
def store(tmp_path):
    return open_store(str(tmp_path))


@pytest.fixture
async def stub(serve, store):
    settings = FusionSettings(worker_count=1, identity_gates={"dlib-resnet-v1": 0.95})
    return fusion_pb2_grpc.FusionServiceStub(await serve([build(settings, store=store)]))


def face_of(landmarks, embedding=(1, 0, 0), quality=0.9, model="dlib-resnet-v1"):
    x0, y0, x1, y1 = box_of(landmarks)
    points = [image_pb2.Point(x=x, y=y) for x, y in landmarks]
    return face_pb2.Face(
        box=image_pb2.Box(x0=x0, y0=y0, x1=x1, y1=y1),
        landmarks=face_pb2.FaceLandmarks(
            left_eye=points[0],
            right_eye=points[1],
            nose=points[2],
            mouth_left=points[3],
            mouth_right=points[4],
        ),
        embedding=image_pb2.Embedding(values=embedding, model=model),
        quality=face_pb2.FaceQuality(overall=quality),
    )


def faced(name="", faces=1, **how):
    rgb, landmarks = draw_face(**how)
    image = image_pb2.Image(data=encode_png(rgb), name=name)
    return pb.FacedImage(image=image, faces=[face_of(landmarks)] * faces)


def pixels(image):
    return decode_image(image.data, name="answer")


async def refused(call):
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await call
    return caught.value.code(), from_rpc_error(caught.value)


async def test_fuse_answers_with_a_picture_of_the_candidates_size_and_says_what_it_did(stub):
    request = pb.FuseRequest(
        candidate=faced(), templates=[faced(skin=(120, 90, 70)), faced(skin=(230, 190, 160))]
    )

    answer = await stub.Fuse(request)

    before, after = pixels(request.candidate.image), pixels(answer.image)
    assert before.shape == after.shape and (before != after).any()
    assert answer.template_index in (0, 1) and answer.strength == 1.0
    assert 0 < answer.mask_share < 1
    assert pytest.approx(answer.pose_similarity) == 1
    assert pytest.approx(list(answer.transform), abs=1e-3) == [1, 0, 0, 0, 1, 0]
    box = answer.changed_box
    rows, columns = np.nonzero((before != after).any(-1))
    assert (box.x0, box.x1) == (columns.min(), columns.max() + 1)
    assert (box.y0, box.y1) == (rows.min(), rows.max() + 1)


async def test_same_request_gives_the_same_bytes(stub):
    request = pb.FuseRequest(candidate=faced(), templates=[faced(angle_deg=9)])

    assert (await stub.Fuse(request)).image.data == (await stub.Fuse(request)).image.data


@pytest.mark.parametrize("role", ["candidate", "template"])
@pytest.mark.parametrize(
    ("faces", "reason"), [(0, ErrorReason.NO_FACE_FOUND), (2, ErrorReason.SEVERAL_FACES)]
)
async def test_fuse_never_passes_a_candidate_through(stub, role, faces, reason):
    pictures = {"candidate": faced("c.png"), "template": faced("t.png")}
    pictures[role] = faced("bad.png", faces)

    code, error = await refused(
        stub.Fuse(pb.FuseRequest(candidate=pictures["candidate"], templates=[pictures["template"]]))
    )

    assert (grpc.StatusCode.INVALID_ARGUMENT, reason) == (code, error.reason)
    assert error.metadata["image"] == "bad.png"


def encoded(kind):
    file = io.BytesIO()
    PillowImage.fromarray(draw_face()[0]).save(file, format=kind)
    return file.getvalue()


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"this is no picture", ErrorReason.IMAGE_UNREADABLE),
        (encoded("JPEG")[:3000], ErrorReason.IMAGE_TRUNCATED),
        (b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + b"\0" * 64, ErrorReason.IMAGE_FORMAT_UNSUPPORTED),
    ],
)
async def test_picture_that_cannot_be_read_is_named(stub, data, reason):
    request = pb.FuseRequest(candidate=faced(), templates=[faced()])
    request.templates[0].image.data = data

    code, error = await refused(stub.Fuse(request))

    assert (grpc.StatusCode.INVALID_ARGUMENT, reason) == (code, error.reason)
    assert error.metadata["image"] == "template 1"


@pytest.mark.parametrize(
    "change",
    [
        lambda r: r.ClearField("candidate"),
        lambda r: r.ClearField("templates"),
        lambda r: r.candidate.image.Clear(),
        lambda r: setattr(r, "strength", 0.0),
        lambda r: setattr(r, "strength", 1.5),
        lambda r: setattr(r, "blending", 77),
        lambda r: setattr(r.region_weights, "skin", -0.1),
    ],
)
async def test_rules_of_the_proto_are_checked(stub, change):
    request = pb.FuseRequest(candidate=faced(), templates=[faced()])
    change(request)

    code, error = await refused(stub.Fuse(request))

    assert (code, error.reason) == (grpc.StatusCode.INVALID_ARGUMENT, ErrorReason.FIELD_INVALID)
    assert error.metadata["field"]


async def test_eyes_outside_of_the_picture_are_refused(stub):
    request = pb.FuseRequest(candidate=faced(), templates=[faced()])
    request.candidate.faces[0].landmarks.left_eye.x = 4000

    _, error = await refused(stub.Fuse(request))

    assert error.reason == ErrorReason.FIELD_INVALID


async def test_artifact_of_another_tenant_is_unknown(stub, store):
    stored = store.put(encode_png(draw_face()[0]), tenant="somebody", media_type="image/png")
    request = pb.FuseRequest(candidate=faced(), templates=[faced()])
    request.candidate.image.artifact.uri = stored.uri

    code, error = await refused(stub.Fuse(request))

    assert (code, error.reason) == (grpc.StatusCode.NOT_FOUND, ErrorReason.UNKNOWN_ARTIFACT)


async def test_mole_of_the_references_comes_back_and_its_place_is_told(stub):
    references = [faced(moles=[MOLE], angle_deg=a, noise_seed=a) for a in (0, 5, 10)]
    request = pb.RestoreMarksRequest(candidate=faced(angle_deg=-6), references=references)

    answer = await stub.RestoreMarks(request)

    (mark,) = answer.marks
    before, after = pixels(request.candidate.image), pixels(answer.image)
    x, y = round(mark.center.x), round(mark.center.y)
    assert after[y, x].mean() < 0.85 * before[y, x].mean()
    assert 0 < mark.confidence <= 1 and mark.radius_px > 0


async def test_no_marks_is_an_empty_list_and_an_equal_picture(stub):
    request = pb.RestoreMarksRequest(candidate=faced(), references=[faced(noise_seed=s) for s in (1, 2)])

    answer = await stub.RestoreMarks(request)

    assert list(answer.marks) == []
    assert (pixels(request.candidate.image) == pixels(answer.image)).all()


@pytest.mark.parametrize("scale", [None, 1, 2])
async def test_enhance_multiplies_the_size(stub, scale):
    request = pb.EnhanceRequest(image=faced(size=(96, 80), centre=(40, 48), scale=0.6).image, scale=scale)

    answer = await stub.Enhance(request)

    factor = scale or 1
    assert (96 * factor, 80 * factor, 3) == pixels(answer.image).shape
    assert answer.enhancer in ("starter", "classical")
    assert answer.upscaler in ({"starter", "classical"} if factor == 2 else {""})


async def test_scale_three_is_refused(stub):
    _, error = await refused(stub.Enhance(pb.EnhanceRequest(image=faced().image, scale=3)))

    assert error.reason == ErrorReason.FIELD_INVALID


def ranked_input(name, cosine, faces=1, **how):
    landmarks = draw_face(**how)[1]
    face = face_of(landmarks, (cosine, float(np.sqrt(1 - cosine**2)), 0))
    return pb.RankedInput(candidate_id=name, faces=[face] * faces)


REFERENCES = [image_pb2.Embedding(values=v, model="dlib-resnet-v1") for v in ([0, 0, 1], [2, 0, 0])]


async def test_rank_gates_by_the_best_reference_and_orders_the_rest(stub):
    candidates = [
        ranked_input("stranger", 0.5),
        ranked_input("good", 0.97),
        ranked_input("crowd", 1.0, faces=2),
        ranked_input("empty", 1.0, faces=0),
        ranked_input("tiny", 1.0, scale=0.2),
        ranked_input("best", 0.99),
    ]

    answer = await stub.Rank(pb.RankRequest(candidates=candidates, references=REFERENCES))

    assert pytest.approx(answer.identity_gate) == 0.95
    assert [c.candidate_id for c in answer.candidates if c.rank] == ["best", "good"]
    reasons = {c.candidate_id: c.rejection.reason for c in answer.candidates if not c.rank}
    assert reasons == {
        "stranger": "BELOW_IDENTITY_GATE",
        "crowd": "SEVERAL_FACES",
        "empty": "NO_FACE_FOUND",
        "tiny": "FACE_TOO_SMALL",
    }
    first = answer.candidates[0]
    assert (first.rank, first.best_reference_index) == (1, 1)
    assert pytest.approx(first.best_similarity, abs=1e-5) == 0.99
    assert all(c.rejection.message for c in answer.candidates if not c.rank)


async def test_requested_gate_counts_and_is_told(stub):
    request = pb.RankRequest(candidates=[ranked_input("a", 0.5)], references=REFERENCES, identity_gate=0.4)

    answer = await stub.Rank(request)

    assert (1, pytest.approx(0.4)) == (answer.candidates[0].rank, answer.identity_gate)


async def test_verdict_tells_what_the_score_is_made_of(stub):
    candidate = ranked_input("a", 0.99)
    face = candidate.faces[0]
    face.quality.sharpness, face.quality.judged = 0.34, 0.7
    face.quality.defects.add(name="blur", strength=0.55)
    face.attributes.add(name="beard", value="full")
    wanted = [face_pb2.FaceAttribute(name=n, value=v) for n, v in (("beard", "full"), ("glasses", "round"))]

    answer = await stub.Rank(
        pb.RankRequest(candidates=[candidate], references=REFERENCES, wanted_attributes=wanted)
    )

    (verdict,) = answer.candidates
    assert (pytest.approx(verdict.quality), verdict.attribute_match) == (0.7, 1.0)
    scores = [check.score for check in verdict.checks]
    assert scores == sorted(scores) and pytest.approx(scores[:2], abs=1e-3) == [0.5, 0.5]
    assert {"face_count", "face_size", "sharpness", "defect:blur"} == {c.name for c in verdict.checks}


async def test_severe_artefact_is_a_rejection_that_names_the_check(stub):
    candidate = ranked_input("melted", 1.0)
    candidate.faces[0].quality.defects.add(name="distortion", strength=0.95)

    answer = await stub.Rank(pb.RankRequest(candidates=[candidate], references=REFERENCES))

    assert answer.candidates[0].rejection.reason == "PICTURE_DEFECT"
    assert "defect:distortion" in answer.candidates[0].rejection.message


CALIBRATED = next(iter(load_gates().values()))


async def test_calibrated_gate_goes_by_the_rate_and_tells_what_it_does(stub):
    request = pb.RankRequest(candidates=[ranked_input("a", 1.0)], references=REFERENCES)
    for embedding in (*request.references, request.candidates[0].faces[0].embedding):
        embedding.model = CALIBRATED.model

    usual = await stub.Rank(request)
    request.false_accept_rate = 0.1
    lax = await stub.Rank(request)

    assert 0 < usual.false_accept_rate < 0.002 and 0 < usual.false_reject_rate < 1
    assert lax.identity_gate < usual.identity_gate and lax.false_accept_rate > usual.false_accept_rate


async def test_rate_that_was_not_calibrated_is_refused_and_the_others_are_named(stub):
    request = pb.RankRequest(
        candidates=[ranked_input("a", 1.0)], references=REFERENCES, false_accept_rate=0.5
    )
    for embedding in (*request.references, request.candidates[0].faces[0].embedding):
        embedding.model = CALIBRATED.model

    _, error = await refused(stub.Rank(request))

    assert error.reason == ErrorReason.VALUE_OUT_OF_RANGE and "0.001" in error.message


async def test_same_picture_twice_leaves_one(stub):
    candidates = [ranked_input("a", 0.99), ranked_input("b", 0.98)]
    for candidate in candidates:
        candidate.image.CopyFrom(faced(noise_seed=1).image)

    answer = await stub.Rank(pb.RankRequest(candidates=candidates, references=REFERENCES))

    assert [c.rejection.reason for c in answer.candidates] == ["", "NEAR_DUPLICATE"]


@pytest.mark.parametrize(
    ("change", "text"),
    [
        (lambda r: r.candidates.append(r.candidates[0]), "twice"),
        (lambda r: r.references.append(image_pb2.Embedding(values=[1, 0])), "dimension"),
        (lambda r: r.references.append(image_pb2.Embedding(values=[1, 0, 0], model="other")), "other"),
        (lambda r: r.references[0].CopyFrom(image_pb2.Embedding(values=[0, 0, 0])), "length 0"),
        (lambda r: r.weights.SetInParent(), "zero"),
        (lambda r: r.ClearField("references"), "reference"),
        (lambda r: (setattr(r, "identity_gate", 0.5), setattr(r, "false_accept_rate", 0.01)), "together"),
    ],
)
async def test_ranking_that_makes_no_sense_is_refused(stub, change, text):
    request = pb.RankRequest(candidates=[ranked_input("a", 1.0)], references=REFERENCES)
    change(request)

    code, error = await refused(stub.Rank(request))

    assert (code, error.reason) == (grpc.StatusCode.INVALID_ARGUMENT, ErrorReason.FIELD_INVALID)
    assert text in error.message


async def test_embedder_without_a_calibrated_gate_needs_one_in_the_request(stub):
    request = pb.RankRequest(candidates=[ranked_input("a", 1.0)], references=REFERENCES)
    for embedding in (*request.references, request.candidates[0].faces[0].embedding):
        embedding.model = "new-net"

    _, error = await refused(stub.Rank(request))

    assert error.reason == ErrorReason.FIELD_INVALID and "new-net" in error.message


async def test_cold_service_says_so(serve, store):
    stub = fusion_pb2_grpc.FusionServiceStub(
        await serve([build(FusionSettings(backend="fake"), store=store)], is_warm=False)
    )

    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await stub.Enhance(pb.EnhanceRequest(image=faced().image), timeout=0.5)

    assert caught.value.code() in (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.DEADLINE_EXCEEDED)


async def test_many_callers_get_their_own_answers(stub):
    names = [uuid.uuid4().hex[:8] for _ in range(12)]
    requests = [pb.RankRequest(candidates=[ranked_input(name, 1.0)], references=REFERENCES) for name in names]

    answers = await asyncio.gather(*(stub.Rank(request) for request in requests))

    assert names == [answer.candidates[0].candidate_id for answer in answers]
