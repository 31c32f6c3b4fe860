# SPDX-License-Identifier: Apache-2.0
"""A daemon for tests: gRPC on a Unix socket, its answers those of a recorder, with counters and
refusals on request.
"""

import os
from collections import Counter
from collections.abc import Callable
from concurrent import futures
from pathlib import Path
from typing import Any

import grpc
from besslang import NeedsDaemon, RecordingClient
from fake_live import FakeLive
from pybess.client import CONTROL, OBSERVE
from pybess.convert import pack, packed_type
from pybess.errors import Error
from pybess.protos import protos


class FakeDaemon:
    """Serves the control service, and as `live` the native one; `refuse` maps a method to the error
    of its next calls, `broken_off` has methods that end as in a daemon that ends, `calls` lists what
    was called; `usage` is what each traffic class uses a second.
    """

    def __init__(self, socket: Path):
        self.state = RecordingClient()
        self.refuse: dict[str, Callable[[Any], Exception | None]] = {}
        self.broken_off: set[str] = set()
        self.calls: list[str] = []
        self.nfs: list[dict[str, Any]] = []
        self.packets = 0
        self.packet_bytes = 0
        self.created = 10
        self.drops_of_gone: dict[str, int] = {}
        self.readings = 0
        self.usage: dict[str, dict[str, int]] = {}
        self.plugins: list[str] = []
        self.hooks: list[Any] = []
        self.hook_commands: list[tuple[str, str]] = []
        self.dump = b""
        self.fifo = -1
        self.port_conf = protos().message("PortConf")(mtu=1500, admin_up=True)
        self.live = FakeLive()
        self.live.carry_out = self._carry_out
        self.named_hooks = 0
        self.address = f"unix:{socket}"
        self._server = grpc.server(futures.ThreadPoolExecutor(max_workers=2))
        for service in (CONTROL, OBSERVE):
            handlers = {name: self._handler(service, name) for name in protos().methods(service)}
            self._server.add_generic_rpc_handlers(
                (grpc.method_handlers_generic_handler(service, handlers),)
            )
        self._server.add_generic_rpc_handlers((self.live.handlers(),))
        self._server.add_insecure_port(self.address)
        self._server.start()

    def stop(self) -> None:
        self._server.stop(None).wait()

    def _handler(self, service: str, method: str) -> Any:
        _, request_class, response_class = protos().method(service, method)

        def serve(request: Any, context: Any) -> Any:
            self.calls.append(method)
            if method in self.broken_off:
                context.cancel()
            refused = self.refuse.get(method, lambda _: None)(request)
            try:
                if refused is not None:
                    raise refused
                special = getattr(self, f"_{method}", None)
                return special(request) if special else self.state._call(service, method, request)
            except Error as error:
                response = response_class()
                response.error.code, response.error.errmsg = error.code, error.errmsg
                return response
            except LookupError as error:
                context.abort(grpc.StatusCode.NOT_FOUND, str(error.args[0]))
            except (NeedsDaemon, NotImplementedError) as error:
                context.abort(grpc.StatusCode.UNIMPLEMENTED, str(error))

        return grpc.unary_unary_rpc_method_handler(
            serve,
            request_deserializer=request_class.FromString,
            response_serializer=response_class.SerializeToString,
        )

    def _GetVersion(self, _request: Any) -> Any:
        return protos().message("VersionResponse")(version="fake 1.0")

    def _ListPorts(self, request: Any) -> Any:
        response = self.state._call(CONTROL, "ListPorts", request)
        for port, recorded in zip(response.ports, self.state.pipeline.ports):
            port.mac_addr = "02:00:00:00:00:01"
            pack(port.driver_arg, protos().message(recorded.arg_type)(**recorded.arg))
        return response

    def _GetModuleInfo(self, request: Any) -> Any:
        response = self.state._call(CONTROL, "GetModuleInfo", request)
        self.packets += 1000
        for gate in response.ogates:
            gate.pkts, gate.cnt, gate.timestamp = (
                self.packets,
                self.packets // 10,
                self.packets / 1e6,
            )
            gate.bytes = self.packets * self.packet_bytes
        return response

    def _ModuleCommand(self, request: Any) -> Any:
        response = protos().message("CommandResponse")()
        if request.cmd == "get_initial_arg":
            module = self.state.pipeline.module(request.name)
            message_class = protos().message(module.arg_type)
            pack(
                response.data,
                self.state._class_arg(module.mclass, module.arg) if module.arg else message_class(),
            )
        else:
            self.state._call(CONTROL, "ModuleCommand", request)
        return response

    def _GetPortStats(self, _request: Any) -> Any:
        response = protos().message("GetPortStatsResponse")(timestamp=1.0)
        response.inc.packets, response.out.dropped = 12345, 7
        return response

    def _GetLinkStatus(self, _request: Any) -> Any:
        return protos().message("GetLinkStatusResponse")(link_up=True)

    def _GetDriverInfo(self, request: Any) -> Any:
        return protos().message("GetDriverInfoResponse")(name=request.driver_name, help="a driver")

    def _ListWorkers(self, request: Any) -> Any:
        response = self.state._call(CONTROL, "ListWorkers", request)
        for worker in response.workers_status:
            worker.running = True
        return response

    def _GetTcStats(self, request: Any) -> Any:
        self.readings += 1
        used = self.usage.get(request.name, {})
        grown = {name: amount * self.readings for name, amount in used.items()}
        return protos().message("GetTcStatsResponse")(timestamp=self.readings, **grown)

    def _GetPortConf(self, _request: Any) -> Any:
        response = protos().message("GetPortConfResponse")()
        response.conf.CopyFrom(self.port_conf)
        return response

    def _SetPortConf(self, request: Any) -> Any:
        self.port_conf.MergeFrom(request.conf)
        return protos().message("CommandResponse")()

    def _DumpMempool(self, request: Any) -> Any:
        response = protos().message("DumpMempoolResponse")()
        for socket in (0, 1):
            if request.socket in (-1, socket):
                response.dumps.add(socket=socket, mp_size=1000 + socket, mp_in_use_count=7)
        return response

    def _ImportPlugin(self, request: Any) -> Any:
        self.plugins.append(request.path)
        return protos().message("EmptyResponse")()

    def _UnloadPlugin(self, request: Any) -> Any:
        if request.path not in self.plugins:
            raise Error(-1, f"'{request.path}' is not loaded")
        self.plugins.remove(request.path)
        return protos().message("EmptyResponse")()

    def _ListPlugins(self, _request: Any) -> Any:
        return protos().message("ListPluginsResponse")(paths=self.plugins)

    def _ListGateHookClass(self, _request: Any) -> Any:
        return protos().message("ListGateHookClassResponse")(names=["PcapNg", "TcpDump", "Track"])

    def _GetGateHookClassInfo(self, request: Any) -> Any:
        track = {"cmds": ["reset"], "cmd_args": ["EmptyArg"]} if request.name == "Track" else {}
        return protos().message("GetGateHookClassInfoResponse")(
            name=request.name, help="?", **track
        )

    def _ListGateHooks(self, _request: Any) -> Any:
        return protos().message("ListGateHooksResponse")(hooks=self.hooks)

    def _ConfigureGateHook(self, request: Any) -> Any:
        """A hook that dumps writes `dump` into its FIFO, and closes it when it is taken off."""
        self.state._call(CONTROL, "ConfigureGateHook", request)
        hook = request.hook
        if request.enable:
            hook.hook_name = hook.hook_name or f"{hook.class_name.lower()}{self.named_hooks}"
            self.named_hooks += 1
            self.hooks.append(hook)
            if hook.class_name in ("TcpDump", "PcapNg"):
                arg = protos().message(packed_type(hook.arg)).FromString(hook.arg.value)
                self.fifo = os.open(arg.fifo, os.O_WRONLY | os.O_NONBLOCK)
                os.write(self.fifo, self.dump)
        else:
            self.hooks = [other for other in self.hooks if other.hook_name != hook.hook_name]
            if hook.class_name != "Track":
                os.close(self.fifo)
        return protos().message("ConfigureGateHookResponse")(name=hook.hook_name)

    def _carry_out(self, operation: Any) -> None:
        if operation.WhichOneof("request") == "configure_gate_hook":
            self._ConfigureGateHook(operation.configure_gate_hook)

    def _GateHookCommand(self, request: Any) -> Any:
        self.hook_commands.append((request.hook.hook_name, request.cmd))
        return protos().message("CommandResponse")()

    def _ListNfs(self, _request: Any) -> Any:
        return protos().message("bess.native.ListNfsResponse")(ports=self.nfs)

    def _GetLedger(self, _request: Any) -> Any:
        ledger = protos().message("bess.native.GetLedgerResponse")()
        module = ledger.modules.add(name="ttl", mclass="UpdateTTL")
        module.drops.add(reason="ttl_expired", packets=3)
        ledger.totals.created, ledger.totals.consumed, ledger.totals.dropped = self.created, 7, 3
        ledger.totals.dropped_by_reason.update(Counter(ttl_expired=3) + Counter(self.drops_of_gone))
        ledger.totals.dropped += sum(self.drops_of_gone.values())
        return ledger
