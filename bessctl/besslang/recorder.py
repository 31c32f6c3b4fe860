# SPDX-License-Identifier: Apache-2.0
"""A client without a daemon: it keeps what a script asks for as plain data, the state the script
desires.

It checks what can be checked without a daemon (classes, arguments, names, gates) and answers
questions from what it recorded. Anything only a daemon knows (counters, MAC addresses, answers of
commands) raises NeedsDaemon when read.
"""

import errno
import sys
from collections import Counter
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from typing import Any

from pybess.client import BESS, check_known
from pybess.convert import from_message, packed_type
from pybess.errors import Error

from besslang.catalogue import Catalogue, from_protos, snake_case, stem
from besslang.errors import NeedsDaemon

MAX_ETHERNET_PORTS = 32
MAX_GATES = 8192
_PATHS: dict[str, Callable[[Any, Any], str]] = {
    "AddWorker": lambda request, _: f"workers/{request.wid}",
    "CreatePort": lambda _, response: f"ports/{response.name}",
    "CreateModule": lambda _, response: f"modules/{response.name}",
    "ConnectModules": lambda request, _: f"connections/{request.m1}:{request.ogate}",
    "AddTc": lambda request, _: f"classes/{getattr(request, 'class').name}",
}
_NOTHING_TO_DO = ("PauseAll", "ResumeAll", "PauseWorker", "ResumeWorker")


@dataclass
class Module:
    name: str
    mclass: str
    arg_type: str
    arg: dict[str, Any]


@dataclass
class Port:
    name: str
    driver: str
    arg_type: str
    arg: dict[str, Any]
    num_inc_q: int = 0
    num_out_q: int = 0
    size_inc_q: int = 0
    size_out_q: int = 0
    conf: dict[str, Any] = field(default_factory=dict)


@dataclass
class Connection:
    m1: str
    ogate: int
    m2: str
    igate: int
    skip_default_hooks: bool = False


@dataclass
class Worker:
    wid: int
    core: int
    scheduler: str = ""


@dataclass
class Command:
    module: str
    cmd: str
    arg_type: str
    arg: dict[str, Any]


