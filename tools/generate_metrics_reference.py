"""Writes docs/reference/metrics.md: every series that a node shows at `/metrics`, from its own rows.

A test compares the file with what this module renders, so the page and the program cannot differ.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Protocol

from coc._native import Chain
from coc.adapters.chain_port import closing, open_chain
from coc.adapters.constructor_runner import run_constructor
from coc.adapters.metrics import Series
from coc.adapters.telemetry import Readings, Telemetry
from coc.adapters.validator.rotation_service import RotationNetworkService
from coc.adapters.validator.service import NetworkChoices, ValidatorService
from coc.execution.dev_genesis import DEV_CHAIN_ID, DEV_GAS_LIMIT
from coc.execution.dev_network import DevNetwork, dev_network_genesis, dev_validators
from coc.execution.genesis import Genesis, read_genesis
from coc.execution.network_genesis import RotationGenesis, network_genesis, rotation_genesis
from coc.primitives.mnemonic import DEV_MNEMONIC
from coc.primitives.secp256k1 import address_of, public_key_of
from coc.primitives.validators import Validator

ROOT = Path(__file__).resolve().parent.parent
PLACE = ROOT / "docs" / "reference" / "metrics.md"

OPENING = """\
# Metrics, health and log reference

<!-- Written by `make docs` from the node's own rows; changes belong there. -->

A node answers three pages beside JSON-RPC, on the same port:

| page | answer |
|---|---|
| `/metrics` | the series below, in Prometheus' text format |
| `/livez` | 200 while the node's loop turns |
| `/readyz` | 200 when the node can do its work; else 503 and a line for each reason |

A reason is a part that failed and has not recovered (`sealing`, `flush`, `journal`), a `defect`, or
`stopping`.

Log lines are JSON objects on standard error, one a line, with `time`, `level`, `logger` and `message`;
`--log-level` chooses how many. A failure that lasts is logged once.

## Series of every node
"""

CLOSING = """
The `process_…` series are those that Prometheus' client libraries share: memory, CPU, open files, start.
"""


GENESIS_TIME = 1_700_000_000
"""Unix time, in seconds, of chains that are composed and never started."""

MEMBER = dev_validators(DEV_MNEMONIC, 1)[0]


class Service(Protocol):
    """What is told of a composed node here."""

    async def finish(self) -> None:
        """Let its workers end."""
        ...

    def close(self) -> None:
        """Let go of what it holds."""
        ...


def render() -> str:
    """The whole page."""
    everywhere = _of_every_node()
    names = {each.name for each in everywhere}
    agreeing, taking_turns = (
        [each for each in series if each.name not in names] for series in (_of_bft(), _of_rotation())
    )
    return "\n".join(
        [
            OPENING,
            _table(everywhere),
            "## Series of nodes that agree by BFT, beside those of every node\n",
            _table(agreeing),
            "## Series of nodes that take turns, beside those of every node\n",
            _table(taking_turns) + CLOSING,
        ]
    )


def _of_every_node() -> list[Series]:
    telemetry = Telemetry()
    telemetry.watch(Readings(lambda: (0, 0), lambda: 0, lambda: 0, lambda: 0))
    return telemetry.metrics.series


def _of_bft() -> list[Series]:
    chosen = DevNetwork(DEV_MNEMONIC, 1, 1, DEV_CHAIN_ID, DEV_GAS_LIMIT, 1, GENESIS_TIME)
    genesis = read_genesis(network_genesis(dev_network_genesis(chosen), run_constructor))

    def compose(chain: Chain, folder: Path, telemetry: Telemetry) -> Service:
        choices = NetworkChoices("127.0.0.1", 0, MEMBER.network, consensus=MEMBER.consensus)
        return ValidatorService(genesis, folder, choices, (chain, telemetry), start_again=lambda: None)

    return _composed(genesis, compose)


def _of_rotation() -> list[Series]:
    name, key = address_of(MEMBER.consensus), public_key_of(MEMBER.consensus)
    genesis = read_genesis(
        rotation_genesis(RotationGenesis([Validator(name, key, key, 1, name)], timestamp=GENESIS_TIME))
    )
    rules = genesis.coc
    if rules is None:
        raise SystemExit("the genesis of a rotation chain has no rules of ours")

    def compose(chain: Chain, folder: Path, telemetry: Telemetry) -> Service:
        choices = NetworkChoices("127.0.0.1", 0, MEMBER.network, consensus=MEMBER.consensus)
        return RotationNetworkService(genesis, rules, folder, choices, (chain, telemetry))

    return _composed(genesis, compose)


def _composed(genesis: Genesis, compose: Callable[[Chain, Path, Telemetry], Service]) -> list[Series]:
    """The series of a node that is composed on a new folder and never started."""
    telemetry = Telemetry()

    async def run(chain: Chain, folder: Path) -> None:
        service = compose(chain, folder, telemetry)
        await service.finish()
        service.close()

    with TemporaryDirectory() as place, closing(open_chain(genesis.text, Path(place), {})) as chain:
        asyncio.run(run(chain, Path(place)))
    return telemetry.metrics.series


def _table(series: Iterable[Series]) -> str:
    rows = [_row(each) for each in sorted(series, key=lambda each: each.name)]
    return "\n".join(["| series | kind | label | meaning |", "|---|---|---|---|", *rows]) + "\n"


def _row(series: Series) -> str:
    label = f"`{series.label}`" if series.label else ""
    return f"| `{series.exposed_name}` | {series.kind.value} | {label} | {series.text} |"


if __name__ == "__main__":
    PLACE.parent.mkdir(parents=True, exist_ok=True)
    PLACE.write_text(render(), encoding="utf-8")
