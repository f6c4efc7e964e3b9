"""Typed errors: every failure that a caller can see has a reason, a public text and a remedy.

A service subclasses `LikenessError` in its `errors.py` and names a reason; the catalogue holds the
status and the text; `shared.errors.rpc` turns an error into a gRPC status and back.
"""

from shared.errors.base import FieldViolation, LikenessError
from shared.errors.catalogue import CATALOGUE, ErrorSpec
from shared.errors.reasons import ErrorReason

__all__ = ["CATALOGUE", "ErrorReason", "ErrorSpec", "FieldViolation", "LikenessError"]
