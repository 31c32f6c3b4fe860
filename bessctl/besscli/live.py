# SPDX-License-Identifier: Apache-2.0
"""Changes of what runs, without pausing it: `apply`, `diff`, `history`, `rollback`, `save`, `watch`.

A script is rehearsed against a recorder, and the state it describes is what the daemon is asked
for: only what differs from what runs is changed. At a terminal the differences are shown first, and
what is then agreed to is what is done, or nothing if somebody else was faster.
"""

import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from besslang import NeedsDaemon, RecordingClient, Script, Writer, rehearse, to_state
from besslang.catalogue import from_daemon
from pybess.errors import StatusError

from besscli.difference import draw, summary
from besscli.errors import CommandError
from besscli.run import find_script, with_variables
from besscli.shell import Shell, command
from besscli.values import whole_number

# Asks for a change: whether only to tell what would change, and which version it is to change.
Request = Callable[[bool, int], Any]

_HEAD = "# What bessd runs; `bessctl apply` takes it back.\n\n"


@command(
    "apply FILE [--dry-run] [ARGS]",
    "makes what runs what a script describes, by changing only what differs; ARGS are variables",
)
def apply(shell: Shell, name: str, dry_run: str | None, env: str) -> None:
    script, variables = with_variables(find_script(name), env)
    client = shell.daemon()
    recorder = RecordingClient(from_daemon(client))
    try:
        rehearse(script, recorder, variables)
    except NeedsDaemon as reason:
        raise CommandError(
            f"{script.path} describes no state of its own: {reason}; `run` can run it"
        ) from None
    state = to_state(recorder.pipeline, client.protos)
    comment = f"apply {name} {env}".strip()

    def request(dry: bool, version: int) -> Any:
        return client.apply(state, version, dry, comment=comment)

    try:
        done = _carry_out(shell, request, dry_run is not None)
    except StatusError as error:
        raise CommandError(_with_lines(error, script, recorder)) from error
    if done:
        shell.running = (script, variables)


@command("diff FILE [ARGS]", "shows what `apply` would change, and changes nothing")
def diff(shell: Shell, name: str, env: str) -> None:
    apply(shell, name, "--dry-run", env)


@command("rollback VERSION [--dry-run]", "makes what runs what it was after an earlier commit")
def rollback(shell: Shell, version: str, dry_run: str | None) -> None:
    wanted = whole_number("a version", version)
    client = shell.daemon()
    if _carry_out(
        shell, lambda dry, present: client.rollback(wanted, present, dry), dry_run is not None
    ):
        shell.running = None


def _carry_out(shell: Shell, request: Request, dry_run: bool) -> bool:
    """Asks for a change and shows it; at a terminal, the other way round. Whether it was made."""
    look_first = dry_run or shell.interactive
    answer = request(look_first, 0)
    for warning in answer.warnings:
        shell.warn(warning)
    if not answer.changes:
        shell.say(f"Nothing differs from what runs (version {answer.version}).")
        return not dry_run
    shell.console.print(draw(answer.changes, Writer(shell.client.protos)), soft_wrap=True)
    told = summary(answer.changes)
    if dry_run:
        shell.say(f"Would be: {told}.")
        return False
    if look_first:
        if not shell.confirm(f"Do this: {told}?"):
            raise CommandError("left as it is")
        answer = request(False, answer.version)
    shell.say(f"Version {answer.version}: {told}.")
    return True


def _with_lines(error: StatusError, script: Script, recorder: RecordingClient) -> str:
    """All that is wrong, each with the line of the script that asks for it."""
    said = []
    for problem in error.problems:
        line = recorder.origins.get(problem.path)
        said.append(f"{script.path}:{line}: {problem}" if line else str(problem))
    if error.count > len(said):
        said.append(f"and {error.count - len(said)} more")
    return "\n".join([*said, "Nothing was changed."])


@command("history [LIMIT]", "lists the commits that `rollback` can go back to, newest first")
def history(shell: Shell, limit: str | None) -> None:
    most = whole_number("a limit", limit) if limit else 0
    rows = [
        [commit.version, _moment(commit.timestamp), commit.num_changes, commit.comment]
        for commit in shell.daemon().get_history(most).commits
    ]
    columns = ["version", "time", "changes", "what"]
    shell.table_or("Nothing was committed.", columns, rows, ("version", "changes"))


@command("save FILE", "writes what runs as a script that `apply` takes back")
def save(shell: Shell, name: str) -> None:
    client = shell.daemon()
    answer = client.get_state()
    text = _HEAD + Writer(client.protos).script(answer.state)
    path = Path(os.path.expanduser(name))
    if path.exists() and not shell.confirm(f"Replace {path}?"):
        raise CommandError("left as it is")
    path.write_text(text, encoding="utf-8")
    shell.say(f"Version {answer.version} is in {path}.")


@command("watch", "tells of commits, links, workers and network functions until it is interrupted")
def watch(shell: Shell) -> None:
    for event in shell.daemon().watch():
        kind = event.WhichOneof("event")
        if kind is not None:
            shell.say(f"{_moment(event.timestamp)}  {_TOLD[kind](getattr(event, kind))}")
        if kind == "commit":
            shell.console.print(
                draw(event.commit.changes, Writer(shell.client.protos)), soft_wrap=True
            )


_TOLD: dict[str, Callable[[Any], str]] = {
    "commit": lambda commit: f"version {commit.version}: {commit.comment}",
    "link": lambda link: f"port {link.port}: link {'up' if link.up else 'down'}",
    "nf": lambda nf: f"port {nf.port}: network function {nf.what}"
    + (f" {nf.times} times" if nf.times > 1 else ""),
    "worker": lambda worker: f"worker {worker.wid} {'runs' if worker.running else 'is paused'}",
}


def _moment(timestamp: float) -> str:
    return time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(timestamp))
