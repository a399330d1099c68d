"""Attacks on the handshake with the real Noise: replayed, relayed, reflected, changed."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from coc._native import NoiseHandshake
from coc.adapters.wire.noise import NativeNoise, fresh_noise
from coc.wire.errors import Reason, RemoteError
from coc.wire.events import Closed, Event, Opened, Proven
from coc.wire.handshake import HandshakeSetup
from coc.wire.identity import Identity, Offer
from coc.wire.noise import PROLOGUE, STATIC_KEY_BYTES
from coc.wire.pieces import RECORD_BYTES_MAX, encode_record
from coc.wire.session import Session
from tests.adapters.wire.stage import CHAIN, peer_of, secret
from tests.wire.fakes import unhurried

STATIC = bytes(range(1, STATIC_KEY_BYTES + 1))


def setup(number: int) -> HandshakeSetup:
    return HandshakeSetup(Identity(secret(number)), CHAIN, fresh_noise(), Offer())


def dialler(number: int = 1) -> Session:
    return Session(setup(number), 0, is_initiator=True)


def acceptor(number: int = 2) -> Session:
    return Session(setup(number), 0, is_initiator=False)


def said(session: Session) -> bytes:
    return session.data_to_send(RECORD_BYTES_MAX)


def body(record: bytes) -> bytes:
    return record[2:]


def ends(events: list[Event]) -> list[Reason]:
    return [event.reason for event in events if isinstance(event, Closed)]


def test_the_native_handshake_opens_a_channel() -> None:  # WIRE-4
    left, right = dialler(), acceptor()
    right.receive(said(left))
    (left_proven,) = left.receive(said(right))
    left.accept()
    (right_proven,) = right.receive(said(left))
    assert isinstance(left_proven, Proven)
    assert isinstance(right_proven, Proven)
    assert (left_proven.peer.peer, right_proven.peer.peer) == (peer_of(2), peer_of(1))
    assert left_proven.channel_hash == right_proven.channel_hash

    assert right.accept() == [Opened()]
    assert left.receive(said(right)) == [Opened()]


def test_identities_are_not_readable_on_the_way() -> None:
    left, right = dialler(), acceptor()
    first = said(left)
    right.receive(first)
    second = said(right)
    left.receive(second)
    stream = first + second + said(left)

    for number in (1, 2):
        assert Identity(secret(number)).public_key not in stream
    assert bytes(CHAIN.genesis_hash) not in stream


def test_a_recorded_handshake_cannot_be_played_again() -> None:  # WIRE-5
    left, right = dialler(), acceptor()
    first = said(left)
    right.receive(first)
    left.receive(said(right))
    third = said(left)
    assert isinstance(right.receive(third)[0], Proven)

    victim = acceptor()
    victim.receive(first)
    said(victim)
    (closed,) = victim.receive(third)
    assert isinstance(closed, Closed)
    assert isinstance(closed.error, RemoteError)
    assert "does not decrypt" in str(closed.error)


def test_a_hello_relayed_by_whoever_was_dialled_proves_nobody() -> None:  # WIRE-5
    # Mallory is dialled by Anna, and shows Anna's hello to Bert as its own.
    anna, bert = dialler(1), acceptor(2)
    to_anna = NoiseHandshake.begin(False, STATIC, PROLOGUE, None)
    to_anna.read(body(said(anna)))
    mallory = HandshakeSetup(Identity(secret(3)), CHAIN, NativeNoise(STATIC), Offer())
    anna.receive(encode_record(to_anna.write(mallory.hellos[1])))  # type: ignore[index]
    annas_hello = to_anna.read(body(said(anna)))

    to_bert = NoiseHandshake.begin(True, STATIC, PROLOGUE, None)
    bert.receive(encode_record(to_bert.write(b"")))
    to_bert.read(body(said(bert)))
    events = bert.receive(encode_record(to_bert.write(annas_hello)))
    assert ends(events) == [Reason.IDENTITY_NOT_PROVEN]
    assert not any(isinstance(event, Proven) for event in events)

    goodbye = to_bert.finish().open(body(said(bert)))
    assert goodbye.endswith(bytes((0xC1, Reason.IDENTITY_NOT_PROVEN)))


def test_a_hello_relayed_by_whoever_dials_proves_nobody() -> None:  # WIRE-5
    # Mallory dials Bert, and shows Bert's hello to Anna, who has dialled Mallory.
    anna, bert = dialler(1), acceptor(2)
    to_bert = NoiseHandshake.begin(True, STATIC, PROLOGUE, None)
    bert.receive(encode_record(to_bert.write(b"")))
    berts_hello = to_bert.read(body(said(bert)))
    to_anna = NoiseHandshake.begin(False, STATIC, PROLOGUE, None)
    to_anna.read(body(said(anna)))

    assert ends(anna.receive(encode_record(to_anna.write(berts_hello)))) == [Reason.IDENTITY_NOT_PROVEN]


def test_a_dialler_that_is_answered_with_itself_finds_out() -> None:  # WIRE-5, WIRE-7
    # Mallory carries what Anna dials back to Anna's own door.
    setup_of_anna = setup(1)
    out = Session(setup_of_anna, 0, is_initiator=True)
    door = Session(setup_of_anna, 0, is_initiator=False)
    door.receive(said(out))

    assert ends(out.receive(said(door))) == [Reason.OWN_IDENTITY]


def test_a_dialler_that_is_answered_with_its_own_words_finds_out() -> None:
    out = dialler()
    first = said(out)
    (closed,) = out.receive(first)

    assert isinstance(closed, Closed)
    assert closed.reason is Reason.PROTOCOL_BROKEN


def test_another_protocols_handshake_does_not_decrypt() -> None:  # WIRE-4
    foreign = NoiseHandshake.begin(True, STATIC, b"another protocol", None)
    bert = acceptor()
    bert.receive(encode_record(foreign.write(b"")))
    try:
        foreign.read(body(said(bert)))
    except ValueError:
        return
    raise AssertionError("it decrypted")


@unhurried(150)
@given(st.integers(0, 2), st.integers(0, 10_000), st.integers(1, 255))
def test_no_byte_of_a_handshake_can_be_changed_unseen(turn: int, place: int, change: int) -> None:
    left, right = dialler(), acceptor()
    events: list[Event] = []
    for number, (source, target) in enumerate(((left, right), (right, left), (left, right))):
        data = bytearray(said(source))
        if number == turn and data:
            data[2 + place % (len(data) - 2)] ^= change
        events += target.receive(bytes(data))
        if number >= turn:
            assert not any(isinstance(event, Proven) for event in events) or number > turn or turn == 2
    assert not any(isinstance(event, Proven) for event in right.receive(b""))
    assert sum(isinstance(event, Proven) for event in events) == (1 if turn == 2 else 0)


@unhurried(100)
@given(st.binary(min_size=16, max_size=400))
def test_whatever_is_sealed_as_a_hello_proves_nobody(payload: bytes) -> None:
    bert = acceptor()
    mallory = NoiseHandshake.begin(True, STATIC, PROLOGUE, None)
    bert.receive(encode_record(mallory.write(b"")))
    mallory.read(body(said(bert)))
    events = bert.receive(encode_record(mallory.write(payload)))

    assert len(ends(events)) == 1
    assert not any(isinstance(event, Proven) for event in events)
