"""The encrypted channel as Python holds it: three messages, then sealed ones, and ValueError for the rest."""

from __future__ import annotations

import pytest

from coc._native import NoiseChannel, NoiseHandshake, channel_public_key

CALLER, CALLED = b"\1" * 32, b"\2" * 32
PROLOGUE = b"what both know"
LONGEST_PLAINTEXT_BYTES = 65_519


def pair(
    ephemerals: tuple[bytes | None, bytes | None] = (None, None),
) -> tuple[NoiseHandshake, NoiseHandshake]:
    return (
        NoiseHandshake.begin(True, CALLER, PROLOGUE, ephemerals[0]),
        NoiseHandshake.begin(False, CALLED, PROLOGUE, ephemerals[1]),
    )


def finish(caller: NoiseHandshake, called: NoiseHandshake) -> tuple[NoiseChannel, NoiseChannel]:
    assert called.read(caller.write(b"one")) == b"one"
    assert caller.read(called.write(b"two")) == b"two"
    assert called.read(caller.write(b"three")) == b"three"
    return caller.finish(), called.finish()


def test_three_messages_prove_both_keys_and_give_a_channel() -> None:
    caller, called = pair()
    assert (caller.remote_static, caller.is_finished) == (None, False)
    called.read(caller.write(b""))
    caller.read(called.write(b""))
    assert caller.remote_static == channel_public_key(CALLED)
    called.read(caller.write(b""))
    assert called.remote_static == channel_public_key(CALLER)
    assert caller.is_finished
    assert caller.hash == called.hash
    assert len(caller.hash) == 32
    ours, theirs = caller.finish(), called.finish()
    for plaintext in (b"", b"question", bytes(LONGEST_PLAINTEXT_BYTES)):
        assert theirs.open(ours.seal(plaintext)) == plaintext
        assert ours.open(theirs.seal(plaintext)) == plaintext


def test_a_message_of_a_handshake_that_was_changed_ends_it() -> None:
    caller, called = pair()
    called.read(caller.write(b""))
    message = bytearray(called.write(b""))
    message[40] ^= 1
    with pytest.raises(ValueError, match="does not decrypt"):
        caller.read(bytes(message))
    assert caller.remote_static is None
    with pytest.raises(ValueError, match="earlier message was refused"):
        caller.write(b"")


def test_sides_with_different_prologues_do_not_meet() -> None:
    caller, _ = pair()
    called = NoiseHandshake.begin(False, CALLED, b"something else", None)
    called.read(caller.write(b""))
    with pytest.raises(ValueError, match="does not decrypt"):
        caller.read(called.write(b""))


def test_a_sealed_message_opens_once_and_a_changed_one_never() -> None:
    ours, theirs = finish(*pair())
    sealed = ours.seal(b"plain")
    assert theirs.open(sealed) == b"plain"
    with pytest.raises(ValueError, match="does not decrypt"):
        theirs.open(sealed)
    with pytest.raises(ValueError, match="earlier message was refused"):
        theirs.open(ours.seal(b"next"))


def test_a_message_that_is_too_long_is_refused_before_it_costs_anything() -> None:
    ours, theirs = finish(*pair())
    with pytest.raises(ValueError, match="65520 bytes do not fit"):
        ours.seal(bytes(LONGEST_PLAINTEXT_BYTES + 1))
    assert theirs.open(ours.seal(b"short")) == b"short"
    with pytest.raises(ValueError, match="65536 bytes is longer than the 65535"):
        theirs.open(bytes(65_536))


def test_given_ephemeral_secrets_a_run_repeats_itself_byte_for_byte() -> None:
    def run(*ephemerals: bytes | None) -> bytes:
        caller, called = pair((ephemerals[0], ephemerals[1]))
        ours, theirs = finish(caller, called)
        return ours.seal(b"sealed") + theirs.seal(b"sealed")

    assert run(b"\3" * 32, b"\4" * 32) == run(b"\3" * 32, b"\4" * 32)
    assert run(b"\3" * 32, b"\4" * 32) != run(b"\5" * 32, b"\4" * 32)
    assert run(None, None) != run(None, None)


def test_a_handshake_is_over_once_its_channel_was_asked_for() -> None:
    caller, called = pair()
    with pytest.raises(ValueError, match="not this side's turn"):
        called.write(b"")
    with pytest.raises(ValueError, match="not finished"):
        caller.finish()
    for call in (caller.finish, lambda: caller.write(b""), lambda: caller.hash):
        with pytest.raises(ValueError, match="over"):
            call()


@pytest.mark.parametrize("length", [0, 31, 33])
def test_secrets_have_32_bytes(length: int) -> None:
    with pytest.raises(ValueError, match=f"static secret has {length} bytes"):
        NoiseHandshake.begin(True, bytes(length), b"", None)
    with pytest.raises(ValueError, match=f"ephemeral secret has {length} bytes"):
        NoiseHandshake.begin(True, CALLER, b"", bytes(length))
    with pytest.raises(ValueError, match=f"secret key has {length} bytes"):
        channel_public_key(bytes(length))
