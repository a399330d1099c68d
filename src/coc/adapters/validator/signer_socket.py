"""A signer in a process of its own, over a Unix socket: the serving side, and the node's side.

The signer answers one question at a time, whoever asks: two nodes on one signer cannot both sign. Its socket
is its owner's alone. A node that cannot reach its signer signs nothing and says so; it connects anew with
every question until it can.
"""

from __future__ import annotations

import contextlib
import os
import socket
import socketserver
import threading
from pathlib import Path
from typing import ClassVar, Final

from coc.consensus.signing_mark import decode_request, encode_request
from coc.node.validator.signer import MarkedSigner, SigningRefused
from coc.node.validator.signer_messages import (
    LENGTH_BYTES,
    SIGNER_MESSAGE_BYTES_MAX,
    AskIdentity,
    AskProof,
    AskSignature,
    Denied,
    Done,
    Question,
    Reply,
    SignerMessageInvalid,
    decode_question,
    decode_reply,
    encode_question,
    encode_reply,
)
from coc.node.validator.signing_order import SigningOrder
from coc.primitives.errors import AdapterError, CocError
from coc.primitives.seals import SignRequest
from coc.primitives.types import Address, Signature
from coc.primitives.validators import PUBLIC_KEY_BYTES, address_of_key

ANSWER_SECONDS_MAX: Final = 10.0
"""How long a node waits for its signer: many times an fsync on a slow disk."""
_OWNER_ONLY: Final = 0o600


class SignerUnreachable(AdapterError):
    """The signer's socket does not answer."""

    id: ClassVar[str] = "COC-SIGNER"


class SignerServer(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
    """Answers nodes on a Unix socket."""

    daemon_threads = True

    def __init__(self, path: Path, signer: MarkedSigner, public_key: bytes, order: SigningOrder) -> None:
        """Listen; an abandoned socket of an earlier signer is taken over, a living one is not.

        `order` is the one by which the signer judges.

        Raises:
            SignerUnreachable: another signer listens there, or the path cannot be used.
        """
        self._signer = signer
        self._public_key = public_key
        self._order = order
        self._turn = threading.Lock()
        _refuse_living(path)
        with contextlib.suppress(FileNotFoundError):
            path.unlink()
        try:
            before = os.umask(0o777 & ~_OWNER_ONLY)
            try:
                super().__init__(str(path), _Connection)
            finally:
                os.umask(before)
        except OSError as error:
            raise SignerUnreachable(
                f"{path} cannot be listened on", why=error.strerror or str(error), cure="choose another path"
            ) from error

    @property
    def validator(self) -> Address:
        """Whose votes it signs."""
        return address_of_key(self._public_key)

    def answer(self, question: Question) -> Reply:
        """One question at a time, in the order in which they came."""
        if not isinstance(question, AskProof) and question.order is not self._order:
            return Denied(
                f"it signs for chains of the engine {self._order.value}, and the node's is of the engine "
                f"{question.order.value}: start it with `coc signer --engine {question.order.value} …`"
            )
        with self._turn:
            try:
                match question:
                    case AskSignature():
                        return Done(self._signer.sign(question.request))
                    case AskProof():
                        return Done(self._signer.prove(question.alpha))
                    case AskIdentity():
                        mark = self._signer.mark
                        return Done(self._public_key + (b"" if mark is None else encode_request(mark)))
            except SigningRefused as refused:
                return Denied(refused.why)


class _Connection(socketserver.BaseRequestHandler):
    """One node."""

    server: SignerServer

    def handle(self) -> None:
        """Answer until the node goes, or says what no node says."""
        while (data := _take(self.request)) is not None:
            try:
                reply = self.server.answer(decode_question(data))
            except CocError as error:
                _give(self.request, encode_reply(Denied(str(error))))
                return
            _give(self.request, encode_reply(reply))


class RemoteSigner:
    """The node's side: a signer somewhere else. For one thread at a time."""

    def __init__(self, path: Path, order: SigningOrder = SigningOrder.ROUNDS) -> None:
        """Ask whose key it is, and hear of a signer that goes by another order.

        Raises:
            SignerUnreachable: nobody answers.
            SigningRefused: it signs for chains of the other engine.
        """
        self._path = path
        self._order = order
        self._socket: socket.socket | None = None
        try:
            payload = self._ask(AskIdentity(order))
        except SigningRefused:
            self.close()
            raise
        self.public_key = payload[:PUBLIC_KEY_BYTES]
        mark = payload[PUBLIC_KEY_BYTES:]
        self.mark: SignRequest | None = decode_request(mark) if mark else None

    @property
    def address(self) -> Address:
        """Whose votes it signs."""
        return address_of_key(self.public_key)

    def sign(self, request: SignRequest) -> Signature:
        """Have a request signed.

        Raises:
            SigningRefused: the signer refuses, or cannot be reached.
        """
        signature = Signature(self._ask(AskSignature(request, self._order)))
        self.mark = request
        return signature

    def prove(self, alpha: bytes) -> bytes:
        """Have a VRF proof made.

        Raises:
            SigningRefused: the signer cannot be reached.
        """
        return self._ask(AskProof(alpha))

    def close(self) -> None:
        """Let the connection go."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def _ask(self, question: Question) -> bytes:
        try:
            if self._socket is None:
                self._socket = _connected(self._path)
            _give(self._socket, encode_question(question))
            data = _take(self._socket)
            if data is None:
                raise ConnectionResetError("the signer closed the connection")
            reply = decode_reply(data)
        except (OSError, SignerMessageInvalid) as error:
            self.close()
            raise SignerUnreachable(
                f"the signer at {self._path} does not answer",
                why=str(error),
                cure=f"start it: `coc signer --socket {self._path} …`",
            ) from error
        if isinstance(reply, Denied):
            raise SigningRefused("the signer refuses", why=reply.why)
        return reply.payload


def _connected(path: Path) -> socket.socket:
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        connection.settimeout(ANSWER_SECONDS_MAX)
        connection.connect(str(path))
    except OSError:
        connection.close()
        raise
    return connection


def _refuse_living(path: Path) -> None:
    try:
        _connected(path).close()
    except OSError:
        return
    raise SignerUnreachable(
        f"another signer listens on {path}",
        cure="stop it first, or choose another --socket; one key must have one signer",
    )


def _give(connection: socket.socket, data: bytes) -> None:
    connection.sendall(len(data).to_bytes(LENGTH_BYTES, "big") + data)


def _take(connection: socket.socket) -> bytes | None:
    """One message; None where the other side has gone or sends what is too long."""
    head = _exactly(connection, LENGTH_BYTES)
    length = int.from_bytes(head or b"", "big")
    if not head or not 0 < length <= SIGNER_MESSAGE_BYTES_MAX:
        return None
    return _exactly(connection, length)


def _exactly(connection: socket.socket, count: int) -> bytes | None:
    data = b""
    while len(data) < count:
        try:
            more = connection.recv(count - len(data))
        except ConnectionError:
            return None
        if not more:
            return None
        data += more
    return data
