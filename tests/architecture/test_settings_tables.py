"""Each service's README names every setting, and names none that does not exist."""

import importlib
import re
from pathlib import Path

import pytest
from pydantic_settings import BaseSettings

from shared.settings import ServerSettings

ROOT = Path(__file__).resolve().parents[2]
SERVICES = ["face_analysis", "lora_training", "diffusion", "stylization", "fusion", "orchestrator"]


def settings_class(service: str) -> type[BaseSettings]:
    module = importlib.import_module(f"services.{service}.settings")
    classes = [
        value
        for value in vars(module).values()
        if isinstance(value, type) and issubclass(value, BaseSettings) and value.__module__ == module.__name__
    ]
    assert len(classes) == 1, f"{service}: one settings class per service"
    return classes[0]


@pytest.mark.parametrize("service", SERVICES)
def test_readme_and_settings_agree(service: str) -> None:
    settings = settings_class(service)
    prefix = str(settings.model_config["env_prefix"])
    readme = (ROOT / "services" / service / "README.md").read_text()
    own = set(settings.model_fields) - set(ServerSettings.model_fields)
    documented = {name.removeprefix(prefix).lower() for name in re.findall(rf"{prefix}[A-Z0-9_]+", readme)}
    assert own - documented == set(), "settings that the README does not name"
    assert documented - set(settings.model_fields) == set(), "names in the README that are no settings"


def test_the_front_page_names_only_settings_that_exist() -> None:
    known = {
        f"{settings_class(service).model_config['env_prefix']}{name.upper()}"
        for service in SERVICES
        for name in settings_class(service).model_fields
    } | {"LIKENESS_STATE_DIR", "LIKENESS_SERVER"}
    assert set(re.findall(r"LIKENESS_[A-Z0-9_]+", (ROOT / "README.md").read_text())) - known == set()
