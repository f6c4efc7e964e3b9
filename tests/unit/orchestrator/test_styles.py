"""Style files: the shipped ones load, broken ones stop the start."""

from pathlib import Path

import pytest
import yaml

import services.orchestrator as package
from services.orchestrator.adapters.style_files import StyleFolder
from services.orchestrator.domain.prompts import build_prompt
from services.orchestrator.errors import UnknownStyle

SHIPPED = Path(package.__file__).parent / "styles"
SOUND = yaml.safe_load((SHIPPED / "studio.yaml").read_text())


def folder(tmp_path: Path, **changes: object) -> Path:
    (tmp_path / "studio.yaml").write_text(yaml.safe_dump({**SOUND, **changes}))
    return tmp_path


def test_the_shipped_styles_load_and_fill_their_templates():
    styles = StyleFolder(SHIPPED).all()

    assert {"studio", "sunset", "toon"} <= {known.style.name for known in styles}
    for known in styles:
        prompt = build_prompt(known.style.prompt, {"sex": "male", "age": "young"})
        assert prompt.startswith("portrait of a young man")
        assert "{" not in prompt


def test_the_digest_is_that_of_the_file(tmp_path):
    [one] = StyleFolder(folder(tmp_path)).all()
    [other] = StyleFolder(folder(tmp_path, version=99)).all()

    assert len(one.sha256) == 64
    assert one.sha256 != other.sha256


@pytest.mark.parametrize(
    "changes",
    [
        {"schema_version": 2},
        {"name": "other"},
        {"surprise": 1},
        {"step_count": 0},
        {"prompt": "portrait of {nobody}"},
        {"fusion": {"strength": 1.5}},
        {"fusion": {"regions": {"nose": 1}}},
        {"fusion": {"warp": "liquid"}},
        {"fusion": {"keep": {"max_quality_loss": 2}}},
        {"fusion": {"keep": {"surprise": 0}}},
        {"min_similarity": 0.5, "false_accept_rate": 0.01},
        {"licence": ""},
    ],
    ids=lambda changes: next(iter(changes)),
)
def test_a_file_that_does_not_fit_the_schema_is_named(tmp_path, changes):
    with pytest.raises(ValueError, match=r"studio\.yaml"):
        StyleFolder(folder(tmp_path, **changes))


def test_a_file_that_is_no_yaml_is_named(tmp_path):
    (tmp_path / "bad.yaml").write_text("a: b: c")
    with pytest.raises(ValueError, match=r"bad\.yaml"):
        StyleFolder(tmp_path)


def test_an_empty_folder_is_refused(tmp_path):
    with pytest.raises(ValueError, match="no style"):
        StyleFolder(tmp_path)


def test_an_unknown_style_names_the_known_ones():
    with pytest.raises(UnknownStyle) as caught:
        StyleFolder(SHIPPED).get("styles/cubist")

    assert "styles/studio" in caught.value.metadata["known"]
