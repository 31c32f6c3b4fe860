# SPDX-License-Identifier: Apache-2.0
"""Holds the protos to the BESS control API, so that its clients keep working unchanged.

bess_api.json lists every method, message and field of that API. The protos may add to it, but what
is in the list must mean the same on the wire and bear the same name in client code.
"""

import copy
import json
from pathlib import Path
from typing import Any, Callable, Iterator

import pytest
from google.protobuf import descriptor_pb2
from google.protobuf.descriptor_pb2 import (
    DescriptorProto,
    FieldDescriptorProto,
    FileDescriptorSet,
    MethodDescriptorProto,
)

TABLE: dict[str, Any] = json.loads(Path(__file__).with_name("bess_api.json").read_text())
PACKAGE = f"{TABLE['package']}."


def short(name: str) -> str:
    """A type's full name as the table has it: without its leading dot and package."""
    return name.lstrip(".").removeprefix(PACKAGE)


def nested(prefix: str, message: DescriptorProto) -> Iterator[tuple[str, DescriptorProto]]:
    """A message and all messages inside it, each with its full name."""
    name = prefix + message.name
    yield name, message
    for inner in message.nested_type:
        yield from nested(f"{name}.", inner)


def all_messages(protos: FileDescriptorSet) -> dict[str, DescriptorProto]:
    """Every message by its name as the table has it."""
    found: dict[str, DescriptorProto] = {}
    for file in protos.file:
        for message in file.message_type:
            found.update((short(n), m) for n, m in nested(f"{file.package}.", message))
    return found


def all_methods(protos: FileDescriptorSet) -> dict[str, dict[str, MethodDescriptorProto]]:
    """Every service by its name as the table has it, and its methods by theirs."""
    return {
        short(f"{file.package}.{service.name}"): {method.name: method for method in service.method}
        for file in protos.file
        for service in file.service
    }


def type_of(field: FieldDescriptorProto, messages: dict[str, DescriptorProto]) -> str:
    """A field's type and label as the table writes them, such as "repeated Field"."""
    name = short(field.type_name) or FieldDescriptorProto.Type.Name(field.type)[5:].lower()
    target = messages.get(name)
    if target is not None and target.options.map_entry:
        key, value = (type_of(part, messages) for part in target.field)
        return f"map<{key},{value}>"
    repeated = field.label == FieldDescriptorProto.LABEL_REPEATED
    return f"repeated {name}" if repeated else name


def entry_of(
    field: FieldDescriptorProto, owner: DescriptorProto, messages: dict[str, DescriptorProto]
) -> list[Any]:
    """A field as the table has it: its number, its type and, if it is in one, its oneof."""
    entry: list[Any] = [field.number, type_of(field, messages)]
    if field.HasField("oneof_index"):
        entry.append(owner.oneof_decl[field.oneof_index].name)
    return entry


def method_differences(protos: FileDescriptorSet) -> Iterator[str]:
    """How the services differ from the table."""
    services = all_methods(protos)
    for service, methods in TABLE["services"].items():
        have = services.get(service, {})
        for name, want in methods.items():
            method = have.get(name)
            if method is None:
                yield f"{service}.{name}: missing"
                continue
            types = [short(method.input_type), short(method.output_type)]
            if types != want:
                yield f"{service}.{name}: want {want}, have {types}"
            if method.client_streaming or method.server_streaming:
                yield f"{service}.{name}: want a unary call, have a stream"


def message_differences(protos: FileDescriptorSet) -> Iterator[str]:
    """How the messages differ from the table."""
    messages = all_messages(protos)
    for name, fields in TABLE["messages"].items():
        message = messages.get(name)
        if message is None:
            yield f"{name}: missing"
            continue
        have = {field.name: entry_of(field, message, messages) for field in message.field}
        for field_name, want in fields.items():
            if field_name not in have:
                yield f"{name}.{field_name}: missing"
            elif have[field_name] != want:
                yield f"{name}.{field_name}: want {want}, have {have[field_name]}"
        banned = TABLE["reserved"].get(name, [])
        for field in message.field:
            if field.number in banned:
                yield f"{name}.{field.name}: number {field.number} is reserved"


def differences(protos: FileDescriptorSet) -> list[str]:
    """Every way in which the protos differ from the table."""
    return [*method_differences(protos), *message_differences(protos)]


def test_protos_have_the_whole_api(protos: FileDescriptorSet) -> None:
    assert differences(protos) == []


def test_table_is_whole() -> None:
    """Guards the other tests against a table that was cut short."""
    assert len(TABLE["services"]["BESSControl"]) == 48
    assert len(TABLE["messages"]) > 200


