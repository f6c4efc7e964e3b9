"""Style files: what they say is read, what does not fit stops the start."""

import json
from pathlib import Path

import pytest
import yaml

from services.orchestrator.adapters.style_files import StyleFolder
from services.orchestrator.errors import UnknownStyle

DEFAULTS = {
    "prompt": "portrait of a {person}, {hair}, {expression}, {prompt}, {background}, {hat}",
    "scene": {"expression": "smiling"},
    "fusion": {"strength": 0.8, "regions": {"lips": 0.3}},
    "licence": "Apache-2.0",
}
SHORT = {
    "schema_version": 2,
    "name": "forest",
    "version": 1,
    "title": "Forest",
    "description": "Trees.",
    "scene": {"background": "forest background"},
}
# As files looked before there were groups.
OLD = {
    "schema_version": 1,
    "name": "studio",
    "version": 2,
    "title": "Studio",
    "description": "Plain.",
    "prompt": "portrait of a {person}, {hair}, {prompt}, grey background",
    "adapter": None,
    "identity": {"adapter_weight": 1.0, "token_scale": 1.0},
    "sampler": "dpmpp_2m",
    "step_count": 20,
    "guidance_scale": 3.0,
    "licence": "Apache-2.0",
}


def write(path: Path, said: object) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(yaml.safe_dump(said))
    return path


def old(tmp_path: Path, **changes: object) -> Path:
    write(tmp_path / "studio.yaml", {**OLD, **changes})
    return tmp_path


def grouped(tmp_path: Path, **changes: object) -> Path:
    write(tmp_path / "_defaults.yaml", DEFAULTS)
    write(
        tmp_path / "places" / "_group.yaml",
        {"title": "Places", "order": 2, "defaults": {"tags": ["outdoors"]}},
    )
    write(tmp_path / "places" / "forest.yaml", {**SHORT, **changes})
    return tmp_path


def test_a_file_of_schema_1_says_everything_itself(tmp_path):
    write(tmp_path / "_defaults.yaml", DEFAULTS)
    [known] = StyleFolder(old(tmp_path)).all()

    assert known.style.prompt == OLD["prompt"]
    assert known.style.fusion.strength == 1, "not that of the defaults"
    assert (known.style.group, known.group_title, known.preview) == ("", "", None)


def test_a_file_of_schema_2_says_what_differs(tmp_path):
    [known] = StyleFolder(grouped(tmp_path, fusion={"regions": {"skin": 0.4}})).all()

    style = known.style
    assert style.prompt == "portrait of a {person}, {hair}, smiling, {prompt}, forest background"
    assert (style.group, known.group_title, style.tags) == ("places", "Places", ("outdoors",))
    assert style.fusion.strength == 0.8
    assert style.fusion.regions == {"lips": 0.3, "skin": 0.4}, "mappings are merged key by key"


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ({}, []),
        ({"adapter": None}, []),
        ({"adapter": {"name": "ink"}}, [("ink", 1)]),
        ({"adapters": [{"name": "ink", "weight": 0.8}, {"name": "fewstep"}]}, [("ink", 0.8), ("fewstep", 1)]),
        ({"adapter": None, "adapters": [{"name": "ink"}]}, None),
        ({"adapter": {"name": "ink"}, "adapters": []}, [("ink", 1)]),
        ({"adapters": [{"name": str(number)} for number in range(8)]}, None),
    ],
)
def test_one_adapter_or_several(tmp_path, said, expected):
    folder = old(tmp_path, **said)
    if "adapter" not in said:
        write(
            folder / "studio.yaml", {key: value for key, value in {**OLD, **said}.items() if key != "adapter"}
        )
    if expected is None:
        with pytest.raises(ValueError, match="adapters"):
            StyleFolder(folder)
        return
    [known] = StyleFolder(folder).all()

    assert [(item.name, item.weight) for item in known.style.adapters] == expected


@pytest.mark.parametrize(
    ("scene", "prompt"),
    [
        ({"expression": None}, "portrait of a {person}, {hair}, {prompt}"),
        ({"hat": "red beanie"}, "portrait of a {person}, {hair}, smiling, {prompt}, red beanie"),
        ({"hair": None, "hat": "red hijab"}, "portrait of a {person}, smiling, {prompt}, red hijab"),
        ({"hair": "pink bob hair"}, "portrait of a {person}, pink bob hair, smiling, {prompt}"),
        (
            {"background": "(red:1.2) background"},
            "portrait of a {person}, {hair}, smiling, {prompt}, (red:1.2) background",
        ),
    ],
)
def test_a_scene_fills_the_slots_of_the_defaults(tmp_path, scene, prompt):
    folder = grouped(tmp_path, scene=scene)

    assert StyleFolder(folder).get("styles/forest").style.prompt == prompt


def test_groups_go_by_their_order_and_styles_by_their_name(tmp_path):
    grouped(tmp_path)
    write(tmp_path / "places" / "beach.yaml", {**SHORT, "name": "beach"})
    write(tmp_path / "hats" / "_group.yaml", {"title": "Hats", "order": 1})
    write(tmp_path / "hats" / "cap.yaml", {**SHORT, "name": "cap"})
    write(tmp_path / "zoo-animals" / "ape.yaml", {**SHORT, "name": "ape"})
    old(tmp_path)

    found = StyleFolder(tmp_path).all()

    assert [known.style.name for known in found] == ["studio", "ape", "cap", "beach", "forest"]
    assert found[1].group_title == "Zoo animals", "a folder needs no _group.yaml"


