# SPDX-License-Identifier: Apache-2.0
"""A State as the script that yields it: sorted, one statement an entry, for people to read and
compare.
"""

import keyword
import pprint
import textwrap
from collections.abc import Iterator
from typing import Any

from pybess.convert import from_message, packed_type
from pybess.errors import APIError
from pybess.protos import Protos

_WIDTH = 100
_LEAF = "!leaf_"
_SHAPE = ("num_inc_q", "num_out_q", "size_inc_q", "size_out_q")
_RESERVED = ("bess", "name")


class Writer:
    """Writes entries of a State as statements of a script."""

    def __init__(self, protos: Protos):
        self._protos = protos

    def script(self, state: Any) -> str:
        """The script of a whole state."""
        parts = [
            [self.worker(worker) for worker in state.workers if not worker.automatic],
            [line for port in state.ports for line in self.port(port)],
            [line for module in state.modules for line in self.module(module)],
            [self.connection(edge) for edge in state.connections],
            [self.traffic_class(entry) for entry in _parents_first(_placed_classes(state))],
            [self.gate_hook(hook) for hook in state.gate_hooks],
            [self.resume_hook(hook) for hook in state.resume_hooks],
        ]
        return "\n\n".join("\n".join(lines) for lines in parts if lines) + "\n"

    def entry(self, entry: Any) -> list[str]:
        """The statements of a bess.native.Entry."""
        kind = entry.WhichOneof("kind")
        write = {"class": self.traffic_class}.get(kind) or getattr(self, kind)
        written = write(getattr(entry, kind))
        return [written] if isinstance(written, str) else list(written)

    def unpack(self, packed: Any, owner: str) -> Any:
        """The message in an Any."""
        message = self._protos.unpack(packed)
        if message is None:
            raise APIError(
                f"{owner}: there is no message '{packed_type(packed)}' here;"
                " $BESS_PLUGIN_PROTOS names the directories of plugins' messages"
            )
        return message

    # Statements, by kind of entry.

    @staticmethod
    def worker(worker: Any) -> str:
        return f"bess.add_worker(wid={worker.wid}, core={worker.core})"

    def port(self, port: Any) -> Iterator[str]:
        shape = {key: getattr(port, key) for key in _SHAPE if getattr(port, key)}
        fields = shape | from_message(self.unpack(port.arg, f"ports/{port.name}"))
        yield _construction(port.name, port.driver, fields)
        if port.HasField("conf"):
            conf = {"admin_up": False} | from_message(port.conf)
            yield _call("bess.set_port_config", [port.name], conf)

    def module(self, module: Any) -> Iterator[str]:
        path = f"modules/{module.name}"
        arg = from_message(self.unpack(module.arg, path)) if module.HasField("arg") else {}
        yield _construction(module.name, module.mclass, arg)
        if module.HasField("config"):
            yield self.command(module.name, "set_runtime_config", module.config)
        for command in module.commands:
            yield self.command(module.name, command.cmd, command.arg)

    def command(self, name: str, cmd: str, packed: Any) -> str:
        fields = from_message(self.unpack(packed, f"modules/{name}"))
        if _is_variable(name) and cmd.isidentifier():
            return _call(f"{name}.{cmd}", [], fields)
        return _call("bess.run_module_command", [name, cmd, packed_type(packed), fields], {})

    @staticmethod
    def connection(edge: Any) -> str:
        sender, receiver = getattr(edge, "from"), edge.to
        if edge.skip_default_hooks or not (_is_variable(sender) and _is_variable(receiver)):
            skip = {"skip_default_hooks": True} if edge.skip_default_hooks else {}
            return _call("bess.connect_modules", [sender, receiver, edge.ogate, edge.igate], skip)
        ogate = f":{edge.ogate}" if edge.ogate else ""
        igate = f"{edge.igate}:" if edge.igate else ""
        return f"{sender}{ogate} -> {igate}{receiver}"

    @staticmethod
    def traffic_class(entry: Any) -> str:
        place, rank = entry.WhichOneof("place"), entry.WhichOneof("rank")
        placed = {"wid" if place == "worker" else place: getattr(entry, place)} if place else {}
        ranked = {rank: getattr(entry, rank)} if rank else {}
        if entry.name.startswith(_LEAF):
            module, _, task = entry.name.removeprefix(_LEAF).rpartition(":")
            task_id = {"module_taskid": int(task)} if int(task) else {}
            return _call("bess.attach_task", [module], task_id | placed | ranked)
        counted = {"resource": entry.resource} if entry.resource else {}
        for bound in ("limit", "max_burst"):
            if getattr(entry, bound):
                counted[bound] = {entry.resource: getattr(entry, bound)}
        return _call(
            "bess.add_tc", [entry.name], {"policy": entry.policy} | placed | ranked | counted
        )

    def gate_hook(self, hook: Any) -> str:
        arg_type, arg = self._packed(hook, f"gate_hooks/{hook.module}")
        direction = "in" if hook.WhichOneof("gate") == "igate" else "out"
        where = {
            "m": hook.module,
            "direction": direction,
            "gate": getattr(hook, f"{direction[0]}gate"),
        }
        what = [hook.hclass, arg_type, arg, True, hook.name or None]
        return _call("bess.configure_gate_hook", what, where)

    def resume_hook(self, hook: Any) -> str:
        arg_type, arg = self._packed(hook, f"resume_hooks/{hook.name}")
        return _call("bess.configure_resume_hook", [hook.name, arg, True, arg_type], {})

    def _packed(self, hook: Any, path: str) -> tuple[str | None, Any]:
        """The message's name and fields of a hook's argument."""
        if not hook.HasField("arg"):
            return None, None
        return packed_type(hook.arg), from_message(self.unpack(hook.arg, path))


