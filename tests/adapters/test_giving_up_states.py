"""A chain gives old states up, says how to keep them, and keeps what is pinned; an archive keeps all."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from coc._native import Chain, LimitExceeded, Pruned, UnknownBlock
from coc.adapters.chain_port import ARCHIVE, closing, open_chain
from coc.adapters.flushing import COPY_NODES_MAX
from coc.adapters.folder_store import folder_figures
from coc.primitives.secp256k1 import address_of
from tests.adapters.sealed_chain import VALIDATOR, SealedChain, genesis

PRUNING = {"states_kept": 4, "copy_from_bytes": 1}
PINS_MAX = 16


def grown(sealed: SealedChain, chain: Chain, blocks: int) -> list[bytes]:
    """Blocks with a transfer each, flushed one by one, and the copier at work in between."""
    hashes = []
    for _ in range(blocks):
        nonce, *_ = chain.accounts(chain.head.hash, [address_of(VALIDATOR)])[0]
        sealed.extend(transactions=[sealed.judged(sealed.transfer(nonce))])
        chain.flush()
        while chain.copy_some(COPY_NODES_MAX):
            pass
        hashes.append(chain.head.hash)
    return hashes


def nonce_at(chain: Chain, block: bytes) -> int:
    return chain.accounts(block, [address_of(VALIDATOR)])[0][0]


def on(folder: Path, options: Mapping[str, int]) -> SealedChain:
    sealed = SealedChain()
    sealed.chain = open_chain(genesis().text, folder, options)
    return sealed


def test_old_states_go_with_their_files_and_the_newest_stay(tmp_path: Path) -> None:
    sealed = on(tmp_path, PRUNING)
    with closing(sealed.chain) as chain:
        hashes = grown(sealed, chain, 60)
        assert [nonce_at(chain, hash_) for hash_ in hashes[-4:]] == [57, 58, 59, 60]
        with pytest.raises(Pruned, match=r"missing trie node.*--archive"):
            nonce_at(chain, hashes[0])
    del chain, sealed  # the store can be open once
    state = folder_figures(tmp_path)["state"]
    assert state["is_pruned"] is True
    assert state["generations"][0]["generation"] > 1


def test_an_archive_keeps_every_state(tmp_path: Path) -> None:
    sealed = on(tmp_path, {**PRUNING, **ARCHIVE})
    with closing(sealed.chain) as chain:
        hashes = grown(sealed, chain, 60)
        assert [nonce_at(chain, hash_) for hash_ in hashes] == list(range(1, 61))
    del chain, sealed  # the store can be open once
    state = folder_figures(tmp_path)["state"]
    assert (state["is_pruned"], state["copied_height"]) == (False, None)
    assert [each["generation"] for each in state["generations"]] == [1]


def test_a_pinned_state_stays_until_it_is_unpinned(tmp_path: Path) -> None:
    sealed = on(tmp_path, PRUNING)
    with closing(sealed.chain) as chain:
        pinned = grown(sealed, chain, 10)[-1]
        chain.pin_state(pinned)
        grown(sealed, chain, 60)
        assert nonce_at(chain, pinned) == 10
        chain.unpin_state(pinned)
        newest = grown(sealed, chain, 60)
        with pytest.raises(Pruned):
            chain.pin_state(pinned)
        with pytest.raises(UnknownBlock):
            chain.pin_state(bytes(32))
        chain.unpin_state(newest[-1])
    del chain, sealed  # the store can be open once
    state = folder_figures(tmp_path)["state"]
    assert state["is_pruned"] is True


def test_so_many_states_can_be_pinned_and_no_more(tmp_path: Path) -> None:
    sealed = on(tmp_path, ARCHIVE)
    with closing(sealed.chain) as chain:
        hashes = grown(sealed, chain, PINS_MAX + 1)
        for hash_ in hashes[:PINS_MAX]:
            chain.pin_state(hash_)
        chain.pin_state(hashes[0])
        with pytest.raises(LimitExceeded, match="16 states are pinned"):
            chain.pin_state(hashes[-1])
