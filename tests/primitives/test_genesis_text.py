"""A genesis text is cut to the byte, and its accounts are held to the rules without becoming objects."""

from __future__ import annotations

import pytest

from coc.primitives.genesis_text import GenesisTextInvalid, check_accounts, cut_genesis
from coc.primitives.types import Address

TEXT = b'{"config": {"chainId":1, "x": 1e400}, "alloc" : { "0x%s": {"balance" : "7"} } , "nonce": 0}\n' % (
    b"01" * 20
)
ONE, TWO = Address(b"\x01" * 20), Address(b"\x02" * 20)


def test_outline_and_accounts_are_the_text_again() -> None:
    parts = cut_genesis(TEXT)
    assert (parts.alloc[:2], parts.alloc[-2:]) == (b"{ ", b" }")
    assert parts.outline == TEXT.replace(parts.alloc, b"{}")


@pytest.mark.parametrize(
    ("text", "place"),
    [
        (b"", "genesis"),
        (b"[]", "genesis"),
        (b'{"alloc": {}', "genesis"),
        (b'{"alloc": {}, "alloc": {}}', "genesis"),
        (b'{"alloc": {"\xff": {}}}', "genesis"),
        (b"{}", "alloc"),
        (b'{"alloc": null}', "alloc"),
        (b'{"alloc": 5}', "alloc"),
    ],
)
def test_a_text_without_accounts_to_read_is_refused(text: bytes, place: str) -> None:
    with pytest.raises(GenesisTextInvalid) as caught:
        cut_genesis(text)
    assert caught.value.place == place


def test_accounts_are_counted_and_those_asked_for_are_handed_out() -> None:
    alloc = cut_genesis(TEXT).alloc
    assert check_accounts(alloc, is_ours=True, wanted=[ONE, TWO]) == (1, {ONE: b'{"balance" : "7"}'})
    assert check_accounts(b"{}", is_ours=True, wanted=[ONE]) == (0, {})


def test_an_account_that_breaks_a_rule_is_named_with_the_cure() -> None:
    alloc = b'{"0x%s": {"ballance": 1}}' % (b"01" * 20)
    assert check_accounts(alloc, is_ours=False, wanted=[]) == (1, {})
    with pytest.raises(GenesisTextInvalid, match="it is unknown; check its spelling") as caught:
        check_accounts(alloc, is_ours=True, wanted=[])
    assert caught.value.place == f"alloc.0x{'01' * 20}.ballance"
