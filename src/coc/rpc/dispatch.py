"""The way of a body through the method table: decode, look up, bind, call, answer.

`handle` is plain and synchronous. A body whose calls all read memory comes back as bytes at once; one with
work for the pool or the chain comes back as an `Exchange` for the transport to carry on. No method can take
another down: what a handler raises becomes the error of its own call.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, TypeAlias

import msgspec

from coc.primitives.limits_rpc import RPC_BATCH_ITEMS_MAX
from coc.rpc.errors import CallError, invalid_request, method_not_found
from coc.rpc.exchange import BatchExchange, Exchange, LoneExchange, response, response_too_large
from coc.rpc.jobs import Answer, is_job
from coc.rpc.methods import Context, Method
from coc.rpc.parameters import bind
from coc.rpc.requests import Request, decode_batch, decode_id, decode_parameters, decode_request, salvage_id

Handled: TypeAlias = bytes | Exchange | None
"""Bytes to send, an exchange to carry on, or None where nothing is to be answered."""

Guard: TypeAlias = Callable[[Callable[[], Answer]], "Answer | CallError"]
"""Runs one step of a call; the outermost edge gives one that catches everything and answers -32603."""

_BLANK: Final = b" \t\r\n"


class Dispatcher:
    """Answers bodies with the methods of one table; `calls` counts them by name, for the metrics."""

    __slots__ = ("_context", "_guard", "_table", "calls")

    def __init__(self, table: dict[str, Method], context: Context, guard: Guard) -> None:
        """The table is shown to the context, so that methods can list each other."""
        self._table = table
        self._context = context
        self._guard = guard
        context.methods = table
        self.calls = dict.fromkeys(table, 0)

    def handle(self, body: bytes, now_ms: int) -> Handled:
        """Answer one body; `now_ms` is the time by which filters expire."""
        context = self._context
        context.now_ms = now_ms
        context.filters.expire(now_ms)
        if body[:1] == b"[" or body.lstrip(_BLANK)[:1] == b"[":
            return self._batch(body)
        try:
            request = decode_request(body)
            request_id = decode_id(request.id)
        except CallError as error:
            return response(salvage_id(body), error)
        answer = self._call(request)
        if is_job(answer):
            return LoneExchange(self._guard, request_id, answer)
        return response(request_id, answer) if request_id else None

    def _batch(self, body: bytes) -> Handled:
        try:
            items = decode_batch(body)
        except CallError as error:
            return response(b"null", error)
        if not items:
            return response(b"null", invalid_request("an empty batch"))
        if len(items) > RPC_BATCH_ITEMS_MAX:
            allowed = f"{RPC_BATCH_ITEMS_MAX} are allowed (RPC_BATCH_ITEMS_MAX)"
            reason = f"batch too large: {len(items)} calls where {allowed}"
            return response(b"null", invalid_request(reason))
        exchange = BatchExchange(self._guard)
        for item in items:
            self._add(exchange, item)
        return exchange.body() if exchange.done else exchange

    def _add(self, exchange: BatchExchange, item: msgspec.Raw) -> None:
        try:
            request = decode_request(item)
            request_id = decode_id(request.id)
        except CallError as error:
            exchange.add(salvage_id(item), error)
            return
        exchange.add(request_id, response_too_large() if exchange.overflowed else self._call(request))

    def _call(self, request: Request) -> Answer | CallError:
        method = self._table.get(request.method)
        if request.jsonrpc != "2.0":
            return invalid_request('the member "jsonrpc" must be "2.0"')
        if method is None:
            return method_not_found(request.method)
        try:
            arguments = bind(method.parameters, decode_parameters(bytes(request.params)))
        except CallError as error:
            return error
        self.calls[method.name] += 1
        context = self._context
        return self._guard(lambda: method.handler(context, *arguments))
