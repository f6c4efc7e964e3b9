"""Records in SQLite; the same cases hold for every database behind the port."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from services.orchestrator.adapters.sql_store import SqlStore
from services.orchestrator.adapters.tables import open_database
from services.orchestrator.domain.base import utc_now
from services.orchestrator.domain.events import CandidateNews
from services.orchestrator.domain.faces import BlobRef
from services.orchestrator.domain.identity import Identity
from services.orchestrator.domain.portrait import (
    Candidate,
    IdentityMode,
    Portrait,
    PortraitSpec,
    Stage,
    State,
)
from services.orchestrator.domain.stores import RequestKey
from services.orchestrator.errors import PageTokenInvalid, QueueFull, RequestIdReused

NOW = utc_now()
REF = BlobRef(uri="artifacts/t/1", sha256="1", size_bytes=1, media_type="image/png")


@pytest.fixture
def store(tmp_path):
    opened = SqlStore(open_database(f"sqlite:///{tmp_path / 'deep' / 'er' / 'x.sqlite'}"))
    yield opened
    opened.close()


def portrait(number: int = 1, tenant: str = "t") -> Portrait:
    spec = PortraitSpec(
        identity="identities/a",
        style="styles/studio",
        portrait_count=1,
        candidate_count=2,
        mode=IdentityMode.AUTO,
        prompt="",
        negative_prompt="",
        seed=1,
        size_px=256,
    )
    return Portrait(id=str(number), tenant=tenant, spec=spec, create_time=NOW + timedelta(seconds=number))


def identity(number: int = 1, tenant: str = "t") -> Identity:
    return Identity(
        id=str(number),
        tenant=tenant,
        display_name="",
        photos=(),
        attributes=(),
        template_index=-1,
        create_time=NOW + timedelta(seconds=number),
    )


def news(index: int, stage: Stage) -> CandidateNews:
    return CandidateNews(candidate=Candidate(index=index, seed=0, artifact=REF), stage=stage)


def test_a_record_comes_back_as_it_went(store):
    store.add_identity(identity(), None)
    store.add_portrait(portrait(), None, 9)

    assert store.find_identity("t", "1") == identity()
    assert store.find_portrait("t", "1") == portrait()


def test_another_tenant_sees_nothing(store):
    store.add_identity(identity(), None)
    store.add_portrait(portrait(), None, 9)

    assert store.find_identity("u", "1") is None
    assert store.find_portrait("u", "1") is None
    assert store.list_portraits("u", 9, "") == ([], "")
    assert store.events_after("u", "1", 0) == []
    assert not store.request_cancel("u", "1")
    assert not store.delete_portrait("u", "1")
    assert store.update_portrait("u", "1", lambda known: known) is None


def test_a_request_id_belongs_to_its_body(store):
    key = RequestKey("portrait", "r", "body")

    assert store.add_portrait(portrait(1), key, 9) == (portrait(1), True)
    assert store.add_portrait(portrait(2), key, 9) == (portrait(1), False)
    with pytest.raises(RequestIdReused):
        store.add_portrait(portrait(3), RequestKey("portrait", "r", "other"), 9)
    store.delete_portrait("t", "1")
    assert store.add_portrait(portrait(4), key, 9) == (portrait(4), True)


def test_of_many_equal_requests_at_once_one_makes_the_portrait(store):
    key = RequestKey("portrait", "r", "body")

    with ThreadPoolExecutor(8) as pool:
        made = list(pool.map(lambda number: store.add_portrait(portrait(number), key, 9), range(16)))

    assert sum(is_new for _, is_new in made) == 1
    assert len({known.id for known, _ in made}) == 1


def test_the_number_of_active_portraits_is_bounded_by_tenant(store):
    store.add_portrait(portrait(1), None, 1)
    with pytest.raises(QueueFull):
        store.add_portrait(portrait(2), None, 1)
    store.add_portrait(portrait(2, "u"), None, 1)
    store.update_portrait("t", "1", lambda known: known.model_copy(update={"state": State.FAILED}))
    store.add_portrait(portrait(3), None, 1)
    assert store.active_portraits() == [("u", "2"), ("t", "3")]


def test_events_are_numbered_and_news_of_a_stage_are_kept_once(store):
    store.add_portrait(portrait(), None, 9)
    for _ in range(2):
        store.update_portrait("t", "1", lambda known: known, news=[news(1, Stage.FUSE)], announce=False)
    store.update_portrait("t", "1", lambda known: known, news=[news(1, Stage.RANK), news(2, Stage.RANK)])

    told = [
        (event.sequence, event.candidate and event.candidate.stage)
        for event in store.events_after("t", "1", 0)
    ]

    assert told == [(1, None), (2, Stage.FUSE), (3, Stage.RANK), (4, Stage.RANK), (5, None)]
    assert [event.sequence for event in store.events_after("t", "1", 3)] == [4, 5]
    assert store.last_sequence("t", "1") == 5


def test_a_portrait_that_has_ended_is_left_as_it_is(store):
    store.add_portrait(portrait(), None, 9)
    store.update_portrait("t", "1", lambda known: known.model_copy(update={"state": State.CANCELLED}))

    after = store.update_portrait("t", "1", lambda known: known.model_copy(update={"state": State.RUNNING}))

    assert after.state is State.CANCELLED
    assert store.find_portrait("t", "1").state is State.CANCELLED


def test_cancelling_is_noted_and_a_deleted_portrait_counts_as_cancelled(store):
    store.add_portrait(portrait(), None, 9)
    assert not store.is_cancel_requested("t", "1")
    assert store.request_cancel("t", "1")
    assert store.is_cancel_requested("t", "1")
    store.delete_portrait("t", "1")
    assert store.is_cancel_requested("t", "1")


def test_concurrent_changes_are_all_kept(store):
    store.add_portrait(portrait(), None, 9)

    def add_notice(number: int) -> None:
        store.update_portrait(
            "t", "1", lambda known: known.model_copy(update={"notices": (*known.notices, str(number))})
        )

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(add_notice, range(24)))

    assert len(store.find_portrait("t", "1").notices) == 24
    assert store.last_sequence("t", "1") == 25


def test_pages_neither_repeat_nor_skip_when_rows_come_and_go(store):
    for number in range(6):
        store.add_identity(identity(number), None)

    first, token = store.list_identities("t", 2, "")
    store.add_identity(identity(9), None)
    store.delete_identity("t", "3")
    second, token = store.list_identities("t", 2, token)
    third, token = store.list_identities("t", 2, token)

    assert [known.id for known in first + second + third] == ["5", "4", "2", "1", "0"]
    assert token == ""


def test_a_token_of_another_listing_is_refused(store):
    for number in range(3):
        store.add_identity(identity(number), None)
        store.add_portrait(portrait(number), None, 9)
    _, token = store.list_identities("t", 1, "")

    for foreign in (token, "nonsense", "ß"):
        with pytest.raises(PageTokenInvalid):
            store.list_portraits("t", 1, foreign)


def test_a_blob_goes_with_its_last_owner(store):
    for uri, owner in (("1", "a"), ("1", "b"), ("2", "a"), ("1", "a")):
        store.link("t", uri, owner)
    store.link("u", "1", "a")

    assert store.unlink_owner("t", "a") == ["2"]
    assert store.unlink_owner("t", "b") == ["1"]
    assert store.owners() == [("u", "a")]


def test_rates_follow_the_measurements(store):
    assert store.rate("FUSE") is None
    store.record_rate("FUSE", 1.0)
    store.record_rate("FUSE", 2.0)
    assert 1.0 < store.rate("FUSE") < 2.0
