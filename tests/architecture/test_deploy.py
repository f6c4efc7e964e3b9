"""What cannot be started here is at least checked against the code it describes."""

import json
import re
from pathlib import Path

import yaml
from prometheus_client import generate_latest

from shared.telemetry import metrics

ROOT = Path(__file__).resolve().parents[2]
DEPLOY = ROOT / "deploy"
SERVICES = {"face_analysis", "lora_training", "diffusion", "stylization", "fusion", "orchestrator"}


def exposed_names() -> set[str]:
    exposition = generate_latest(metrics.REGISTRY).decode()
    names = set(re.findall(r"^# TYPE (\S+) ", exposition, re.MULTILINE))
    return names | {f"{name}_bucket" for name in names}


def test_dashboard_asks_for_metrics_that_exist() -> None:
    dashboard = json.loads((DEPLOY / "grafana" / "dashboards" / "likeness.json").read_text())
    asked = {
        name
        for panel in dashboard["panels"]
        for target in panel["targets"]
        for name in re.findall(r"\b(?:likeness|process)_[a-z_]+", target["expr"])
    }
    assert asked
    assert asked - exposed_names() == set()


def test_every_service_has_a_container_target_and_a_scrape_target() -> None:
    containerfile = (DEPLOY / "Containerfile").read_text()
    scrape = yaml.safe_load((DEPLOY / "prometheus" / "prometheus.yaml").read_text())
    compose = yaml.safe_load((DEPLOY / "compose.yaml").read_text())["services"]
    targets = scrape["scrape_configs"][0]["static_configs"][0]["targets"]
    for service in SERVICES:
        name = service.replace("_", "-")
        assert f"AS {name}\n" in containerfile
        assert f'"--only", "{service}"' in containerfile
        assert compose[name]["build"]["target"] == name
        assert f"{name}:9464" in targets


def test_compose_sets_only_settings_that_exist() -> None:
    from services.orchestrator.settings import OrchestratorSettings
    from shared.settings import ServerSettings

    compose = yaml.safe_load((DEPLOY / "compose.yaml").read_text())["services"]
    known = {f"LIKENESS_ORCHESTRATOR_{name.upper()}" for name in OrchestratorSettings.model_fields}
    known |= {f"LIKENESS_SERVER_{name.upper()}" for name in ServerSettings.model_fields}
    known |= {"LIKENESS_STATE_DIR"}
    used = set(compose["orchestrator"]["environment"]) | set(compose["fusion"]["environment"])
    assert used - known == set()
