"""Weights of words: what is read, what is written, what brackets without a partner are."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.emphasis import Span, WeightOutOfRange, joined, parse, plain, write

SYNTAX = st.text("ab ,:.13()[]\\", max_size=30)
SPANS = st.lists(
    st.builds(
        Span,
        st.text("ab ,:.13()[]\\é\n", min_size=1, max_size=6),
        st.integers(0, 30_000).map(lambda tenths: tenths / 10_000),
    ),
    max_size=5,
).map(joined)


def within_range(text: str) -> tuple[Span, ...] | None:
    try:
        return parse(text)
    except WeightOutOfRange:
        return None


@pytest.mark.parametrize(
    ("text", "spans"),
    [
        ("", []),
        ("red hair", [("red hair", 1)]),
        ("(red) hair", [("red", 1.1), (" hair", 1)]),
        ("((red)) hair", [("red", 1.21), (" hair", 1)]),
        ("[red] hair", [("red", 0.9091), (" hair", 1)]),
        ("(red:1.3) hair", [("red", 1.3), (" hair", 1)]),
        ("(red: 1.3 ) hair", [("red", 1.3), (" hair", 1)]),
        ("(red:.5)", [("red", 0.5)]),
        ("(red:0)", [("red", 0)]),
        ("(a (b:1.5):1.2)", [("a ", 1.2), ("b", 1.8)]),
        ("([red])", [("red", 1)]),
        ("(a:b:1.3)", [("a:b", 1.3)]),
        ("(at ten:thirty)", [("at ten:thirty", 1.1)]),
        (r"\(red\)", [("(red)", 1)]),
        (r"\[red\] (\(x\):2)", [("[red] ", 1), ("(x)", 2)]),
        (r"a\\(b:2)", [("a\\", 1), ("b", 2)]),
        (r"a\b", [(r"a\b", 1)]),
        ("() x", [(" x", 1)]),
        ("(a)(b)", [("ab", 1.1)]),
        # Brackets without a partner.
        (":)", [(":)", 1)]),
        ("(red", [("(red", 1)]),
        ("red]", [("red]", 1)]),
        ("red:1.3)", [("red:1.3)", 1)]),
        ("(a [b) c]", [("a [b", 1.1), (" c]", 1)]),
        ("[red:1.3]", [("red:1.3", 0.9091)]),
    ],
)
def test_spans(text, spans):
    assert parse(text) == tuple(Span(*span) for span in spans)


@pytest.mark.parametrize(
    "text", ["(a:3.1)", "(a:-0.1)", "((a:2):2)", "(" * 12 + "a" + ")" * 12, "(a:9e9)"[:-3] + "9999)"]
)
def test_a_weight_out_of_range_says_what_it_comes_to(text):
    with pytest.raises(WeightOutOfRange, match=r"outside \[0, 3\]") as caught:
        parse(text)
    assert not 0 <= caught.value.weight <= 3


def test_numbers_beyond_all_bounds_are_refused_like_others():
    for text in ("(a:" + "9" * 400 + ")", "((a:" + "9" * 400 + "):0)"):
        with pytest.raises(WeightOutOfRange):
            parse(text)


@given(st.text(max_size=40).filter(lambda text: not set(text) & set("()[]\\")))
def test_text_without_brackets_is_untouched(text):
    assert plain(parse(text)) == text
    assert write(parse(text)) == text
    assert all(span.weight == 1 for span in parse(text))


@given(st.text("abc, :.1", max_size=20))
def test_weight_one_is_identity(text):
    assert parse(f"({text}:1)") == parse(text)
    assert parse(f"([{text}])") == parse(text)


@given(SPANS)
def test_what_is_written_is_read_again(spans):
    assert parse(write(spans)) == spans


@given(SYNTAX)
def test_writing_what_was_read_changes_nothing(text):
    spans = within_range(text)
    if spans is not None:
        assert parse(write(spans)) == spans == joined(spans)


@given(SYNTAX)
def test_only_brackets_weights_and_backslashes_go(text):
    spans = within_range(text)
    if spans is None:
        return
    letters = iter(text)
    assert all(letter in letters for letter in plain(spans)), "a subsequence of the text"
    kept = plain(spans).replace("\\", "")
    assert [c for c in kept if c in "ab,"] == [c for c in text if c in "ab,"]


@given(st.text("ab(", max_size=20) | st.text("ab)", max_size=20) | st.text("ab]", max_size=20))
def test_one_kind_of_bracket_alone_is_plain_text(text):
    assert plain(parse(text)) == text


def test_deep_nesting_takes_no_longer_than_its_length():
    assert plain(parse("([" * 20_000 + "a" + "])" * 20_000)) == "a"
