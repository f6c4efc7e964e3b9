"""Checks each request message against the rules in its proto."""

from collections.abc import AsyncIterator
from typing import Any

from protovalidate import Validator, Violation

from shared.errors.base import FieldViolation
from shared.errors.common import FieldInvalid
from shared.server.call import Call, CallInterceptor, Proceed


class Validation(CallInterceptor):
    """Refuses a message that breaks a protovalidate rule with FIELD_INVALID and the paths of its fields.

    In a client stream each message is checked as the handler iterates; a handler must not use
    `context.read()`, which would go past this check.
    """

    def __init__(self) -> None:
        self._validator = Validator()

    async def around(self, call: Call, proceed: Proceed) -> Any:
        """See `CallInterceptor.around`."""
        if call.is_infrastructure:
            return await proceed(call.request)
        if call.streams_requests:
            return await proceed(self._checked(call.request))
        self._check(call.request)
        return await proceed(call.request)

    async def _checked(self, requests: AsyncIterator[Any]) -> AsyncIterator[Any]:
        async for request in requests:
            self._check(request)
            yield request

    def _check(self, request: Any) -> None:
        if violations := self._validator.collect_violations(request):
            raise FieldInvalid.of([FieldViolation(_path(v), _problem(v)) for v in violations])


def _path(violation: Violation) -> str:
    """The field as a client writes it: "subjects[0].box.width", or "request" for a rule of the whole."""
    field = violation.proto.field
    if field is None or not field.elements:
        return "request"
    return ".".join(_element(element) for element in field.elements)


def _element(element: Any) -> str:
    if element.subscript is None:
        return str(element.field_name)
    key = element.subscript.value
    return f"{element.field_name}[{key!r}]" if isinstance(key, str) else f"{element.field_name}[{key}]"


def _problem(violation: Violation) -> str:
    return (violation.proto.message or violation.proto.rule_id or "is not valid").rstrip(".")
