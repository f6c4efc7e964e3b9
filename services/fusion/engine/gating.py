"""Which identity gate a ranking applies."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from services.fusion.domain.gate import Gate, gate_of
from shared.errors.common import FieldInvalid


@dataclass(frozen=True, slots=True)
class AppliedGate:
    """A threshold and, where it was calibrated, what it did then.

    Attributes:
        threshold: least best cosine to any reference, in [-1, 1].
        false_accept_rate: share of strangers that it let through; None where it was not calibrated.
        false_reject_rate: share of the person's own pictures that it turned away; None likewise.
    """

    threshold: float
    false_accept_rate: float | None = None
    false_reject_rate: float | None = None


@dataclass(frozen=True, slots=True)
class Gates:
    """The gates of a service, by embedder.

    Attributes:
        calibrated: with thresholds by number of references and false-accept rate.
        fixed: thresholds that the operator set; they come before the calibrated ones.
    """

    calibrated: Mapping[str, Gate] = field(default_factory=dict)
    fixed: Mapping[str, float] = field(default_factory=dict)

    def choose(
        self, embedder: str, references: int, *, requested: float | None = None, rate: float | None = None
    ) -> AppliedGate:
        """The gate for a comparison with so many references.

        *requested* is the request's own threshold, *rate* the share of strangers that it allows; by default
        0.001. A fixed gate has no rates, so that a rate passes it over.

        Raises:
            FieldInvalid: both are given, or nothing is calibrated for *embedder*: a guessed gate would let
                strangers through. ValueOutOfRange: a rate that was not calibrated.
        """
        if requested is not None:
            if rate is not None:
                problem = "it is given together with identity_gate"
                raise FieldInvalid(field="false_accept_rate", problem=problem)
            return AppliedGate(requested)
        if rate is None and embedder in self.fixed:
            return AppliedGate(self.fixed[embedder])
        gate = gate_of(self.calibrated, embedder)
        point = gate.for_(references, rate)
        return AppliedGate(point.threshold, point.false_accept_rate, point.false_reject_rate)
