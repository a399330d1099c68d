"""Proofs of a chain that validators made: executed blocks, votes of a network, a set that changed twice."""

from __future__ import annotations

import io
from collections.abc import Iterable
from functools import cache

import pytest

from coc.consensus.finality.build import build_proof
from coc.consensus.finality.checkpoint import Checkpoint
from coc.consensus.finality.faults import AnchorUnfit, FinalityRefused, ProofInvalid
from coc.consensus.finality.frames import payloads_in, read_proof, write_proof
from coc.consensus.finality.records import Link, Record, Target, decode_record
from coc.consensus.finality.verify import Finality, Trust, verify_proof
from coc.node.finality_rules import finality_rules
from coc.primitives.consensus_data import decode_consensus_data
from coc.primitives.consensus_root import root_of
from coc.primitives.frozen import replace
from coc.primitives.secp256k1 import address_of
from coc.primitives.types import Hash32, Height
from coc.primitives.votes import decode_certificate
from coc.sim.full.network import validator_secret
from tests.consensus.finality.real_chain import HEIGHT, JOINED, LEFT, NEWCOMER, PERIOD, history

read_rules = cache(finality_rules)
"""The genesis is the same in thousands of forgeries."""
TRUST_S = 13
"""Unbonding takes 20 s on this chain, so a checkpoint is good for 13."""


def file_of(target: int, checkpoint: Checkpoint | None = None) -> bytes:
    return b"".join(write_proof(build_proof(history().provable, Height(target), checkpoint)))


def verified(
    file: bytes, checkpoint: Checkpoint | None = None, genesis_hash: Hash32 | None = None, age_s: int = 0
) -> Finality:
    """By a stranger who knows a hash or a checkpoint, so long after the checkpoint was made."""
    return judged(read_proof(io.BytesIO(file)), checkpoint, genesis_hash, age_s)


def judged(
    records: Iterable[Record],
    checkpoint: Checkpoint | None = None,
    genesis_hash: Hash32 | None = None,
    age_s: int = 0,
) -> Finality:
    trust = Trust(genesis_hash or history().genesis_hash, checkpoint)
    now_s = 0 if checkpoint is None else checkpoint.time_s + age_s
    return verify_proof(records, trust, now_s, read_rules)


