"""A method as a row of a table, and what its handler is given.

Handlers are plain functions `(context, *arguments) -> answer`. The row says all that callers, documentation
and the transport need: parameters, where the handler's work runs, what a call costs, what comes back, and one
line of text.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum

from coc.primitives.frozen import frozen
from coc.rpc.fee_oracle import FeeOracle
from coc.rpc.filters import FilterBook
from coc.rpc.jobs import Answer
from coc.rpc.nonces import NonceBook
from coc.rpc.parameters import Parameter
from coc.rpc.ports import Accounts, Chain, NoPeers, Peers, Pool, Sealer, Status


class Runs(Enum):
    """Where the work of a method runs."""

    INLINE = "inline"
    POOLED = "pooled"
    WAITING = "waiting"


@frozen
class Settings:
    """What the operator may choose.

    `priority_fee_wei_default` is suggested on a chain without recent transactions, `priority_fee_wei_min` is
    the lowest the pool takes.
    """

    priority_fee_wei_default: int = 1_000_000_000
    priority_fee_wei_min: int = 0


@frozen
class Services:
    """The rest of the node, as handlers see it."""

    chain: Chain
    pool: Pool
    accounts: Accounts
    sealer: Sealer
    status: Status
    keccak256: Callable[[bytes], bytes]
    peers: Peers = NoPeers()


class Context:
    """What every handler is given: the services, the filters, and the time of this request."""

    __slots__ = (
        "accounts",
        "chain",
        "fees",
        "filters",
        "keccak256",
        "methods",
        "nonces",
        "now_ms",
        "peers",
        "pool",
        "sealer",
        "status",
    )

    def __init__(self, services: Services, filters: FilterBook, settings: Settings) -> None:
        """Spread the services out: a handler reads `context.chain`."""
        self.chain = services.chain
        self.pool = services.pool
        self.accounts = services.accounts
        self.sealer = services.sealer
        self.status = services.status
        self.keccak256 = services.keccak256
        self.peers = services.peers
        self.filters = filters
        self.fees = FeeOracle(settings.priority_fee_wei_default, settings.priority_fee_wei_min)
        self.nonces = NonceBook()
        self.methods: dict[str, Method] = {}
        self.now_ms = 0


@frozen
class Method:
    """One row of the method table."""

    name: str
    handler: Callable[..., Answer]
    parameters: tuple[Parameter, ...] = ()
    runs: Runs = Runs.INLINE
    cost: int = 1
    returns: str = ""
    doc: str = ""


def method_table(*groups: tuple[Method, ...]) -> dict[str, Method]:
    """Join the groups by name; a name that two rows claim is a defect found at start."""
    table: dict[str, Method] = {}
    for group in groups:
        for row in group:
            if row.name in table:
                raise ValueError(f"the method {row.name} stands twice in the table")
            table[row.name] = row
    return table