# The rest proves that the comparer sees what it is there to see.


def message(protos: FileDescriptorSet, name: str) -> DescriptorProto:
    return all_messages(protos)[name]


def field(protos: FileDescriptorSet, name: str) -> FieldDescriptorProto:
    owner, _, last = name.rpartition(".")
    return next(f for f in message(protos, owner).field if f.name == last)


def renumber(protos: FileDescriptorSet) -> None:
    field(protos, "QueueArg.size").number = 9


def retype(protos: FileDescriptorSet) -> None:
    field(protos, "QueueArg.size").type = FieldDescriptorProto.TYPE_UINT32


def retype_message(protos: FileDescriptorSet) -> None:
    field(protos, "ExactMatchArg.masks").type_name = ".bess.pb.Field"


def retype_map(protos: FileDescriptorSet) -> None:
    field(protos, "WorkerSplitArg.WorkerGatesEntry.value").type = FieldDescriptorProto.TYPE_INT32


def relabel(protos: FileDescriptorSet) -> None:
    field(protos, "ReplicateArg.gates").label = FieldDescriptorProto.LABEL_OPTIONAL


def rename(protos: FileDescriptorSet) -> None:
    field(protos, "QueueArg.size").name = "length"


def leave_oneof(protos: FileDescriptorSet) -> None:
    field(protos, "SplitArg.offset").ClearField("oneof_index")


def use_reserved(protos: FileDescriptorSet) -> None:
    gate = message(protos, "GetModuleInfoResponse.IGate")
    gate.field.add(name="extra", number=7, type=FieldDescriptorProto.TYPE_BOOL)


def drop_field(protos: FileDescriptorSet) -> None:
    message(protos, "QueueArg").field.pop(0)


def drop_message(protos: FileDescriptorSet) -> None:
    file = next(f for f in protos.file if f.name == "modules/sink.proto")
    file.ClearField("message_type")


def method(protos: FileDescriptorSet, name: str) -> MethodDescriptorProto:
    return all_methods(protos)["BESSControl"][name]


def drop_method(protos: FileDescriptorSet) -> None:
    method(protos, "GetVersion").name = "Version"


def retype_method(protos: FileDescriptorSet) -> None:
    method(protos, "SetPortConf").output_type = ".bess.pb.EmptyResponse"


def stream_method(protos: FileDescriptorSet) -> None:
    method(protos, "ListModules").server_streaming = True


@pytest.mark.parametrize(
    ("spoil", "want"),
    [
        (renumber, "QueueArg.size: want [1, 'uint64'], have [9, 'uint64']"),
        (retype, "QueueArg.size: want [1, 'uint64'], have [1, 'uint32']"),
        (
            retype_message,
            "ExactMatchArg.masks: want [2, 'repeated FieldData'], have [2, 'repeated Field']",
        ),
        (
            retype_map,
            "WorkerSplitArg.worker_gates: want [1, 'map<uint32,uint32>'],"
            " have [1, 'map<uint32,int32>']",
        ),
        (relabel, "ReplicateArg.gates: want [1, 'repeated int64'], have [1, 'int64']"),
        (rename, "QueueArg.size: missing"),
        (leave_oneof, "SplitArg.offset: want [3, 'int64', 'type'], have [3, 'int64']"),
        (use_reserved, "GetModuleInfoResponse.IGate.extra: number 7 is reserved"),
        (drop_field, "QueueArg.size: missing"),
        (drop_message, "SinkArg: missing"),
        (drop_method, "BESSControl.GetVersion: missing"),
        (
            retype_method,
            "BESSControl.SetPortConf: want ['SetPortConfRequest', 'CommandResponse'],"
            " have ['SetPortConfRequest', 'EmptyResponse']",
        ),
        (stream_method, "BESSControl.ListModules: want a unary call, have a stream"),
    ],
)
def test_comparer_detects(
    protos: FileDescriptorSet, spoil: Callable[[FileDescriptorSet], None], want: str
) -> None:
    spoilt = copy.deepcopy(protos)
    spoil(spoilt)
    assert differences(spoilt) == [want]


def test_comparer_allows_additions(protos: FileDescriptorSet) -> None:
    grown = copy.deepcopy(protos)
    message(grown, "QueueArg").field.add(
        name="extra", number=1000, type=FieldDescriptorProto.TYPE_BOOL
    )
    file = grown.file.add(name="extra.proto", package="bess.pb")
    file.message_type.append(descriptor_pb2.DescriptorProto(name="Extra"))
    assert differences(grown) == []
