"""Running a node from a command: its loop, the signals that end it, and the terminal meanwhile."""

from __future__ import annotations

import asyncio
import gc
import ipaddress
import signal
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

import rich_click as click

from coc.cli.exits import fail
from coc.cli.live_line import LiveLine
from coc.primitives.frozen import replace

if TYPE_CHECKING:
    from coc.adapters.chain_port import OpenChain
    from coc.adapters.live_node import NodeChoices
    from coc.adapters.telemetry import Telemetry

YOUNG_OBJECTS: Final = 10_000
"""Between two looks for garbage: transactions come by the thousand, wait, and are none. Python: 700."""

LOG_LEVELS = ("debug", "info", "warning", "error")

log_level_option = click.option(
    "--log-level",
    default="warning",
    show_default=True,
    type=click.Choice(LOG_LEVELS),
    help="Log lines on standard error.",
)


def run_node(
    choices: NodeChoices, announce: Callable[[OpenChain, int], None], *, log_level: str, shows_blocks: bool
) -> None:
    """Serve until SIGINT or SIGTERM; `announce` is told when requests are answered.

    Raises:
        CocError: the node cannot start.
    """
    import uvloop

    from coc.adapters.log_lines import log_to_stderr
    from coc.adapters.telemetry import Telemetry

    log_to_stderr(log_level)
    telling: list[Telemetry] = []

    def goal() -> int | None:
        return telling[-1].goal()

    live = LiveLine(enabled=shows_blocks and sys.stdout.isatty(), goal=goal)
    # Transactions that wait are many and no garbage; what is loaded by now is never garbage either.
    gc.freeze()
    gc.set_threshold(YOUNG_OBJECTS, *gc.get_threshold()[1:])
    is_over = False
    while not is_over:
        telling.append(Telemetry(live.on_block))
        # A loop a life: what waits in it would hold the chain of the last one.
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            port = runner.run(_serve(choices, telling[-1], announce))
        if port is None:
            is_over = True
        else:
            telling.clear()
            del runner
            gc.collect()  # the lock of the folder goes with the last that knows its chain
            # Clients find it where it was, also where the system has chosen the port.
            choices, announce = replace(choices, http=replace(choices.http, port=port)), _announce_nothing
    live.close()


async def _serve(
    choices: NodeChoices, telemetry: Telemetry, announce: Callable[[OpenChain, int], None]
) -> int | None:
    """Serve; the port of clients where the node is to be started again, on another chain (DIVERGE-10)."""
    from coc.adapters.live_node import serve

    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for name in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(name, stop.set)
    ports: list[int] = []

    def ready(chain: OpenChain, port: int) -> None:
        ports.append(port)
        announce(chain, port)

    is_renewed = await serve(choices, telemetry, ready, stop)
    if is_renewed:
        for name in (signal.SIGINT, signal.SIGTERM):
            loop.remove_signal_handler(name)  # they would hold this loop, and with it the chain
    return ports[-1] if is_renewed else None


def _announce_nothing(chain: OpenChain, port: int) -> None:
    """Whoever started the node knows it already."""


def refuse_public_keys_in_public(host: str, cure: str) -> None:
    """End the command where a chain whose keys everybody knows would be reachable by others."""
    if not _is_loopback(host):
        fail(f"--host {host} can be reached by others, and everybody knows the keys of this chain", cure)


def endpoint(host: str, port: int) -> str:
    """The URL of a node's RPC."""
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
