"""Every element of the API is commented, and units and limits are where clients look for them."""

from pathlib import Path

import pytest
from google.protobuf import descriptor_pb2

ROOT = Path(__file__).resolve().parents[2]
MESSAGE, ENUM, SERVICE = 4, 5, 6
FIELD, NESTED, NESTED_ENUM, ONEOF, VALUE, METHOD = 2, 3, 4, 8, 2, 2


def our_files() -> list[descriptor_pb2.FileDescriptorProto]:
    described = descriptor_pb2.FileDescriptorSet.FromString((ROOT / "protos" / "released.binpb").read_bytes())
    return [file for file in described.file if file.name.startswith("likeness/")]


def commented_paths(file: descriptor_pb2.FileDescriptorProto) -> set[tuple[int, ...]]:
    return {
        tuple(location.path)
        for location in file.source_code_info.location
        if location.leading_comments.strip()
    }


def message_paths(
    message: descriptor_pb2.DescriptorProto, path: tuple[int, ...]
) -> list[tuple[tuple[int, ...], str]]:
    found = [(path, message.name)]
    found += [((*path, FIELD, i), f"{message.name}.{field.name}") for i, field in enumerate(message.field)]
    for i, nested in enumerate(message.nested_type):
        if not nested.options.map_entry:
            found += message_paths(nested, (*path, NESTED, i))
    # The last oneofs are the synthetic ones of `optional` fields.
    synthetic = sum(field.proto3_optional for field in message.field)
    real = len(message.oneof_decl) - synthetic
    found += [((*path, ONEOF, i), f"{message.name}.{message.oneof_decl[i].name}") for i in range(real)]
    return found


@pytest.mark.parametrize("file", our_files(), ids=lambda file: file.name)
def test_every_element_is_commented(file: descriptor_pb2.FileDescriptorProto) -> None:
    paths: list[tuple[tuple[int, ...], str]] = []
    for i, message in enumerate(file.message_type):
        paths += message_paths(message, (MESSAGE, i))
    for i, enum in enumerate(file.enum_type):
        paths.append(((ENUM, i), enum.name))
        paths += [((ENUM, i, VALUE, j), value.name) for j, value in enumerate(enum.value)]
    for i, service in enumerate(file.service):
        paths.append(((SERVICE, i), service.name))
        paths += [((SERVICE, i, METHOD, j), method.name) for j, method in enumerate(service.method)]
    comments = commented_paths(file)
    assert [name for path, name in paths if path not in comments] == []


def test_the_wheel_ships_the_protos_beside_the_stubs() -> None:
    for proto in (ROOT / "protos" / "likeness").rglob("*.proto"):
        shipped = ROOT / "protos" / "gen" / proto.relative_to(ROOT / "protos")
        assert shipped.read_bytes() == proto.read_bytes(), f"{proto.name}: run `make protos`"


def test_stubs_need_no_package_of_the_rules() -> None:
    for stub in (ROOT / "protos" / "gen").rglob("*_pb2.py"):
        assert "from buf" not in stub.read_text()
