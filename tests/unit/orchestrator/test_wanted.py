"""What a prompt asks for, as attributes."""

import pytest

from services.orchestrator.domain.wanted import wanted_attributes


@pytest.mark.parametrize(
    "prompt, expected",
    [
        ("", {}),
        ("portrait of a young woman, light skin, grey background, navy shirt", {}),
        ("dark brown bob hair", {"hair_color": "dark brown", "hair_style": "bob"}),
        ("brown side-part hair, brown eyes", {"hair_color": "brown", "hair_style": "side-part"}),
        ("bald, full beard", {"hair_style": "bald", "beard": "full"}),
        ("no glasses", {"glasses": "none"}),
        ("glasses", {}),
        ("Round glasses, square glasses", {"glasses": "round"}),
        ("sunglasses, stubble", {"glasses": "sunglasses", "beard": "stubble"}),
        (
            "(pink bob hair:1.3), [round glasses]",
            {"hair_color": "pink", "hair_style": "bob", "glasses": "round"},
        ),
        ("(no glasses:1.2)", {"glasses": "none"}),
        ("red shirt, blue background, short dress", {}),
    ],
)
def test_phrases_become_attributes(prompt, expected):
    assert {item.name: item.value for item in wanted_attributes(prompt)} == expected
    assert all(item.confidence == 1 for item in wanted_attributes(prompt))
