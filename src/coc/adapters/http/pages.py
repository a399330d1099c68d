"""What GET answers: the pages that composition hands in (`/livez`, `/metrics`, …), and a first one at `/`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from html import escape
from typing import TypeAlias

import msgspec

from coc.primitives.frozen import frozen


@frozen
class Page:
    """An answer to GET."""

    body: bytes
    content_type: bytes = b"text/plain; charset=utf-8"
    status: int = 200


Pages: TypeAlias = Mapping[bytes, Callable[[], Page]]
"""Path to what makes its page; called on the loop's thread, so it must be quick."""


def front_page(client_version: str, chain_id: int, wants_html: bool) -> Page:
    """Who this is, for a person who opened the address in a browser, or for a program."""
    if not wants_html:
        facts = {"client": client_version, "chainId": chain_id, "rpc": "POST JSON-RPC 2.0 to this address"}
        return Page(msgspec.json.encode(facts), b"application/json")
    text = (
        "<!doctype html><meta charset=utf-8><title>COC node</title>"
        "<style>body{font:16px/1.5 system-ui;max-width:40em;margin:4em auto;padding:0 1em}</style>"
        f"<h1>COC node</h1><p>{escape(client_version)}, chain {chain_id}.</p>"
        "<p>This address speaks JSON-RPC 2.0 over POST. Give it to your wallet or library as its RPC URL.</p>"
        "<pre>curl -H 'content-type: application/json' -d "
        '\'{"jsonrpc":"2.0","id":1,"method":"eth_blockNumber"}\' http://…/</pre>'
    )
    return Page(text.encode(), b"text/html; charset=utf-8")
