"""What the wire needs of a Noise library (revision 34, pattern XX), as Protocols.

XX has three messages. The dialler writes the first and the third, the acceptor the second; payloads of the
second and third are sealed to the static keys by then exchanged, so whoever finishes holds the secret of the
static key it showed.
"""

from __future__ import annotations

from typing import Final, Protocol

NOISE_TAG_BYTES: Final = 16
"""Bytes that sealing adds."""

STATIC_KEY_BYTES: Final = 32

PROLOGUE: Final = b"COC/wire\0"
"""Both sides hash it into the handshake: another protocol's messages do not decrypt. Version and chain are
not in it, because a peer of another chain must be able to read why it is refused.
"""


class NoiseChannel(Protocol):
    """An encrypted channel; both directions count messages, so none can be dropped, repeated or moved."""

    def seal(self, plaintext: bytes) -> bytes:
        """Encrypt the next message to the peer."""
        ...

    def open(self, message: bytes) -> bytes:
        """Decrypt the next message of the peer; ValueError where it is not that."""
        ...


class NoiseHandshake(Protocol):
    """One side of a handshake under way."""

    def write(self, payload: bytes) -> bytes:
        """Our next message, with a payload."""
        ...

    def read(self, message: bytes) -> bytes:
        """The payload of the peer's next message; ValueError where it does not decrypt."""
        ...

    @property
    def remote_static(self) -> bytes | None:
        """The peer's static key, once it has shown it."""
        ...

    @property
    def hash(self) -> bytes:
        """32 bytes that both sides of this handshake, and nobody else, have in the end."""
        ...

    def finish(self) -> NoiseChannel:
        """The channel, after the third message."""
        ...


class Noise(Protocol):
    """Makes handshakes with one static key."""

    @property
    def static_key(self) -> bytes:
        """The public half of our static key."""
        ...

    def begin(self, *, is_initiator: bool) -> NoiseHandshake:
        """A new handshake with the prologue above."""
        ...
