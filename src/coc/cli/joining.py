"""`coc node --join`: a data folder from the hash of a genesis, and a node to ask for the rest."""

from __future__ import annotations

import asyncio
from pathlib import Path

from coc.adapters.chain_port import closing, open_chain
from coc.adapters.data_folder import genesis_in, refuse_strangers
from coc.adapters.validator.genesis_fetch import fetch_genesis, genesis_hash_of
from coc.adapters.wire.peer_names import read_peer, read_proxy
from coc.execution.genesis import read_genesis
from coc.primitives.errors import CliError
from coc.primitives.types import Hash32

HASH_BYTES = 32


def join_network(data: Path, place: str, genesis_hash: str | None, http_proxy: str | None = None) -> None:
    """Make the data folder, or see that it holds this very chain; nothing is written before it is sure.

    Raises:
        CliError: there is no hash to check the genesis against, or the folder holds another chain.
        FolderUnfit: the folder holds something else.
        GenesisNotFetched: the node does not give the genesis with this hash.
    """
    node = read_peer(place)
    refuse_strangers(data)
    kept = genesis_in(data)
    if kept is not None:
        _check_kept(data, kept, genesis_hash)
        return
    if genesis_hash is None:
        raise CliError(
            "--join needs --genesis-hash",
            why="whoever answers at that address could hand out a chain of its own making",
            cure="ask somebody you trust: it is the hash of block 0",
        )
    proxy = None if http_proxy is None else read_proxy(http_proxy)
    genesis = asyncio.run(fetch_genesis(node, _hash_of(genesis_hash), proxy))
    with closing(open_chain(genesis.text, data, {})):
        pass  # opening it makes the folder


def _check_kept(data: Path, kept: bytes, genesis_hash: str | None) -> None:
    if genesis_hash is None:
        return
    found = genesis_hash_of(read_genesis(kept))
    if found != _hash_of(genesis_hash):
        raise CliError(
            f"{data} holds another chain than --genesis-hash names",
            why=f"the hash of its genesis is 0x{found.hex()}",
            cure="choose a new or empty folder with --data, or correct the hash",
        )


def _hash_of(text: str) -> Hash32:
    try:
        raw = bytes.fromhex(text.removeprefix("0x"))
    except ValueError:
        raw = b""
    if len(raw) != HASH_BYTES:
        raise CliError(f"{text!r} is no hash", cure="write the 64 hex digits of the genesis hash, after 0x")
    return Hash32(raw)
