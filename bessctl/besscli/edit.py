# SPDX-License-Identifier: Apache-2.0
"""Commands that change one thing of what runs: `add`, `delete`, `command`, `configure`, `track`,
`check`.
"""

from typing import Any

from besscli.errors import CommandError
from besscli.shell import Shell, command
from besscli.values import keyword_values
from pybess.convert import from_message


@command("add worker WORKER_ID CORE [SCHEDULER]", "starts a worker on a core")
def add_worker(shell: Shell, wid: str, core: str, scheduler: str | None) -> None:
    shell.daemon().add_worker(_number("a worker id", wid), _number("a core", core), scheduler)


@command(
    "add port DRIVER [NEW_NAME] [ARGS]", "creates a port; ARGS are the driver's fields: a=1, b='x'"
)
def add_port(shell: Shell, driver: str, name: str | None, args: str) -> None:
    shell.say(f"created port {shell.daemon().create_port(driver, name, keyword_values(args)).name}")


@command(
    "add module MCLASS [NEW_NAME] [ARGS]",
    "creates a module; ARGS are the fields of its class: a=1, b='x'",
)
def add_module(shell: Shell, mclass: str, name: str | None, args: str) -> None:
    shell.say(
        f"created module {shell.daemon().create_module(mclass, name, keyword_values(args)).name}"
    )


@command(
    "add connection MODULE MODULE [OGATE] [IGATE]",
    "connects an output gate of a module to an input gate",
)
def add_connection(shell: Shell, m1: str, m2: str, ogate: str | None, igate: str | None) -> None:
    shell.daemon().connect_modules(
        m1, m2, _number("a gate", ogate or "0"), _number("a gate", igate or "0")
    )


@command("delete worker WORKER_ID...", "ends workers")
def delete_worker(shell: Shell, wids: list[str]) -> None:
    for wid in wids:
        shell.daemon().destroy_worker(_number("a worker id", wid))


@command("delete port PORT", "removes a port")
def delete_port(shell: Shell, name: str) -> None:
    shell.daemon().destroy_port(name)


@command("delete module MODULE", "removes a module and its connections")
def delete_module(shell: Shell, name: str) -> None:
    shell.daemon().destroy_module(name)


@command("delete connection MODULE [OGATE]", "disconnects an output gate")
def delete_connection(shell: Shell, name: str, ogate: str | None) -> None:
    shell.daemon().disconnect_modules(name, _number("a gate", ogate or "0"))


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
    gate_number = _number("a gate", gate)
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
    unknown = sorted(set(changes) - {"mac_addr", "mtu", "admin_up"})
    if unknown:
        raise CommandError(f"a port has no setting '{unknown[0]}'; it has: admin_up, mac_addr, mtu")
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
    number = _number("a gate", gate)
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
    number = -1 if gate is None else _number("a gate", gate)
    shell.daemon().track_gate(
        state == "enable", None, module or "", direction or "out", number, bits
    )


@command("check constraints", "checks the scheduling constraints of what runs")
def check_constraints(shell: Shell) -> None:
    found = shell.daemon().check_constraints()
    names = [violation.name for violation in [*found.violations, *found.modules]]
    shell.say(
        f"not ideal, but allowed: {', '.join(names)}" if names else "No constraint is broken."
    )


def _number(what: str, text: str) -> int:
    try:
        return int(text, 0)
    except ValueError:
        raise CommandError(f"{what} is a number, not '{text}'") from None
