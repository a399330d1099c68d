"""A signer in a process of its own, over real Unix sockets and a real mark on disk."""

from __future__ import annotations

import socket
import stat
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from coc.adapters.validator.mark_file import marked_signer
from coc.adapters.validator.signer_socket import RemoteSigner, SignerServer, SignerUnreachable
from coc.node.validator.signer import SigningRefused
from coc.node.validator.signer_messages import SIGNER_MESSAGE_BYTES_MAX
from coc.node.validator.signing_order import SigningOrder
from coc.primitives.frozen import replace
from coc.primitives.keccak import keccak256
from coc.primitives.seals import SignRequest, Step
from coc.primitives.secp256k1 import Secret, address_of, public_key_of, recover_address, secret_of
from coc.primitives.types import Hash32, Height
from coc.primitives.vrf import VrfProof, verify

SECRET = secret_of(keccak256(b"a validator"))
GENESIS, BLOCK, OTHER = Hash32(b"g" * 32), Hash32(b"a" * 32), Hash32(b"b" * 32)


def request(height: int, block: Hash32 = BLOCK) -> SignRequest:
    return SignRequest(GENESIS, Height(height), 0, Step.PREVOTE, block)


@contextmanager
def serving(
    folder: Path, order: SigningOrder = SigningOrder.ROUNDS, secret: Secret = SECRET
) -> Iterator[Path]:
    path = folder / "signer.sock"
    signer = marked_signer(folder / "mark", secret, order.judge)
    server = SignerServer(path, signer, public_key_of(secret), order)
    thread = threading.Thread(target=lambda: server.serve_forever(poll_interval=0.01))
    thread.start()
    try:
        yield path
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@contextmanager
def signing(path: Path) -> Iterator[RemoteSigner]:
    signer = RemoteSigner(path)
    try:
        yield signer
    finally:
        signer.close()


def test_a_node_learns_whose_key_it_is_and_gets_signatures_and_proofs(tmp_path: Path) -> None:
    with serving(tmp_path) as path, signing(path) as signer:
        assert signer.address == address_of(SECRET)
        assert signer.mark is None
        signature = signer.sign(request(1))
        assert recover_address(request(1).digest(), signature) == address_of(SECRET)
        assert verify(public_key_of(SECRET), b"alpha", VrfProof(signer.prove(b"alpha")))


def test_two_nodes_on_one_signer_cannot_both_sign(tmp_path: Path) -> None:
    with serving(tmp_path) as path, signing(path) as one, signing(path) as other:
        signature = one.sign(request(5))
        with pytest.raises(SigningRefused) as refused:
            other.sign(request(5, OTHER))
        assert "height 5" in refused.value.why
        assert other.sign(request(5)) == signature


def test_the_mark_outlives_the_signer(tmp_path: Path) -> None:
    with serving(tmp_path) as path, signing(path) as signer:
        signer.sign(request(9))
    with serving(tmp_path) as path, signing(path) as signer:
        assert signer.mark == request(9)
        with pytest.raises(SigningRefused):
            signer.sign(request(8))


def test_a_node_whose_signer_went_away_says_so_and_goes_on_when_it_is_back(tmp_path: Path) -> None:
    with serving(tmp_path) as path:
        signer = RemoteSigner(path)
        signer.close()
    with pytest.raises(SignerUnreachable) as gone:
        signer.sign(request(1))
    assert "coc signer" in gone.value.cure
    with serving(tmp_path):
        assert recover_address(request(3).digest(), signer.sign(request(3))) == address_of(SECRET)
        signer.close()


def test_the_socket_is_its_owners_alone(tmp_path: Path) -> None:
    with serving(tmp_path) as path:
        assert stat.S_IMODE(path.stat().st_mode) & 0o077 == 0


def test_a_second_signer_on_a_living_socket_is_refused_and_on_a_dead_one_is_not(tmp_path: Path) -> None:
    with serving(tmp_path) as path, pytest.raises(SignerUnreachable):
        SignerServer(
            path, marked_signer(tmp_path / "other", SECRET), public_key_of(SECRET), SigningOrder.ROUNDS
        )
    assert path.exists()
    with serving(tmp_path), signing(path) as signer:
        assert signer.address == address_of(SECRET)


@pytest.mark.parametrize(
    "nonsense",
    [
        (SIGNER_MESSAGE_BYTES_MAX + 1).to_bytes(4, "big"),
        b"\0\0\0\0",
        b"\0\0\0\x01\x07",
        b"\0\0\0\x03\x01\xc1\x80",
    ],
)
def test_nonsense_ends_a_connection_and_nothing_else(tmp_path: Path, nonsense: bytes) -> None:
    with serving(tmp_path) as path:
        with socket.socket(socket.AF_UNIX) as stranger:
            stranger.connect(str(path))
            stranger.sendall(nonsense)
            while stranger.recv(4_096):
                pass
        with signing(path) as signer:
            assert signer.sign(replace(request(1), block=None))
