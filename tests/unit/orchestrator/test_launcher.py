"""What `likeness serve` puts together."""

import pytest

from services import launcher

LIGHT = ("orchestrator", "stylization", "fusion")


@pytest.fixture
def fake_backends(monkeypatch, tmp_path):
    for name in ("FUSION", "STYLIZATION"):
        monkeypatch.setenv(f"LIKENESS_{name}_BACKEND", "fake")
    monkeypatch.setenv(launcher.STATE_VARIABLE, str(tmp_path / "state"))
    return tmp_path / "state"


def test_an_unknown_service_is_named_with_the_known_ones():
    with pytest.raises(ValueError, match=r"painter; known are face_analysis, .*orchestrator"):
        launcher.run(only=["painter"])


def test_the_orchestrator_comes_last_whatever_the_order_asked_for(fake_backends):
    services = launcher.build_services(LIGHT, port=1)

    assert [service.name.split(".")[1] for service in services] == ["fusion", "stylization", "orchestrator"]


def test_state_lies_below_the_folder(fake_backends):
    launcher.build_services(["orchestrator"], port=1)

    assert (fake_backends / "orchestrator" / "records.sqlite").exists()


def test_a_services_own_variable_wins_over_the_folder(monkeypatch):
    monkeypatch.setenv("LIKENESS_FUSION_ARTIFACTS_URL", "s3://elsewhere")

    assert launcher._placed("fusion", {"artifacts_url": "here"}) == {}
    assert launcher._placed("diffusion", {"artifacts_url": "here"}) == {"artifacts_url": "here"}


def test_a_free_port_can_be_listened_on():
    import socket

    with socket.socket() as listener:
        listener.bind(("127.0.0.1", launcher.free_port("127.0.0.1")))
