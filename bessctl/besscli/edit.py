# SPDX-License-Identifier: Apache-2.0
"""Commands that change one thing of what runs: `add`, `delete`, `command`, `configure`, `track`,
`check`.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from besscli.errors import CommandError
from besscli.shell import Shell, command
from besscli.values import keyword_values, whole_number
from pybess import Transaction
from pybess.convert import from_message

PORT_SETTINGS = ("admin_up", "mac_addr", "mtu")


@command("add worker WORKER_ID CORE [SCHEDULER]", "starts a worker on a core")
def add_worker(shell: Shell, wid: str, core: str, scheduler: str | None) -> None:
    number, place = whole_number("a worker id", wid), whole_number("a core", core)
    client = shell.daemon()
    before = {worker.wid: worker.core for worker in client.list_workers().workers_status}
    client.add_worker(number, place, scheduler)
    if number not in before:
        shell.say(f"started worker {number} on core {place}")
    elif before[number] == place:
        shell.say(f"worker {number}, which the daemon had started by itself, stays on core {place}")
    else:
        shell.say(
            f"moved worker {number}, which the daemon had started by itself, from core"
            f" {before[number]} to core {place}"
        )


@command(
    "add port DRIVER [NEW_NAME] [ARGS]", "creates a port; ARGS are the driver's fields: a=1, b='x'"
)
def add_port(shell: Shell, driver: str, name: str | None, args: str) -> None:
    shell.say(f"created port {shell.daemon().create_port(driver, name, keyword_values(args)).name}")


@command(
    "add module MCLASS [NEW_NAME] [pause|no_pause] [ARGS]",
    "creates a module; ARGS are the fields of its class: a=1, b='x'",
)
def add_module(shell: Shell, mclass: str, name: str | None, pause: str | None, args: str) -> None:
    with _workers(shell, pause):
        made = shell.client.create_module(mclass, name, keyword_values(args))
    shell.say(f"created module {made.name}")


@command(
    "add connection MODULE MODULE [OGATE] [IGATE] [pause|no_pause]",
    "connects an output gate of a module to an input gate",
)
def add_connection(
    shell: Shell, m1: str, m2: str, ogate: str | None, igate: str | None, pause: str | None
) -> None:
    gates = whole_number("a gate", ogate or "0"), whole_number("a gate", igate or "0")
    with _workers(shell, pause):
        shell.client.connect_modules(m1, m2, *gates)


@contextmanager
def _workers(shell: Shell, pause: str | None) -> Iterator[None]:
    """Connects, and stops running workers for the time of an edit if that is asked for. No edit
    needs it; scripts made for BESS say it.
    """
    client = shell.daemon()
    running = pause == "pause" and any(w.running for w in client.list_workers().workers_status)
    if running:
        client.pause_all()
    try:
        yield
    finally:
        if running:
            client.resume_all(check=False)


@command("delete worker WORKER_ID...", "ends workers")
def delete_worker(shell: Shell, wids: list[str]) -> None:
    for wid in wids:
        shell.daemon().destroy_worker(whole_number("a worker id", wid))


@command("delete port PORT", "removes a port")
def delete_port(shell: Shell, name: str) -> None:
    shell.daemon().destroy_port(name)


@command("delete module MODULE", "removes a module and its connections")
def delete_module(shell: Shell, name: str) -> None:
    shell.daemon().destroy_module(name)


@command("delete connection MODULE [OGATE]", "disconnects an output gate")
def delete_connection(shell: Shell, name: str, ogate: str | None) -> None:
    number = whole_number("a gate", ogate or "0")
    client = shell.daemon()
    if number not in {gate.ogate for gate in client.get_module_info(name).ogates}:
        raise CommandError(f"output gate {number} of '{name}' is not connected")
    client.disconnect_modules(name, number)


@command("delete connection MODULE ogate OGATE", "disconnects an output gate")
def delete_connection_at(shell: Shell, name: str, ogate: str) -> None:
    delete_connection(shell, name, ogate)


@command(
    "command module MODULE CMD ARG_TYPE [ARGS]",
    "runs a command of a module; ARGS are the fields of ARG_TYPE",
)
def command_module(shell: Shell, name: str, cmd: str, arg_type: str, args: str) -> None:
    _print_answer(
        shell, shell.daemon().run_module_command(name, cmd, arg_type, keyword_values(args))
    )


@command(
    "command gatehook HOOK MODULE in|out GATE CMD ARG_TYPE [ARGS]",
    "runs a command of a gate hook; ARGS are the fields of ARG_TYPE",
)
def command_gatehook(
    shell: Shell,
    hook: str,
    module: str,
    direction: str,
    gate: str,
    cmd: str,
    arg_type: str,
    args: str,
) -> None:
    gate_number = whole_number("a gate", gate)
    answer = shell.daemon().run_gatehook_command(
        hook, module, direction, gate_number, cmd, arg_type, keyword_values(args)
    )
    _print_answer(shell, answer)


def _print_answer(shell: Shell, answer: Any) -> None:
    fields = from_message(answer)
    for key, value in fields.items():
        shell.say(f"{key}: {value}")
    if not fields:
        shell.say("Done.")


@command("configure port PORT [ARGS]", "shows or changes mac_addr, mtu and admin_up of a port")
def configure_port(shell: Shell, name: str, args: str) -> None:
    changes = keyword_values(args)
    unknown = sorted(set(changes) - set(PORT_SETTINGS))
    if unknown:
        has = ", ".join(PORT_SETTINGS)
        raise CommandError(f"a port has no setting '{unknown[0]}'; it has: {has}")
    if changes:
        shell.daemon().set_port_config(name, **changes)
    conf = shell.daemon().get_port_config(name).conf
    shell.say(f"{name}: mac_addr={conf.mac_addr}, mtu={conf.mtu}, admin_up={conf.admin_up}")


@command(
    "track enable|disable [MODULE] [in|out] [GATE]",
    "counts packets at gates, or stops; at all if none is named",
)
def track(
    shell: Shell, state: str, module: str | None, direction: str | None, gate: str | None
) -> None:
    _track(shell, state, module, direction, gate, bits=False)


@command("track bit enable|disable [MODULE] [in|out] [GATE]", "counts bits as well, or stops")
def track_bits(
    shell: Shell, state: str, module: str | None, direction: str | None, gate: str | None
) -> None:
    _track(shell, state, module, direction, gate, bits=True)


@command("track reset MODULE in|out GATE", "sets the counters of a gate to zero")
def track_reset(shell: Shell, module: str, direction: str, gate: str) -> None:
    number = whole_number("a gate", gate)
    field = "igate" if direction == "in" else "ogate"
    for hook in shell.daemon().list_gatehooks().hooks:
        at_gate = (
            hook.module_name == module
            and hook.WhichOneof("gate") == field
            and getattr(hook, field) == number
        )
        if at_gate and hook.class_name == "Track":
            shell.client.run_gatehook_command(
                hook.hook_name, module, direction, number, "reset", "EmptyArg", {}
            )
            return
    raise CommandError(
        f"nothing is counted at {direction}put gate {number} of '{module}'; `track enable` starts it"
    )


def _track(
    shell: Shell,
    state: str,
    module: str | None,
    direction: str | None,
    gate: str | None,
    bits: bool,
) -> None:
    """A gate has one Track at most, so that its packets are counted once: one that counts otherwise
    is replaced, in one commit for all gates, so that no packet goes by uncounted.
    """
    number = -1 if gate is None else whole_number("a gate", gate)
    side = direction or "out"
    client = shell.daemon()
    if state == "disable" and not bits:
        client.track_gate(False, None, module or "", side, number)
        return
    edit, changed = Transaction(client), 0
    for (name, at), hooks in _tracks(client, module, side, number).items():
        misfits = _misfits(hooks, state, bits)
        for hook in misfits:
            edit.track_gate(False, hook, name, side, at)
        lacks = len(misfits) == len(hooks) and bool(hooks or state == "enable")
        if lacks:
            edit.track_gate(True, None, name, side, at, bits and state == "enable")
        changed += lacks or bool(misfits)
    if changed:
        edit.commit(f"track {'bit ' * bits}{state}")
    shell.say(_tracked(changed, state, bits))


def _tracks(
    client: Any, module: str | None, side: str, number: int
) -> dict[tuple[str, int], dict[str, bool]]:
    """For each gate that is meant its Track hooks, and whether they count bits."""
    names = [module] if module else [entry.name for entry in client.list_modules().modules]
    found: dict[tuple[str, int], dict[str, bool]] = {}
    for name in names:
        info = client.get_module_info(name)
        gates = [g.igate for g in info.igates] if side == "in" else [g.ogate for g in info.ogates]
        found |= {(name, gate): {} for gate in gates if number in (-1, gate)}
    if not found and number >= 0:
        raise CommandError(f"{side}put gate {number} of '{module}' is not connected")
    for hook in client.list_gatehooks().hooks:
        field = str(hook.WhichOneof("gate"))
        place = hook.module_name, getattr(hook, field)
        if hook.class_name == "Track" and field[0] == side[0] and place in found:
            arg = client.unpack(hook.arg) if hook.HasField("arg") else None
            found[place][hook.hook_name] = bool(arg and arg.bits)
    return found


def _misfits(hooks: dict[str, bool], state: str, bits: bool) -> list[str]:
    """The Tracks of a gate that have to go: those that count otherwise than wanted, and all but one
    of the others, of which one that counts bits counts all that a plain one does.
    """
    fitting = [n for n, has in hooks.items() if (has or not bits if state == "enable" else not has)]
    kept = max(fitting, key=lambda name: hooks[name], default=None)
    return [name for name in hooks if name != kept]


def _tracked(gates: int, state: str, bits: bool) -> str:
    what = "bits" if bits else "packets"
    where = f"gate{'s' * (gates != 1)}"
    if not gates:
        return f"Nothing to do: {what} are {'' if state == 'enable' else 'not '}counted there."
    if state == "enable":
        return f"{what} are counted at {gates} more {where}, from now on"
    return f"bits are no longer counted at {gates} {where}; packets are, from now on"


@command("check constraints", "checks the scheduling constraints of what runs")
def check_constraints(shell: Shell) -> None:
    found = shell.daemon().check_constraints()
    names = [violation.name for violation in [*found.violations, *found.modules]]
    shell.say(
        f"not ideal, but allowed: {', '.join(names)}" if names else "No constraint is broken."
    )
