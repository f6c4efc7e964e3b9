"""The promises of the port TextEncoder about weighted and unknown words, kept by every encoder."""

import numpy as np
import pytest

from services.diffusion.adapters.clip_text import ClipText, XlText
from services.diffusion.adapters.fake import FakeText
from services.diffusion.domain.ports import TextEncoder
from services.diffusion.domain.rows import Prompt, TextCondition
from services.diffusion.errors import PromptTooLong, ValueOutOfRange
from shared.sdmodels import load_text_encoder, load_tokenizer, open_model_folder
from tests.support.tiny_sd import TinySd, make_tiny_sd


@pytest.fixture(scope="module", params=["fake", "sd", "sdxl"])
def text(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> TextEncoder:
    if request.param == "fake":
        return FakeText()
    path = tmp_path_factory.mktemp("text") / "tiny"
    folder = open_model_folder(make_tiny_sd(path, TinySd(xl=request.param == "sdxl", token_limit=24)))
    first = ClipText(load_tokenizer(folder), load_text_encoder(folder))
    if request.param == "sd":
        return first
    second = load_text_encoder(folder, "text_encoder_2")
    tokenizer = load_tokenizer(folder, "tokenizer_2")
    return XlText(first, ClipText(tokenizer, second, "text_encoder_2"), zeros_for_empty=True)


def prompt(text: str, field: str = "prompt") -> Prompt:
    return Prompt(field, text, (64, 64))


def encoded(text: TextEncoder, *prompts: str) -> list[TextCondition]:
    return text.encode([prompt(each) for each in prompts], ())


@pytest.mark.parametrize("same", ["a (face:1)", "a ([face])", "a (face:1.0)"])
def test_weight_one_changes_no_bit(text: TextEncoder, same: str) -> None:
    [expected], [got] = encoded(text, "a face"), encoded(text, same)

    np.testing.assert_array_equal(got.context, expected.context)


@pytest.mark.parametrize("weighted", ["a (face)", "a (face:1.5)", "a [face]", "a (face:0)"])
def test_other_weights_change_the_condition(text: TextEncoder, weighted: str) -> None:
    [expected], [got] = encoded(text, "a face"), encoded(text, weighted)

    assert got.context.shape == expected.context.shape
    assert (got.context != expected.context).any()


def test_company_with_weights_changes_nothing_for_others(text: TextEncoder) -> None:
    [alone, _] = encoded(text, "a b", "c d")
    [together, _] = encoded(text, "a b", "(c:2) d")

    np.testing.assert_array_equal(alone.context, together.context)


def test_brackets_without_a_partner_are_text(text: TextEncoder) -> None:
    [one, escaped] = encoded(text, "a :)", r"a :\)")

    np.testing.assert_array_equal(one.context, escaped.context)


def test_brackets_cost_no_tokens_and_words_are_counted(text: TextEncoder) -> None:
    fits = " ".join(["(((a:0.7)))"] * text.max_prompt_tokens)
    encoded(text, fits)

    with pytest.raises(PromptTooLong) as caught:
        encoded(text, f"{fits} (a:1.2)")
    assert caught.value.metadata["tokens"] == str(text.max_prompt_tokens + 1)


def test_a_weight_out_of_range_names_field_and_remedy(text: TextEncoder) -> None:
    for call in (lambda bad: text.encode([bad], ()), text.unfamiliar_words):
        with pytest.raises(ValueOutOfRange, match="backslash") as caught:
            call(prompt("(a:4)", "negative_prompt"))
        assert caught.value.metadata["field"] == "negative_prompt"


def test_unfamiliar_words_are_words_of_the_prompt_each_once_without_syntax(text: TextEncoder) -> None:
    found = text.unfamiliar_words(prompt("a (zqz:1.3), [zqz], qzq"))

    assert found in ((), ("zqz", "qzq"))
    assert text.unfamiliar_words(prompt("")) == ()
