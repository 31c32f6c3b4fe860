# SPDX-License-Identifier: Apache-2.0
"""A recorded pipeline as the State that a daemon applies.

What a script asks for in steps is one state in the end: the last place of a task counts, a hook
that was taken away is not there. The state tells nothing of workers that the script leaves to the
daemon, nor of tasks it does not place.
"""

from typing import Any

from pybess.convert import pack, to_message
from pybess.protos import Protos

from besslang.recorder import Connection, Pipeline

_SHAPE = ("num_inc_q", "num_out_q", "size_inc_q", "size_out_q")
_COUNTING = ("weighted_fair", "rate_limit")
_DEFAULT_HOOK = "Track"
_ALL_GATES = -1


def to_state(pipeline: Pipeline, protos: Protos) -> Any:
    """The bess.native.State of a pipeline."""
    state = protos.message("bess.native.State")()
    for worker in pipeline.workers:
        state.workers.add(wid=worker.wid, core=worker.core)
    for port in pipeline.ports:
        entry = state.ports.add(
            name=port.name, driver=port.driver, **{key: getattr(port, key) for key in _SHAPE}
        )
        _pack(protos, entry.arg, port.arg_type, port.arg)
        if port.conf:
            entry.conf.CopyFrom(to_message(protos.message("PortConf"), port.conf))
    _add_modules(state, pipeline, protos)
    for edge in _connections(pipeline):
        state.connections.add(
            **{"from": edge.m1, "to": edge.m2},
            ogate=edge.ogate,
            igate=edge.igate,
            skip_default_hooks=edge.skip_default_hooks,
        )
    _add_classes(state, pipeline)
    state.gate_hooks.extend(_gate_hooks(pipeline, protos).values())
    for hook in pipeline.resume_hooks:
        state.resume_hooks.append(to_message(protos.message("bess.native.ResumeHook"), hook))
    return state


def _pack(protos: Protos, target: Any, arg_type: str, arg: dict[str, Any]) -> None:
    pack(target, to_message(protos.message(arg_type), arg))


def _add_modules(state: Any, pipeline: Pipeline, protos: Protos) -> None:
    entries: dict[str, Any] = {}
    for module in pipeline.modules:
        entry = entries[module.name] = state.modules.add(name=module.name, mclass=module.mclass)
        _pack(protos, entry.arg, module.arg_type, module.arg)
    for command in pipeline.commands:
        if not command.cmd.startswith("get_"):
            told = entries[command.module].commands.add(cmd=command.cmd)
            _pack(protos, told.arg, command.arg_type, command.arg)


def _add_classes(state: Any, pipeline: Pipeline) -> None:
    entries: dict[str, Any] = {}
    for tc in pipeline.tcs:
        entry = entries[tc["name"]] = state.classes.add(name=tc["name"], policy=tc["policy"])
        if entry.policy in _COUNTING:
            entry.resource = tc.get("resource", "")
            entry.limit = tc.get("limit", {}).get(entry.resource, 0)
            entry.max_burst = tc.get("max_burst", {}).get(entry.resource, 0)
        _place(entry, tc)
    for tc in pipeline.attachments:
        name = tc.get("name", "")
        if "leaf_module_name" in tc:
            name = f"!leaf_{tc['leaf_module_name']}:{tc.get('leaf_module_taskid', 0)}"
        if name not in entries:
            entries[name] = state.classes.add(name=name, policy="leaf")
        _place(entries[name], tc)


def _place(entry: Any, tc: dict[str, Any]) -> None:
    entry.ClearField("place")
    entry.ClearField("rank")
    if tc.get("parent"):
        entry.parent = tc["parent"]
    elif tc.get("wid", 0) >= 0:
        entry.worker = tc.get("wid", 0)
    for rank in ("priority", "share"):
        if rank in tc:
            setattr(entry, rank, tc[rank])


# Hooks.


def _connections(pipeline: Pipeline) -> list[Connection]:
    """The connections, without default hooks where a script took those away."""
    bare = {
        (module, gate)
        for request in pipeline.hooks
        if not request.get("enable") and _means_default(request["hook"])
        for module, field, gate in _gates(pipeline, request["hook"])
        if field == "ogate"
    }
    return [
        Connection(
            edge.m1,
            edge.ogate,
            edge.m2,
            edge.igate,
            edge.skip_default_hooks or (edge.m1, edge.ogate) in bare,
        )
        for edge in pipeline.connections
    ]


def _means_default(hook: dict[str, Any]) -> bool:
    return hook.get("class_name", "") in ("", _DEFAULT_HOOK) and not hook.get("hook_name")


def _gate_hooks(pipeline: Pipeline, protos: Protos) -> dict[tuple[Any, ...], Any]:
    """The hooks that are there in the end, by gate, class and name."""
    there: dict[tuple[Any, ...], Any] = {}
    for request in pipeline.hooks:
        hook = request["hook"]
        wanted = hook.get("class_name", ""), hook.get("hook_name", "")
        for gate in _gates(pipeline, hook):
            if request.get("enable"):
                there[(*gate, *wanted)] = _gate_hook(protos, gate, hook)
                continue
            there = {
                key: entry
                for key, entry in there.items()
                if key[:3] != gate
                or any(want not in ("", has) for want, has in zip(wanted, key[3:]))
            }
    return there


def _gate_hook(protos: Protos, gate: tuple[str, str, int], hook: dict[str, Any]) -> Any:
    module, field, number = gate
    names = {"hclass": hook.get("class_name"), "name": hook.get("hook_name")}
    fields = names | {"module": module, field: number, "arg": hook.get("arg")}
    return to_message(protos.message("bess.native.GateHook"), fields)


def _gates(pipeline: Pipeline, hook: dict[str, Any]) -> list[tuple[str, str, int]]:
    """The connected gates that a request about hooks means: module, "igate" or "ogate", number."""
    field = "igate" if "igate" in hook else "ogate"
    if field == "igate":
        used = sorted({(edge.m2, edge.igate) for edge in pipeline.connections})
    else:
        used = sorted({(edge.m1, edge.ogate) for edge in pipeline.connections})
    module, number = hook.get("module_name", ""), hook.get(field, _ALL_GATES)
    named = [(module, number)] if module and number != _ALL_GATES else used
    return [
        (name, field, gate)
        for name, gate in named
        if module in ("", name) and number in (_ALL_GATES, gate)
    ]
