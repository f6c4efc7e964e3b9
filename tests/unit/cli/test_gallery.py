"""Styles in the terminal and on a page: groups, what is missing, pictures of any kind, hostile names."""

import io

import pytest
from likeness.common.v1 import image_pb2
from likeness.orchestrator.v1 import resources_pb2
from rich.console import Console

from cli.gallery import gallery_page, media_type, print_style, print_styles

FOREST = resources_pb2.Style(
    name="styles/forest",
    display_name="Forest <b>",
    description="Between the trees.",
    version=3,
    sha256="ab" * 32,
    licence="Apache-2.0",
    prompt_template="portrait of a {person}, forest background",
    group="places",
    group_title="Places",
    tags=["outdoors"],
    availability=resources_pb2.STYLE_AVAILABILITY_AVAILABLE,
    preview=image_pb2.Image(data=b"\xff\xd8jpeg"),
)
INK = resources_pb2.Style(
    name="styles/ink",
    display_name="Ink",
    description="Black on white.",
    adapters=["ink"],
    group="looks",
    group_title="Looks",
    availability=resources_pb2.STYLE_AVAILABILITY_UNAVAILABLE,
    unavailable_reason="It cannot be drawn here: put adapters/ink.safetensors there.",
)


def printed(what, *args) -> str:
    console = Console(file=io.StringIO(), width=200)
    what(console, *args)
    return console.file.getvalue()


def test_the_list_names_groups_and_what_is_missing() -> None:
    text = printed(print_styles, [FOREST, INK])

    assert text.index("Places") < text.index("forest") < text.index("Looks") < text.index("ink")
    assert "Black on white. (not installed)" in text and "trees. (not" not in text
    assert "2 styles, 1 of them not installed." in text and "what it lacks" in text


def test_one_style_is_shown_whole() -> None:
    text = printed(print_style, FOREST)
    for words in ("forest background", "Apache-2.0", "abab", "--style forest", "outdoors"):
        assert words in text
    text = printed(print_style, INK)
    assert "put adapters/ink.safetensors there" in text and "--style" not in text
    assert "render-previews" in text


def test_the_page_has_a_figure_for_each_and_is_safe() -> None:
    page = gallery_page([FOREST, INK])

    assert page.count("<figure") == 2
    assert "data:image/jpeg;base64," in page
    assert "not installed" in page and "put adapters/ink.safetensors there" in page
    assert "Forest <b>" not in page and "Forest &lt;b&gt;" in page
    assert "2 styles, 1 with a preview" in page


@pytest.mark.parametrize(
    ("data", "kind"),
    [(b"\xff\xd8\xff", "image/jpeg"), (b"RIFF....WEBPVP8 ", "image/webp"), (b"\x89PNG\r\n", "image/png")],
)
def test_pictures_are_known_by_their_first_bytes(data: bytes, kind: str) -> None:
    assert media_type(data) == kind
