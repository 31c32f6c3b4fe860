# SPDX-License-Identifier: Apache-2.0
"""Which module classes, commands and drivers there are: told by a daemon, or derived from the
messages of the wire.
"""

import re
from dataclasses import dataclass, field
from typing import Any

from pybess.protos import Protos

# Classes that take no argument and have no message that bears their name as the class writes it.
_WITHOUT_MESSAGE = (
    "ArpResponder",
    "GtpuDecap",
    "GtpuParser",
    "GtpuPathMonitoring",
    "IPSwap",
    "MPLSPop",
    "NoOP",
    "UpdateTTL",
)
_OTHER_NAMES = {"NoOp", "MplsPop"}
_CLEARS_WITH_OWN_MESSAGE = "GtpuPathMonitoring"
# What a daemon calls what nobody named, and a number, where that is not the class's name.
_STEMS = {
    "ExactMatch": "em",
    "FlowGen": "flowgen",
    "IPSwap": "ipswap",
    "MACSwap": "macswap",
    "MetadataTest": "mt_test",
    "NoOP": "noop",
    "RandomUpdate": "rupdate",
    "Replicate": "repl",
    "RoundRobin": "rr",
    "SetMetadata": "setattr",
    "UnixSocketPort": "unix_port",
    "WildcardMatch": "wm",
    "WorkerSplit": "ws",
}
_IMPLIED_COMMANDS = {"get_initial_arg": "EmptyArg", "get_runtime_config": "EmptyArg"}


@dataclass
class Catalogue:
    """Module classes with their commands (name -> argument message), and drivers.

    A derived catalogue cannot know every command: it guesses a command's message from the keys that
    are given.
    """

    modules: dict[str, dict[str, str]]
    drivers: list[str]
    derived: bool = False
    _files: dict[str, list[Any]] = field(default_factory=dict, repr=False)

    def command_type(self, mclass: str, command: str, keys: Any = ()) -> str | None:
        """The message a command takes, or None if the class has no such command."""
        commands = self.modules.get(mclass, {})
        if command in commands or not self.derived:
            return commands.get(command)
        if command in _IMPLIED_COMMANDS or not keys:
            return "EmptyArg"
        for descriptor in self._files.get(mclass, []):
            stem = descriptor.name.removesuffix("Arg")
            of_another = stem.startswith(f"{mclass}Command") and command not in snake_case(
                stem
            ).split("_")
            if not of_another and set(keys) <= {candidate.name for candidate in descriptor.field}:
                return str(descriptor.name)
        return None


def from_daemon(client: Any) -> Catalogue:
    """What a live daemon offers."""
    names = list(client.list_mclasses().names)
    return Catalogue(
        {name: client.command_types(name) for name in names},
        list(client.list_drivers().driver_names),
    )


def from_protos(protos: Protos) -> Catalogue:
    """What the messages tell: `<Class>Arg` in modules/ and ports/, and `<Class>Command<Command>Arg`
    beside it.
    """
    catalogue = Catalogue({name: {} for name in _WITHOUT_MESSAGE}, [], derived=True)
    for file in protos.files:
        messages = [
            message for message in file.message_type if not message.name.endswith("Response")
        ]
        names = [message.name for message in messages]
        if file.name.startswith("ports/"):
            catalogue.drivers += [
                name.removesuffix("Arg") for name in names if name.endswith("Arg")
            ]
        elif file.name.startswith("modules/"):
            _add_classes(catalogue, names, messages)
    catalogue.drivers.sort()
    return catalogue


def _add_classes(catalogue: Catalogue, names: list[str], messages: list[Any]) -> None:
    stems = [name.removesuffix("Arg") for name in names if name.endswith("Arg")]
    declared = [
        stem for stem in stems if stem.lower() in {name.lower() for name in _WITHOUT_MESSAGE}
    ]
    found = [stem.partition("Command")[0] for stem in stems if stem not in declared]
    classes = {
        stem
        for stem in found
        if not any(stem.startswith(other) and stem != other for other in found)
    }
    for spelled in declared:
        classes |= {name for name in _WITHOUT_MESSAGE if name.lower() == spelled.lower()}
    for mclass in classes - _OTHER_NAMES:
        prefix = f"{mclass}Command"
        commands = {
            snake_case(stem.removeprefix(prefix)): f"{stem}Arg"
            for stem in stems
            if stem.startswith(prefix) and stem != prefix
        }
        if "clear" in commands and mclass != _CLEARS_WITH_OWN_MESSAGE:
            commands["clear"] = "EmptyArg"
        catalogue.modules.setdefault(mclass, {}).update(commands)
        own = [message for message in messages if message.name == f"{mclass}Arg"]
        catalogue._files[mclass] = [message for message in messages if message not in own] + own


def snake_case(name: str) -> str:
    """`IPLookup` -> `ip_lookup`."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", name).lower()


def stem(class_name: str) -> str:
    """What the daemon's names for modules or ports of a class begin with."""
    return _STEMS.get(class_name) or snake_case(class_name)
