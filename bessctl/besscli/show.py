# SPDX-License-Identifier: Apache-2.0
"""Commands that show what runs and what there is."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from besscli.errors import CommandError
from besscli.pipeline import read_pipeline, remark, render, totals
from besscli.shell import Shell, command
from besscli.values import count
from pybess.convert import packed_type
from pybess.errors import RPCError


READINGS = 20  # of the books, until they are plausible; each takes a fraction of a millisecond


@command("show status", "shows the daemon, its workers and what they run, in a few lines")
def show_status(shell: Shell) -> None:
    client = shell.daemon()
    workers = client.list_workers().workers_status
    running = sum(worker.running for worker in workers)
    shell.say(f"daemon    {client.get_version().version or 'unknown version'} at {client.address}")
    shell.say(f"workers   {len(workers)}, {running} running")
    shell.say(f"ports     {len(client.list_ports().ports)}")
    shell.say(f"modules   {len(client.list_modules().modules)}")


@command("show version", "shows the version of the daemon")
def show_version(shell: Shell) -> None:
    shell.say(shell.daemon().get_version().version)


@command("show worker [WORKER_ID...]", "lists workers")
def show_worker(shell: Shell, wids: list[str]) -> None:
    workers = {str(worker.wid): worker for worker in shell.daemon().list_workers().workers_status}
    rows = [
        [w.wid, w.core, "running" if w.running else "paused", w.num_tcs, w.silent_drops]
        for w in _chosen("worker", workers, wids)
    ]
    right = ("worker", "core", "traffic classes", "dead-end packets")
    shell.table_or("There are no workers.", ["worker", "core", "state", *right[2:]], rows, right)


@command("show port [PORT...]", "lists ports with their addresses, trust domains, queues, packets")
def show_port(shell: Shell, names: list[str]) -> None:
    client = shell.daemon()
    rows = []
    for port in _chosen("port", {port.name: port for port in client.list_ports().ports}, names):
        stats, link = client.get_port_stats(port.name), client.get_link_status(port.name)
        state = "up" if link.link_up else "down"
        domain = getattr(client.unpack(port.driver_arg), "domain", "") or "-"
        queues = f"{port.num_inc_q}/{port.num_out_q}"
        rows.append(
            [port.name, port.driver, port.mac_addr, state, domain, queues]
            + [stats.inc.packets, stats.inc.dropped, stats.out.packets, stats.out.dropped]
        )
    right = ("rx packets", "rx dropped", "tx packets", "tx dropped")
    columns = ["port", "driver", "address", "link", "domain", "queues rx/tx", *right]
    shell.table_or("There are no ports.", columns, rows, right)


@command("show nf [PORT...]", "lists ports of network functions: who is attached, and their lives")
def show_nf(shell: Shell, names: list[str]) -> None:
    client = shell.daemon()
    with _only_bessd("network functions"):
        ports = client.list_nfs(names).ports
    rows = []
    for nf in ports:
        stats = client.get_port_stats(nf.port)
        who = nf.process
        function = f"{who.name} (pid {who.pid}, uid {who.uid})" if nf.HasField("process") else "-"
        kind = "trusted" if nf.trusted else "isolated"
        packets = [stats.inc.packets, stats.inc.dropped, stats.out.packets, stats.out.dropped]
        counts = [who.buffers, *packets, nf.overloaded, nf.copied]
        rows.append([nf.port, kind, nf.domain or "-", function, *counts, _life(nf)])
    traffic = ("rx packets", "rx dropped", "tx packets", "tx dropped")
    right = ("buffers", *traffic, "overloaded", "copied")
    columns = ["port", "kind", "domain", "attached", *right, "events"]
    shell.table_or("There are no ports of network functions.", columns, rows, right)


def _life(nf: Any) -> str:
    """What happened at the port: "attached 3, died 2, violated 1 (a message out of turn 1)"."""
    happened = [f"{event.name} {times}" for event, times in nf.events.ListFields()]
    reasons = [f"{violation.reason} {violation.times}" for violation in nf.violations]
    return ", ".join(happened) + (f" ({', '.join(reasons)})" if reasons else "")


@command("show module [MODULE...]", "lists modules; of named ones also gates and metadata")
def show_module(shell: Shell, names: list[str]) -> None:
    client = shell.daemon()
    for name in dict.fromkeys(names):
        _show_one_module(shell, client.get_module_info(name))
    if not names:
        rows = [
            [module.name, module.mclass, module.desc] for module in client.list_modules().modules
        ]
        shell.table_or("There are no modules.", ["module", "class", "description"], rows)


def _show_one_module(shell: Shell, info: Any) -> None:
    shell.say(f"{info.name}::{info.mclass}" + (f"  {info.desc}" if info.desc else ""))
    for gate in info.igates:
        sources = ", ".join(f"{source.name}:{source.ogate}" for source in gate.ogates)
        shell.say(f"  in  {gate.igate:>5} <- {sources}{_hooks(gate)}")
    for gate in info.ogates:
        counts = (
            f"  {count(gate.pkts)} packets in {count(gate.cnt)} batches" if gate.timestamp else ""
        )
        shell.say(f"  out {gate.ogate:>5} -> {gate.igate}:{gate.name}{counts}{_hooks(gate)}")
    for attribute in info.metadata:
        shell.say(
            f"  {attribute.mode:6} {attribute.name} ({attribute.size} bytes){_offset(attribute.offset)}"
        )
    if info.deadends:
        shell.say(f"  {info.deadends} packets left by gates that lead nowhere")


def _hooks(gate: Any) -> str:
    names = [hook.class_name for hook in gate.gatehooks if hook.class_name != "Track"]
    return f"  [{', '.join(names)}]" if names else ""


def _offset(offset: int) -> str:
    known = {-1: ", nobody reads it", -2: ", nobody writes it", -3: ", no space for it"}
    return known.get(offset, f" at offset {offset}")


@command(
    "show mclass [MCLASS...]", "lists module classes; of named ones also arguments and commands"
)
def show_mclass(shell: Shell, names: list[str]) -> None:
    client = shell.daemon()
    for name in dict.fromkeys(names):
        info = client.get_mclass_info(name)
        shell.say(f"{info.name}  {info.help}")
        shell.say(f"  arguments: {_fields(client, f'{name}Arg') or 'none'}")
        for cmd, arg_type in zip(info.cmds, info.cmd_args):
            shell.say(f"  {cmd}({arg_type}): {_fields(client, arg_type) or 'none'}")
    if not names:
        rows = [[name, client.get_mclass_info(name).help] for name in client.list_mclasses().names]
        shell.table_or("The daemon has no module classes.", ["class", "what it does"], rows)


def _fields(client: Any, message: str) -> str:
    """The fields of a message, as one may write them behind a command."""
    found = client.protos.find(message)
    return ", ".join(found.DESCRIPTOR.fields_by_name) if found else ""


@command("show driver [DRIVER...]", "lists drivers of ports")
def show_driver(shell: Shell, names: list[str]) -> None:
    client = shell.daemon()
    rows = [
        [name, client.get_driver_info(name).help]
        for name in names or client.list_drivers().driver_names
    ]
    shell.table_or("The daemon has no drivers.", ["driver", "what it does"], rows)


@command("show gatehook", "lists the hooks on gates")
def show_gatehook(shell: Shell) -> None:
    rows = []
    for hook in shell.daemon().list_gatehooks().hooks:
        direction = "in" if hook.WhichOneof("gate") == "igate" else "out"
        gate = getattr(hook, f"{direction[0]}gate")
        arg_type = packed_type(hook.arg) if hook.HasField("arg") else ""
        rows.append([hook.hook_name, hook.class_name, hook.module_name, direction, gate, arg_type])
    shell.table_or(
        "There are no gate hooks.",
        ["hook", "class", "module", "direction", "gate", "argument"],
        rows,
    )


@command(
    "show pipeline [packet|batch|bit]", "draws the pipeline; beside each edge what has passed it"
)
def show_pipeline(shell: Shell, unit: str | None) -> None:
    modules = read_pipeline(shell.daemon())
    if not modules:
        shell.say("There is no pipeline.")
        return
    chosen = unit or "packet"
    shell.say(render(modules, totals(modules, chosen), shell.console.width))
    if said := remark(modules, chosen):
        shell.say(said)


@command(
    "show drops [MODULE...]",
    "shows what became of every packet, drops by reason, and whether it adds up",
)
def show_drops(shell: Shell, names: list[str]) -> None:
    client = shell.daemon()
    with _only_bessd("drops by reason"):
        ledger, balance = read_ledger(client, names)
    rows = [row for module in ledger.modules if any((row := _ledger_row(module))[2:6])]
    rows.sort(key=lambda row: int(row[5]), reverse=True)
    gone = _departed(ledger)
    rows += [gone] if any(gone[2:6]) and not names else []
    right = ("created", "consumed", "held", "dropped")
    shell.table_or("No packet has been seen.", ["module", "class", *right, "reasons"], rows, right)
    if not names:
        shell.say(balance)


def _departed(ledger: Any) -> list[Any]:
    """The row of what totals have beyond the modules that are there: what those had that are gone,
    and drops that were no module's.
    """
    drops = Counter(dict(ledger.totals.dropped_by_reason))
    for module in ledger.modules:
        drops.subtract({drop.reason: drop.packets for drop in module.drops})
    counts = [
        getattr(ledger.totals, kind) - sum(getattr(module, kind) for module in ledger.modules)
        for kind in ("created", "consumed", "held")
    ]
    reasons = ", ".join(
        f"{reason} {packets}" for reason, packets in sorted(drops.items()) if packets
    )
    return ["(modules that are gone)", "", *counts, sum(drops.values()), reasons]


def _ledger_row(module: Any) -> list[Any]:
    dropped = sum(drop.packets for drop in module.drops)
    reasons = ", ".join(f"{drop.reason} {drop.packets}" for drop in module.drops if drop.packets)
    counts = [module.created, module.consumed, module.held, dropped]
    return [module.name, module.mclass, *counts, reasons]


def read_ledger(client: Any, names: list[str]) -> tuple[Any, str]:
    """The books of packets, and whether they add up, in words. While workers run, each counter is
    read at another instant: what is open then is more or less than what is in motion, so that what
    stays open over several readings is not.
    """
    runs = any(worker.running for worker in client.list_workers().workers_status)
    most = 0
    for _ in range(READINGS if runs else 1):
        ledger = client.get_ledger(names)
        missing = _missing(ledger.totals)
        if missing and runs:
            most = max(most, sum(pool.mp_in_use_count for pool in client.dump_mempool().dumps))
        if 0 <= missing <= most:
            break
    return ledger, _balance(ledger.totals, most)


def _missing(totals: Any) -> int:
    return int(totals.created - (totals.consumed + totals.dropped + totals.held))


def _balance(totals: Any, in_use: int) -> str:
    """Whether packets add up, when no more than those in use can be in motion."""
    ended = f"{totals.consumed} consumed + {totals.dropped} dropped + {totals.held} held"
    missing = _missing(totals)
    if missing == 0:
        return f"{totals.created} created = {ended}: it adds up."
    if 0 < missing <= in_use:
        return f"{totals.created} created ~ {ended}: {missing} are in motion."
    what = "not accounted for" if missing > 0 else "too many"
    return f"{totals.created} created != {ended}: {abs(missing)} packets are {what}."


@contextmanager
def _only_bessd(what: str) -> Iterator[None]:
    """Says of a daemon that does not know a request that another would."""
    try:
        yield
    except RPCError as error:
        if error.status == "UNIMPLEMENTED":
            raise CommandError(f"{error}; {what} need bessd") from error
        raise


def _chosen(kind: str, known: dict[str, Any], names: list[str]) -> list[Any]:
    missing = [name for name in names if name not in known]
    if missing:
        raise CommandError(
            f"there is no {kind} '{missing[0]}'; known are: {', '.join(known) or 'none'}"
        )
    return [known[name] for name in dict.fromkeys(names)] if names else list(known.values())
