"""A node of turns on a data folder: who it is by its keys, what it keeps there, and what it refuses."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from coc._native import Chain, StorageFailed
from coc.adapters.chain_port import closing, open_chain
from coc.adapters.node_keys import KEYS_FOLDER
from coc.adapters.telemetry import Telemetry
from coc.adapters.validator.mark_file import MARK_NAME
from coc.adapters.validator.rotation_service import RotationNetworkService
from coc.adapters.validator.service import NetworkChoices
from coc.adapters.validator.tag_file import TAGS_NAME, open_tags, tags_in
from coc.execution.genesis import CocRules, Genesis, read_genesis
from coc.execution.network_genesis import RotationGenesis, rotation_genesis
from coc.node.rotation.tags import Tags, encode_tags
from coc.node.validator.signer import SigningRefused
from coc.node.validator.signing_order import SigningOrder
from coc.primitives.frozen import replace
from coc.primitives.mnemonic import DEV_MNEMONIC, dev_secrets
from coc.primitives.secp256k1 import address_of, public_key_of
from coc.primitives.types import Hash32
from coc.primitives.validators import Validator
from tests.adapters.validator.test_signer_socket import serving

ONE, TWO, STRANGER = dev_secrets(DEV_MNEMONIC, 3)


def genesis() -> Genesis:
    members = [
        Validator(address_of(each), public_key_of(each), public_key_of(each), 1, address_of(each))
        for each in (ONE, TWO)
    ]
    return read_genesis(rotation_genesis(RotationGenesis(members, timestamp=1_700_000_000)))


@pytest.fixture
def chain(tmp_path: Path) -> Iterator[Chain]:
    with closing(open_chain(genesis().text, tmp_path, {})) as opened:
        yield opened


def composed(folder: Path, chain: Chain, choices: NetworkChoices) -> RotationNetworkService:
    """A node that is composed and never started."""
    made = genesis()
    rules = made.coc
    assert rules is not None

    async def compose(rules: CocRules) -> RotationNetworkService:
        service = RotationNetworkService(made, rules, folder, choices, (chain, Telemetry()))
        await service.finish()
        service.close()
        return service

    return asyncio.run(compose(rules))


CHOICES = NetworkChoices("127.0.0.1", 0, STRANGER)


def test_whose_key_genesis_lists_makes_blocks_and_keeps_what_it_signs(tmp_path: Path, chain: Chain) -> None:
    service = composed(tmp_path, chain, replace(CHOICES, consensus=ONE))
    assert service.status.coinbase() == address_of(ONE)
    assert (tmp_path / "wal").is_dir()


@pytest.mark.parametrize("consensus", [None, STRANGER])
def test_who_has_no_key_of_the_set_follows(tmp_path: Path, chain: Chain, consensus: bytes | None) -> None:
    service = composed(tmp_path, chain, replace(CHOICES, consensus=consensus))
    assert service.status.coinbase() is None
    assert not (tmp_path / "wal").exists()
    assert service.status.syncing() is None
    assert service.status.agreeing() is None


def test_a_signer_process_signs_by_slots_for_the_validator_whose_key_it_holds(
    tmp_path: Path, chain: Chain
) -> None:  # ROT-27
    with serving(tmp_path, SigningOrder.SLOTS, ONE) as path:
        service = composed(tmp_path, chain, replace(CHOICES, signer=path))
    assert service.status.coinbase() == address_of(ONE)
    assert (tmp_path / "wal").is_dir()
    assert not (tmp_path / KEYS_FOLDER / MARK_NAME).exists()


def test_a_signer_process_that_signs_by_rounds_is_refused_before_anything_is_made(
    tmp_path: Path, chain: Chain
) -> None:  # ROT-27
    with serving(tmp_path, SigningOrder.ROUNDS, ONE) as path, pytest.raises(SigningRefused) as told:
        composed(tmp_path, chain, replace(CHOICES, signer=path))
    assert "coc signer --engine rotation" in told.value.why
    assert not (tmp_path / "wal").exists()


def test_the_tags_are_kept_in_the_folder_and_damage_is_noticed(tmp_path: Path) -> None:
    kept = Tags(*(Hash32(bytes([number]) * 32) for number in (1, 2, 3)))
    file = open_tags(tmp_path)
    assert tags_in(file) is None
    file.save(encode_tags(kept))
    del file
    assert tags_in(open_tags(tmp_path)) == kept
    path = tmp_path / TAGS_NAME
    path.write_bytes(bytes(byte ^ 0xFF for byte in path.read_bytes()))
    with pytest.raises(StorageFailed):
        open_tags(tmp_path)
