"""The base of all typed errors."""

from collections.abc import Mapping
from dataclasses import dataclass

from shared.errors.catalogue import CATALOGUE, ErrorSpec
from shared.errors.reasons import ErrorReason

# Status details over about 8 kB are lost on the wire, so no single value may come near that.
_MAX_VALUE_CHARS = 512


@dataclass(frozen=True)
class FieldViolation:
    """One broken rule: the path of the field ("photos[2].inline") and what is wrong with it."""

    field: str
    problem: str


class LikenessError(Exception):
    """A failure with a reason, a public text and a remedy.

    Subclasses set `reason`; the keyword arguments are the metadata of that reason, exactly the fields
    of its catalogue entry. Everything in an error of this type is public: it goes to the caller.

    Attributes:
        reason: The machine-readable reason.
        metadata: The values of the text's fields, as text, at most 512 characters each.
        message: Fact and remedy, in one line.
        retry_after_s: Seconds after which a retry makes sense, or None.
        violations: The fields of the request that are at fault, if it is known.

    Raises:
        TypeError: A metadata key is missing or unknown.
    """

    reason: ErrorReason = ErrorReason.INTERNAL

    def __init__(self, *, retry_after_s: float | None = None, **metadata: object) -> None:
        spec = CATALOGUE[self.reason]
        expected, given = set(spec.fields), set(metadata)
        if expected != given:
            missing, unknown = sorted(expected - given), sorted(given - expected)
            raise TypeError(f"{type(self).__name__}: missing {missing}, unknown {unknown}")
        self._fill({key: _as_text(value) for key, value in metadata.items()}, retry_after_s)

    def _fill(self, metadata: Mapping[str, str], retry_after_s: float | None) -> None:
        self.metadata: dict[str, str] = dict(metadata)
        self.retry_after_s = retry_after_s
        self.violations: tuple[FieldViolation, ...] = ()
        super().__init__(self.message)

    def __reduce__(self) -> tuple[object, ...]:
        """Let errors cross process borders: the default would pass the text as a positional argument."""
        return _restore, (type(self), self.metadata, self.retry_after_s, self.violations)

    @property
    def spec(self) -> ErrorSpec:
        """The catalogue entry of the reason."""
        return CATALOGUE[self.reason]

    @property
    def status(self) -> str:
        """The name of the gRPC status code."""
        return self.spec.status

    @property
    def fact(self) -> str:
        """What is the case, for the caller."""
        return self.spec.fact.format_map(self.metadata)

    @property
    def remedy(self) -> str:
        """What the caller can do about it."""
        return self.spec.remedy.format_map(self.metadata)

    @property
    def message(self) -> str:
        """The public text: fact and remedy."""
        return f"{self.fact} {self.remedy}"


def _restore(
    kind: type[LikenessError],
    metadata: dict[str, object],
    retry_after_s: float | None,
    violations: tuple[FieldViolation, ...],
) -> LikenessError:
    error = kind(retry_after_s=retry_after_s, **metadata)
    error.violations = violations
    return error


def _as_text(value: object) -> str:
    text = f"{value:.3g}" if isinstance(value, float) else str(value)
    return text if len(text) <= _MAX_VALUE_CHARS else text[: _MAX_VALUE_CHARS - 1] + "…"
