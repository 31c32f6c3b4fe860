# SPDX-License-Identifier: Apache-2.0
"""The client of the control API: one method a request, arguments as plain Python data.

    bess = BESS()
    bess.connect()
    bess.create_module("Source", "src", {"pkt_size": 60})

Responses are the protobuf messages of the wire.
"""

import errno
import sys
import time
from collections.abc import Callable, Iterator
from typing import Any

from pybess.address import default_places, normalize
from pybess.channel import CONNECT_SECONDS, Channel
from pybess.convert import pack, to_message
from pybess.errors import APIError, ConstraintError, Error, RPCError
from pybess.live import LiveCalls
from pybess.protos import protos

CONTROL = "bess.pb.BESSControl"
OBSERVE = "bess.native.Observe"
SCHEDULER = "bess.native.Scheduler"
PORT_SHAPE = ("num_inc_q", "num_out_q", "size_inc_q", "size_out_q")


def _dump_gate(hook: str, arg_type: str) -> Callable[..., Any]:
    """The method that makes a hook copy the packets of a gate to a FIFO, or stops it."""

    def dump_gate(
        self: "BESS",
        enable: bool,
        name: str | None,
        m: str,
        direction: str = "out",
        gate: int = 0,
        fifo: str | None = None,
        defer: bool = False,
        reconnect: bool = False,
    ) -> Any:
        arg = {"fifo": fifo, "defer": defer, "reconnect": reconnect}
        return self.configure_gate_hook(hook, arg_type, arg, enable, name, m, direction, gate)

    return dump_gate