def test_a_chain_with_two_set_changes_is_proved_from_its_genesis_hash() -> None:  # FIN-3, FIN-6, FIN-7
    found = verified(file_of(HEIGHT))

    header = history().chain.head
    assert header.number >= HEIGHT
    known = history().chain.header(history().hash_at(HEIGHT))
    assert known is not None
    assert (found.block.hash, found.block.state_root) == (known.hash, known.state_root)
    assert (found.periods, found.set_changes) == (HEIGHT // PERIOD, 2)
    assert found.signatures >= 3 * (HEIGHT // PERIOD + 1)


@pytest.mark.parametrize("target", [1, PERIOD - 1, PERIOD, JOINED - 1, JOINED, LEFT - 1, LEFT, HEIGHT - 1])
def test_blocks_around_every_boundary_are_proved(target: int) -> None:  # FIN-5, FIN-7
    found = verified(file_of(target))

    assert found.block.hash == history().hash_at(target)
    assert found.checkpoint == history().checkpoint(target)


@pytest.mark.parametrize("start", [1, PERIOD - 1, JOINED - 1, JOINED, LEFT - 1, LEFT])
def test_a_checkpoint_shortens_the_proof(start: int) -> None:  # FIN-4
    target = start + 8
    checkpoint = history().checkpoint(start)

    found = verified(file_of(target, checkpoint), checkpoint, age_s=TRUST_S)

    assert found.block.hash == history().hash_at(target)
    assert found.periods == target // PERIOD - (start + 1) // PERIOD


def test_the_sets_are_those_that_transactions_made() -> None:  # FIN-6
    links = [
        record for record in build_proof(history().provable, Height(HEIGHT), None) if isinstance(record, Link)
    ]
    changes = [link.next_validators for link in links if link.next_validators is not None]

    assert [[entry.id for entry in validators.validators] for validators in changes] == [
        [address_of(validator_secret(index)) for index in (0, 1, 2, 3, NEWCOMER)],
        [address_of(validator_secret(index)) for index in (1, 2, 3, NEWCOMER)],
    ]


def test_the_root_is_the_one_that_the_native_core_put_into_the_header() -> None:  # FIN-6
    for height in (1, PERIOD, JOINED, HEIGHT):
        header = history().chain.header(history().hash_at(height))
        assert header is not None
        assert root_of(header.consensus_data) == header.parent_beacon_block_root


def test_the_hash_of_another_chain_is_refused() -> None:  # FIN-2
    with pytest.raises(AnchorUnfit, match="another chain"):
        verified(file_of(3), genesis_hash=Hash32(history().hash_at(1)))


def test_a_stale_checkpoint_is_refused() -> None:  # FIN-11
    registry = history().provable.rules.registry
    assert registry is not None
    assert (registry.unbonding_s, registry.trust_s) == (20, TRUST_S)
    checkpoint = history().checkpoint(HEIGHT - 2)
    file = file_of(HEIGHT - 1, checkpoint)

    assert verified(file, checkpoint, age_s=TRUST_S).block.height == HEIGHT - 1
    with pytest.raises(AnchorUnfit, match="too old"):
        verified(file, checkpoint, age_s=TRUST_S + 1)


def test_records_of_a_real_proof_cannot_change_places() -> None:  # FIN-9
    payloads = list(payloads_in(io.BytesIO(file_of(LEFT))))
    for index in range(len(payloads) - 1):
        swapped = [*payloads[:index], payloads[index + 1], payloads[index], *payloads[index + 2 :]]

        with pytest.raises(FinalityRefused):
            judged(map(decode_record, swapped))


def test_a_certificate_of_another_height_or_of_a_minority_is_refused() -> None:  # FIN-8
    *before, last = (decode_record(payload) for payload in payloads_in(io.BytesIO(file_of(5))))
    assert isinstance(last, Target)
    own = decode_certificate(last.certificate)
    two = own.signers()[:2]
    minority = replace(own, bitmap=sum(1 << index for index in two), signatures=own.signatures[:2])
    for certificate in (history().provable.blocks.certificate(Height(6)), minority.encode()):
        forged = replace(last, certificate=certificate)

        with pytest.raises(ProofInvalid):
            judged([*before, forged])


def test_every_byte_of_a_real_proof_matters() -> None:  # FIN-1, FIN-9
    """In the file as it is, and with its checksum put right."""
    checkpoint = history().checkpoint(JOINED - 2)
    file = file_of(JOINED, checkpoint)
    assert verified(file, checkpoint, age_s=TRUST_S).set_changes == 1
    for position in range(len(file)):
        with pytest.raises(FinalityRefused):
            list(read_proof(io.BytesIO(_flipped(file, position))))
    payloads = list(payloads_in(io.BytesIO(file)))
    for index, payload in enumerate(payloads):
        for position in range(len(payload)):
            forgery = [*payloads[:index], _flipped(payload, position), *payloads[index + 1 :]]

            with pytest.raises(FinalityRefused):
                judged(map(decode_record, forgery), checkpoint, age_s=TRUST_S)


def test_a_real_proof_cut_anywhere_is_refused() -> None:  # FIN-9
    checkpoint = history().checkpoint(JOINED - 2)
    file = file_of(JOINED, checkpoint)
    for length in range(len(file)):
        with pytest.raises(FinalityRefused):
            judged(list(read_proof(io.BytesIO(file[:length]))), checkpoint, age_s=TRUST_S)


def test_the_target_carries_its_consensus_data() -> None:  # FIN-7
    *_, last = read_proof(io.BytesIO(file_of(JOINED)))
    assert isinstance(last, Target)

    data = decode_consensus_data(last.consensus_data)

    assert len(data.validators.validators) == 5
    assert decode_certificate(data.parent_certificate).height == JOINED - 1


def _flipped(data: bytes, position: int) -> bytes:
    return data[:position] + bytes([data[position] ^ 0x01]) + data[position + 1 :]