def _placed_classes(state: Any) -> list[Any]:
    """The classes, without the places at workers that nobody asked for; a task has no more to say."""
    automatic = {worker.wid for worker in state.workers if worker.automatic}
    placed = []
    for entry in state.classes:
        if entry.WhichOneof("place") == "worker" and entry.worker in automatic:
            if entry.name.startswith(_LEAF):
                continue
            unplaced = type(entry)()
            unplaced.CopyFrom(entry)
            unplaced.ClearField("place")
            entry = unplaced
        placed.append(entry)
    return placed


def _parents_first(classes: Any) -> list[Any]:
    by_name = {entry.name: entry for entry in classes}
    ordered: dict[str, Any] = {}

    for entry in classes:
        line = {entry.name: entry}
        while entry.parent in by_name and entry.parent not in line:
            entry = by_name[entry.parent]
            line[entry.name] = entry
        for name in reversed(line):
            ordered.setdefault(name, line[name])
    return sorted(ordered.values(), key=lambda entry: str(entry.name).startswith(_LEAF))


def _is_variable(name: str) -> bool:
    """Whether a name can be a script's variable, as what is not a class can."""
    return (
        name.isidentifier()
        and name.isascii()
        and not keyword.iskeyword(name)
        and not name.startswith("__")
        and name[0] == name[0].lower()
        and name not in _RESERVED
    )


def _construction(name: str, class_name: str, fields: dict[str, Any]) -> str:
    positional = [fields] if any(not _is_keyword_argument(key) for key in fields) else []
    named = {} if positional else fields
    if _is_variable(name):
        return _call(f"{name}::{class_name}", positional, named)
    return _call(class_name, positional, {"name": name} | named)


def _is_keyword_argument(key: str) -> bool:
    return not keyword.iskeyword(key) and key != "name"


def _call(function: str, positional: list[Any], named: dict[str, Any]) -> str:
    """A call, on one line if that is not too long."""
    if any(not _is_keyword_argument(key) and key != "name" for key in named):
        positional, named = [*positional, named], {}
    arguments = [repr(value) for value in positional]
    arguments += [f"{key}={value!r}" for key, value in named.items()]
    line = f"{function}({', '.join(arguments)})"
    if len(line) <= _WIDTH:
        return line
    arguments = [_wrapped(value) for value in positional]
    arguments += [f"{key}={_wrapped(value)}" for key, value in named.items()]
    body = textwrap.indent(",\n".join(arguments), "    ")
    return f"{function}(\n{body},\n)"


def _wrapped(value: Any) -> str:
    return pprint.pformat(value, width=_WIDTH - 20, sort_dicts=False)
