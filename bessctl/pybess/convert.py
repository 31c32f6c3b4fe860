# SPDX-License-Identifier: Apache-2.0
"""Plain Python data to protobuf messages and back, with errors that name the field and what would
be right.
"""

from collections.abc import Mapping
from typing import Any

from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message

from pybess.errors import APIError

_FLOATS = (FieldDescriptor.CPPTYPE_DOUBLE, FieldDescriptor.CPPTYPE_FLOAT)
_INTEGERS = {
    FieldDescriptor.CPPTYPE_INT32: (-(1 << 31), (1 << 31) - 1),
    FieldDescriptor.CPPTYPE_INT64: (-(1 << 63), (1 << 63) - 1),
    FieldDescriptor.CPPTYPE_UINT32: (0, (1 << 32) - 1),
    FieldDescriptor.CPPTYPE_UINT64: (0, (1 << 64) - 1),
}
_STRING = FieldDescriptor.CPPTYPE_STRING


def to_message(message_class: Any, data: Any) -> Any:
    """Builds a message from a dict (nested dicts and lists too); None means not set."""
    if isinstance(data, message_class):
        return data
    message = message_class()
    _fill(message, data, "")
    return message


def from_message(message: Any) -> dict[str, Any]:
    """The fields that are set in a message, as plain data."""
    return {field.name: _plain_field(field, value) for field, value in message.ListFields()}


def pack(any_message: Any, content: Any) -> None:
    """Puts a message into a google.protobuf.Any; equal messages become equal bytes."""
    any_message.type_url = f"type.googleapis.com/{content.DESCRIPTOR.full_name}"
    any_message.value = content.SerializeToString(deterministic=True)


def packed_type(any_message: Any) -> str:
    """The full name of the message inside an Any."""
    return str(any_message.type_url).rpartition("/")[2]


def _fill(message: Any, data: Any, path: str) -> None:
    name = message.DESCRIPTOR.name
    if not isinstance(data, Mapping):
        raise APIError(f"{_at(path)}{name} needs a dict of its fields, not {data!r}")
    chosen: dict[str, str] = {}
    for key, value in data.items():
        field = message.DESCRIPTOR.fields_by_name.get(key)
        if field is None:
            raise APIError(f"{_at(path)}{name} has no field '{key}'; {_valid(message.DESCRIPTOR)}")
        if value is None:
            continue
        oneof = field.containing_oneof
        if oneof is not None and chosen.setdefault(oneof.name, key) != key:
            raise APIError(
                f"{_at(path)}{name} takes either '{chosen[oneof.name]}' or '{key}', not both"
            )
        _set(message, field, value, f"{path}.{key}" if path else key)


def _set(message: Any, field: Any, value: Any, path: str) -> None:
    if _is_map(field):
        _set_map(getattr(message, field.name), field, value, path)
    elif field.label == FieldDescriptor.LABEL_REPEATED:
        _set_list(getattr(message, field.name), field, value, path)
    elif field.message_type is not None:
        target = getattr(message, field.name)
        target.SetInParent()
        _set_submessage(target, value, path)
    else:
        _assign(lambda scalar: setattr(message, field.name, scalar), field, value, path)


def _set_submessage(target: Any, value: Any, path: str) -> None:
    if not isinstance(value, Message):
        _fill(target, value, path)
    elif value.DESCRIPTOR.full_name == target.DESCRIPTOR.full_name:
        target.CopyFrom(value)
    elif target.DESCRIPTOR.full_name == "google.protobuf.Any":
        pack(target, value)
    else:
        raise APIError(
            f"{_at(path)}needs a {target.DESCRIPTOR.name}, not a {value.DESCRIPTOR.name}"
        )


def _set_list(target: Any, field: Any, values: Any, path: str) -> None:
    if isinstance(values, (str, bytes, Mapping)) or not hasattr(values, "__iter__"):
        raise APIError(f"{_at(path)}needs a list, not {values!r}")
    for index, value in enumerate(values):
        where = f"{path}[{index}]"
        if field.message_type is not None:
            _set_submessage(target.add(), value, where)
        else:
            _assign(target.append, field, value, where)


def _set_map(target: Any, field: Any, values: Any, path: str) -> None:
    if not isinstance(values, Mapping):
        raise APIError(f"{_at(path)}needs a dict, not {values!r}")
    key_field = field.message_type.fields_by_name["key"]
    value_field = field.message_type.fields_by_name["value"]
    for key, value in values.items():
        where = f"{path}[{key!r}]"
        plain_key = _scalar(key_field, key, where)
        if value_field.message_type is not None:
            _set_submessage(target[plain_key], value, where)
        else:
            _assign(
                lambda scalar, k=plain_key: target.__setitem__(k, scalar), value_field, value, where
            )


def _assign(setter: Any, field: Any, value: Any, path: str) -> None:
    try:
        setter(_scalar(field, value, path))
    except (TypeError, ValueError) as error:
        least, most = _INTEGERS.get(field.cpp_type, (0, 0))
        if isinstance(value, int) and most and not least <= value <= most:
            raise APIError(f"{_at(path)}cannot be {value}; it is {least}..{most}") from None
        raise APIError(f"{_at(path)}cannot be {value!r}: {error}") from None


def _scalar(field: Any, value: Any, path: str) -> Any:
    """The value as the field's type, where that loses nothing."""
    if field.cpp_type == _STRING:
        return _text(field, value, path)
    if field.cpp_type == FieldDescriptor.CPPTYPE_BOOL:
        if value in (0, 1):
            return bool(value)
        raise APIError(f"{_at(path)}needs True or False, not {value!r}")
    if field.cpp_type == FieldDescriptor.CPPTYPE_ENUM and isinstance(value, str):
        found = field.enum_type.values_by_name.get(value)
        if found is None:
            raise APIError(
                f"{_at(path)}cannot be '{value}'; it is one of {', '.join(field.enum_type.values_by_name)}"
            )
        return found.number
    if isinstance(value, (str, bytes)):
        raise APIError(f"{_at(path)}needs a number, not {value!r}")
    if field.cpp_type not in _FLOATS and isinstance(value, float) and value.is_integer():
        return int(value)
    return value


def _text(field: Any, value: Any, path: str) -> Any:
    wants_bytes = field.type == FieldDescriptor.TYPE_BYTES
    try:
        if isinstance(value, str):
            encoded = value.encode()  # an argument of a program may be text that has none
            return encoded if wants_bytes else value
        if isinstance(value, (bytes, bytearray, memoryview)):
            return bytes(value) if wants_bytes else bytes(value).decode()
    except UnicodeError:
        raise APIError(f"{_at(path)}needs text, not {value!r}") from None
    raise APIError(f"{_at(path)}needs {'bytes' if wants_bytes else 'a string'}, not {value!r}")


def _plain_field(field: Any, value: Any) -> Any:
    if _is_map(field):
        is_message = field.message_type.fields_by_name["value"].message_type is not None
        items = sorted(value.items())
        return {key: from_message(item) if is_message else item for key, item in items}
    if field.message_type is None:
        return list(value) if field.label == FieldDescriptor.LABEL_REPEATED else value
    if field.label == FieldDescriptor.LABEL_REPEATED:
        return [from_message(item) for item in value]
    return from_message(value)


def _is_map(field: Any) -> bool:
    return bool(field.message_type is not None and field.message_type.GetOptions().map_entry)


def _valid(descriptor: Any) -> str:
    names = ", ".join(sorted(descriptor.fields_by_name))
    return f"its fields are: {names}" if names else "it takes none"


def _at(path: str) -> str:
    return f"{path}: " if path else ""
