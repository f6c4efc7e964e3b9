"""Content-addressed blobs, on a folder and in memory."""

import hashlib
import uuid

import pytest

from shared.artifacts import FsspecStore, UnknownArtifact, is_tenant_name, open_store


@pytest.fixture(params=["folder", "memory"])
def store(request, tmp_path):
    return open_store(
        str(tmp_path / "blobs") if request.param == "folder" else f"memory://{uuid.uuid4().hex}"
    )


def test_what_was_put_can_be_got(store):
    ref = store.put(b"pixels", tenant="acme", media_type="image/png")

    assert ref.uri == f"artifacts/acme/{hashlib.sha256(b'pixels').hexdigest()}"
    assert (ref.size_bytes, ref.media_type, ref.sha256) == (6, "image/png", ref.uri.split("/")[-1])
    assert store.get(ref.uri, tenant="acme") == b"pixels"
    assert store.exists(ref.uri, tenant="acme")


def test_same_bytes_have_one_reference_and_one_copy(store):
    refs = {store.put(b"pixels", tenant="acme", media_type="image/png") for _ in range(3)}

    assert len(refs) == 1
    assert store.list_uris(tenant="acme") == [refs.pop().uri]


def test_empty_bytes_are_a_blob_too(store):
    assert store.get(store.put(b"", tenant="a", media_type="x/y").uri, tenant="a") == b""


def test_another_tenant_sees_nothing(store):
    ref = store.put(b"pixels", tenant="acme", media_type="image/png")

    assert not store.exists(ref.uri, tenant="other")
    assert not store.delete(ref.uri, tenant="other")
    assert store.list_uris(tenant="other") == []
    with pytest.raises(UnknownArtifact):
        store.get(ref.uri, tenant="other")
    assert store.exists(ref.uri, tenant="acme")


@pytest.mark.parametrize(
    "uri",
    [
        "",
        "artifacts/acme/" + "0" * 64,
        "artifacts/acme/../../etc/passwd",
        "artifacts/acme/..",
        "/etc/passwd",
        "a/b/c",
    ],
)
def test_unknown_and_forged_references_are_not_found(store, uri):
    store.put(b"pixels", tenant="acme", media_type="image/png")

    assert not store.exists(uri, tenant="acme")
    assert not store.delete(uri, tenant="acme")
    with pytest.raises(UnknownArtifact, match="There is no artifact"):
        store.get(uri, tenant="acme")


def test_delete_says_whether_it_was_there(store):
    ref = store.put(b"pixels", tenant="acme", media_type="image/png")

    assert store.delete(ref.uri, tenant="acme")
    assert not store.delete(ref.uri, tenant="acme")
    assert not store.exists(ref.uri, tenant="acme")


def test_deleting_a_tenant_takes_all_of_its_blobs_and_nobody_elses(store):
    for data in (b"1", b"2", b"3"):
        store.put(data, tenant="acme", media_type="x/y")
    kept = store.put(b"1", tenant="acme2", media_type="x/y")

    assert store.delete_tenant("acme") == 3
    assert store.delete_tenant("acme") == 0
    assert store.list_uris(tenant="acme") == []
    assert store.list_uris(tenant="acme2") == [kept.uri]


def test_deleting_with_a_name_that_is_no_tenant_deletes_nothing(store):
    store.put(b"1", tenant="acme", media_type="x/y")

    for name in ("", ".", "..", "acme/..", "*"):
        assert store.delete_tenant(name) == 0
    assert len(store.list_uris(tenant="acme")) == 1


@pytest.mark.parametrize("tenant", ["", "..", "a/b", "A", "a.b", "-a", "x" * 64])
def test_tenant_names_cannot_leave_their_folder(store, tenant):
    assert not is_tenant_name(tenant)
    with pytest.raises(ValueError, match="tenant"):
        store.put(b"", tenant=tenant, media_type="x/y")


def test_damaged_bytes_are_not_handed_out(tmp_path):
    store = open_store(str(tmp_path))
    ref = store.put(b"pixels", tenant="acme", media_type="x/y")
    (tmp_path / "acme" / ref.sha256).write_bytes(b"pixel")

    with pytest.raises(OSError, match="damaged"):
        store.get(ref.uri, tenant="acme")


def test_a_write_that_fails_leaves_nothing(tmp_path, monkeypatch):
    store = open_store(str(tmp_path))

    def no_space(*_):
        raise OSError("no space left")

    monkeypatch.setattr("os.fsync", no_space)
    with pytest.raises(OSError, match="no space"):
        store.put(b"pixels", tenant="acme", media_type="x/y")
    assert list((tmp_path / "acme").iterdir()) == []


def test_the_draft_of_a_killed_write_is_neither_listed_nor_survives_its_tenant(tmp_path):
    store = open_store(str(tmp_path))
    store.put(b"pixels", tenant="acme", media_type="x/y")
    (tmp_path / "acme" / ("0" * 64 + ".abc.draft")).write_bytes(b"pix")

    assert len(store.list_uris(tenant="acme")) == 1
    assert store.delete_tenant("acme") == 1
    assert not (tmp_path / "acme").exists()


def test_unknown_protocol_is_refused_at_start():
    with pytest.raises(ValueError, match="nonsense"):
        open_store("nonsense://x")
    assert isinstance(open_store("memory://x"), FsspecStore)
