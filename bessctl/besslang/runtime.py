# SPDX-License-Identifier: Apache-2.0
"""What a script's names mean: classes of modules and drivers as constructors, gates, commands as
methods.
"""

import os
from collections.abc import Mapping
from typing import Any

from pybess.errors import APIError

from besslang.errors import ConfError


class Port:
    """A port made by a script; its class is a driver."""

    driver = ""
    client: Any = None

    def __init__(self, *args: Any, **kwargs: Any):
        name, arg = _name_and_arg(self.driver, args, kwargs)
        response = self.client.create_port(self.driver, name, arg)
        self.name: str = response.name
        self._response = response

    @property
    def mac_addr(self) -> Any:
        """The address the daemon reported when it made the port."""
        return self._response.mac_addr

    def __repr__(self) -> str:
        return f"{self.name}::{self.driver}"

    def __str__(self) -> str:
        return self.name


class Module:
    """A module made by a script; commands of its class are methods."""

    mclass = ""
    client: Any = None

    def __init__(self, *args: Any, **kwargs: Any):
        name, arg = _name_and_arg(self.mclass, args, kwargs)
        self.name: str = self.client.create_module(self.mclass, name, arg).name

    def connect(self, next_mod: Any, ogate: int = 0, igate: int = 0) -> Any:
        """Connects an output gate of this module to an input gate of the next; returns the next."""
        if not isinstance(next_mod, Module):
            raise APIError(f"{self.name} can be connected to a module only, not to {next_mod!r}")
        self.client.connect_modules(self.name, next_mod.name, ogate, igate)
        return next_mod

    def attach_task(
        self,
        parent: str = "",
        wid: int = -1,
        module_taskid: int = 0,
        priority: int | None = None,
        share: int | None = None,
    ) -> None:
        """Puts a task of this module under a traffic class or a worker."""
        self.client.attach_task(self.name, parent, wid, module_taskid, priority, share)

    def tasks(self) -> list[Any]:
        """The traffic classes of this module's tasks."""
        classes = [getattr(status, "class") for status in self.client.list_tcs().classes_status]
        return [tc for tc in classes if tc.leaf_module_name == self.name]

    def __add__(self, other: Any) -> Any:
        return Gated(self) + other

    def __mul__(self, ogate: Any) -> "Gated":
        return Gated(self, ogate=_gate(ogate))

    def __rmul__(self, igate: Any) -> "Gated":
        return Gated(self, igate=_gate(igate))

    def __getattr__(self, command: str) -> Any:
        if command.startswith("_"):
            raise AttributeError(command)
        return _Method(self, command)

    def __repr__(self) -> str:
        return f"{self.name}::{self.mclass}"

    def __str__(self) -> str:
        return self.name


class Gated:
    """A module in a chain, with the gates by which the chain enters and leaves it."""

    def __init__(self, module: Module, igate: int | None = None, ogate: int | None = None):
        self.module = module
        self.igate = igate
        self.ogate = ogate

    def __mul__(self, ogate: Any) -> "Gated":
        if self.ogate is not None:
            raise APIError(
                f"{self.module.name} has two output gates in one place: {self.ogate} and {ogate}"
            )
        return Gated(self.module, self.igate, _gate(ogate))

    def __rmul__(self, igate: Any) -> "Gated":
        if self.igate is not None:
            raise APIError(
                f"{self.module.name} has two input gates in one place: {igate} and {self.igate}"
            )
        return Gated(self.module, _gate(igate), self.ogate)

    def __add__(self, other: Any) -> Any:
        target = Gated(other) if isinstance(other, Module) else other
        if not isinstance(target, Gated):
            raise APIError(
                f"{self.module.name} can be connected to a module only, not to {other!r}"
            )
        if self.igate is not None:
            raise APIError(f"input gate {self.igate} of {self.module.name} has nothing before it")
        self.module.connect(target.module, self.ogate or 0, target.igate or 0)
        return target.module if target.ogate is None else Gated(target.module, None, target.ogate)


