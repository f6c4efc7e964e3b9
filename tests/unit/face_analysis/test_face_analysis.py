"""The use cases, with the fake backend and a store in memory."""

import asyncio
import uuid

import pytest

from services.face_analysis.adapters.fake import FakeBackend
from services.face_analysis.domain.photos import ImageAnalysis, Photo
from services.face_analysis.domain.rules import CurationRules
from services.face_analysis.engine.analyzer import FaceAnalyzer
from services.face_analysis.engine.face_analysis import Caller, FaceAnalysis
from services.face_analysis.engine.pool import AnalyzerPool
from services.face_analysis.errors import SeveralFaces
from shared.artifacts import open_store
from shared.cancellation import CancellationToken, Cancelled
from shared.errors.common import QueueFull
from shared.images import encode_png
from tests.support import faces


@pytest.fixture
def store():
    return open_store(f"memory://{uuid.uuid4().hex}")


@pytest.fixture
async def analysis(store):
    pool = AnalyzerPool(lambda: FaceAnalyzer(FakeBackend()), workers=2, max_waiting=8)
    await pool.warm_up()
    yield FaceAnalysis(pool, store, CurationRules())
    pool.close()


def caller(token: CancellationToken | None = None, tenant: str = "acme") -> Caller:
    return Caller(tenant, token or CancellationToken())


def drawn(seed: int = 1) -> Photo:
    return Photo(f"photo {seed}", encode_png(faces.drawn_face(seed)))


async def test_results_are_in_the_order_of_the_photos(analysis):
    results = await analysis.analyze([drawn(i) for i in range(8)], caller())

    assert [result.name for result in results] == [f"photo {i}" for i in range(8)]
    assert all(isinstance(result.outcome, ImageAnalysis) for result in results)


async def test_the_digest_is_of_the_file(analysis):
    first, again, other = await analysis.analyze([drawn(1), drawn(1), drawn(2)], caller())

    assert first.sha256 == again.sha256 != other.sha256


async def test_stored_photos_are_read_for_their_tenant(analysis, store):
    ref = store.put(encode_png(faces.drawn_face(1)), tenant="acme", media_type="image/png")
    photo = Photo("stored", artifact_uri=ref.uri)

    [own] = await analysis.analyze([photo], caller())
    [foreign] = await analysis.analyze([photo], caller(tenant="rival"))

    assert len(own.outcome.faces) == 1
    assert foreign.outcome.reason == "UNKNOWN_ARTIFACT"


async def test_stored_photo_with_another_digest_than_stated_is_unknown(analysis, store):
    ref = store.put(encode_png(faces.drawn_face(1)), tenant="acme", media_type="image/png")
    stated = [Photo("stored", artifact_uri=ref.uri, artifact_sha256=s) for s in (ref.sha256, "0" * 64)]

    right, wrong = await analysis.analyze(stated, caller())

    assert len(right.outcome.faces) == 1
    assert wrong.outcome.reason == "UNKNOWN_ARTIFACT"


async def test_a_cancelled_caller_gets_cancelled_not_a_refusal(analysis):
    token = CancellationToken()
    token.cancel()

    with pytest.raises(Cancelled):
        await analysis.analyze([drawn()], caller(token))


async def test_too_many_images_at_a_time_are_refused(analysis):
    first = asyncio.ensure_future(analysis.analyze([drawn(i) for i in range(6)], caller()))
    await asyncio.sleep(0)

    with pytest.raises(QueueFull):
        await analysis.analyze([drawn(i) for i in range(6)], caller())
    assert len(await first) == 6
    assert len(await analysis.analyze([drawn(i) for i in range(6)], caller())) == 6


async def test_a_stream_that_nobody_reads_takes_no_more_than_its_window(analysis):
    taken = 0

    async def endless():
        nonlocal taken
        while True:
            taken += 1
            yield taken, drawn()

    results = analysis.analyze_stream(endless(), caller())
    assert (await anext(results))[0] == 1
    await asyncio.sleep(0.1)

    assert taken <= 4 + 1, "two workers, one picture beside each, and the one that was answered"
    await results.aclose()


async def test_compare_needs_one_face_that_dominates(analysis):
    two = faces.drawn_face(1, size=192, centre=(45, 60), radius=34)
    faces.draw_face(two, 2, (140, 120), 34)

    with pytest.raises(SeveralFaces):
        await analysis.compare(drawn(), Photo("two", encode_png(two)), caller())


async def test_the_required_size_of_a_call_does_not_stay(analysis):
    strict = await analysis.curate_photos([drawn()], caller(), min_size_px=1000)
    usual = await analysis.curate_photos([drawn()], caller())

    assert [remark.reason for remark in strict.verdicts[0].refusals] == ["FACE_TOO_SMALL"]
    assert "FACE_TOO_SMALL" not in [remark.reason for remark in usual.verdicts[0].refusals]
