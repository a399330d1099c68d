"""A network namespace with one link to it that a test may cut.

Making one needs root and a kernel that lets a container do it; where that is missing a test is skipped, and
says so.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.e2e.network.network_process import Place
from tests.e2e.root_commands import run_or_skip

PROCESSES = 64_000
"""Names and addresses follow from the process, so that two runs do not meet."""


@dataclass(frozen=True, slots=True)
class Namespace:
    """A namespace and the outer end of its link."""

    name: str
    outer: str
    address: str
    gateway: str
    """Where processes outside listen to be reached from inside."""

    @property
    def place(self) -> Place:
        """Where a node inside listens, and how it is started there."""
        return Place(self.address, ("ip", "netns", "exec", self.name))

    def cut(self) -> None:
        """Nothing passes any more; connections are not told."""
        subprocess.run(["ip", "link", "set", self.outer, "down"], check=True)

    def narrow(self, megabits: int) -> None:
        """From now on so many megabits a second pass, each way."""
        for place, device in (((), self.outer), (("ip", "netns", "exec", self.name), "inner")):
            shape = ("tbf", "rate", f"{megabits}mbit", "burst", "32kb", "latency", "100ms")
            run_or_skip(*place, "tc", "qdisc", "add", "dev", device, "root", *shape)

    def bytes_in(self) -> int:
        """How many bytes have gone inside."""
        return int(Path(f"/sys/class/net/{self.outer}/statistics/tx_bytes").read_text())

    def heal(self) -> None:
        """Everything passes again."""
        subprocess.run(["ip", "link", "set", self.outer, "up"], check=True)


@contextmanager
def namespace() -> Iterator[Namespace]:
    """A namespace for as long as the context lasts; processes in it must have ended before."""
    number = os.getpid() % PROCESSES
    name, outer = f"coc-{number}", f"coc{number}"
    # 198.18.0.0/15 is set aside for tests of networks (RFC 2544); four addresses a link.
    high, low = divmod(number * 4 % 65_536, 256)
    block = f"198.18.{high}"
    inside = ("ip", "netns", "exec", name)
    run_or_skip("ip", "netns", "add", name)
    try:
        run_or_skip("ip", "link", "add", outer, "type", "veth", "peer", "name", "inner", "netns", name)
        run_or_skip("ip", "address", "add", f"{block}.{low + 1}/30", "dev", outer)
        run_or_skip("ip", "link", "set", outer, "up")
        run_or_skip(*inside, "ip", "address", "add", f"{block}.{low + 2}/30", "dev", "inner")
        run_or_skip(*inside, "ip", "link", "set", "inner", "up")
        run_or_skip(*inside, "ip", "link", "set", "lo", "up")
        yield Namespace(name, outer, f"{block}.{low + 2}", f"{block}.{low + 1}")
    finally:
        subprocess.run(["ip", "netns", "delete", name], check=True)
