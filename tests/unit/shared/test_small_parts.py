"""Settings, threads, reports, logs, metrics and traces."""

import json
import os
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from pydantic import ValidationError

from shared.cancellation import Cancelled
from shared.reports import Bar, write_report
from shared.settings import ServerSettings, ServiceSettings, settings_config
from shared.telemetry import configure_tracing, queue_depth, span, stage, start_exposition
from shared.telemetry.metrics import REGISTRY
from shared.telemetry.tracing import outgoing_headers, remote_span
from shared.threads import ort_session_options

REPOSITORY = Path(__file__).parents[3]


class ExampleSettings(ServiceSettings):
    model_config = settings_config("EXAMPLE")

    step_count: int = 4


def test_settings_come_from_the_services_own_variables(monkeypatch):
    monkeypatch.setenv("LIKENESS_EXAMPLE_STEP_COUNT", "9")
    monkeypatch.setenv("LIKENESS_EXAMPLE_PORT", "50051")
    monkeypatch.setenv("LIKENESS_SERVER_PORT", "1")
    settings = ExampleSettings()

    assert (settings.step_count, settings.port, settings.host) == (9, 50051, "127.0.0.1")
    assert ServerSettings().port == 1


def test_settings_are_frozen_and_checked(monkeypatch):
    with pytest.raises(ValidationError):
        ExampleSettings().port = 3  # type: ignore[misc]
    monkeypatch.setenv("LIKENESS_EXAMPLE_DRAIN_GRACE_S", "-1")
    with pytest.raises(ValidationError, match="drain_grace_s"):
        ExampleSettings()


def test_every_setting_is_described():
    for name, field in ServiceSettings.model_fields.items():
        assert field.description, name


THREADS = """
import os, sys
from shared.threads import apply_thread_defaults
apply_thread_defaults(int(sys.argv[1]))
apply_thread_defaults(int(sys.argv[1]))
print([os.environ[n] for n in ("OMP_WAIT_POLICY", "GOMP_SPINCOUNT", "OMP_NUM_THREADS")])
"""


def run_python(code, *arguments, **variables):
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("OMP_", "GOMP_"))}
    return subprocess.run(
        [sys.executable, "-c", code, *arguments],
        env={**environment, **variables},
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=False,
    )


def test_thread_defaults_make_threads_sleep_and_an_operator_wins():
    assert run_python(THREADS, "3").stdout.strip() == "['PASSIVE', '0', '3']"
    assert run_python(THREADS, "3", OMP_NUM_THREADS="7").stdout.strip() == "['PASSIVE', '0', '7']"


def test_thread_defaults_that_come_too_late_are_an_error():
    code = "import sys; sys.modules['torch'] = sys; import shared.threads as t; t.apply_thread_defaults()"

    assert "was imported" in run_python(code).stderr


def test_ort_sessions_do_not_spin():
    options = ort_session_options(2)

    assert options.get_session_config_entry("session.intra_op.allow_spinning") == "0"
    assert options.intra_op_num_threads == 2


def test_report_holds_what_the_next_run_is_compared_with(tmp_path, capsys):
    bars = [Bar("p95_s", 1.2, 2.0, "<="), Bar("images_per_s", 3.0, 4.0, ">="), Bar("exact", 1, 1, ">=")]
    path = write_report("load", "make load", bars, {"users": 8}, folder=tmp_path / "reports")
    report = json.loads(path.read_text())

    assert path.name == "load.json"
    assert list(report) == ["name", "command", "commit", "date", "machine", "bars", "details"]
    assert report["bars"][0] == {"name": "p95_s", "value": 1.2, "goal": 2.0, "op": "<=", "met": True}
    assert [bar["met"] for bar in report["bars"]] == [True, False, True]
    assert report["machine"]["cores"] == os.cpu_count()
    assert report["details"] == {"users": 8}
    assert "images_per_s" in capsys.readouterr().out


def test_nan_meets_no_goal():
    assert not Bar("x", float("nan"), 1.0, "<=").met
    assert not Bar("x", float("nan"), 1.0, ">=").met


def sample(name, **labels):
    return REGISTRY.get_sample_value(name, labels) or 0.0


@pytest.mark.parametrize(
    ("error", "outcome"), [(None, "ok"), (Cancelled(), "cancelled"), (ValueError(), "error")]
)
def test_stage_counts_times_and_tracks_work(error, outcome):
    where = {"service": "unit", "stage": f"work-{outcome}"}
    try:
        with stage("unit", where["stage"]):
            assert sample("likeness_stage_in_flight", **where) == 1
            if error:
                raise error
    except (Cancelled, ValueError):
        pass

    assert sample("likeness_stage_total", **where, outcome=outcome) == 1
    assert sample("likeness_stage_seconds_count", **where) == 1
    assert sample("likeness_stage_in_flight", **where) == 0


def test_exposition_serves_the_registry_over_http():
    queue_depth("unit.queue").set(7)
    port, stop = start_exposition(0, "127.0.0.1")
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=5) as page:
        text = page.read().decode()
    stop()

    assert 'likeness_queue_depth{queue="unit.queue"} 7.0' in text
    assert "process_resident_memory_bytes" in text
    with pytest.raises(OSError):
        urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=1)


def test_traces_are_off_by_default_and_connect_services_when_on():
    configure_tracing("unit", use_tracing=False)
    with span("nothing"):
        assert outgoing_headers() == {}

    exporter = InMemorySpanExporter()
    configure_tracing("unit", use_tracing=True, exporter=exporter)
    try:
        with span("client", steps=3):
            headers = outgoing_headers()
        with remote_span("server", headers):
            pass
    finally:
        configure_tracing("unit", use_tracing=False)
    client, server = exporter.get_finished_spans()

    assert "traceparent" in headers
    assert (client.name, dict(client.attributes)) == ("client", {"steps": 3})
    assert server.parent.span_id == client.context.span_id


LOGS = """
import logging, sys
from shared.telemetry import configure_logging, get_logger
configure_logging("INFO", sys.argv[1])
log = get_logger("unit")
log.debug("hidden")
log.info("generation.finished", steps=30)
logging.getLogger("library").info("hidden too")
logging.getLogger("library").warning("from a %s", "library")
try:
    1 / 0
except ZeroDivisionError as error:
    log.error("failed", exc_info=error)
"""


def test_json_logs_are_one_object_per_line_also_from_libraries():
    lines = [json.loads(line) for line in run_python(LOGS, "json").stderr.splitlines()]

    assert [line["event"] for line in lines] == ["generation.finished", "from a library", "failed"]
    assert (lines[0]["steps"], lines[0]["component"], lines[0]["level"]) == (30, "unit", "info")
    assert "ZeroDivisionError" in lines[2]["exception"]


def test_console_logs_are_for_people():
    text = run_python(LOGS, "console").stderr

    assert "generation.finished" in text
    assert "steps=30" in text
    assert "ZeroDivisionError" in text
    assert "hidden" not in text