class BESS(LiveCalls):
    """A connection to a daemon and everything that can be asked of it."""

    Error = Error
    RPCError = RPCError
    APIError = APIError
    ConstraintError = ConstraintError

    def __init__(self) -> None:
        self.protos = protos()
        self.debug = False
        self._channel: Channel | None = None
        self._check_on_resume = True
        self._command_types: dict[str, dict[str, str]] = {}

    # The connection.

    def connect(self, grpc_url: str | None = None) -> None:
        """Connects to a daemon at `unix:/path`, `host:port`, `port` or, without one, at the default
        address.
        """
        if self.is_connected():
            raise APIError(f"already connected to {self.address}")
        places = [normalize(grpc_url)] if grpc_url else default_places()
        channel = Channel(places, self.protos)
        try:
            channel.call(
                CONTROL, "GetVersion", self.protos.message("EmptyRequest")(), CONNECT_SECONDS
            )
        except RPCError:
            channel.close()
            raise
        self._channel = channel

    def disconnect(self) -> None:
        """Ends the connection; without one this does nothing."""
        if self._channel is not None:
            self._channel.close()
        self._channel = None
        self._command_types.clear()

    @property
    def address(self) -> str | None:
        """The address of the daemon this is connected to."""
        return self._channel.address if self._channel else None

    def is_connected(self) -> bool:
        """Whether a connection was made and not closed."""
        return self._channel is not None

    def is_connection_broken(self) -> bool:
        """Whether the daemon failed to answer the last request."""
        return self._channel is not None and self._channel.broken

    def set_debug(self, flag: bool) -> None:
        """Prints every request and response to stderr, or stops doing so."""
        self.debug = flag

    def _call(self, service: str, method: str, request: Any) -> Any:
        if self._channel is None:
            raise APIError("not connected to a daemon")
        return self._channel.call(service, method, request)

    def _stream(self, service: str, method: str, requests: Any) -> Iterator[Any]:
        if self._channel is None:
            raise APIError("not connected to a daemon")
        return self._channel.stream(service, method, requests)

    def request(self, method: str, fields: dict[str, Any] | None = None) -> Any:
        """Sends a request of the control service by its name; raises Error if the daemon refuses
        it.
        """
        request = to_message(self.protos.method(CONTROL, method)[1], fields or {})
        response = self._traced_call(CONTROL, method, request)
        if response.error.code != 0 or response.error.errmsg:
            raise Error(
                response.error.code, response.error.errmsg, {"request": method, "fields": fields}
            )
        return response

    def _traced_call(self, service: str, method: str, request: Any) -> Any:
        if self.debug:
            print(f"--> {method} {_one_line(request)}", file=sys.stderr)
        response = self._call(service, method, request)
        if self.debug:
            print(f"<-- {method} {_one_line(response)}", file=sys.stderr)
        return response

    # The daemon.

    def kill(self, block: bool = True) -> None:
        """Ends the daemon and, if asked to block, waits until it no longer answers."""
        self.request("KillBess")
        try:
            while block:
                time.sleep(0.05)
                self.request("GetVersion")
        except RPCError:
            pass
        self.disconnect()

    def get_version(self) -> Any:
        return self.request("GetVersion")

    def reset_all(self) -> Any:
        return self.request("ResetAll")

    def import_plugin(self, path: str) -> Any:
        return self.request("ImportPlugin", {"path": path})

    def unload_plugin(self, path: str) -> Any:
        return self.request("UnloadPlugin", {"path": path})

    def list_plugins(self) -> Any:
        return self.request("ListPlugins")

    def dump_mempool(self, socket: int = -1) -> Any:
        return self.request("DumpMempool", {"socket": socket})

    def get_ledger(self, modules: list[str] | None = None) -> Any:
        """What became of every packet: created, consumed, held, and dropped by reason."""
        return self._native(OBSERVE, "GetLedger", {"modules": modules or []})

    def list_nfs(self, ports: list[str] | None = None) -> Any:
        """The ports of network functions: who is attached, and what became of others."""
        return self._native(OBSERVE, "ListNfs", {"ports": ports or []})

    def _native(self, service: str, method: str, fields: dict[str, Any] | None = None) -> Any:
        request = to_message(self.protos.method(service, method)[1], fields or {})
        return self._traced_call(service, method, request)

    # Workers.

    def pause_all(self) -> Any:
        return self.request("PauseAll")

    def pause_worker(self, wid: int) -> Any:
        return self.request("PauseWorker", {"wid": wid})

    def resume_worker(self, wid: int) -> Any:
        return self.request("ResumeWorker", {"wid": wid})

    def resume_all(self, check: bool = True) -> Any:
        """Lets the workers run, after checking their constraints unless that was switched off."""
        if check and self._check_on_resume:
            self.check_constraints()
        return self.request("ResumeAll")

    def check_resume_all(self) -> None:
        """Makes resume_all check constraints, as it does from the start."""
        self._check_on_resume = True

    def uncheck_resume_all(self) -> None:
        """Makes resume_all skip its check of constraints."""
        self._check_on_resume = False

    def check_scheduling_constraints(self) -> Any:
        return self.request("CheckSchedulingConstraints")

    def check_constraints(self) -> Any:
        """Raises ConstraintError if the daemon finds a violation it calls fatal; returns all it
        found.
        """
        found = self.check_scheduling_constraints()
        if found.fatal:
            raise ConstraintError(describe_violations(found))
        return found

    def list_workers(self) -> Any:
        return self.request("ListWorkers")

    def add_worker(self, wid: int, core: int, scheduler: str | None = None) -> Any:
        return self.request("AddWorker", {"wid": wid, "core": core, "scheduler": scheduler})

    def destroy_worker(self, wid: int) -> Any:
        return self.request("DestroyWorker", {"wid": wid})

    def get_worker_usage(self) -> Any:
        """How busy the workers are, and in which module one has last stayed too long."""
        return self._native(SCHEDULER, "GetWorkerUsage")

    # Traffic classes.

    def list_tcs(self, wid: int = -1) -> Any:
        return self.request("ListTcs", {"wid": wid})

    def add_tc(
        self,
        name: str,
        policy: str,
        wid: int = -1,
        parent: str = "",
        resource: str | None = None,
        priority: int | None = None,
        share: int | None = None,
        limit: dict[str, int] | None = None,
        max_burst: dict[str, int] | None = None,
    ) -> Any:
        tc = {"name": name, "policy": policy, "wid": wid, "parent": parent, "resource": resource}
        tc |= {"priority": priority, "share": share, "limit": limit, "max_burst": max_burst}
        return self.request("AddTc", {"class": tc})

    def update_tc_params(
        self,
        name: str,
        resource: str | None = None,
        limit: dict[str, int] | None = None,
        max_burst: dict[str, int] | None = None,
    ) -> Any:
        tc = {"name": name, "resource": resource, "limit": limit, "max_burst": max_burst}
        return self.request("UpdateTcParams", {"class": tc})

    def attach_task(
        self,
        module_name: str,
        parent: str = "",
        wid: int = -1,
        module_taskid: int = 0,
        priority: int | None = None,
        share: int | None = None,
    ) -> Any:
        """Puts a module's task under a traffic class, or directly under a worker."""
        tc = {
            "leaf_module_name": module_name,
            "leaf_module_taskid": module_taskid,
            "parent": parent,
            "wid": wid,
        }
        return self.request(
            "UpdateTcParent", {"class": tc | {"priority": priority, "share": share}}
        )

    attach_module = attach_task

    def remove_tc(self, name: str) -> Any:
        """Removes a traffic class without children, whatever runs."""
        return self._native(SCHEDULER, "RemoveClass", {"name": name})

    def get_tc_stats(self, name: str) -> Any:
        return self.request("GetTcStats", {"name": name})

    # Ports.

    def list_drivers(self) -> Any:
        return self.request("ListDrivers")

    def get_driver_info(self, name: str) -> Any:
        return self.request("GetDriverInfo", {"driver_name": name})

    def reset_ports(self) -> Any:
        return self.request("ResetPorts")

    def list_ports(self) -> Any:
        return self.request("ListPorts")

    def create_port(
        self, driver: str, name: str | None = None, arg: dict[str, Any] | None = None
    ) -> Any:
        """Creates a port; its queue numbers and sizes are taken out of its argument."""
        driver_arg = dict(arg or {})
        fields = {key: driver_arg.pop(key) for key in PORT_SHAPE if key in driver_arg}
        return self.request(
            "CreatePort",
            fields | {"name": name, "driver": driver, "arg": self._class_arg(driver, driver_arg)},
        )

    def destroy_port(self, name: str) -> Any:
        return self.request("DestroyPort", {"name": name})

    def set_port_config(
        self,
        name: str,
        mac_addr: str | None = None,
        mtu: int | None = None,
        admin_up: bool | None = None,
    ) -> Any:
        """Changes a port; what is None stays as it is."""
        if admin_up is None:
            admin_up = self.get_port_config(name).conf.admin_up
        conf = {"mac_addr": mac_addr, "mtu": mtu, "admin_up": admin_up}
        return self.request("SetPortConf", {"name": name, "conf": conf})

    def get_port_config(self, name: str) -> Any:
        return self.request("GetPortConf", {"name": name})

    def get_port_stats(self, name: str) -> Any:
        return self.request("GetPortStats", {"name": name})

    def get_link_status(self, name: str) -> Any:
        return self.request("GetLinkStatus", {"name": name})

    # Modules.

    def list_mclasses(self) -> Any:
        return self.request("ListMclass")

    def get_mclass_info(self, name: str) -> Any:
        return self.request("GetMclassInfo", {"name": name})

    def command_types(self, mclass: str) -> dict[str, str]:
        """The commands of a module class and the message each takes."""
        if mclass not in self._command_types:
            info = self.get_mclass_info(mclass)
            self._command_types[mclass] = dict(zip(info.cmds, info.cmd_args))
        return self._command_types[mclass]

    def list_modules(self) -> Any:
        return self.request("ListModules")

    def reset_modules(self) -> Any:
        return self.request("ResetModules")

    def create_module(self, mclass: str, name: str | None = None, arg: Any = None) -> Any:
        return self.request(
            "CreateModule",
            {"name": name, "mclass": mclass, "arg": self._class_arg(mclass, arg or {})},
        )

    def destroy_module(self, name: str) -> Any:
        return self.request("DestroyModule", {"name": name})

    def get_module_info(self, name: str) -> Any:
        return self.request("GetModuleInfo", {"name": name})

    def connect_modules(
        self, m1: str, m2: str, ogate: int = 0, igate: int = 0, skip_default_hooks: bool = False
    ) -> Any:
        fields = {"m1": m1, "m2": m2, "ogate": ogate, "igate": igate}
        return self.request("ConnectModules", fields | {"skip_default_hooks": skip_default_hooks})

    def disconnect_modules(self, name: str, ogate: int = 0) -> Any:
        return self.request("DisconnectModules", {"name": name, "ogate": ogate})

    def run_module_command(self, name: str, cmd: str, arg_type: str, arg: Any) -> Any:
        """Runs a command of a module; returns the message it answers with, or the bare response."""
        if self.protos.find(arg_type) is None:
            self._check_command(name, cmd)
        content = to_message(self.protos.message(arg_type), arg or {})
        return self._unpack(
            self.request("ModuleCommand", {"name": name, "cmd": cmd, "arg": content})
        )

    def _check_command(self, name: str, cmd: str) -> None:
        """Raises an error if there is no such module, or it has no such command."""
        try:
            mclass = self.get_module_info(name).mclass
            types = self.command_types(mclass)
        except APIError:
            return  # a transaction sends no questions
        if cmd not in types:
            has = ", ".join(sorted(types)) or "none"
            raise APIError(f"{mclass} has no command '{cmd}'; its commands are: {has}")

    def _class_arg(self, class_name: str, arg: Any) -> Any:
        if hasattr(arg, "DESCRIPTOR"):
            return arg
        message_class = self.protos.find(f"{class_name}Arg") or self.protos.message("EmptyArg")
        return to_message(message_class, arg)

    def _unpack(self, response: Any) -> Any:
        data = self.unpack(response.data) if response.HasField("data") else None
        return response if data is None else data

    def unpack(self, packed: Any) -> Any | None:
        """The message in an Any; None when its type is unknown here."""
        return self.protos.unpack(packed)

    # Gate hooks.

    def list_gatehook_classes(self) -> Any:
        return self.request("ListGateHookClass")

    def get_gatehook_class_info(self, name: str) -> Any:
        return self.request("GetGateHookClassInfo", {"name": name})

    def list_gatehooks(self) -> Any:
        return self.request("ListGateHooks")

    def run_gatehook_command(
        self,
        hook_name: str,
        module: str,
        direction: str,
        gate: int,
        cmd: str,
        arg_type: str,
        arg: Any,
    ) -> Any:
        content = to_message(self.protos.message(arg_type), arg or {})
        hook = {
            "hook_name": hook_name,
            "module_name": module,
            _gate_field(direction): gate,
            "arg": content,
        }
        return self._unpack(self.request("GateHookCommand", {"hook": hook, "cmd": cmd}))

    def configure_resume_hook(
        self, name: str, arg: Any = None, enable: bool = True, arg_type: str | None = None
    ) -> Any:
        """Installs what runs whenever all workers resume, or removes it."""
        content = to_message(self.protos.message(arg_type), arg or {}) if arg_type else arg
        fields = {"hook_name": name, "enable": enable, "arg": content}
        return self.request("ConfigureResumeHook", fields)

    def track_gate(
        self,
        enable: bool,
        name: str | None = None,
        m: str = "",
        direction: str = "out",
        gate: int = 0,
        bits: bool = False,
    ) -> Any:
        return self.configure_gate_hook(
            "Track", "TrackArg", {"bits": bits}, enable, name, m, direction, gate
        )

    tcpdump_gate = _dump_gate("TcpDump", "TcpdumpArg")
    pcapng_gate = _dump_gate("PcapNg", "PcapngArg")

    def configure_gate_hook(
        self,
        hook: str,
        arg_type: str | None,
        arg: Any,
        enable: bool,
        name: str | None,
        m: str,
        direction: str,
        gate: int,
    ) -> Any:
        """Puts a hook of any class on a gate, or takes it away; gate -1 is all, module "" is all."""
        info = {
            "class_name": hook,
            "hook_name": name,
            "module_name": m,
            _gate_field(direction): gate,
        }
        if arg_type is not None:
            info["arg"] = to_message(self.protos.message(arg_type), arg or {})
        return self.request("ConfigureGateHook", {"hook": info, "enable": enable})


def describe_violations(found: Any) -> str:
    """What CheckSchedulingConstraints answered, in words."""
    parts = [
        f"traffic class {violation.name} runs on core {violation.assigned_core} (node {violation.assigned_node}),"
        f" which its constraint {violation.constraint:#x} does not allow"
        for violation in found.violations
    ]
    parts += [
        f"module {module.name} is reached by a number of workers it does not allow"
        for module in found.modules
    ]
    return "; ".join(parts) or "the daemon calls the pipeline unsound without naming a reason"


def check_known(kind: str, name: str, known: Any) -> None:
    """Raises ENOENT, naming what there is, if a name is unknown."""
    if name not in known:
        raise Error(
            errno.ENOENT,
            f"there is no {kind} '{name}'; known are: {', '.join(sorted(known)) or 'none'}",
        )


def _gate_field(direction: str) -> str:
    if direction not in ("in", "out"):
        raise APIError(f"a gate's direction is 'in' or 'out', not '{direction}'")
    return "igate" if direction == "in" else "ogate"


def _one_line(message: Any) -> str:
    return " ".join(["{", *str(message).split(), "}"])
