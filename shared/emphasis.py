r"""Words of a prompt with more or less weight: ``(word)``, ``(word:1.3)``, ``[word]``.

The syntax is that of AUTOMATIC1111's web UI (stable-diffusion-webui, modules/prompt_parser.py), which users
of ComfyUI know as well: round brackets multiply by 1.1 or by the number after the colon, square ones divide
by 1.1, nested ones multiply, and a backslash before a bracket or a backslash makes it plain text. Unlike
there, a bracket without a partner is plain text, so that ":)" stays what it always was, and weights are
bounded.

Pure text handling, the same for whoever builds prompts and whoever reads them.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

LEAST_WEIGHT, MOST_WEIGHT = 0.0, 3.0
RANGE = f"[{LEAST_WEIGHT:g}, {MOST_WEIGHT:g}] (a backslash makes a bracket plain text)"
"""The range in words that an error may tell."""
_FACTOR = 1.1
# Products of 1.1 are rounded, so that "([word])" has the weight 1 and what is written is short.
_DECIMALS = 4
_TOKEN = re.compile(
    r"\\(?P<escaped>[\\()\[\]])"
    r"|(?P<open>[(\[])"
    r"|:\s*(?P<weight>[+-]?(?:\d+\.?\d*|\.\d+))\s*\)"
    r"|(?P<close>[)\]])"
    r"|[^\\()\[\]:]+|."
    , re.DOTALL,
)  # fmt: skip
_PARTNER = {")": "(", "]": "["}


class WeightOutOfRange(ValueError):
    """A weight outside [0, 3]; ``weight`` is what the brackets around some word come to."""

    def __init__(self, weight: float) -> None:
        self.weight = weight
        super().__init__(f"the weight {weight:g} is outside [{LEAST_WEIGHT:g}, {MOST_WEIGHT:g}]")


@dataclass(frozen=True)
class Span:
    """Text with one weight, without any syntax; 1 leaves it as it is, 0 takes its meaning away."""

    text: str
    weight: float = 1.0


def parse(text: str) -> tuple[Span, ...]:
    r"""Split a prompt into spans of one weight: never empty ones, and neighbours differ in weight.

    ``parse("a (red:1.3) \(hat\)")`` is ``(Span("a ", 1), Span("red", 1.3), Span(" (hat)", 1))``. Takes time
    in proportion to the length, however deep the nesting.

    Raises:
        WeightOutOfRange: The brackets around a word multiply to less than 0 or more than 3.
    """
    tokens = list(_TOKEN.finditer(text))
    factors, closing = _pairs(tokens)
    pieces = []
    products = [1.0]
    for position, token in enumerate(tokens):
        if position in factors:
            products.append(products[-1] * factors[position])
        elif position in closing:
            products.pop()
        else:
            pieces.append(Span(token["escaped"] or token[0], _checked(products[-1])))
    return joined(pieces)


def joined(spans: Iterable[Span]) -> tuple[Span, ...]:
    """Return the spans without empty ones, neighbours of one weight made one."""
    runs: list[tuple[list[str], float]] = []
    for span in spans:
        if not span.text:
            continue
        if runs and runs[-1][1] == span.weight:
            runs[-1][0].append(span.text)
        else:
            runs.append(([span.text], span.weight))
    return tuple(Span("".join(texts), weight) for texts, weight in runs)


def plain(spans: Iterable[Span]) -> str:
    """Return the words alone."""
    return "".join(span.text for span in spans)


def write(spans: Iterable[Span]) -> str:
    """Return text that `parse` reads as these spans; text without brackets and backslashes is as it was."""
    return "".join(_written(span) for span in spans)


def _written(span: Span) -> str:
    escaped = re.sub(r"([\\()\[\]])", r"\\\1", span.text)
    return escaped if span.weight == 1 else f"({escaped}:{span.weight:.{_DECIMALS + 2}g})"


def _pairs(tokens: list[re.Match[str]]) -> tuple[dict[int, float], set[int]]:
    """Find the brackets that have a partner: the factor by position of the opening one, and the closing."""
    factors: dict[int, float] = {}
    closing: set[int] = set()
    waiting: list[int] = []
    open_count = {"(": 0, "[": 0}
    for position, token in enumerate(tokens):
        if token["open"]:
            waiting.append(position)
            open_count[token["open"]] += 1
            continue
        partner = "(" if token["weight"] else _PARTNER.get(token["close"] or "")
        if partner is None or not open_count[partner]:
            continue
        # What was opened in between and not closed has no partner any more.
        for start in _popped(waiting):
            bracket = tokens[start]["open"]
            open_count[bracket] -= 1
            if bracket == partner:
                break
        default = _FACTOR if partner == "(" else 1 / _FACTOR
        factors[start] = float(token["weight"]) if token["weight"] else default
        closing.add(position)
    return factors, closing


def _popped(waiting: list[int]) -> Iterator[int]:
    while waiting:
        yield waiting.pop()


def _checked(product: float) -> float:
    weight = round(product, _DECIMALS)
    if not LEAST_WEIGHT <= weight <= MOST_WEIGHT:
        raise WeightOutOfRange(weight)
    return weight
