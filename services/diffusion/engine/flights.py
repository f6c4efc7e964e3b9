"""Which pictures in flight use which stored adapters: deleting a person ends what draws that person."""

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from services.diffusion.errors import UnknownAdapter
from shared.cancellation import CancellationToken, Cancelled


@dataclass(eq=False)
class _Flight:
    tenant: str
    uris: frozenset[str]
    token: CancellationToken
    deleted: list[str] = field(default_factory=list)


class Flights:
    """Belongs to one event loop."""

    def __init__(self) -> None:
        self._flights: set[_Flight] = set()

    @contextmanager
    def entered(
        self, tenant: str, uris: Collection[str], token: CancellationToken
    ) -> Iterator[CancellationToken]:
        """Within this context the picture can be ended by `end`; gives the token to work with.

        Raises: UnknownAdapter instead of Cancelled where `end` was the cause.
        """
        flight = _Flight(tenant, frozenset(uris), token.child())
        self._flights.add(flight)
        try:
            yield flight.token
        except Cancelled:
            if flight.deleted and not token.cancelled:
                raise UnknownAdapter(adapter=flight.deleted[0]) from None
            raise
        finally:
            self._flights.discard(flight)

    def end(self, tenant: str, uris: Collection[str]) -> int:
        """Cancel the pictures of *tenant* that use one of *uris*; how many."""
        hit = [each for each in self._flights if each.tenant == tenant and not each.uris.isdisjoint(uris)]
        for flight in hit:
            flight.deleted.extend(flight.uris.intersection(uris))
            flight.token.cancel()
        return len(hit)
