# SPDX-License-Identifier: Apache-2.0
"""The demo itself: a daemon with sample_conf/live.bess, something to switch, and the books."""

import contextlib
import tempfile
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Callable, Iterator

from besscli import keys
from besslang import Script, execute
from pybess import BESS
from rich.console import Console, Group
from rich.live import Live
from rich.text import Text

from demo import books, traffic, view
from demo.daemon import Daemon
from demo.errors import DemoError
from demo.hosts import Host, Hosts, check_tools

SCRIPT = Path(__file__).resolve().parents[1] / "live.bess"
INTERVAL = 1.0
LONGEST = 600.0  # seconds; a demo somebody forgot ends by itself
REPLAY_SECONDS = 3.0  # without a terminal
NAT_PORTS = 20_000


@dataclass
class Options:
    """What the person asked for."""

    replay: bool = False
    driver: str = "af_packet"
    seconds: float | None = None
    iperf_seconds: int = 3
    interactive: bool = False


class Demo:
    """One run. `steps` are the lines a person has seen so far."""

    def __init__(self, options: Options, console: Console):
        self.options = options
        self.console = console
        self.steps: list[str] = []
        self.busiest: view.Frame | None = None
        self.latest: view.Frame | None = None
        self.books: books.Books | None = None
        self._drawing = False
        self._stop = threading.Event()
        self._done = threading.Event()
        self._failure: Exception | None = None

    def say(self, step: str) -> None:
        """Notes that a step is done; prints it unless the live view shows it."""
        self.steps.append(step)
        if not self._drawing:
            self.console.print(*view.steps_shown([step]))

    def run(self) -> bool:
        """All of it. Whether the traffic went well and the books add up."""
        with self._world() as (variables, work), Daemon() as daemon:
            self.say(f"bessd ready in {daemon.start_seconds:.2f} s, pid {daemon.pid}")
            client = daemon.client()
            client.pause_all()
            execute(Script.parse(SCRIPT), client, variables)
            client.resume_all()
            self.say(f"{SCRIPT.name} runs: {len(client.list_modules().modules)} modules")
            self._watch(client, work)
            client.pause_all()
            self.books = kept = books.settle(client)
            client.disconnect()
        self._conclude(kept)
        if self._failure is not None:
            raise self._failure
        return kept.add_up

    @contextlib.contextmanager
    def _world(self) -> Iterator[tuple[dict[str, str], Callable[[], None]]]:
        """What the switch is connected to: the script's variables, and the work to watch."""
        if self.options.replay:
            self.say("replaying sample_conf/inside.pcap and outside.pcap, over and over")
            yield {}, self._wait
            return
        check_tools("ip", "ethtool", "ping", "curl", "iperf3")
        with Hosts() as hosts, tempfile.TemporaryDirectory(prefix="bess-live-") as scratch:
            here, there = hosts.inside, hosts.outside
            self.say(f"hosts {_name(here)} and {_name(there)}")
            variables = {
                "INSIDE": hosts.vdev(here, self.options.driver),
                "OUTSIDE": hosts.vdev(there, self.options.driver),
                "PORTS": str(NAT_PORTS),
            }
            yield variables, lambda: self._talk(hosts, Path(scratch))

    def _wait(self) -> None:
        interactive = self.options.interactive
        default = LONGEST if interactive else REPLAY_SECONDS
        self._stop.wait(self.options.seconds or default)

    def _talk(self, hosts: Hosts, directory: Path) -> None:
        """Rounds of traffic: one, or in front of a person until told to stop."""
        with traffic.serving(hosts, directory):
            steps: list[Callable[[], None]] = [
                lambda: traffic.ping(hosts, self.say),
                lambda: traffic.knock(hosts, self.say),
                lambda: traffic.download(hosts, self.say, directory),
                lambda: traffic.iperf(hosts, self.say, self.options.iperf_seconds),
            ]
            again = self.options.interactive or self.options.seconds is not None
            while True:
                for step in steps:
                    step()
                    if self._stop.is_set():
                        return
                if not again:
                    return

    def _watch(self, client: BESS, work: Callable[[], None]) -> None:
        """Shows rates while the work goes on in another thread; a key or the clock ends it."""
        worker = threading.Thread(target=self._carefully, args=[work])
        deadline = time.monotonic() + (self.options.seconds or LONGEST)
        worker.start()
        try:
            if self.options.interactive:
                self._watch_live(client, deadline)
            else:
                self._watch_quietly(client, deadline)
        finally:
            # Not join(): Python 3.11 takes a thread for ended when an interrupt meets its join().
            self._stop.set()
            self._done.wait()

    def _carefully(self, work: Callable[[], None]) -> None:
        try:
            work()
        except Exception as error:  # pylint: disable=broad-except
            self._failure = error
        finally:
            self._done.set()

    def _watch_live(self, client: BESS, deadline: float) -> None:
        before = view.read(client)
        shown = len(self.steps)
        self._drawing = True
        waiting = Text("measuring…")
        live = Live(waiting, console=self.console, auto_refresh=False, screen=True)
        try:
            with keys.single_keys(), live:
                while not self._done.is_set() and time.monotonic() < deadline:
                    if keys.key_within(INTERVAL):
                        break
                    before = self._sample(client, before)
                    live.update(self._screen(), refresh=True)
                live.update(Text("stopping…"), refresh=True)
                self._stop.set()
                self._done.wait()
        finally:
            self._drawing = False
            self.console.print(*view.steps_shown(self.steps[shown:]), sep="\n")

    def _watch_quietly(self, client: BESS, deadline: float) -> None:
        before = view.read(client)
        while not self._done.is_set() and time.monotonic() < deadline:
            self._done.wait(INTERVAL)
            before = self._sample(client, before)

    def _sample(self, client: BESS, before: view.Reading) -> view.Reading:
        after = view.read(client)
        self.latest = frame = view.compare(before, after)
        if self.busiest is None or frame.packets > self.busiest.packets:
            self.busiest = frame
        return after

    def _screen(self) -> Group:
        assert self.latest is not None
        size = self.console.size
        heading = Text.assemble(("bessd ", "bold"), "live; any key stops it\n")
        return Group(heading, view.draw(self.latest, self.steps, size.width, size.height - 2))

    def _conclude(self, kept: books.Books) -> None:
        if self.busiest is not None:
            self.console.print("\nThe busiest second:\n", style="bold")
            self.console.print(view.rate_table(self.busiest))
        self.console.print("\nThe books:\n", style="bold")
        books.show(kept, self.console)


def _name(host: Host) -> str:
    return f"{host.namespace} ({host.address})"
