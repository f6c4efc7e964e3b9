"""Every error reason is mapped, every mapped text is whole, every error class names one of them."""

import ast
import re
from pathlib import Path

import grpc
import pytest

from shared.errors import CATALOGUE, ErrorReason, LikenessError
from shared.errors.rpc import to_status

REPOSITORY = Path(__file__).parents[2]


def test_every_reason_has_an_entry():
    assert set(CATALOGUE) == set(ErrorReason)


@pytest.mark.parametrize("reason", ErrorReason)
def test_reason_has_a_real_status_a_fact_and_a_remedy(reason):
    spec = CATALOGUE[reason]

    assert spec.status in grpc.StatusCode.__members__
    assert spec.status not in {"OK", "UNKNOWN", "DATA_LOSS"}
    assert re.fullmatch(r"[A-Z][A-Z0-9_]{2,62}", reason)
    assert re.search(r"[.:]$", spec.fact), spec.fact
    assert len(spec.remedy) > 10
    assert spec.fact != spec.remedy


@pytest.mark.parametrize("reason", ErrorReason)
def test_text_repeats_its_dynamic_parts_as_metadata(reason):
    kind = type("Example", (LikenessError,), {"reason": reason})
    values = {field: f"<{field}>" for field in CATALOGUE[reason].fields}
    error = kind(**values)

    assert error.metadata == values
    assert all(value in error.message for value in values.values())
    assert to_status(error).message == error.message


def error_classes():
    """Reason by (file, class) of every typed error in the code."""
    for folder in ("shared", "services"):
        for path in (REPOSITORY / folder).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if isinstance(node, ast.ClassDef):
                    yield from ((path, node.name, reason) for reason in _reasons(node))


def _reasons(node):
    for statement in node.body:
        match statement:
            case ast.Assign(targets=[ast.Name(id="reason")], value=ast.Attribute(attr=name)):
                yield name


def test_every_error_class_names_a_reason_of_the_catalogue():
    classes = list(error_classes())

    assert len(classes) > 20
    assert [entry for entry in classes if entry[2] not in ErrorReason.__members__] == []


def test_a_reason_has_one_class_in_each_package():
    """Two classes for one reason in a package could be given different metadata and caught apart."""
    seen, twice = {}, []
    for path, name, reason in error_classes():
        package = path.relative_to(REPOSITORY).parts[:2]
        if seen.setdefault((package, reason), name) != name:
            twice.append((package, reason, name))

    assert twice == []


def test_errors_modules_of_services_do_not_know_grpc():
    for path in (REPOSITORY / "services").glob("*/errors.py"):
        assert "grpc" not in path.read_text(encoding="utf-8"), path
