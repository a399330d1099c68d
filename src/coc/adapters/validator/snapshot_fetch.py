"""A node that has nothing, on its way to a state: it talks to peers as a node does, and fills its folder."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

from coc.adapters.chain_port import closing, open_chain
from coc.adapters.finality_files import provable_chain
from coc.adapters.validator.service import NetworkChoices, chain_facts
from coc.adapters.validator.snapshot_filling import FetchEnd, Filling, Foothold, Report, SnapshotFetch
from coc.adapters.wire.network import Network
from coc.adapters.wire.network_setup import NetworkSetup
from coc.execution.genesis import Genesis
from coc.primitives.frozen import frozen
from coc.primitives.types import Hash32, PeerId
from coc.wire.identity import PeerFacts
from coc.wire.kinds import Kind


@frozen
class FetchSetup:
    """The chain, the folder to fill, how peers are met, and where to begin, if not at genesis."""

    genesis: Genesis
    folder: Path
    choices: NetworkChoices
    foothold: Foothold | None = None


async def fetch_snapshot(setup: FetchSetup, told: Callable[[Report], None], stop: asyncio.Event) -> FetchEnd:
    """Fill the folder with the state of a block that is proved final.

    Raises:
        WireListenFailed: the address for peers is in use or not ours.
        ChainFailed: the genesis describes no chain.
        AnchorUnfit: nothing can begin at the checkpoint (SYNC-18).
    """
    with closing(open_chain(setup.genesis.text, None, {})) as chain:
        provable = provable_chain(chain, setup.genesis)
        genesis_hash = Hash32(chain.genesis_hash)
    filling = Filling(setup.genesis, setup.folder, provable, setup.foothold)
    fetch = SnapshotFetch(filling, lambda: network, told)
    choices = setup.choices
    network = Network(
        asyncio.get_running_loop(),
        NetworkSetup(
            choices.identity,
            chain_facts(genesis_hash),
            (choices.host, choices.port),
            choices.peers,
            setup.folder,
            http_proxy=choices.http_proxy,
        ),
        _OnlyFetching(fetch),
    )
    fetch.start()
    await network.start()
    stopped = asyncio.ensure_future(stop.wait())
    await asyncio.wait((stopped, fetch.end), return_when=asyncio.FIRST_COMPLETED)
    stopped.cancel()
    await fetch.close()
    await network.close()
    return fetch.end.result() if fetch.end.done() else FetchEnd.STOPPED


class _OnlyFetching:
    """The router of a node that does nothing else."""

    def __init__(self, fetch: SnapshotFetch) -> None:
        self._fetch = fetch

    def on_peer_up(self, peer: PeerId, facts: PeerFacts) -> None:
        """One more can be asked."""
        del facts
        self._fetch.on_peer_up(peer)

    def on_peer_down(self, peer: PeerId) -> None:
        """One is gone."""
        self._fetch.on_peer_down(peer)

    def on_message(self, peer: PeerId, kind: Kind, payload: bytes) -> None:
        """An answer; whatever else a peer tells is not for us yet."""
        self._fetch.on_message(peer, kind, payload)
