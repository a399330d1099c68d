"""What was typed about peers: addresses, identities, ways to them, and what is refused with a cure."""

from __future__ import annotations

from pathlib import Path

import pytest

from coc.adapters.wire.peer_names import PeerNameInvalid, read_peer
from coc.cli.network_options import network_choices
from coc.cli.validator_key import KeySources
from coc.cli.wire_options import WireOptions
from coc.primitives.errors import CliError
from coc.primitives.types import PeerId
from coc.wire.addresses import PeerAddress, Scheme
from coc.wire.peer_book.rules import PersistentPeer

ID = b"\xab" * 32


@pytest.mark.parametrize(
    ("text", "peer"),
    [
        ("20.0.0.1:30303", PersistentPeer(PeerAddress("20.0.0.1", 30_303))),
        ("[2600::1]:30303", PersistentPeer(PeerAddress("2600::1", 30_303))),
        (f"0x{ID.hex()}@node.example:1", PersistentPeer(PeerAddress("node.example", 1), PeerId(ID))),
        ("http://20.0.0.1:8080", PersistentPeer(PeerAddress("20.0.0.1", 8_080, Scheme.HTTP))),
        ("http://20.0.0.1:8080/", PersistentPeer(PeerAddress("20.0.0.1", 8_080, Scheme.HTTP))),
        (
            f"https://{ID.hex()}@node.example:443",
            PersistentPeer(PeerAddress("node.example", 443, Scheme.HTTPS), PeerId(ID)),
        ),
    ],
)
def test_a_peer_is_read_with_its_way_and_identity(text: str, peer: PersistentPeer) -> None:
    assert read_peer(text) == peer


@pytest.mark.parametrize("text", ["20.0.0.1", "http://20.0.0.1", "ftp://1:21@x", "abc@20.0.0.1:1", ":1"])
def test_what_names_no_peer_is_refused_with_a_cure(text: str) -> None:
    with pytest.raises(PeerNameInvalid) as caught:
        read_peer(text)
    assert caught.value.cure


def choices(folder: Path, **options: str) -> object:
    wire = WireOptions("127.0.0.1:0", (), None, **options)
    return network_choices(folder, KeySources(None, folder, None), wire)


def test_where_to_serve_http_and_what_to_advertise_are_read(tmp_path: Path) -> None:
    made = network_choices(
        tmp_path,
        KeySources(None, tmp_path, None),
        WireOptions("0.0.0.0:30303", (), None, "0.0.0.0:8080", "http://10.0.0.1:3128/", "203.0.113.7:40404"),
    )
    assert (made.http, made.advertised) == (("0.0.0.0", 8_080), ("203.0.113.7", 40_404))
    assert made.http_proxy == ("10.0.0.1", 3_128)


@pytest.mark.parametrize("text", ["10.0.0.1:3128", "https://10.0.0.1:3128", "http://me:word@10.0.0.1:3128"])
def test_a_proxy_that_cannot_be_asked_is_refused_with_a_cure(tmp_path: Path, text: str) -> None:
    with pytest.raises(PeerNameInvalid) as caught:
        choices(tmp_path, http_proxy=text)
    assert "http://HOST:PORT" in caught.value.cure


@pytest.mark.parametrize("text", ["node.example:30303", "0.0.0.0:30303", "203.0.113.7:0", "203.0.113.7"])
def test_an_address_that_others_cannot_use_is_not_advertised(tmp_path: Path, text: str) -> None:
    with pytest.raises((CliError, PeerNameInvalid)) as caught:
        choices(tmp_path, advertise=text)
    assert caught.value.cure