def test_the_digest_follows_what_is_said_wherever_it_is_said(tmp_path):
    [one] = StyleFolder(grouped(tmp_path / "a")).all()
    spelt_out = {"fusion": {"strength": 0.8, "regions": {"lips": 0.3}}, "tags": ["outdoors"]}
    [same] = StyleFolder(grouped(tmp_path / "b", **spelt_out)).all()
    [other] = StyleFolder(grouped(tmp_path / "c", version=9)).all()
    write(grouped(tmp_path / "d") / "_defaults.yaml", {**DEFAULTS, "step_count": 30})
    [by_default] = StyleFolder(tmp_path / "d").all()

    assert len(one.sha256) == 64
    assert one.sha256 == same.sha256
    assert len({one.sha256, other.sha256, by_default.sha256}) == 3


def drawn(folder: Path, sha256: str) -> None:
    (folder / "previews").mkdir()
    (folder / "previews" / "forest.webp").write_bytes(b"picture")
    entry = {"file": "forest.webp", "style_sha256": sha256}
    (folder / "previews" / "index.json").write_text(json.dumps({"forest": entry}))


def test_a_preview_is_found_and_changes_no_digest(tmp_path):
    [bare] = StyleFolder(grouped(tmp_path)).all()
    drawn(tmp_path, bare.sha256)

    [known] = StyleFolder(tmp_path).all()

    assert (known.preview, known.sha256) == (b"picture", bare.sha256)


def test_a_preview_of_what_a_style_said_before_is_not_shown(tmp_path):
    [before] = StyleFolder(grouped(tmp_path)).all()
    drawn(tmp_path, before.sha256)

    [known] = StyleFolder(grouped(tmp_path, scene={"background": "sky background"})).all()

    assert known.preview is None


def test_a_style_may_bring_its_own_preview(tmp_path):
    (tmp_path / "mine.png").write_bytes(b"mine")
    [known] = StyleFolder(old(tmp_path, preview="mine.png")).all()

    assert known.preview == b"mine"


@pytest.mark.parametrize(
    "changes",
    [
        {"schema_version": 3},
        {"name": "other"},
        {"surprise": 1},
        {"step_count": 0},
        {"prompt": "portrait of {nobody}"},
        {"prompt": "portrait of (a face:5)"},
        {"prompt": "portrait, ({prompt}:1.2)"},
        {"fusion": {"strength": 1.5}},
        {"fusion": {"regions": {"nose": 1}}},
        {"fusion": {"warp": "liquid"}},
        {"fusion": {"keep": {"max_quality_loss": 2}}},
        {"fusion": {"keep": {"surprise": 0}}},
        {"min_similarity": 0.5, "false_accept_rate": 0.01},
        {"face": "somewhere"},
        {"face": "optional", "min_similarity": 0.5},
        {"licence": ""},
        {"tags": ["Not a tag!"]},
    ],
    ids=lambda changes: next(iter(changes)),
)
def test_a_file_that_does_not_fit_the_schema_is_named(tmp_path, changes):
    with pytest.raises(ValueError, match=r"studio\.yaml"):
        StyleFolder(old(tmp_path, **changes))


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"scene": {"weather": "rain"}}, "weather"),
        ({"scene": {"light": "soft light"}}, "slots for"),
        ({"scene": {"person": "a dog"}}, "person"),
        ({"scene": ["forest background"]}, "null"),
        ({"scene": {"background": 3}}, "null"),
        ({"surprise": 1}, "surprise"),
    ],
)
def test_a_scene_that_the_prompt_has_no_slot_for_is_refused(tmp_path, changes, words):
    with pytest.raises(ValueError, match=rf"(?s)forest\.yaml.*{words}"):
        StyleFolder(grouped(tmp_path, **changes))


def test_a_name_is_unique_across_groups(tmp_path):
    grouped(tmp_path)
    write(tmp_path / "other" / "forest.yaml", SHORT)
    with pytest.raises(ValueError, match="comes twice"):
        StyleFolder(tmp_path)


@pytest.mark.parametrize("said", ["a: b: c", "- a list", "title: ''"])
def test_a_broken_group_or_file_is_named(tmp_path, said):
    grouped(tmp_path)
    (tmp_path / "places" / "_group.yaml").write_text(said)
    with pytest.raises(ValueError, match=r"_group\.yaml"):
        StyleFolder(tmp_path)


def test_an_empty_folder_is_refused(tmp_path):
    write(tmp_path / "_defaults.yaml", DEFAULTS)
    with pytest.raises(ValueError, match="no style"):
        StyleFolder(tmp_path)


def test_an_unknown_style_names_the_default_and_similar_ones(tmp_path):
    folder = old(grouped(tmp_path))
    for number in range(20):
        write(tmp_path / "places" / f"zz{number}.yaml", {**SHORT, "name": f"zz{number}"})
    with pytest.raises(UnknownStyle) as caught:
        StyleFolder(folder).get("styles/forrest")

    known = caught.value.metadata["known"]
    assert known.startswith("styles/studio, styles/forest, ")
    assert known.endswith(" more")