@dataclass
class Pipeline:
    """The state a script desires, in the order it asked for it. Traffic classes, task attachments
    and hooks are the fields of their requests.
    """

    workers: list[Worker] = field(default_factory=list)
    ports: list[Port] = field(default_factory=list)
    modules: list[Module] = field(default_factory=list)
    connections: list[Connection] = field(default_factory=list)
    tcs: list[dict[str, Any]] = field(default_factory=list)
    attachments: list[dict[str, Any]] = field(default_factory=list)
    commands: list[Command] = field(default_factory=list)
    hooks: list[dict[str, Any]] = field(default_factory=list)
    resume_hooks: list[dict[str, Any]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._named: dict[str, Module] = {}
        self._leaving: dict[tuple[str, int], Connection] = {}
        self._counters: Counter[str] = Counter()

    def to_dict(self) -> dict[str, Any]:
        """Everything as dicts and lists."""
        return asdict(self)

    def module(self, name: str) -> Module:
        """The module of a name, which must exist."""
        check_known("module", name, self._named)
        return self._named[name]

    def connection(self, name: str, ogate: int) -> Connection | None:
        """What leaves an output gate."""
        return self._leaving.get((name, ogate))

    def add_module(self, module: Module) -> None:
        self.modules.append(module)
        self._named[module.name] = module

    def remove_module(self, name: str) -> None:
        """Removes a module with all that is about it."""
        self.modules.remove(self._named.pop(name))
        for edge in [edge for edge in self.connections if name in (edge.m1, edge.m2)]:
            self.disconnect(edge)
        self.commands = [command for command in self.commands if command.module != name]
        self.attachments = [
            leaf for leaf in self.attachments if leaf.get("leaf_module_name") != name
        ]
        self.hooks = [hook for hook in self.hooks if hook["hook"].get("module_name") != name]

    def connect(self, edge: Connection) -> None:
        self.connections.append(edge)
        self._leaving[edge.m1, edge.ogate] = edge

    def disconnect(self, edge: Connection) -> None:
        self.connections.remove(self._leaving.pop((edge.m1, edge.ogate)))

    def new_name(self, kind: str, wanted: str, class_name: str) -> str:
        """The name asked for, which must be free, or one made up as a daemon does."""
        taken: Any = self._named if kind == "module" else {port.name for port in self.ports}
        if wanted in taken:
            raise Error(errno.EEXIST, f"there is already a {kind} '{wanted}'")
        beginning = stem(class_name)
        while not wanted or wanted in taken:
            wanted = f"{beginning}{self._counters[beginning]}"
            self._counters[beginning] += 1
        return wanted


class Unknown:
    """The answer only a daemon could give: any use of it raises NeedsDaemon, be it as a key or a
    number.
    """

    def __init__(self, what: str):
        self._what = what

    def __getattr__(self, name: str) -> Any:
        raise NeedsDaemon(f"{self._what} is known to a running daemon only")

    def _refuse(self, *_: Any) -> Any:
        raise NeedsDaemon(f"{self._what} is known to a running daemon only")

    __bool__ = __iter__ = __len__ = __getitem__ = __contains__ = _refuse
    __eq__ = __ne__ = __lt__ = __le__ = __gt__ = __ge__ = __hash__ = _refuse  # type: ignore[assignment]
    __str__ = __repr__ = __int__ = __float__ = __index__ = __call__ = _refuse
    __add__ = (
        __radd__
    ) = __sub__ = __rsub__ = __mul__ = __rmul__ = __truediv__ = __rtruediv__ = _refuse


class _Answer:
    """A response of which some fields are unknown without a daemon."""

    def __init__(self, message: Any, unknown: dict[str, Any] | None = None):
        self._message = message
        self._unknown = unknown or {}

    def __getattr__(self, name: str) -> Any:
        if name in self._unknown:
            return self._unknown[name]
        return getattr(self._message, name)


class RecordingClient(BESS):
    """Has the interface of the client and records instead of sending."""

    def __init__(self, catalogue: Catalogue | None = None):
        super().__init__()
        self.catalogue = catalogue or from_protos(self.protos)
        self.pipeline = Pipeline()
        self.script_path: str | None = None
        self.origins: dict[str, int] = {}

    def connect(self, grpc_url: str | None = None) -> None:
        """There is nothing to connect to."""

    def is_connected(self) -> bool:
        return True

    def command_types(self, mclass: str) -> dict[str, str]:
        check_known("module class", mclass, self.catalogue.modules)
        return self.catalogue.modules[mclass]

    def create_port(
        self, driver: str, name: str | None = None, arg: dict[str, Any] | None = None
    ) -> Any:
        response = super().create_port(driver, name, arg)
        return _Answer(response, {"mac_addr": _LazyMac(response.name)})

    def list_ports(self) -> Any:
        response = super().list_ports()
        ports = [_Answer(port, {"mac_addr": _LazyMac(port.name)}) for port in response.ports]
        return _Answer(response, {"ports": ports})

    def run_module_command(self, name: str, cmd: str, arg_type: str, arg: Any) -> Any:
        super().run_module_command(name, cmd, arg_type, arg)
        return Unknown(f"what '{cmd}' of module '{name}' answers")

    def _call(self, service: str, method: str, request: Any) -> Any:
        response = self.protos.method(service, method)[2]()
        if method in _NOTHING_TO_DO:
            return response
        handler = getattr(self, f"_on_{snake_case(method)}", None)
        if handler is None:
            raise NeedsDaemon(f"the answer to {method} is known to a running daemon only")
        handler(request, response)
        self._note_origin(method, request, response)
        return response

    def _note_origin(self, method: str, request: Any, response: Any) -> None:
        """Keeps the line of the script that asks for an entry of the state, by the entry's path."""
        make_path = _PATHS.get(method)
        frame = sys._getframe() if make_path and self.script_path else None
        while frame is not None and frame.f_code.co_filename != self.script_path:
            frame = frame.f_back
        if make_path and frame is not None:
            self.origins[make_path(request, response)] = frame.f_lineno

    # Answers, by method.

    def _on_reset_all(self, _request: Any, _response: Any) -> None:
        self.pipeline = Pipeline()

    def _on_reset_modules(self, _request: Any, _response: Any) -> None:
        fresh = Pipeline()
        kept = self.pipeline
        fresh.workers, fresh.ports, fresh.tcs = kept.workers, kept.ports, kept.tcs
        self.pipeline = fresh

    def _on_reset_ports(self, _request: Any, _response: Any) -> None:
        self.pipeline.ports.clear()

    def _on_reset_workers(self, _request: Any, _response: Any) -> None:
        self.pipeline.workers.clear()

    def _on_check_scheduling_constraints(self, _request: Any, _response: Any) -> None:
        """Only a daemon knows its cores; the run on it checks again."""

    def _on_list_workers(self, _request: Any, response: Any) -> None:
        for worker in self.pipeline.workers:
            response.workers_status.add(wid=worker.wid, core=worker.core)

    def _on_add_worker(self, request: Any, _response: Any) -> None:
        if any(worker.wid == request.wid for worker in self.pipeline.workers):
            raise Error(errno.EEXIST, f"worker {request.wid} already exists")
        self.pipeline.workers.append(Worker(request.wid, request.core, request.scheduler))

    def _on_destroy_worker(self, request: Any, _response: Any) -> None:
        check_known("worker", request.wid, [worker.wid for worker in self.pipeline.workers])
        self.pipeline.workers = [
            worker for worker in self.pipeline.workers if worker.wid != request.wid
        ]

    def _on_list_tcs(self, request: Any, response: Any) -> None:
        leaves = [
            leaf
            | {
                "name": f"!leaf_{leaf['leaf_module_name']}:{leaf.get('leaf_module_taskid', 0)}",
                "policy": "leaf",
            }
            for leaf in self.pipeline.attachments
            if "leaf_module_name" in leaf
        ]
        for tc in [*self.pipeline.tcs, *leaves]:
            if request.wid in (-1, tc.get("wid", 0)):
                status = response.classes_status.add(parent=tc.get("parent", ""))
                getattr(status, "class").CopyFrom(self.protos.message("TrafficClass")(**tc))

    def _on_add_tc(self, request: Any, _response: Any) -> None:
        tc = from_message(getattr(request, "class"))
        if any(other["name"] == tc.get("name") for other in self.pipeline.tcs):
            raise Error(errno.EINVAL, f"Name '{tc['name']}' already exists")
        self._check_parent(tc)
        self.pipeline.tcs.append(tc)

    def _on_update_tc_params(self, request: Any, _response: Any) -> None:
        tc = from_message(getattr(request, "class"))
        check_known(
            "traffic class", tc.get("name", ""), [other["name"] for other in self.pipeline.tcs]
        )
        next(other for other in self.pipeline.tcs if other["name"] == tc["name"]).update(tc)

    def _on_update_tc_parent(self, request: Any, _response: Any) -> None:
        tc = from_message(getattr(request, "class"))
        if "leaf_module_name" in tc:
            self.pipeline.module(tc["leaf_module_name"])
        self._check_parent(tc)
        self.pipeline.attachments.append(tc)

    def _check_parent(self, tc: dict[str, Any]) -> None:
        if tc.get("parent"):
            check_known(
                "traffic class", tc["parent"], [other["name"] for other in self.pipeline.tcs]
            )

    def _on_list_drivers(self, _request: Any, response: Any) -> None:
        response.driver_names.extend(self.catalogue.drivers)

    def _on_list_ports(self, _request: Any, response: Any) -> None:
        for port in self.pipeline.ports:
            shape = {
                key: getattr(port, key)
                for key in ("num_inc_q", "num_out_q", "size_inc_q", "size_out_q")
            }
            response.ports.add(name=port.name, driver=port.driver, **shape)

    def _on_create_port(self, request: Any, response: Any) -> None:
        check_known("driver", request.driver, self.catalogue.drivers)
        arg_type, arg = self._unpack_arg(request.arg)
        if arg.get("port_id", 0) >= MAX_ETHERNET_PORTS:
            raise Error(
                errno.ENODEV,
                f"there is no port {arg['port_id']}: DPDK has at most {MAX_ETHERNET_PORTS}",
            )
        name = self.pipeline.new_name("port", request.name, request.driver)
        shape = {
            key: getattr(request, key)
            for key in ("num_inc_q", "num_out_q", "size_inc_q", "size_out_q")
        }
        self.pipeline.ports.append(Port(name, request.driver, arg_type, arg, **shape))
        response.name = name

    def _on_destroy_port(self, request: Any, _response: Any) -> None:
        check_known("port", request.name, [port.name for port in self.pipeline.ports])
        self.pipeline.ports = [port for port in self.pipeline.ports if port.name != request.name]

    def _on_set_port_conf(self, request: Any, _response: Any) -> None:
        check_known("port", request.name, [port.name for port in self.pipeline.ports])
        port = next(port for port in self.pipeline.ports if port.name == request.name)
        port.conf = from_message(request.conf)

    def _on_list_mclass(self, _request: Any, response: Any) -> None:
        response.names.extend(sorted(self.catalogue.modules))

    def _on_get_mclass_info(self, request: Any, response: Any) -> None:
        commands = self.command_types(request.name)
        response.name = request.name
        response.cmds.extend(commands.keys())
        response.cmd_args.extend(commands.values())

    def _on_list_modules(self, _request: Any, response: Any) -> None:
        for module in self.pipeline.modules:
            response.modules.add(name=module.name, mclass=module.mclass)

    def _on_create_module(self, request: Any, response: Any) -> None:
        check_known("module class", request.mclass, self.catalogue.modules)
        arg_type, arg = self._unpack_arg(request.arg)
        response.name = self.pipeline.new_name("module", request.name, request.mclass)
        self.pipeline.add_module(Module(response.name, request.mclass, arg_type, arg))

    def _on_destroy_module(self, request: Any, _response: Any) -> None:
        self.pipeline.module(request.name)
        self.pipeline.remove_module(request.name)

    def _on_get_module_info(self, request: Any, response: Any) -> None:
        module = self.pipeline.module(request.name)
        response.name, response.mclass = module.name, module.mclass
        igates: dict[int, Any] = {}
        for edge in self.pipeline.connections:
            if edge.m1 == module.name:
                response.ogates.add(ogate=edge.ogate, name=edge.m2, igate=edge.igate)
            if edge.m2 == module.name:
                if edge.igate not in igates:
                    igates[edge.igate] = response.igates.add(igate=edge.igate)
                igates[edge.igate].ogates.add(ogate=edge.ogate, name=edge.m1)

    def _on_connect_modules(self, request: Any, _response: Any) -> None:
        self.pipeline.module(request.m1)
        self.pipeline.module(request.m2)
        for gate in (request.ogate, request.igate):
            if gate >= MAX_GATES:
                raise Error(
                    errno.EINVAL, f"there is no gate {gate}: the last one is {MAX_GATES - 1}"
                )
        there = self.pipeline.connection(request.m1, request.ogate)
        if there is not None:
            raise Error(
                errno.EBUSY,
                f"output gate {there.ogate} of '{there.m1}' already leads to '{there.m2}'",
            )
        skip = request.skip_default_hooks
        self.pipeline.connect(
            Connection(request.m1, request.ogate, request.m2, request.igate, skip)
        )

    def _on_disconnect_modules(self, request: Any, _response: Any) -> None:
        self.pipeline.module(request.name)
        there = self.pipeline.connection(request.name, request.ogate)
        if there is not None:
            self.pipeline.disconnect(there)

    def _on_module_command(self, request: Any, _response: Any) -> None:
        mclass = self.pipeline.module(request.name).mclass
        arg_type, arg = self._unpack_arg(request.arg)
        if self.catalogue.command_type(mclass, request.cmd, arg) is None:
            raise Error(errno.ENOTSUP, f"{mclass} has no command '{request.cmd}'")
        self.pipeline.commands.append(Command(request.name, request.cmd, arg_type, arg))

    def _on_configure_gate_hook(self, request: Any, _response: Any) -> None:
        if request.hook.module_name:
            self.pipeline.module(request.hook.module_name)
        self.pipeline.hooks.append(from_message(request))

    def _on_configure_resume_hook(self, request: Any, _response: Any) -> None:
        kept = [hook for hook in self.pipeline.resume_hooks if hook["name"] != request.hook_name]
        if request.enable:
            arg = from_message(request.arg) if request.HasField("arg") else None
            kept.append({"name": request.hook_name, "arg": arg})
        self.pipeline.resume_hooks = kept

    def _unpack_arg(self, packed: Any) -> tuple[str, dict[str, Any]]:
        arg_type = packed_type(packed)
        return arg_type, from_message(self.protos.message(arg_type).FromString(packed.value))


class _LazyMac(Unknown):
    def __init__(self, port: str):
        super().__init__(f"the MAC address of port '{port}'")
