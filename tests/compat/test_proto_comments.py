# SPDX-License-Identifier: Apache-2.0
"""Checks that the protos explain themselves: their comments become the reference."""

from pathlib import Path
from typing import Iterator

from google.protobuf.descriptor_pb2 import DescriptorProto, FileDescriptorProto, FileDescriptorSet

PROTO_ROOT = Path(__file__).resolve().parents[2] / "proto"
SPDX = "// SPDX-License-Identifier: Apache-2.0"

# A place in a file, as protoc numbers it: field numbers of descriptor.proto, and indices.
Place = tuple[int, ...]


def message_places(
    message: DescriptorProto, place: Place, name: str
) -> Iterator[tuple[str, Place]]:
    """A message and all that is in it, by name and place. Generated map entries are left out."""
    if message.options.map_entry:
        return
    yield name, place
    for i, field in enumerate(message.field):
        yield f"{name}.{field.name}", (*place, 2, i)
    for i, oneof in enumerate(message.oneof_decl):
        yield f"{name}.{oneof.name}", (*place, 8, i)
    for i, inner in enumerate(message.nested_type):
        yield from message_places(inner, (*place, 3, i), f"{name}.{inner.name}")


def places(file: FileDescriptorProto) -> Iterator[tuple[str, Place]]:
    """Everything in a file that wants a comment, by name and place."""
    for i, message in enumerate(file.message_type):
        yield from message_places(message, (4, i), message.name)
    for i, service in enumerate(file.service):
        yield service.name, (6, i)
        for j, method in enumerate(service.method):
            yield f"{service.name}.{method.name}", (6, i, 2, j)


def uncommented(file: FileDescriptorProto) -> list[str]:
    """What has no comment above it that ends like a sentence."""
    comments = {
        tuple(location.path): location.leading_comments.strip()
        for location in file.source_code_info.location
    }
    return [name for name, place in places(file) if not comments.get(place, "").endswith(".")]


def test_everything_has_a_comment(protos: FileDescriptorSet) -> None:
    bare = {file.name: uncommented(file) for file in protos.file}
    assert {name: things for name, things in bare.items() if things} == {}


def test_missing_comment_is_found(protos: FileDescriptorSet) -> None:
    file = next(f for f in protos.file if f.name == "modules/sink.proto")
    bare = FileDescriptorProto()
    bare.CopyFrom(file)
    bare.ClearField("source_code_info")
    assert uncommented(bare) == ["SinkArg"]


def test_files_say_what_they_are_for() -> None:
    for path in sorted(PROTO_ROOT.rglob("*.proto")):
        first, second = path.read_text().splitlines()[:2]
        assert first == SPDX, path
        assert second.startswith("// ") and second.endswith("."), path