class _Method:
    """A command of a module, callable with its message's fields as keywords or one dict."""

    def __init__(self, module: Module, command: str):
        self._module = module
        self._command = command

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        client, mclass = self._module.client, self._module.mclass
        arg = _only_arg(f"{mclass}.{self._command}", args, kwargs)
        arg_type = _command_type(client, mclass, self._command, arg)
        return client.run_module_command(self._module.name, self._command, arg_type, _plain(arg))


def namespace(client: Any, env: Mapping[str, Any], path: str) -> dict[str, Any]:
    """The globals a script starts with."""
    names: dict[str, Any] = {
        "__name__": "__bess__",
        "__file__": path,
        "bess": client,
        "ConfError": ConfError,
    }
    creators: dict[str, Any] = {}
    for mclass in client.list_mclasses().names:
        creators[mclass] = type(mclass, (Module,), {"mclass": mclass, "client": client})
    for driver in client.list_drivers().driver_names:
        creators[driver] = type(driver, (Port,), {"driver": driver, "client": client})

    def bess_env(name: str, default: Any = None) -> Any:
        value = env.get(name, os.environ.get(name, default))
        if value is None:
            raise ConfError(
                f"${name} has no value and no default; give it one: run FILE {name}=VALUE"
            )
        return value

    def bess_module(wanted: Any, class_name: str, *args: Any, **kwargs: Any) -> Any:
        if class_name not in creators:
            raise ConfError(f"there is no module class or driver '{class_name}'")
        if isinstance(wanted, str):
            names[wanted] = _create(names, creators[class_name], wanted, args, kwargs)
            return names[wanted]
        return tuple(bess_module(name, class_name, *args, **kwargs) for name in wanted)

    names.update(
        creators, __bess_env__=bess_env, __bess_module__=bess_module, __bess_creators__=creators
    )
    return names


def _create(
    names: dict[str, Any], creator: Any, name: str, args: Any, kwargs: dict[str, Any]
) -> Any:
    if isinstance(names.get(name), (Module, Port)):
        raise ConfError(f"'{name}' is already the name of {names[name]!r}")
    if isinstance(names.get(name), type):
        raise ConfError(f"'{name}' is the name of a class; choose another")
    return creator(*args, name=name, **kwargs)


def _command_type(client: Any, mclass: str, command: str, arg: Any) -> str:
    commands = client.command_types(mclass)
    catalogue = getattr(client, "catalogue", None)
    keys = list(arg) if isinstance(arg, Mapping) else []
    found = catalogue.command_type(mclass, command, keys) if catalogue else commands.get(command)
    if found is None:
        raise APIError(
            f"{mclass} has no command '{command}'; its commands are: {', '.join(sorted(commands)) or 'none'}"
        )
    return str(found)


def _name_and_arg(class_name: str, args: Any, kwargs: dict[str, Any]) -> tuple[str | None, Any]:
    name = kwargs.pop("name", None)
    return name, _plain(_only_arg(class_name, args, kwargs))


def _only_arg(what: str, args: Any, kwargs: dict[str, Any]) -> Any:
    if len(args) > 1 or (args and kwargs):
        raise APIError(f"{what} takes keyword arguments, or one dict")
    if args and not isinstance(args[0], Mapping) and not hasattr(args[0], "DESCRIPTOR"):
        raise APIError(f"{what} takes keyword arguments, not {args[0]!r}")
    return args[0] if args else kwargs


def _plain(value: Any) -> Any:
    """Modules and ports inside an argument stand for their names."""
    if isinstance(value, (Module, Port)):
        return value.name
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    return value


def _gate(value: Any) -> int:
    if isinstance(value, str) and value.isdecimal():
        value = int(value)
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise APIError(f"a gate is a number, not {value!r}")
    return value
