"""A signer process of a chain whose validators take turns, over real Unix sockets and a real mark."""

from __future__ import annotations

import socket
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from coc.adapters.validator.mark_file import MARK_NAME
from coc.adapters.validator.signer_socket import RemoteSigner
from coc.consensus.signing_mark import decode_request, encode_request
from coc.node.validator.signer import SigningRefused
from coc.node.validator.signer_messages import AskSignature, decode_question, encode_question
from coc.node.validator.signing_order import SigningOrder
from coc.primitives.seals import SignRequest, Step
from coc.primitives.secp256k1 import address_of, recover_address
from coc.primitives.types import Hash32, Height
from tests.adapters.validator.test_signer_socket import GENESIS, SECRET, serving

SLOTS_CONTESTED = 20


def seal(slot: int, block: bytes = b"a", height: int = 5) -> SignRequest:
    return SignRequest(GENESIS, Height(height), slot, Step.PROPOSAL, Hash32(block * 32))


def test_a_slot_is_signed_for_who_asks_first_and_refused_to_the_other(tmp_path: Path) -> None:  # ROT-28
    with serving(tmp_path, SigningOrder.SLOTS) as path:
        one, other = (RemoteSigner(path, SigningOrder.SLOTS) for _ in range(2))
        signature = one.sign(seal(7))
        assert recover_address(seal(7).digest(), signature) == one.address == address_of(SECRET)
        for refused in (seal(7, b"b"), seal(7, height=6), seal(6, height=9)):
            with pytest.raises(SigningRefused) as told:
                other.sign(refused)
            assert "slot 7" in told.value.why
        assert other.sign(seal(7)) == signature
        assert other.sign(seal(8, height=4))
        one.close()
        other.close()


def test_two_nodes_that_race_for_every_slot_get_one_signature_each_time(tmp_path: Path) -> None:  # ROT-28
    def races(path: Path, block: bytes) -> list[int]:
        node, signed = RemoteSigner(path, SigningOrder.SLOTS), []
        for slot in range(SLOTS_CONTESTED):
            try:
                node.sign(seal(slot, block))
            except SigningRefused:
                continue
            signed.append(slot)
        node.close()
        return signed

    with serving(tmp_path, SigningOrder.SLOTS) as path, ThreadPoolExecutor(2) as pool:
        both = [pool.submit(races, path, block) for block in (b"a", b"b")]
        times = Counter(slot for each in both for slot in each.result())
    assert set(times.values()) == {1}
    assert SLOTS_CONTESTED - 1 in times


def test_the_mark_is_on_disk_when_a_signature_arrives(tmp_path: Path) -> None:  # ROT-9
    with serving(tmp_path, SigningOrder.SLOTS) as path:
        node = RemoteSigner(path, SigningOrder.SLOTS)
        for slot in (3, 9):
            node.sign(seal(slot))
            assert encode_request(seal(slot)) in (tmp_path / "mark" / MARK_NAME).read_bytes()
        node.close()
    with serving(tmp_path, SigningOrder.SLOTS) as path:
        again = RemoteSigner(path, SigningOrder.SLOTS)
        assert again.mark == seal(9)
        again.close()


@pytest.mark.parametrize(
    ("started_for", "node_of"),
    [(SigningOrder.ROUNDS, SigningOrder.SLOTS), (SigningOrder.SLOTS, SigningOrder.ROUNDS)],
)
def test_a_signer_of_the_other_engine_refuses_and_says_how_to_start_it(
    tmp_path: Path, started_for: SigningOrder, node_of: SigningOrder
) -> None:  # ROT-27
    with serving(tmp_path, started_for) as path:
        with pytest.raises(SigningRefused) as told:
            RemoteSigner(path, node_of)
        assert f"--engine {node_of.value}" in told.value.why
        # Nor does it sign for a node that was connected before the signer was started anew.
        with socket.socket(socket.AF_UNIX) as late:
            late.connect(str(path))
            question = encode_question(AskSignature(seal(1), node_of))
            late.sendall(len(question).to_bytes(4, "big") + question)
            assert late.recv(5)[4] == 1
        right = RemoteSigner(path, started_for)
        assert right.mark is None
        right.close()


@pytest.mark.parametrize("order", SigningOrder)
def test_a_question_keeps_by_what_it_is_to_be_judged(order: SigningOrder) -> None:  # ROT-27
    asked = AskSignature(seal(4), order)
    assert decode_question(encode_question(asked)) == asked
    assert decode_request(encode_question(asked)[1:]) == seal(4)
