# SPDX-License-Identifier: Apache-2.0
"""`run`: a script takes the place of what runs, or what runs goes on.

A script is first rehearsed against a recorder: if that shows it to be wrong, the daemon is not
touched. Only then is the daemon reset and the script run on it. Should it fail there all the same,
what ran before is put back as far as the client can, and the operator is told how far that was.
"""

import os
import re
import sys
from pathlib import Path
from typing import Any

from besslang import NeedsDaemon, RecordingClient, Script, ScriptError, execute, rehearse
from besslang.catalogue import from_daemon
from besslang.tokens import variables
from pybess.errors import APIError, ConstraintError, Error, RPCError

from besscli import snapshot as snapshots
from besscli.errors import CommandError
from besscli.shell import Shell, command
from besscli.values import environment

CONF_DIRS = (
    Path(__file__).resolve().parents[1] / "conf",
    Path(__file__).resolve().parents[2] / "sample_conf",
)


@command(
    "run CONF [ARGS]",
    "runs a script by its path, or a sample by its name; ARGS are variables: A=1,B=2",
)
def run_conf(shell: Shell, name: str, env: str) -> None:
    run_script(shell, *with_variables(find_script(name), env))


@command("run file FILE [ARGS]", "runs a script by its path")
def run_file(shell: Shell, path: str, env: str) -> None:
    run_script(shell, *with_variables(Path(os.path.expanduser(path)), env))


def find_script(name: str) -> Path:
    """The file of a script: a path, or the name of a sample with or without its suffix."""
    path = Path(os.path.expanduser(name))
    for candidate in [
        path,
        *(root / f"{name}{suffix}" for root in CONF_DIRS for suffix in ("", ".bess")),
    ]:
        if candidate.is_file():
            return candidate
    if path.exists():
        raise CommandError(f"'{name}' is no script: it is no regular file")
    raise CommandError(f"there is no script '{name}': no such file, and no sample of that name")


def with_variables(path: Path, env: str) -> tuple[Script, dict[str, str]]:
    """A script and the variables it is given; warns of those that it does not read."""
    script, given = Script.parse(path), environment(env)
    for name in _unread(script, given):
        reads = ", ".join(sorted(set(variables(script.text, script.path)))) or "none"
        print(f"bessctl: the script reads no ${name}; it reads: {reads}", file=sys.stderr)
    return script, given


def _unread(script: Script, given: dict[str, str]) -> list[str]:
    """Those that a script says nowhere. One that looks into the environment may put names together."""
    words = set(re.findall(r"\w+", script.text))
    return [] if words & {"environ", "getenv"} else sorted(set(given) - words)


def run_script(shell: Shell, script: Script, env: dict[str, str]) -> None:
    """Rehearses a script and puts it in the place of what runs."""
    client = shell.daemon()
    try:
        rehearse(script, RecordingClient(from_daemon(client)), env)
    except NeedsDaemon as reason:
        shell.warn(f"{script.path} could not be checked before its run: {reason}")
    except ScriptError as error:
        raise CommandError(f"{error}\nThe daemon was not touched.") from error
    before = snapshots.take(client)
    if before.modules and not shell.confirm(
        f"Replace the running pipeline of {len(before.modules)} modules?"
    ):
        raise CommandError("left as it is")
    previous, shell.running = shell.running, None
    try:
        _replace(client, script, env)
    except RPCError as error:
        raise CommandError(f"{error}; the run of {script.path} broke off") from error
    except (Error, APIError, ConstraintError, ScriptError, NeedsDaemon, KeyboardInterrupt) as error:
        reason_text = "interrupted" if isinstance(error, KeyboardInterrupt) else str(error)
        raise CommandError(f"{reason_text}\n{_put_back(shell, before, previous)}") from error
    shell.running = (script, env)
    shell.say("Done.")


def _replace(client: Any, script: Script, env: dict[str, str]) -> None:
    client.pause_all()
    client.reset_all()
    execute(script, client, env)
    client.resume_all()


def _put_back(
    shell: Shell, before: snapshots.Snapshot, previous: tuple[Any, dict[str, str]] | None
) -> str:
    """Restores what ran, by its script where that is known to be what ran, else from the snapshot."""
    client = shell.client
    try:
        client.pause_all()
        client.reset_all()
        if previous and _was_running(client, before, previous):
            execute(previous[0], client, previous[1])
            _resume(client)
            shell.running = previous
            return f"{previous[0].path} runs again, from its start: counters and the state of flows are lost."
        before.restore(client)
        _resume(client)
    except (Error, APIError, ConstraintError, ScriptError, RPCError) as error:
        return f"What ran before could NOT be put back: {error}"
    if not before.modules:
        return "The daemon is empty, as it was before."
    lost = ", ".join([*before.lost, "counters", "the state of flows"])
    return (
        f"The {len(before.modules)} modules that ran before run again, but these are lost: {lost}."
    )


def _resume(client: Any) -> None:
    """Resumes what ran before, whatever its constraints; clients of BESS must check before they
    resume.
    """
    client.check_scheduling_constraints()
    client.resume_all(check=False)


def _was_running(
    client: Any, before: snapshots.Snapshot, previous: tuple[Any, dict[str, str]]
) -> bool:
    """Whether the last script of this session is still what ran, as far as a rehearsal can tell."""
    recorder = RecordingClient(from_daemon(client))
    try:
        rehearse(previous[0], recorder, previous[1])
    except (ScriptError, NeedsDaemon):
        return False
    return before.is_of(recorder.pipeline)
